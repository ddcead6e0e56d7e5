//! What containers of compose files lack, added in place: health checks, and waiting for those that are needed.
//!
//! An edit counts only if the file parses afterwards and says what it said before, plus what was added; whatever is
//! written in a way that cannot be edited so stays as it is, and the audit of the result tells.

use std::collections::BTreeSet;

use super::compose::Composer;
use super::deployment::Store;
use super::edits::{Edit, apply, indent, indentation, line_end, line_start};
use super::module::ContainerSpec;
use super::work::Work;
use crate::facts::shapes::is_compose;
use crate::project::Area;
use crate::syntax::{Entry, Node, NodeData, yaml};

impl Composer<'_> {
    pub(super) fn complete_containers(&mut self, work: &mut Work<'_>) {
        if work.variant.containers.is_empty() {
            return;
        }
        let files = self.audit.project.files.iter();
        let ours = files.filter(|file| file.service == self.service && file.area != Area::Test);
        let paths: Vec<String> = ours.filter(|file| is_compose(&file.path)).map(|file| file.path.to_string()).collect();
        for path in paths {
            if let Some(text) = self.text(&path)
                && let Some(done) = complete(&text, &work.variant.containers, &work.stack.stores)
            {
                self.set(&path, done);
            }
        }
    }
}

/// The text with what its services lack; none if nothing changes.
fn complete(text: &str, specs: &[ContainerSpec], stores: &[Store]) -> Option<String> {
    let mut now = text.to_owned();
    for spec in specs {
        for name in lacking(&now, spec, stores) {
            let edited = add_key(&now, &name, &spec.text).filter(|edited| keeps(&now, edited, &name, &spec.key));
            now = edited.unwrap_or(now);
        }
    }
    for name in names(&now) {
        let edited = wait_for(&now, &name).filter(|edited| keeps(&now, edited, &name, "depends_on"));
        now = edited.unwrap_or(now);
    }
    (now != text).then_some(now)
}

/// What a compose file runs, by name.
pub(super) fn services(root: &Node) -> &[Entry] {
    root.get("services").map(Node::entries).unwrap_or_default()
}

fn names(text: &str) -> Vec<String> {
    yaml::parse(text).map(|root| services(&root).iter().map(|one| one.key.to_string()).collect()).unwrap_or_default()
}

/// Services of the store that have nothing under the key.
fn lacking(text: &str, spec: &ContainerSpec, stores: &[Store]) -> Vec<String> {
    let Some(store) = stores.iter().find(|store| store.id == spec.store) else { return Vec::new() };
    let Ok(root) = yaml::parse(text) else { return Vec::new() };
    let lacks = |one: &&Entry| {
        let image = one.value.get("image").and_then(Node::as_text);
        image.is_some_and(|image| store.is_named_by(image)) && one.value.get(&spec.key).is_none()
    };
    services(&root).iter().filter(lacks).map(|one| one.key.to_string()).collect()
}

/// The text with an entry behind the last one of a service.
pub(super) fn add_key(text: &str, service: &str, entry: &str) -> Option<String> {
    let root = yaml::parse(text).ok()?;
    let found = services(&root).iter().find(|one| *one.key == *service)?;
    let first = found.value.entries().first()?;
    let margin = indentation(text, first.key_start as usize);
    let is_block = line_start(text, first.key_start as usize) > found.key_start as usize;
    let end = text.get(..last_end(&found.value))?.trim_end().len();
    let at = line_end(text, end);
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if at == text.len() && !text.ends_with('\n') { line_break } else { "" };
    let added = indent(entry.trim_end(), margin).replace('\n', line_break);
    is_block.then(|| apply(text, &[Edit::insert(at, format!("{gap}{added}{line_break}"))]))
}

/// Where the last scalar inside ends.
fn last_end(node: &Node) -> usize {
    let inner = node.entries().iter().map(|entry| last_end(&entry.value).max(entry.key_end as usize));
    let items = node.items().iter().map(last_end);
    match inner.chain(items).max() {
        Some(end) => end,
        None => node.end as usize,
    }
}

/// `depends_on` as a list becomes a map, with the conditions that can be met.
fn wait_for(text: &str, service: &str) -> Option<String> {
    let root = yaml::parse(text).ok()?;
    let all = services(&root);
    let entry = all.iter().find(|one| *one.key == *service)?.value.entry("depends_on")?;
    let needed: Vec<&str> = entry.value.items().iter().map(Node::as_text).collect::<Option<_>>()?;
    let checked: BTreeSet<&str> = all
        .iter()
        .filter(|one| one.value.get("healthcheck").is_some_and(|check| check.get("disable").is_none()))
        .map(|one| &*one.key)
        .collect();
    if !needed.iter().any(|name| checked.contains(name)) {
        return None;
    }
    let (from, to) = (entry.key_end as usize, last_end(&entry.value));
    let flow_end = text.get(to..)?.find(']').filter(|_| text.get(from..to).is_some_and(|list| list.contains('[')));
    let to = flow_end.map_or(to, |found| to + found + 1);
    if text.get(from..to)?.contains('#') {
        return None;
    }
    let margin = indentation(text, entry.key_start as usize);
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let condition = |name: &&str| {
        let word = if checked.contains(name) { "service_healthy" } else { "service_started" };
        format!("{line_break}{margin}  {name}:{line_break}{margin}    condition: {word}")
    };
    let map: String = needed.iter().map(condition).collect();
    Some(apply(text, &[Edit::replace(from, to, format!(":{map}"))]))
}

/// Whether two texts say the same but for one key of one service.
pub(super) fn keeps(before: &str, after: &str, service: &str, key: &str) -> bool {
    let (Ok(before), Ok(after)) = (yaml::parse(before), yaml::parse(after)) else { return false };
    let has_key = after.at(&["services", service, key]).is_some();
    has_key && same(&without(&before, service, key), &without(&after, service, key))
}

fn without(root: &Node, service: &str, key: &str) -> Node {
    let mut root = root.clone();
    let inside = |node: &mut Node, name: &str| match &mut node.data {
        NodeData::Map(entries) => entries.iter().position(|entry| &*entry.key == name),
        _ => None,
    };
    let mut node = &mut root;
    for name in ["services", service] {
        let Some(index) = inside(node, name) else { return root };
        let NodeData::Map(entries) = &mut node.data else { return root };
        let Some(entry) = entries.get_mut(index) else { return root };
        node = &mut entry.value;
    }
    if let NodeData::Map(entries) = &mut node.data {
        entries.retain(|entry| &*entry.key != key);
    }
    root
}

/// The same values in the same order, wherever they stand.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (NodeData::Map(a), NodeData::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && same(&a.value, &b.value))
        }
        (NodeData::List(a), NodeData::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::Library;

    fn specs() -> (Vec<ContainerSpec>, Vec<Store>) {
        let spec = |store: &str| ContainerSpec {
            store: store.to_owned(),
            key: "healthcheck".to_owned(),
            text: "healthcheck:\n  test: [\"CMD\", \"check\"]\n".to_owned(),
        };
        let stores = Library::embedded().unwrap().stack("any").unwrap().stores.clone();
        (vec![spec("postgres"), spec("redis")], stores)
    }

    fn done(text: &str) -> Option<String> {
        let (specs, stores) = specs();
        complete(text, &specs, &stores)
    }

    #[test]
    fn what_is_missing_is_added_and_the_rest_stays_as_it_is() {
        let text = "# ours\nservices:\n  api:\n    build: .\n    depends_on:\n      - db # first\n      - cache\n  web: # the front\n    depends_on: [db, api]\n    image: nginx:1.27\n\n  db:\n    image: postgres:16\n    volumes:\n      - db:/data # keep\n\n  cache:\n    image: \"redis:7\"\n    healthcheck:\n      disable: true\nvolumes:\n  db:\n";
        let after = done(text).unwrap();
        let expected = text
            .replace("depends_on: [db, api]\n", "depends_on:\n      db:\n        condition: service_healthy\n      api:\n        condition: service_started\n")
            .replace("# keep\n", "# keep\n    healthcheck:\n      test: [\"CMD\", \"check\"]\n");
        assert_eq!(after, expected);
        assert_eq!(done(&after), None);
    }

    #[test]
    fn lists_without_comments_become_conditions() {
        let text = "services:\n    api:\n        depends_on:\n        - db\n        build: .\n    db:\n        image: postgres";
        let expected = "services:\n    api:\n        depends_on:\n          db:\n            condition: service_healthy\n        build: .\n    db:\n        image: postgres\n        healthcheck:\n          test: [\"CMD\", \"check\"]\n";
        assert_eq!(done(text).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_written_otherwise_is_left_alone() {
        for text in [
            "services: { db: { image: postgres } }\n",
            "services:\n  db: { image: postgres }\n",
            "x: &base\n  image: postgres\nservices:\n  db: *base\n",
            "services: [\n",
            "services:\n  db:\n    image: mine/postgres-less\n    healthcheck: { test: x }\n",
            "",
        ] {
            assert_eq!(done(text), None, "{text}");
        }
    }
}
