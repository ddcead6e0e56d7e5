//! What an OpenAPI document says about each of its operations, for frameworks that make routes of them.

use crate::project::{FileId, Span};
use crate::syntax::Node;

/// Operations of one document; more are left out.
const MAX_OPERATIONS: usize = 2_000;
/// The methods of OpenAPI 3.1. https://spec.openapis.org/oas/v3.1.0#path-item-object
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub at: Span,
    pub method: String,
    /// With the path of the first server before it.
    pub path: String,
    /// The dotted name of the function that answers.
    pub handler: String,
    /// The dotted names of the functions that look at credentials first.
    pub checks: Vec<String>,
    /// It describes the body of its requests.
    pub takes_body: bool,
}

/// The operations of a document that name a function.
pub fn operations(file: FileId, root: &Node) -> Vec<Operation> {
    if root.get("openapi").or_else(|| root.get("swagger")).is_none() {
        return Vec::new();
    }
    let base = base_path(root);
    let mut found = Vec::new();
    for path in root.get("paths").map(Node::entries).unwrap_or_default() {
        let controller = controller(&path.value);
        for entry in path.value.entries().iter().filter(|entry| METHODS.contains(&&*entry.key)) {
            let Some(id) = entry.value.get("operationId").and_then(Node::as_text) else { continue };
            let handler = match controller.or_else(|| self::controller(&entry.value)) {
                Some(controller) => format!("{controller}.{id}"),
                None => id.to_owned(),
            };
            found.push(Operation {
                at: Span { file, start: entry.key_start, end: entry.key_end },
                method: entry.key.to_uppercase(),
                path: format!("{base}{}", path.key),
                handler,
                checks: checks(root, &entry.value),
                takes_body: takes_body(&entry.value),
            });
        }
    }
    found.truncate(MAX_OPERATIONS);
    found
}

fn controller(node: &Node) -> Option<&str> {
    let keys = ["x-openapi-router-controller", "x-swagger-router-controller"];
    keys.into_iter().find_map(|key| node.get(key)).and_then(Node::as_text)
}

/// `/api/v1` of `servers: [{url: https://shop.test/api/v1}]`, or `basePath`.
fn base_path(root: &Node) -> String {
    let server = root.get("servers").and_then(|servers| servers.items().first()).and_then(|server| server.get("url"));
    let url = server.or_else(|| root.get("basePath")).and_then(Node::as_text).unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default(),
        None => url,
    };
    path.trim_end_matches('/').to_owned()
}

/// The functions of the security schemes that the operation, or else the document, asks for.
fn checks(root: &Node, operation: &Node) -> Vec<String> {
    let wanted = operation.get("security").or_else(|| root.get("security"));
    let schemes = root.at(&["components", "securitySchemes"]).or_else(|| root.get("securityDefinitions"));
    let (Some(wanted), Some(schemes)) = (wanted, schemes) else { return Vec::new() };
    let named = wanted.items().iter().flat_map(Node::entries);
    let functions = named.filter_map(|scheme| {
        let scheme = schemes.get(&scheme.key)?.entries().iter();
        let mut function = scheme.filter(|entry| entry.key.starts_with("x-") && entry.key.ends_with("InfoFunc"));
        function.next()?.value.as_text().map(str::to_owned)
    });
    functions.collect()
}

fn takes_body(operation: &Node) -> bool {
    let in_body = |parameter: &Node| parameter.get("in").and_then(Node::as_text) == Some("body");
    operation.get("requestBody").is_some()
        || operation.get("parameters").is_some_and(|parameters| parameters.items().iter().any(in_body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    #[test]
    fn operations_name_their_functions() {
        let text = "openapi: 3.1.0\nservers: [{url: 'https://shop.test/api/'}]\ncomponents:\n  securitySchemes:\n    bearer: {type: http, x-bearerInfoFunc: shop.auth.decode}\npaths:\n  /orders:\n    x-openapi-router-controller: shop.orders\n    post:\n      operationId: place\n      security: [{bearer: []}]\n      requestBody: {}\n    get: {}\n";
        let found = operations(FileId(0), &yaml::parse(text).unwrap());
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", "/api/orders"));
        assert_eq!(
            (one.handler.as_str(), one.checks.as_slice()),
            ("shop.orders.place", &["shop.auth.decode".to_owned()][..])
        );
        assert!(one.takes_body);
        assert!(operations(FileId(0), &yaml::parse("paths: {}").unwrap()).is_empty());
    }
}
