//! What objects of Kubernetes say about each other and about access: labels and what selects them, the rights of roles,
//! the entries of a Secret. Of an entry only its name is kept, never its value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::facts::{Fact, Value};
use crate::project::{FileId, Span};
use crate::syntax::{Entry, Node};

use super::values::{fact, scalar_text, span, texts};
use super::{dotenv, helm};
use crate::syntax::dotenv as lines;

/// Entries of one text that are looked at.
const MAX_LINES: usize = 500;
/// Pairs of a role that are looked at.
const MAX_GRANTS: usize = 400;

/// The labels of a map as `name=value`, so that lists of them compare.
pub fn labels(node: Option<&Node>) -> Vec<String> {
    let entries = node.map(Node::entries).unwrap_or_default().iter();
    entries.filter_map(|entry| Some(format!("{}={}", entry.key, scalar_text(&entry.value)?))).collect()
}

/// What the rules of a role allow, as `verb resource`. Rules for named objects only are left out.
pub fn grants(root: &Node) -> Vec<String> {
    let rules = root.get("rules").map(Node::items).unwrap_or_default().iter();
    let open = rules.filter(|rule| rule.get("resourceNames").is_none());
    let mut found: Vec<String> = open
        .flat_map(|rule| {
            let of = |key: &str| rule.get(key).map(texts).unwrap_or_default();
            let resources = of("resources");
            of("verbs")
                .into_iter()
                .flat_map(move |verb| resources.clone().into_iter().map(move |resource| format!("{verb} {resource}")))
        })
        .take(MAX_GRANTS)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Who a binding is for: `ServiceAccount default`, `Group system:authenticated`.
pub fn subjects(root: &Node) -> Vec<String> {
    let subjects = root.get("subjects").map(Node::items).unwrap_or_default().iter();
    let named = |subject: &Node, key: &str| subject.get(key).and_then(scalar_text).unwrap_or_default();
    subjects.map(|subject| format!("{} {}", named(subject, "kind"), named(subject, "name"))).collect()
}

/// A `secret-entry` for each value of a Secret or ConfigMap that stands in the file, unless it was encrypted.
pub fn secret_entries(file: FileId, root: &Node, kind: &str) -> Vec<Fact> {
    let (parts, holder): (&[(&str, bool)], _) = match kind {
        "Secret" => (&[("data", true), ("stringData", false)], "secret"),
        "ConfigMap" => (&[("data", false)], "config-map"),
        _ => return Vec::new(),
    };
    if root.get("sops").is_some() {
        return Vec::new();
    }
    let entries = parts.iter().flat_map(|(key, encoded)| {
        let entries = root.get(key).map(Node::entries).unwrap_or_default().iter();
        entries.map(move |entry| (entry, *encoded))
    });
    entries.flat_map(|(entry, encoded)| entry_facts(file, entry, encoded, holder)).collect()
}

/// The same for the literals that Kustomize makes Secrets and ConfigMaps of:
/// <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/secretgenerator/>.
pub fn generated_entries(file: FileId, root: &Node) -> Vec<Fact> {
    let literals =
        [("secretGenerator", "secret"), ("configMapGenerator", "config-map")].into_iter().flat_map(|(key, holder)| {
            let generators = root.get(key).map(Node::items).unwrap_or_default().iter();
            let all = generators.filter_map(|one| one.get("literals")).flat_map(Node::items);
            all.map(move |literal| (literal, holder))
        });
    let made = literals.filter_map(|(literal, holder)| {
        let (name, value) = literal.as_text()?.split_once('=')?;
        Some(entry_fact(span(file, literal.start, literal.end), name, value.trim_matches(['"', '\'']), holder))
    });
    made.collect()
}

/// The entry itself, and the settings of a whole file that it holds.
fn entry_facts(file: FileId, entry: &Entry, encoded: bool, holder: &str) -> Vec<Fact> {
    let Some(text) = scalar_text(&entry.value) else { return Vec::new() };
    let value = match encoded {
        true => STANDARD.decode(text.trim()).ok().map_or(text, |bytes| String::from_utf8_lossy(&bytes).into_owned()),
        false => text,
    };
    let at = span(file, entry.key_start, entry.key_end);
    let held = settings(&value).into_iter().map(|(name, value)| entry_fact(at, &name, &value, holder));
    std::iter::once(entry_fact(at, &entry.key, &value, holder)).chain(held).collect()
}

/// Names with their values, if every line of the text is a setting (`NAME=value`), a comment or empty.
fn settings(text: &str) -> Vec<(String, String)> {
    let is_setting = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']);
    let said = text.lines().filter(is_setting).take(MAX_LINES + 1).count();
    let found = lines::parse(text);
    match said == found.len() && said <= MAX_LINES {
        true => found.into_iter().filter(|line| !line.value.is_empty()).map(|line| (line.name, line.value)).collect(),
        false => Vec::new(),
    }
}

/// A `secret-entry` for each variable of a container whose value stands in the manifest.
pub fn variables(file: FileId, container: &Node) -> Vec<Fact> {
    let entries = container.get("env").map(Node::items).unwrap_or_default().iter();
    let made = entries.filter_map(|entry| {
        let (name, value) = (entry.get("name")?.as_text()?, scalar_text(entry.get("value")?)?);
        Some(entry_fact(span(file, entry.start, entry.end), name, &value, "pod"))
    });
    made.collect()
}

/// A path, or a URL without a password in it.
fn is_address(value: &str) -> bool {
    let rest = value.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    value.starts_with(['/', '.']) || rest.is_some_and(|authority| !authority.contains('@'))
}

/// What a value with that name gives away: whether it stands for one that is put in later, and how long it is.
pub fn entry_fact(at: Span, name: &str, value: &str, holder: &str) -> Fact {
    let unset = dotenv::is_placeholder(value) || helm::is_templated(value) || value.contains("$(");
    fact("secret-entry", at, "shape secret-entry", name)
        .with("name", Value::text(name))
        .with("placeholder", Value::bool(unset))
        .with("common", Value::bool(dotenv::is_common(value)))
        .with("address", Value::bool(is_address(value)))
        .with("length", Value::number(value.len() as f64))
        .with("holder", Value::text(holder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    #[test]
    fn what_kustomize_makes_secrets_of() {
        let text = "secretGenerator:\n- {name: a, literals: [JWT_SECRET=x1, B]}\nconfigMapGenerator:\n- {name: b, files: [c]}\n";
        let facts = generated_entries(FileId(0), &parse(text).unwrap());
        assert_eq!(facts.iter().map(|fact| fact.get("name")).collect::<Vec<_>>(), [Some(&Value::text("JWT_SECRET"))]);
    }

    #[test]
    fn what_roles_allow() {
        let role = "rules:\n- {verbs: [get, list], resources: [secrets]}\n- {verbs: [get], resources: [pods], resourceNames: [a]}\n- {verbs: ['*'], nonResourceURLs: ['*']}\n";
        assert_eq!(grants(&parse(role).unwrap()), ["get secrets", "list secrets"]);
        let binding = "subjects: [{kind: ServiceAccount, name: default}, {kind: Group}]";
        assert_eq!(subjects(&parse(binding).unwrap()), ["ServiceAccount default", "Group "]);
        assert_eq!(labels(Some(&parse("{app: api, tier: 2, x: [1]}").unwrap())), ["app=api", "tier=2"]);
        assert!(grants(&parse("rules: 3").unwrap()).is_empty());
    }

    #[test]
    fn entries_of_secrets() {
        let text = "data: {a: aHVudGVyMmh1bnRlcjI=, b: Y2hhbmdlbWU=, c: '%%'}\nstringData: {d: '${PASSWORD}', e: [1], f: Bearer $templated}\n";
        let facts = secret_entries(FileId(0), &parse(text).unwrap(), "Secret");
        let read: Vec<_> =
            facts.iter().map(|fact| (&*fact.symbol, fact.get("placeholder") == Some(&Value::bool(true)))).collect();
        assert_eq!(read, [("a", false), ("b", true), ("c", false), ("d", true), ("f", true)]);
        assert!(facts.iter().all(|fact| fact.get("value").is_none()));
        let sealed = parse("{sops: {mac: x}, data: {a: eA==}}").unwrap();
        assert!(secret_entries(FileId(0), &sealed, "Secret").is_empty());
        assert!(secret_entries(FileId(0), &parse(text).unwrap(), "SealedSecret").is_empty());
        let map = secret_entries(FileId(0), &parse(text).unwrap(), "ConfigMap");
        assert_eq!((map.len(), map[0].get("holder")), (3, Some(&Value::text("config-map"))));
        let container =
            parse("env: [{name: A, value: hunter2}, {name: B, value: $(A)}, {name: C, valueFrom: {}}]").unwrap();
        let found = variables(FileId(0), &container);
        let unset: Vec<_> = found.iter().map(|fact| fact.get("placeholder") == Some(&Value::bool(true))).collect();
        assert_eq!(unset, [false, true]);
    }
}
