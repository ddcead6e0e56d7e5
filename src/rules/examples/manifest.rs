//! The `package.json` of an example that brings none: its imports are its dependencies, its start is its server.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::rules::conditions::LazyRegex;

const BUILT_IN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "crypto",
    "dns",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "querystring",
    "readline",
    "stream",
    "string_decoder",
    "timers",
    "tls",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "worker_threads",
    "zlib",
];

/// Where servers usually start, most usual first.
const STARTS: &[&str] = &["server", "index", "main", "app"];

/// The manifest for these files; none where no file is a script or one of them is a manifest.
pub fn manifest(files: &[(String, String)]) -> Option<String> {
    let scripts: Vec<&(String, String)> = files.iter().filter(|(path, _)| is_script(path)).collect();
    if scripts.is_empty() || files.iter().any(|(path, _)| path.ends_with("package.json")) {
        return None;
    }
    let mut packages: BTreeSet<String> = scripts.iter().flat_map(|(_, text)| packages(text)).collect();
    if scripts.iter().any(|(path, _)| is_next(path)) {
        packages.insert("next".to_owned());
    }
    let dependencies: Map<String, Value> = packages.iter().map(|name| (name.clone(), json!("^99.0.0"))).collect();
    let starts: Map<String, Value> = if packages.contains("next") {
        Map::from_iter([("start".to_owned(), json!("next start"))])
    } else {
        starts(&scripts)
    };
    let manifest = json!({ "name": "example", "private": true, "scripts": starts, "dependencies": dependencies });
    Some(format!("{manifest:#}\n"))
}

/// Files that only mean something to Next.js, and need not import it.
fn is_next(path: &str) -> bool {
    let path = path.strip_prefix("src/").unwrap_or(path);
    (path.starts_with("app/") && matches!(stem(path), "route" | "page" | "layout"))
        || path.starts_with("pages/")
        || path.starts_with("next.config.")
}

fn is_script(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx")
}

/// The file with a name that servers have; without one, every file that no other file imports.
fn starts(scripts: &[&(String, String)]) -> Map<String, Value> {
    let named = STARTS.iter().find_map(|name| scripts.iter().find(|(path, _)| stem(path) == *name));
    let chosen: Vec<&str> = match named {
        Some((path, _)) => vec![path],
        None => {
            let paths = scripts.iter().map(|(path, _)| path.as_str());
            paths.filter(|path| !is_aside(path) && !is_imported(path, scripts)).collect()
        }
    };
    let name = |number: usize| if number == 0 { "start".to_owned() } else { format!("start:{number}") };
    chosen.iter().enumerate().map(|(number, path)| (name(number), json!(format!("node {path}")))).collect()
}

/// Scripts, tests and configuration: never what a server starts with.
fn is_aside(path: &str) -> bool {
    const FOLDERS: &[&str] = &["prisma", "scripts", "test", "tests", "__tests__", "e2e", "examples", "migrations"];
    const NAMES: &[&str] = &["test", "spec", "config"];
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    parts.iter().any(|part| FOLDERS.contains(part)) || name.split('.').skip(1).any(|part| NAMES.contains(&part))
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn is_imported(path: &str, scripts: &[&(String, String)]) -> bool {
    let others = scripts.iter().filter(|(other, _)| other != path);
    let name = stem(path);
    others.flat_map(|(_, text)| specifiers(text)).any(|specifier| {
        specifier.starts_with(['.', '@', '~']) && specifier.rsplit('/').next().is_some_and(|last| stem(last) == name)
    })
}

fn packages(text: &str) -> Vec<String> {
    let bare = specifiers(text).into_iter().filter(|specifier| !specifier.starts_with(['.', '/', '~', '#']));
    let named = bare.filter(|specifier| !specifier.contains(':') && !specifier.starts_with("@/"));
    let package = named.map(|specifier| {
        let parts = if specifier.starts_with('@') { 2 } else { 1 };
        specifier.split('/').take(parts).collect::<Vec<_>>().join("/")
    });
    package.filter(|name| !BUILT_IN.contains(&name.as_str())).collect()
}

/// What a text imports.
fn specifiers(text: &str) -> Vec<String> {
    let regex = LazyRegex::new(r#"(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*['"]([^'"\s]+)['"]"#);
    let Some(regex) = regex.get() else { return Vec::new() };
    regex.captures_iter(text).filter_map(|captures| Some(captures.get(1)?.as_str().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Value {
        let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        manifest(&files).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn imports_become_dependencies() {
        let text = "import a from 'express'\nimport '@scope/pkg/sub'\nconst fs = require(\"fs\")\nimport x from './x'\n\
            import p from 'node:path'\nimport y from '@/lib/y'";
        let manifest = of(&[("src/server.ts", text)]);
        let names: Vec<&String> = manifest["dependencies"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["@scope/pkg", "express"]);
        assert_eq!(manifest["scripts"]["start"], "node src/server.ts");
    }

    #[test]
    fn files_that_nobody_imports_start_where_no_name_says_so() {
        let manifest = of(&[("src/a.ts", "import './lib/b.js'"), ("src/lib/b.ts", ""), ("src/c.ts", "")]);
        assert_eq!(manifest["scripts"], json!({ "start": "node src/a.ts", "start:1": "node src/c.ts" }));
        let manifest = of(&[("src/a.ts", ""), ("prisma/seed.ts", ""), ("src/a.test.ts", "")]);
        assert_eq!(manifest["scripts"], json!({ "start": "node src/a.ts" }));
        let manifest = of(&[("src/index.ts", ""), ("src/dead.ts", "")]);
        assert_eq!(manifest["scripts"], json!({ "start": "node src/index.ts" }));
    }

    #[test]
    fn files_of_nextjs_need_not_import_it() {
        let manifest = of(&[("app/api/items/route.ts", "export async function GET() {}")]);
        assert_eq!(manifest["scripts"], json!({ "start": "next start" }));
        assert!(manifest["dependencies"]["next"].is_string());
    }

    #[test]
    fn a_manifest_of_its_own_is_left_alone() {
        assert_eq!(of(&[("package.json", "{}"), ("a.js", "")]), Value::Null);
        assert_eq!(of(&[("Dockerfile", "FROM node")]), Value::Null);
    }
}
