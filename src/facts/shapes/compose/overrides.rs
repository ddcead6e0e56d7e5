//! Services as Compose sees them: with what they extend, and with the base file that an override changes.

use super::{is_compose, is_production};
use crate::facts::shapes::{Surroundings, paths};
use crate::syntax::{Entry, Node, NodeData, yaml};

/// Files that others beside them change.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// How many services may extend each other in a row.
const MAX_DEPTH: usize = 8;

/// The services of the file, each with the keys that it inherits. Places are those of the file itself.
pub fn whole_services(path: &str, root: &Node, around: &Surroundings<'_>) -> Vec<Entry> {
    let own = root.get("services").map(Node::entries).unwrap_or_default();
    let base = own.iter().any(|service| is_partial(&service.value)).then(|| base_of(path, around)).flatten();
    let whole = |service: &Entry| {
        let mut value = extended(path, root, &service.value, around, MAX_DEPTH);
        // A file that changes some services of the base changes them all.
        if let Some(below) = base.as_ref().and_then(|base| base.at(&["services", &service.key])) {
            value = merged(&value, below);
        }
        Entry { value, ..service.clone() }
    };
    own.iter().map(whole).collect()
}

/// Only an override leaves out what a service is made of.
fn is_partial(body: &Node) -> bool {
    ["image", "build", "extends"].iter().all(|key| body.get(key).is_none())
}

/// The file beside it that overrides change: the one whose name has no word of its own.
fn base_of(path: &str, around: &Surroundings<'_>) -> Option<Node> {
    let mut candidates = NAMES.iter().map(|name| paths::join(paths::folder(path), name));
    let found = candidates.find(|candidate| candidate != path && around.has(candidate))?;
    yaml::parse(&(around.read)(&found)?).ok()
}

/// The services that files beside it change for production; what they leave out runs there as it stands in the base.
/// None where there is no such file.
pub fn changed_for_production(path: &str, around: &Surroundings<'_>) -> Option<Vec<String>> {
    let folder = paths::folder(path);
    let beside = |other: &&&str| paths::folder(other) == folder && is_compose(other) && is_production(other);
    let changes = |other: &&str| {
        let tree = (around.read)(other).and_then(|text| yaml::parse(&text).ok())?;
        let services = tree.get("services").map(Node::entries).unwrap_or_default();
        let names = services.iter().map(|service| service.key.to_string()).collect::<Vec<_>>();
        services.iter().any(|service| is_partial(&service.value)).then_some(names)
    };
    let is_base = NAMES.contains(&paths::name(path));
    let found: Vec<Vec<String>> = around.paths.iter().filter(|_| is_base).filter(beside).filter_map(changes).collect();
    (!found.is_empty()).then(|| found.concat())
}

fn extended(path: &str, root: &Node, body: &Node, around: &Surroundings<'_>, depth: usize) -> Node {
    let Some(extends) = body.get("extends").filter(|_| depth > 0) else { return body.clone() };
    let Some(name) = extends.as_text().or_else(|| extends.get("service").and_then(Node::as_text)) else {
        return body.clone();
    };
    let inherited = match extends.get("file").and_then(Node::as_text) {
        Some(file) => {
            let file = paths::join(paths::folder(path), file);
            let other = (around.read)(&file).and_then(|text| yaml::parse(&text).ok());
            other.and_then(|other| Some(extended(&file, &other, other.at(&["services", name])?, around, depth - 1)))
        }
        None => root.at(&["services", name]).map(|base| extended(path, root, base, around, depth - 1)),
    };
    inherited.map_or_else(|| body.clone(), |inherited| merged(body, &inherited))
}

/// The keys of the first, then those of the second that it lacks; variables one by one.
fn merged(over: &Node, under: &Node) -> Node {
    let mut entries = over.entries().to_vec();
    for entry in under.entries() {
        match entries.iter_mut().find(|own| own.key == entry.key) {
            Some(own) if &*entry.key == "environment" => own.value = with_variables(&own.value, &entry.value),
            Some(_) => {}
            None => entries.push(entry.clone()),
        }
    }
    Node { data: NodeData::Map(entries), ..over.clone() }
}

/// Variables of two services, where both write them in the same form.
fn with_variables(over: &Node, under: &Node) -> Node {
    let name = |item: &Node| item.as_text().map(|text| text.split('=').next().unwrap_or_default().to_owned());
    let data = match (&over.data, &under.data) {
        (NodeData::Map(_), NodeData::Map(_)) => return merged(over, under),
        (NodeData::List(own), NodeData::List(others)) => {
            let missing = others.iter().filter(|other| !own.iter().any(|item| name(item) == name(other)));
            NodeData::List(own.iter().chain(missing).cloned().collect())
        }
        (data, _) => data.clone(),
    };
    Node { data, ..over.clone() }
}
