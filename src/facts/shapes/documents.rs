//! The documents of a YAML file of which some cannot be read: the others are read all the same, and what is half a
//! template of Kubernetes is rendered as far as that goes without its values.

use crate::project::{FileId, Span};
use crate::syntax::{Node, SyntaxError, yaml};

use super::helm;

/// What can be read of a file, and the first reason why something cannot.
pub fn documents(text: &str) -> (Vec<Node>, Option<SyntaxError>) {
    match yaml::parse_documents(text) {
        Ok(nodes) => (nodes, None),
        Err(error) => (chunks(text).flat_map(|(offset, chunk)| readable(offset, chunk)).collect(), Some(error)),
    }
}

/// The texts between lines that begin with `---`, each with its place in the file.
fn chunks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = text.match_indices("\n---").map(|(at, _)| at + 1).chain([text.len()]);
    ends.scan(0, |start, end| {
        let chunk = (*start, text.get(*start..end).unwrap_or_default());
        *start = end;
        Some(chunk)
    })
}

fn readable(offset: usize, chunk: &str) -> Vec<Node> {
    let mut nodes = match yaml::parse_documents(chunk) {
        Ok(nodes) => nodes,
        Err(_) if chunk.contains("{{") => rendered(chunk),
        Err(_) => return Vec::new(),
    };
    let by = u32::try_from(offset).unwrap_or(u32::MAX);
    let moved = |start: u32, end: u32| (start.saturating_add(by), end.saturating_add(by));
    nodes.iter_mut().for_each(|node| node.move_places(&moved));
    nodes
}

/// The objects of Kubernetes in a template, with the places of its lines.
fn rendered(template: &str) -> Vec<Node> {
    let chart = helm::Chart::unknown();
    let parsed = [true, false].iter().find_map(|marks| {
        let rendered = helm::render(template, &chart, *marks);
        yaml::parse_documents(&rendered.text).ok().map(|nodes| (rendered, nodes))
    });
    let Some((rendered, mut nodes)) = parsed else { return Vec::new() };
    nodes.retain(|node| node.get("apiVersion").is_some() && node.get("kind").is_some());
    let placed = |start: u32, end: u32| {
        let at = |start| rendered.source(Span { file: FileId(0), start, end: start });
        (at(start).start, at(end.saturating_sub(1).max(start)).end)
    };
    nodes.iter_mut().for_each(|node| node.move_places(&placed));
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, Option<u32>) {
        let (nodes, error) = documents(text);
        let names = nodes.iter().filter_map(|node| {
            let name = node.at(&["metadata", "name"]).or_else(|| node.get("name"))?;
            Some(text[name.start as usize..name.end as usize].to_owned())
        });
        (names.collect(), error.map(|error| error.line))
    }

    #[test]
    fn a_broken_document_leaves_the_others() {
        let text = "name: é\n---\nbad: [\n---\nname: last\n--- # more\nname: x\n";
        assert_eq!(names(text), (vec!["é".into(), "last".into(), "x".into()], Some(4)));
        assert_eq!(names("name: a\n---\nname: b\n"), (vec!["a".into(), "b".into()], None));
        assert_eq!(names("a: [").0.len(), 0);
        assert_eq!(names(&"---\na: [\n".repeat(3_000)).0.len(), 0);
    }

    #[test]
    fn templates_of_kubernetes_are_rendered_as_far_as_they_go() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  {{- with .Values.x }}\n  containers:\n  {{- range .Values.all }}\n  - name: {{ .name }}\n  {{- end }}\n  {{- end }}\n  hostPID: true\n";
        let text = format!("name: x\n---\n{pod}---\nname: {{{{ y }}}}\n");
        let (nodes, error) = documents(&text);
        assert_eq!((nodes.len(), error.is_some()), (2, true));
        let host = nodes[1].at(&["spec", "hostPID"]).unwrap();
        assert!(text[host.start as usize..].starts_with("hostPID: true"), "{}", &text[host.start as usize..]);
    }
}
