//! `Cargo.toml`: dependencies of the package, of its targets and of its workspace.

use super::{MAX_REQUIREMENTS, Requirement};
use crate::syntax::{Entry, Node};

/// Everything that a `Cargo.toml` asks for, in the order of the file.
pub fn cargo(node: &Node) -> Vec<Requirement> {
    let mut found = Vec::new();
    sections(node, &mut found);
    for target in node.get("target").map_or(&[][..], Node::entries) {
        sections(&target.value, &mut found);
    }
    if let Some(shared) = node.at(&["workspace", "dependencies"]) {
        section(shared, false, &mut found);
    }
    found.sort_by_key(|requirement| requirement.start);
    found
}

fn sections(node: &Node, found: &mut Vec<Requirement>) {
    for (name, dev) in [
        ("dependencies", false),
        ("build-dependencies", true),
        ("build_dependencies", true),
        ("dev-dependencies", true),
        ("dev_dependencies", true),
    ] {
        if let Some(node) = node.get(name) {
            section(node, dev, found);
        }
    }
}

fn section(node: &Node, dev: bool, found: &mut Vec<Requirement>) {
    for entry in node.entries() {
        if found.len() < MAX_REQUIREMENTS {
            found.push(requirement(entry, dev));
        }
    }
}

fn requirement(entry: &Entry, dev: bool) -> Requirement {
    let text = |key: &str| entry.value.get(key).and_then(Node::as_text);
    let inherited = entry.value.get("workspace").and_then(Node::as_bool) == Some(true);
    let version = entry.value.as_text().or_else(|| text("version"));
    let fixed = ["rev", "tag"].iter().any(|key| text(key).is_some());
    let loose = match (version, text("git")) {
        (_, Some(_)) => !fixed,
        (Some(version), None) => matches!(version.trim(), "" | "*" | ">=0" | ">=0.0.0"),
        (None, None) => !inherited && text("path").is_none(),
    };
    let written = version.or_else(|| text("git")).or_else(|| text("path")).unwrap_or_default();
    Requirement {
        name: text("package").unwrap_or(&entry.key).into(),
        version: written.to_owned(),
        dev,
        loose,
        inherited,
        start: entry.key_start,
        end: entry.value.end.max(entry.key_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::toml_file;

    #[test]
    fn all_sections_and_forms() {
        let text = "[package]\nname = 'shop'\n[dependencies]\naxum = '0.8'\nserde.workspace = true\nown = {path = '../own'}\n\
            db = {package = 'sqlx', version = '0.8', features = ['postgres']}\nmoving = {git = 'https://host/m'}\n\
            fixed = {git = 'https://host/f', tag = 'r1'}\nany = '*'\n[dev-dependencies]\nproptest = '1'\n\
            [target.'cfg(unix)'.dependencies]\njemallocator = '0.5'\n[workspace.dependencies]\ntokio = {version = '1'}\n";
        let node = toml_file::parse(text).unwrap();
        let found = cargo(&node);
        let rows: Vec<_> = found.iter().map(|r| (&*r.name, r.version.as_str(), r.dev, r.loose, r.inherited)).collect();
        let expected = [
            ("axum", "0.8", false, false, false),
            ("serde", "", false, false, true),
            ("own", "../own", false, false, false),
            ("sqlx", "0.8", false, false, false),
            ("moving", "https://host/m", false, true, false),
            ("fixed", "https://host/f", false, false, false),
            ("any", "*", false, true, false),
            ("proptest", "1", true, false, false),
            ("jemallocator", "0.5", false, false, false),
            ("tokio", "1", false, false, false),
        ];
        assert_eq!(rows, expected);
        assert!(cargo(&toml_file::parse("dependencies = 3\n[workspace]\nmembers = 1\n").unwrap()).is_empty());
    }
}
