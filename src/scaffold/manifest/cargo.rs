//! `Cargo.toml`

use std::collections::BTreeMap;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::Wanted;
use super::version::lowest;
use crate::scaffold::module::Dependency;

/// Adds a dependency, or the features that one that is there lacks; versions stay. `shared` is what the workspace has
/// for all of its packages.
pub fn add_to_cargo(
    text: &str,
    wanted: &Dependency,
    shared: &BTreeMap<String, String>,
) -> Result<(String, Wanted), String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let section = if wanted.dev { "dev-dependencies" } else { "dependencies" };
    // What the package itself is built with, its tests are, too.
    let always = if wanted.dev { table(&document, "dependencies").and_then(|all| all.get(&wanted.name)) } else { None };
    if always.is_some_and(|item| missing(item, wanted).is_empty()) {
        return Ok((text.to_owned(), Wanted::Present));
    }
    let asked = always.and_then(version_of);
    let root = document.as_table_mut();
    let all = root.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let all = all.as_table_like_mut().ok_or_else(|| format!("`{section}` is no table"))?;
    let became = match all.get_mut(&wanted.name) {
        Some(item) => complete(item, wanted, shared),
        None => {
            let version = asked.unwrap_or_else(|| wanted.version.clone());
            insert(all, wanted, &version, shared);
            Wanted::Added
        }
    };
    Ok((document.to_string(), became))
}

/// The dependencies of a workspace, with their versions; none if the manifest is of no workspace.
pub fn shared_crates(text: &str) -> Option<BTreeMap<String, String>> {
    let document: DocumentMut = text.parse().ok()?;
    let workspace = document.get("workspace")?.as_table_like()?;
    let all = workspace.get("dependencies").and_then(Item::as_table_like);
    let version = |item: &Item| version_of(item).unwrap_or_default();
    let named = all.into_iter().flat_map(|all| all.iter()).map(|(name, item)| (name.to_owned(), version(item)));
    Some(named.collect())
}

fn table<'d>(document: &'d DocumentMut, section: &str) -> Option<&'d dyn TableLike> {
    document.get(section)?.as_table_like()
}

fn version_of(item: &Item) -> Option<String> {
    let version = item.as_str().or_else(|| item.get("version")?.as_str());
    version.map(str::to_owned)
}

/// The features that an entry lacks.
fn missing(item: &Item, wanted: &Dependency) -> Vec<String> {
    let present: Vec<&str> = item
        .get("features")
        .and_then(Item::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if wanted.covered_by.iter().any(|feature| present.contains(&feature.as_str())) {
        return Vec::new();
    }
    wanted.features.iter().filter(|feature| !present.contains(&feature.as_str())).cloned().collect()
}

/// Gives an entry that is there what it lacks, unless it is of a version that the module was not written for.
fn complete(item: &mut Item, wanted: &Dependency, shared: &BTreeMap<String, String>) -> Wanted {
    let asked = version_of(item).or_else(|| shared.get(&wanted.name).cloned()).unwrap_or_default();
    let is_older = lowest(&asked).zip(lowest(&wanted.since)).is_some_and(|(asked, since)| asked < since);
    if is_older {
        return Wanted::Kept { version: asked };
    }
    let lacking = missing(item, wanted);
    if lacking.is_empty() {
        return Wanted::Present;
    }
    if let Some(version) = item.as_str().map(str::to_owned) {
        let mut entry = InlineTable::new();
        entry.insert("version", version.into());
        *item = Item::Value(Value::InlineTable(entry));
    }
    let Some(entry) = item.as_table_like_mut() else { return Wanted::Present };
    let features = entry.entry("features").or_insert_with(|| Item::Value(Value::Array(Array::new())));
    if let Some(all) = features.as_array_mut() {
        lacking.iter().for_each(|feature| push(all, feature));
    }
    if let Some(entry) = item.as_inline_table_mut() {
        entry.fmt();
    }
    Wanted::Added
}

/// Adds to a list as it is laid out.
fn push(all: &mut Array, feature: &str) {
    let prefix = all.iter().last().and_then(|last| last.decor().prefix()).and_then(|prefix| prefix.as_str());
    match prefix.filter(|prefix| prefix.contains('\n')).map(str::to_owned) {
        Some(prefix) => {
            let mut value = Value::from(feature);
            value.decor_mut().set_prefix(prefix);
            all.push_formatted(value);
        }
        None => all.push(feature),
    }
}

/// A new entry, in its place where the others are sorted.
fn insert(all: &mut dyn TableLike, wanted: &Dependency, version: &str, shared: &BTreeMap<String, String>) {
    let is_sorted = all.iter().map(|(name, _)| name.to_owned()).is_sorted();
    let is_shared = shared.contains_key(&wanted.name);
    let is_plain = !is_shared && wanted.features.is_empty() && wanted.default_features;
    let value = if is_plain {
        Value::from(version)
    } else {
        let mut entry = InlineTable::new();
        match is_shared {
            true => entry.insert("workspace", true.into()),
            false => entry.insert("version", version.into()),
        };
        if !wanted.default_features && !is_shared {
            entry.insert("default-features", false.into());
        }
        if !wanted.features.is_empty() {
            entry.insert("features", Value::Array(wanted.features.iter().map(String::as_str).collect()));
        }
        Value::InlineTable(entry)
    };
    all.insert(&wanted.name, Item::Value(value));
    if is_sorted {
        all.sort_values();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"shop\"\n\n[dependencies]\n# The server\naxum = \"0.8\"\ntokio = { version = \"1\", features = [\"macros\"] }\ntower-http = \"0.6\"\n";

    fn wanted(name: &str, version: &str, features: &[&str], dev: bool) -> Dependency {
        Dependency {
            name: name.into(),
            version: version.into(),
            dev,
            types: false,
            features: features.iter().map(|one| (*one).to_owned()).collect(),
            covered_by: vec!["full".into()],
            default_features: true,
            since: version.into(),
        }
    }

    fn add(text: &str, wanted: &Dependency) -> (String, Wanted) {
        add_to_cargo(text, wanted, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn entries_come_in_their_place_and_the_rest_stays() {
        let (text, became) = add(MANIFEST, &wanted("metrics", "0.24", &[], false));
        assert_eq!(became, Wanted::Added);
        assert_eq!(text, MANIFEST.replace("tokio =", "metrics = \"0.24\"\ntokio ="));
        let (text, _) = add(MANIFEST, &wanted("tracing", "0.1", &["log"], false));
        assert_eq!(text, format!("{MANIFEST}tracing = {{ version = \"0.1\", features = [\"log\"] }}\n"));
        let (text, _) = add(MANIFEST, &wanted("tower", "0.5", &["util"], true));
        let section = "\n[dev-dependencies]\ntower = { version = \"0.5\", features = [\"util\"] }\n";
        assert_eq!(text, format!("{MANIFEST}{section}"));
    }

    #[test]
    fn features_are_added_and_versions_stay() {
        let (text, _) = add(MANIFEST, &wanted("tokio", "1", &["macros", "signal"], false));
        assert_eq!(text, MANIFEST.replace("[\"macros\"]", "[\"macros\", \"signal\"]"));
        let (text, _) = add(MANIFEST, &wanted("tower-http", "0.6", &["trace"], false));
        let entry = "tower-http = { version = \"0.6\", features = [\"trace\"] }";
        assert_eq!(text, MANIFEST.replace("tower-http = \"0.6\"", entry));
        assert_eq!(add(MANIFEST, &wanted("tokio", "1", &["macros"], true)), (MANIFEST.to_owned(), Wanted::Present));
        let kept = add(MANIFEST, &wanted("tower-http", "0.7", &["trace"], false));
        assert_eq!(kept, (MANIFEST.to_owned(), Wanted::Kept { version: "0.6".into() }));
        let lines = "[dependencies]\ntokio = { version = \"1\", features = [\n    \"macros\",\n    \"net\",\n] }\n";
        let (text, _) = add(lines, &wanted("tokio", "1", &["signal"], false));
        assert!(text.contains("    \"net\",\n    \"signal\""), "{text}");
        let full = "[dependencies]\ntokio = { version = \"1\", features = [\"full\"] }\n";
        assert_eq!(add(full, &wanted("tokio", "1", &["signal"], false)).1, Wanted::Present);
        let table = "[dependencies.tokio]\nversion = \"1\"\n";
        let (text, _) = add(table, &wanted("tokio", "1", &["signal"], false));
        assert_eq!(text, "[dependencies.tokio]\nversion = \"1\"\nfeatures = [\"signal\"]\n");
    }

    #[test]
    fn packages_of_a_workspace_take_what_it_shares() {
        let shared = shared_crates("[workspace.dependencies]\ntracing = \"0.1\"\ntokio = \"1\"\n").unwrap();
        let member = "[dependencies]\ntokio = { workspace = true }\n";
        let (text, _) = add_to_cargo(member, &wanted("tracing", "0.1", &["log"], false), &shared).unwrap();
        assert!(text.contains("tracing = { workspace = true, features = [\"log\"] }"), "{text}");
        let (text, _) = add_to_cargo(member, &wanted("tokio", "1", &["net"], false), &shared).unwrap();
        assert_eq!(text, "[dependencies]\ntokio = { workspace = true, features = [\"net\"] }\n");
        assert_eq!(shared_crates("[package]\nname = \"x\"\n"), None);
        assert!(add_to_cargo("[dependencies", &wanted("a", "1", &[], false), &shared).is_err());
    }
}
