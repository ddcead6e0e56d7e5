//! What objects of Kubernetes say about each other and about access: labels and what selects them, the rights of roles,
//! the entries of a Secret. Of an entry only its name is kept, never its value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::{Entry, Node};

use super::values::{fact, scalar_text, span, texts};
use super::{dotenv, helm};

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

/// A `secret-entry` for each value of a Secret that stands in the file, unless it was encrypted.
pub fn secret_entries(file: FileId, root: &Node) -> Vec<Fact> {
    let kinds = [("data", true), ("stringData", false)];
    let sealed = root.get("sops").is_some();
    let entries = kinds.into_iter().flat_map(|(key, encoded)| {
        let entries = root.get(key).map(Node::entries).unwrap_or_default().iter();
        entries.map(move |entry| (entry, encoded))
    });
    entries.filter(|_| !sealed).filter_map(|(entry, encoded)| secret_entry(file, entry, encoded)).collect()
}

fn secret_entry(file: FileId, entry: &Entry, encoded: bool) -> Option<Fact> {
    let text = scalar_text(&entry.value)?;
    let value = match encoded {
        true => STANDARD.decode(text.trim()).ok().map_or(text, |bytes| String::from_utf8_lossy(&bytes).into_owned()),
        false => text,
    };
    let made = fact("secret-entry", span(file, entry.key_start, entry.key_end), "shape kubernetes", &entry.key)
        .with("name", Value::text(entry.key.clone()))
        .with("placeholder", Value::bool(dotenv::is_placeholder(&value) || helm::is_templated(&value)))
        .with("length", Value::number(value.len() as f64));
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

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
        let facts = secret_entries(FileId(0), &parse(text).unwrap());
        let read: Vec<_> =
            facts.iter().map(|fact| (&*fact.symbol, fact.get("placeholder") == Some(&Value::bool(true)))).collect();
        assert_eq!(read, [("a", false), ("b", true), ("c", false), ("d", true), ("f", true)]);
        assert!(facts.iter().all(|fact| fact.get("value").is_none()));
        assert!(secret_entries(FileId(0), &parse("{sops: {mac: x}, data: {a: eA==}}").unwrap()).is_empty());
    }
}
