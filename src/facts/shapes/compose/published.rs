//! Images that the project publishes under its own name: what its Dockerfile says holds where they run, too.

use crate::facts::shapes::Surroundings;
use crate::syntax::{json, toml_file};

/// The Dockerfile at the root, for an image that is called like the project: `ghcr.io/acme/shop:2` of `shop`.
pub fn dockerfile_of(image: &str, around: &Surroundings<'_>) -> Option<&'static str> {
    const DOCKERFILE: &str = "Dockerfile";
    let last = image.rsplit('/').next().unwrap_or(image);
    let name = last.split([':', '@']).next().unwrap_or(last);
    let is_own = || project_names(around).iter().any(|own| own.eq_ignore_ascii_case(name));
    (image.contains('/') && around.has(DOCKERFILE) && is_own()).then_some(DOCKERFILE)
}

/// What the manifests at the root call the project.
fn project_names(around: &Surroundings<'_>) -> Vec<String> {
    let read = |path: &str| around.has(path).then(|| (around.read)(path)).flatten();
    let trees = [
        (read("package.json").and_then(|text| json::parse(&text).ok()), &["name"][..]),
        (read("pyproject.toml").and_then(|text| toml_file::parse(&text).ok()), &["project", "name"][..]),
        (read("Cargo.toml").and_then(|text| toml_file::parse(&text).ok()), &["package", "name"][..]),
    ];
    let name = |tree: &Option<crate::syntax::Node>, path: &[&str]| {
        let name = tree.as_ref()?.at(path)?.as_text()?;
        Some(name.rsplit('/').next().unwrap_or(name).to_owned())
    };
    trees.iter().filter_map(|(tree, path)| name(tree, path)).collect()
}
