//! Environment files: what they name, never what they hold.

use crate::facts::{Data, Fact, Origins, Value};
use crate::project::FileId;
use crate::syntax::dotenv::{EnvLine, parse};

use super::paths;
use super::values::{fact, optional, span};

/// An `env-entry` for each assignment. Its value is masked: empty, or unknown with origins.
pub fn env_entries(file: FileId, path: &str, text: &str, tracked: bool) -> Vec<Fact> {
    let template = is_template(path);
    let encrypted = text.contains("DOTENV_PUBLIC_KEY") || text.contains("sops_version");
    let entry = |line: EnvLine| {
        let placeholder = is_placeholder(&line.value) || encrypted && is_ciphertext(&line.value);
        fact("env-entry", span(file, line.start, line.end), "shape dotenv", &line.name)
            .with("name", Value::text(line.name.as_str()))
            .with("value", masked(&line.value))
            .with("template", Value::bool(template))
            .with("tracked", Value::bool(tracked))
            .with("placeholder", Value::bool(placeholder))
            .with("scheme", optional(scheme(&line.value)))
    };
    parse(text).into_iter().map(entry).collect()
}

/// A file to be copied, for tests or for a container to develop in (`.env.example`), whose values are no secrets.
pub fn is_template(path: &str) -> bool {
    const WORDS: [&str; 14] = [
        "example", "examples", "sample", "template", "tmpl", "tpl", "dist", "defaults", "default", "test", "testing",
        "ci", "e2e", "schema",
    ];
    path.split('/').any(|folder| folder == ".devcontainer")
        || paths::words(paths::name(path)).iter().any(|word| WORDS.contains(&word.as_str()))
}

fn masked(value: &str) -> Value {
    match value.is_empty() {
        true => Value::text(""),
        false => Value { data: Data::Unknown, origins: Origins::LITERAL.with(Origins::MASKED) },
    }
}

/// What kind of address the value is: `postgresql` of `postgresql://…`, `file` of `file:./dev.db`.
fn scheme(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(':')?;
    let named = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (named && (rest.starts_with("//") || matches!(scheme, "file" | "sqlite"))).then_some(scheme)
}

/// Nobody could log in anywhere with this value.
pub fn is_placeholder(value: &str) -> bool {
    const WHOLE: [&str; 20] = [
        "true",
        "false",
        "null",
        "none",
        "undefined",
        "secret",
        "password",
        "admin",
        "root",
        "user",
        "development",
        "production",
        "test",
        "todo",
        "foo",
        "bar",
        "key",
        "token",
        "string",
        "value",
    ];
    const PARTS: [&str; 26] = [
        "changeme",
        "change_me",
        "change-me",
        "change this",
        "changethis",
        "change-this",
        "replace",
        "your-",
        "your_",
        "yourdomain",
        "xxx",
        "example",
        "placeholder",
        "dummy",
        "insert",
        "fill",
        "todo",
        "***",
        "...",
        "encrypted:",
        "enc[",
        "supersecret",
        "super-secret",
        "not-a-secret",
        "notasecret",
        "generate",
    ];
    // Where the value is kept, or who puts it in.
    const REFERENCES: [&str; 12] =
        ["${", "$(", "{{", "<%", "op://", "vault:", "env:", "ssm:", "arn:", "alias/", "file:", "awssm:"];
    let value = value.trim().to_lowercase();
    value.len() < 2
        || value.starts_with('<') && value.ends_with('>')
        || value.len() > 2 && value.starts_with('%') && value.ends_with('%')
        || REFERENCES.iter().any(|start| value.starts_with(start))
        || value.chars().all(|c| c.is_ascii_digit())
        || WHOLE.contains(&value.as_str())
        || PARTS.iter().any(|part| value.contains(part))
        || is_filled_in(&value)
        || is_local(&value)
}

/// A password that everybody tries first. The list stands here and not in the lexicons, which only rules see: a fact must say
/// `common` without holding the value.
pub fn is_common(value: &str) -> bool {
    const COMMON: [&str; 24] = [
        "password",
        "passw0rd",
        "p@ssw0rd",
        "password1",
        "password123",
        "secret",
        "supersecret",
        "changeme",
        "change_me",
        "changeit",
        "admin",
        "administrator",
        "root",
        "toor",
        "postgres",
        "mysql",
        "mongo",
        "redis",
        "guest",
        "test",
        "letmein",
        "qwerty",
        "minioadmin",
        "rabbitmq",
    ];
    let value = value.trim().to_lowercase();
    let digits = !value.is_empty() && "1234567890".starts_with(value.as_str()) && value.len() > 2;
    digits || COMMON.contains(&value.as_str())
}

/// An address whose password stands elsewhere: `postgres://app:${PASSWORD}@db/app`.
fn is_filled_in(value: &str) -> bool {
    let authority = value.split_once("://").and_then(|(_, rest)| Some(rest.rsplit_once('@')?.0));
    let password = authority.and_then(|credentials| Some(credentials.split_once(":$")?.1));
    password.is_some_and(|password| password.starts_with(['{', '(']) || password.chars().all(is_of_name))
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_ciphertext(value: &str) -> bool {
    value.starts_with("encrypted:") || value.starts_with("ENC[")
}

/// An address of this machine, or of a neighbour in its own network, whose password, if any, is the name of the product or the
/// user.
fn is_local(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return value.starts_with("localhost") };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (credentials, host) = authority.rsplit_once('@').map_or((None, authority), |(c, host)| (Some(c), host));
    let local =
        ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "host.docker.internal"].iter().any(|h| host.starts_with(h))
            || credentials.is_some() && !host.is_empty() && !host.contains(['.', '[']);
    let default_password = |text: &str| {
        text.split_once(':').is_none_or(|(user, password)| {
            user == password || ["", "postgres", "root", "password", "mysql", "example", "admin"].contains(&password)
        })
    };
    local && credentials.is_none_or(default_password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_leave_the_file() {
        let text = "API_KEY=Pq8-real-value\nEMPTY=\nDATABASE_URL=postgresql://app:Pq8realvalue@db.host/app\n";
        let facts = env_entries(FileId(0), "apps/api/.env", text, true);
        let debug = format!("{facts:?}");
        assert!(!debug.contains("Pq8"), "{debug}");
        assert_eq!(facts[1].get("value"), Some(&Value::text("")));
        assert!(facts[0].get("value").unwrap().origins.has(Origins::MASKED));
        assert_eq!(facts[2].get("scheme").unwrap().as_text(), Some("postgresql"));
        let flags: Vec<_> = facts.iter().map(|f| f.get("placeholder").cloned().unwrap()).collect();
        assert_eq!(flags, [Value::bool(false), Value::bool(true), Value::bool(false)]);
        assert_eq!(facts[0].get("tracked"), Some(&Value::bool(true)));
    }

    #[test]
    fn templates_by_name() {
        for path in
            [".env.example", "env.sample", "apps/web/.env.test", ".env.local.dist", ".env.ci", ".devcontainer/api.env"]
        {
            assert!(is_template(path), "{path}");
        }
        for path in [".env", ".env.production", ".env.local", "latest/.env"] {
            assert!(!is_template(path), "{path}");
        }
    }

    #[test]
    fn placeholders() {
        for value in [
            "",
            "changeme",
            "your-api-key",
            "<token>",
            "${VAULT}",
            "encrypted:BD7",
            "%API_KEY%",
            "vault:secret/data/app#key",
            "http://localhost:3000",
            "xxxx",
            "3000",
            "postgres://postgres:postgres@localhost:5432/app",
            "postgres://shop:shop@db/shop",
            "postgres://${USER}:${PASSWORD}@${HOST}:5432/app",
            "amqp://app:$PASSWORD@queue",
            "alias/signing",
            "true",
            "https://example.com",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in [
            "Pq8-real-value",
            "postgres://app:hunter22@localhost/app",
            "postgres://app:hunter22@db/app",
            "postgres://app:app@db.shop.io/app",
            "postgres://app:$Pq8-real@db/app",
            "https://hooks.partner.io/T00/B00/abcdef",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
