//! What container images are for, from a small table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    roles: BTreeMap<String, Vec<String>>,
    nonroot: Nonroot,
    root: Root,
    build: Build,
    releases: Releases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Releases {
    images: Vec<String>,
    names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nonroot {
    parts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    names: Vec<String>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../../../rules/images.toml")).unwrap_or_default());

/// `database`, `cache`, `queue`, `proxy`, `tool`, or nothing that the table knows.
pub fn role(image: &str) -> Option<&'static str> {
    let name = short_name(image);
    TABLE.roles.iter().find(|(_, names)| names.contains(&name)).map(|(role, _)| role.as_str())
}

/// The role of a name that holds the name of a known image (`shop-postgres`).
pub fn role_of_words(words: &[String]) -> Option<&'static str> {
    words.iter().find_map(|word| role(word))
}

/// The processes of the image do not run as root, whatever its Dockerfile says.
pub fn is_nonroot(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    TABLE.nonroot.parts.iter().any(|part| image.contains(part.as_str()))
}

/// Somebody's own image: which user it runs as stands in a Dockerfile out of sight.
pub fn has_unknown_user(image: &str) -> bool {
    let name = image.strip_prefix("docker.io/").unwrap_or(image);
    name.strip_prefix("library/").unwrap_or(name).contains('/') && !TABLE.root.names.contains(&short_name(image))
}

/// The image brings compilers.
pub fn is_build_image(image: &str) -> bool {
    TABLE.build.names.contains(&short_name(image))
}

/// How exactly a reference names its image: `digest`, `version` (a tag with a number), `floating` (`latest`, `alpine`,
/// `lts`), `none` (no tag), `local` (nothing to pin); unknown where a variable without default is part of it.
pub fn pin(reference: &str) -> Value {
    let Some(reference) = with_defaults(reference).or_else(|| known_end(reference)).filter(|text| !text.contains("{{"))
    else {
        return Value::UNKNOWN;
    };
    if reference.is_empty() || reference == "scratch" {
        return Value::text("local");
    }
    if reference.contains("@sha256:") {
        return Value::text("digest");
    }
    let last = reference.rsplit('/').next().unwrap_or_default();
    Value::text(match last.split_once(':') {
        None => "none",
        Some((_, tag)) if tag.contains(|c: char| c.is_ascii_digit()) => "version",
        Some((name, tag)) if is_release(name, tag) => "version",
        Some(_) => "floating",
    })
}

/// The tag names a release of a distribution: `debian:bookworm-slim`.
fn is_release(name: &str, tag: &str) -> bool {
    let named = tag.split('-').any(|word| TABLE.releases.names.iter().any(|release| release == word));
    named && TABLE.releases.images.iter().any(|image| image == name)
}

/// `redis:${TAG:-7.4}` is `redis:7.4`; nothing where a variable has no default.
fn with_defaults(text: &str) -> Option<String> {
    let mut parts = text.split("${");
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}')?;
        let (_, default) = variable.split_once(":-").or_else(|| variable.split_once('-'))?;
        out.push_str(default);
        out.push_str(rest);
    }
    (!out.contains('$')).then_some(out)
}

/// The name and tag of an image whose registry or owner is a variable (`${REGISTRY}/shop/api:latest` is `api:latest`),
/// or the tag alone where the name is one too.
fn known_end(reference: &str) -> Option<String> {
    let (_, last) = reference.rsplit_once('/')?;
    match last.rsplit_once(':') {
        Some((name, tag)) if name.contains('$') && !tag.contains(['$', '}']) => Some(format!("image:{tag}")),
        _ => (!last.contains(['$', '{', '}'])).then(|| last.to_owned()),
    }
}

/// `ghcr.io/a/postgres:16@sha256:…` is `postgres`.
fn short_name(image: &str) -> String {
    let untagged = image.split('@').next().unwrap_or_default();
    let last = untagged.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_loads_and_names_roles() {
        assert!(toml::from_str::<Table>(include_str!("../../../rules/images.toml")).is_ok());
        for (image, wanted) in [
            ("postgres:16-alpine", Some("database")),
            ("docker.io/bitnami/redis@sha256:00", Some("cache")),
            ("localhost:5000/rabbitmq", Some("queue")),
            ("nginx", Some("proxy")),
            ("node:22", None),
            ("", None),
        ] {
            assert_eq!(role(image), wanted, "{image}");
        }
    }

    #[test]
    fn pins() {
        for (image, wanted) in [
            ("redis", "none"),
            ("localhost:5000/redis", "none"),
            ("redis:alpine", "floating"),
            ("node:lts-slim", "floating"),
            ("redis:7.4-alpine", "version"),
            ("redis:${TAG:-7.4}", "version"),
            ("redis@sha256:00", "digest"),
            ("scratch", "local"),
            ("$REGISTRY/shop/api", "none"),
            ("${REGISTRY}/api:latest", "floating"),
            ("${REGISTRY}/${NAME}:1.4.2", "version"),
        ] {
            assert_eq!(pin(image).as_text(), Some(wanted), "{image}");
        }
        assert!(pin("shop/api:${TAG}").is_unknown() && pin("$BASE").is_unknown() && pin("${BASE}-slim").is_unknown());
        assert!(pin("${OWNER}/api:${TAG}").is_unknown() && pin("${A:-b/c}${TAG}").is_unknown());
    }

    #[test]
    fn nonroot_and_build_images() {
        assert!(is_nonroot("gcr.io/distroless/nodejs22:nonroot") && !is_nonroot("node:22"));
        assert!(is_build_image("rust:1.95") && !is_build_image("node:22"));
        assert!(has_unknown_user("ghcr.io/acme/base:2") && has_unknown_user("acme/shop"));
        assert!(
            !has_unknown_user("docker.io/node:22") && !has_unknown_user("oven/bun:1") && !has_unknown_user("alpine")
        );
    }
}
