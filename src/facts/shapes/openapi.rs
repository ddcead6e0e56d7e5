//! OpenAPI and Swagger documents.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::{Entry, Node};

use super::values::{fact, scalar_text, span};

/// Paths that a fact lists.
const MAX_PATHS: usize = 2_000;

/// Operations that become facts.
const MAX_OPERATIONS: usize = 1_000;

/// An `openapi` fact where the document is a description of an HTTP API, and an `operation` for each method of a path.
pub fn openapi(file: FileId, path: &str, root: &Node) -> Vec<Fact> {
    let Some(document) = document(file, path, root) else { return Vec::new() };
    let paths = root.get("paths").map(Node::entries).unwrap_or_default().iter();
    let guarded = root.get("security").is_some();
    let operations = paths.flat_map(|at| {
        let methods = at.value.entries().iter().filter(|entry| is_method(&entry.key));
        methods.map(move |entry| operation(file, path, &at.key, entry, guarded))
    });
    std::iter::once(document).chain(operations.take(MAX_OPERATIONS)).collect()
}

/// What an operation says of itself.
fn operation(file: FileId, path: &str, route: &str, entry: &Entry, guarded: bool) -> Fact {
    let node = &entry.value;
    let says = |key: &str| node.get(key).and_then(Node::as_text).is_some_and(|text| !text.trim().is_empty());
    let responses = node.get("responses").map(Node::entries).unwrap_or_default();
    let is_error = |status: &str| status.starts_with(['4', '5']) || status == "default";
    let answers = responses.iter().filter(|one| !is_error(&one.key)).any(|one| has_shape(&one.key, &one.value));
    let name = format!("{} {route}", entry.key.to_uppercase());
    fact("operation", span(file, entry.key_start, entry.key_end), "shape openapi", &name)
        .with("path", Value::text(path))
        .with("name", Value::text(name.as_str()))
        .with("method", Value::text(entry.key.to_uppercase()))
        .with("described", Value::bool(says("summary") || says("description")))
        .with("answers", Value::bool(answers))
        .with("errors", Value::bool(responses.iter().any(|one| is_error(&one.key))))
        .with("security", Value::bool(guarded || node.get("security").is_some()))
}

/// What comes back is told: a schema, an example, a reference to it, or nothing that could be told.
fn has_shape(status: &str, response: &Node) -> bool {
    let media = response.get("content").map(Node::entries).unwrap_or_default();
    let told = |node: &Node| ["schema", "example", "examples", "$ref"].iter().any(|key| node.get(key).is_some());
    status.starts_with('3')
        || matches!(status, "204" | "205")
        || told(response)
        || media.iter().any(|one| told(&one.value))
}

fn document(file: FileId, path: &str, root: &Node) -> Option<Fact> {
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
        let fact = document(FileId(0), "openapi.yaml", &yaml::parse(text).unwrap()).unwrap();
        assert_eq!(fact.get("operations"), Some(&Value::number(3.0)));
        assert_eq!(fact.get("paths"), Some(&Value::texts(["/orders", "/orders/{id}"])));
        assert_eq!(fact.get("version"), Some(&Value::text("3.1.0")));
        assert_eq!((&*fact.symbol, fact.at.start), ("Shop", 0));
    }

    #[test]
    fn other_documents_are_none() {
        for text in ["a: 1", "openapi: true", "openapi: 3.0.0", "swagger: {url: x}"] {
            assert!(document(FileId(0), "x.yaml", &yaml::parse(text).unwrap()).is_none(), "{text}");
        }
    }

    #[test]
    fn operations_say_what_they_answer() {
        let text = "openapi: 3.1.0\ninfo: {title: Shop}\npaths:\n  /orders:\n    get:\n      summary: List\n      security: []\n      responses: {'200': {content: {application/json: {schema: {}}}}, '404': {description: x}}\n    post:\n      responses: {'201': {description: made}}\n    delete: {responses: {'204': {}, default: {}}, description: ' '}\n";
        let facts = openapi(FileId(0), "api.yaml", &yaml::parse(text).unwrap());
        let flags = |fact: &Fact| {
            let flag = |name| fact.get(name) == Some(&Value::bool(true));
            [flag("described"), flag("answers"), flag("errors"), flag("security")]
        };
        let rows: Vec<_> = facts.iter().skip(1).map(|fact| (&*fact.symbol, flags(fact))).collect();
        let wanted = [
            ("GET /orders", [true, true, true, true]),
            ("POST /orders", [false, false, false, false]),
            ("DELETE /orders", [false, true, true, false]),
        ];
        assert_eq!(rows, wanted);
        let guarded = text.replace("info:", "security: [{key: []}]\ninfo:");
        assert!(flags(&openapi(FileId(0), "api.yaml", &yaml::parse(&guarded).unwrap())[2])[3]);
    }
}
