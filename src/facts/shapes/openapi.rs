//! OpenAPI and Swagger documents.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::values::{fact, scalar_text, span};

/// Paths that a fact lists.
const MAX_PATHS: usize = 2_000;

/// An `openapi` fact where the document is a description of an HTTP API.
pub fn openapi(file: FileId, path: &str, root: &Node) -> Option<Fact> {
    let entry = root.entry("openapi").or_else(|| root.entry("swagger"))?;
    let version = scalar_text(&entry.value).filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))?;
    let paths = root.get("paths").map(Node::entries).unwrap_or_default();
    let operations: usize = paths.iter().map(|path| operations(&path.value)).sum();
    if paths.is_empty() && root.get("info").is_none() {
        return None;
    }
    let title = root.at(&["info", "title"]).and_then(Node::as_text).unwrap_or(path);
    Some(
        fact("openapi", span(file, entry.key_start, entry.value.end.max(entry.key_end)), "shape openapi", title)
            .with("path", Value::text(path))
            .with("version", Value::text(version))
            .with("operations", Value::number(operations as f64))
            .with("paths", Value::texts(paths.iter().take(MAX_PATHS).map(|path| &*path.key))),
    )
}

/// The methods of a path; one that is written elsewhere (`$ref`) has at least one.
fn operations(path: &Node) -> usize {
    let methods = path.entries().iter().filter(|entry| is_method(&entry.key)).count();
    methods.max(usize::from(path.get("$ref").is_some()))
}

fn is_method(key: &str) -> bool {
    matches!(key, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace" | "query")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    #[test]
    fn documents_are_counted() {
        let text = "openapi: 3.1.0\ninfo: {title: Shop}\npaths:\n  /orders:\n    parameters: []\n    get: {}\n    post: {}\n  /orders/{id}:\n    $ref: id.yaml\n";
        let fact = openapi(FileId(0), "openapi.yaml", &yaml::parse(text).unwrap()).unwrap();
        assert_eq!(fact.get("operations"), Some(&Value::number(3.0)));
        assert_eq!(fact.get("paths"), Some(&Value::texts(["/orders", "/orders/{id}"])));
        assert_eq!(fact.get("version"), Some(&Value::text("3.1.0")));
        assert_eq!((&*fact.symbol, fact.at.start), ("Shop", 0));
    }

    #[test]
    fn other_documents_are_none() {
        for text in ["a: 1", "openapi: true", "openapi: 3.0.0", "swagger: {url: x}"] {
            assert!(openapi(FileId(0), "x.yaml", &yaml::parse(text).unwrap()).is_none(), "{text}");
        }
    }
}
