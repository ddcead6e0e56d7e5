//! `environment.yml` of conda.

use super::pep508::requirement;
use super::{MAX_REQUIREMENTS, Requirement};
use crate::syntax::Node;

/// The packages of an environment, those that pip installs included.
pub fn environment(node: &Node) -> Vec<Requirement> {
    let mut found = Vec::new();
    let items = node.get("dependencies").map_or(&[][..], Node::items);
    let nested = items.iter().filter_map(|item| item.get("pip")).flat_map(Node::items);
    for (item, conda) in items.iter().map(|item| (item, true)).chain(nested.map(|item| (item, false))) {
        let Some(text) = item.as_text() else { continue };
        let read = if conda { requirement(&as_pip(text)) } else { requirement(text) };
        if let Some(read) = read.filter(|read| &*read.name != "python" && found.len() < MAX_REQUIREMENTS) {
            found.push(Requirement { start: item.start, end: item.end, ..read });
        }
    }
    found.sort_by_key(|requirement| requirement.start);
    found
}

/// `conda-forge::flask=3.0=py312_0` → `flask==3.0`
fn as_pip(text: &str) -> String {
    let text = text.rsplit_once("::").map_or(text, |(_, rest)| rest);
    match text.split_once('=') {
        Some((name, version)) if !version.starts_with('=') && !name.ends_with(['<', '>', '!', '~']) => {
            format!("{}=={}", name.trim(), version.split('=').next().unwrap_or(version))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    #[test]
    fn packages_of_conda_and_pip() {
        let text = "name: shop\ndependencies:\n  - python=3.12\n  - conda-forge::flask=3.0=py_0\n  - redis>=5\n  - pip\n  - pip:\n      - fastapi==0.110\n";
        let found = environment(&yaml::parse(text).unwrap());
        let rows: Vec<_> = found.iter().map(|r| (&*r.name, r.version.as_str())).collect();
        assert_eq!(rows, [("flask", "==3.0"), ("redis", ">=5"), ("pip", ""), ("fastapi", "==0.110")]);
    }
}
