//! Every key of a recognised configuration file as a `setting`.

use std::collections::VecDeque;

use crate::facts::{Data, Fact, Value};
use crate::project::FileId;
use crate::syntax::{Node, NodeData};

use super::compose::is_compose;
use super::paths;
use super::values::{fact, span, value_of};

/// Settings that are kept of one file, the outer ones first.
const MAX_SETTINGS: usize = 5_000;
/// Keys longer than this are data, not configuration.
const MAX_KEY: usize = 512;
/// Larger files of an unknown format are data.
const MAX_OTHER: u64 = 128 * 1024;

/// The format of a configuration file; nothing for lock files, translations and data.
pub fn format_of(path: &str, node: &Node, size: u64) -> Option<&'static str> {
    let name = paths::name(path);
    let extension = name.rsplit('.').next().unwrap_or_default();
    if is_data(path) {
        return None;
    }
    Some(match name {
        "package.json" => "package-json",
        "vercel.json" => "vercel",
        ".gitlab-ci.yml" | ".gitlab-ci.yaml" => "gitlab-ci",
        _ if name.starts_with("tsconfig") && extension == "json" => "tsconfig",
        _ if name.starts_with(".eslintrc") => "eslint",
        _ if is_compose(path) => "compose",
        _ if path.starts_with(".github/workflows/") => "workflow",
        "action.yml" | "action.yaml" if node.get("runs").is_some() => "workflow",
        _ if node.get("apiVersion").is_some() && node.get("kind").is_some() => "kubernetes",
        _ if size > MAX_OTHER || node.get("openapi").is_some() => return None,
        _ if extension == "toml" || is_config(path, name) || extension != "json" && is_near_root(path) => "other",
        _ => return None,
    })
}

/// Lock files, translations and the like: read by other means, if at all.
pub fn is_data(path: &str) -> bool {
    let name = paths::name(path);
    const LOCKS: [&str; 10] = [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "composer.lock",
        "Cargo.lock",
        "poetry.lock",
        "uv.lock",
        "Pipfile.lock",
    ];
    const FOLDERS: [&str; 12] = [
        "locales",
        "locale",
        "lang",
        "langs",
        "i18n",
        "translations",
        "messages",
        "fixtures",
        "__fixtures__",
        "node_modules",
        "seeds",
        "snapshots",
    ];
    LOCKS.contains(&name) || paths::passes(path, &FOLDERS)
}

/// Is a file of JSON or YAML one that shapes know by its name or place: a format of [`format_of`], a pipeline, a manifest?
pub fn is_named(path: &str) -> bool {
    let name = paths::name(path);
    const NAMES: [&str; 9] = [
        "package.json",
        "vercel.json",
        "action.yml",
        "action.yaml",
        "azure-pipelines.yml",
        "azure-pipelines.yaml",
        "bitbucket-pipelines.yml",
        "environment.yml",
        "environment.yaml",
    ];
    let is_json = name.ends_with(".json");
    NAMES.contains(&name)
        || name.starts_with("tsconfig")
        || is_config(path, name)
        || !is_json && (is_near_root(path) || is_compose(path))
}

/// YAML further down is data, unless its name says otherwise.
fn is_near_root(path: &str) -> bool {
    path.matches('/').count() <= 2
}

/// Configuration by its name or folder.
fn is_config(path: &str, name: &str) -> bool {
    let words = paths::words(name);
    let named =
        ["config", "settings", "appsettings", "rc", "turbo", "nx", "lerna", "app", "firebase", "manifest", "nest"];
    let folder = paths::folder(path);
    name.starts_with('.')
        || words.iter().any(|word| named.contains(&word.as_str()) || word.ends_with("rc"))
        || folder.split('/').any(|part| part == "config" || part.starts_with('.') && part != ".")
}

/// One fact for every node, those further out first where there are too many; in the order of the file.
pub fn settings(file: FileId, format: &str, root: &Node) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut queue = VecDeque::from([(String::new(), root, value_of(root))]);
    while let Some((key, node, value)) = queue.pop_front() {
        for (name, child, child_value, at) in children(node, &value) {
            if facts.len() >= MAX_SETTINGS {
                break;
            }
            if key.len() + name.len() >= MAX_KEY {
                continue;
            }
            let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            facts.push(
                fact("setting", span(file, at.0, at.1), "shape setting", &path)
                    .with("format", Value::text(format))
                    .with("key", Value::text(path.as_str()))
                    .with("name", Value::text(name))
                    .with("value", child_value.clone()),
            );
            queue.push_back((path, child, child_value));
        }
    }
    facts.sort_by_key(|fact| (fact.at.start, fact.at.end));
    facts
}

type Child<'n> = (String, &'n Node, Value, (u32, u32));

/// Name, node, value and place of what is directly in a node. Values are shared with the parent's.
fn children<'n>(node: &'n Node, value: &Value) -> Vec<Child<'n>> {
    match (&node.data, &value.data) {
        (NodeData::Map(entries), Data::Record(record)) => {
            let pairs = entries.iter().zip(&record.fields);
            pairs
                .map(|(entry, (name, value))| {
                    let end = entry.value.end.max(entry.key_end);
                    let start = entry.key_start.min(end);
                    (name.to_string(), &entry.value, value.clone(), (start, end))
                })
                .collect()
        }
        (NodeData::List(items), Data::List(values)) => {
            let pairs = items.iter().zip(values.iter()).enumerate();
            pairs
                .map(|(index, (item, value))| (index.to_string(), item, value.clone(), (item.start, item.end)))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{json, yaml};

    #[test]
    fn every_node_is_a_setting_with_its_place() {
        let text = r#"{"compilerOptions": {"strict": true, "lib": ["es2022"]}}"#;
        let facts = settings(FileId(0), "tsconfig", &json::parse(text).unwrap());
        let keys: Vec<_> = facts.iter().map(|f| f.get("key").unwrap().as_text().unwrap()).collect();
        assert_eq!(keys, ["compilerOptions", "compilerOptions.strict", "compilerOptions.lib", "compilerOptions.lib.0"]);
        let strict = &facts[1];
        assert_eq!(strict.get("value"), Some(&Value::bool(true)));
        assert_eq!(strict.get("name").unwrap().as_text(), Some("strict"));
        assert_eq!(&text[strict.at.start as usize..strict.at.end as usize], "\"strict\": true");
        assert_eq!(facts[0].get("value").unwrap().field("strict"), Value::bool(true));
    }

    #[test]
    fn formats_by_path_and_content() {
        let node = json::parse("{}").unwrap();
        let manifest = yaml::parse("apiVersion: v1\nkind: Pod").unwrap();
        for (path, wanted) in [
            ("apps/api/package.json", Some("package-json")),
            ("tsconfig.build.json", Some("tsconfig")),
            (".github/workflows/ci.yaml", Some("workflow")),
            ("docker/compose.prod.yml", Some("compose")),
            ("config/default.json", Some("other")),
            (".prettierrc.json", Some("other")),
            ("fly.toml", Some("other")),
            ("package-lock.json", None),
            ("src/locales/de.json", None),
            ("data/countries.json", None),
            ("deploy/values.yaml", Some("other")),
            ("docs/reference/specs/schemas/order.yaml", None),
        ] {
            assert_eq!(format_of(path, &node, 10), wanted, "{path}");
            assert!(wanted.is_none() || path.ends_with(".toml") || is_named(path), "{path}");
        }
        assert_eq!(format_of("k8s/pod.yaml", &manifest, 10), Some("kubernetes"));
        assert_eq!(format_of("big.yaml", &node, MAX_OTHER + 1), None);
    }

    #[test]
    fn large_files_stay_small() {
        let text = format!("[{}]", vec!["[1,2]"; 10_000].join(","));
        assert_eq!(settings(FileId(0), "other", &json::parse(&text).unwrap()).len(), MAX_SETTINGS);
        let long = format!("{{\"{}\": {{\"a\": 1}}}}", "k".repeat(100_000));
        assert!(settings(FileId(0), "other", &json::parse(&long).unwrap()).is_empty());
    }
}
