//! Kustomize: what overlays change in the manifests that they build on, by strategic merge or by steps of JSON Patch.
//!
//! In go all `kustomization.yaml`, out come the changes of each manifest as production gets it: those of the overlay
//! for production, or of the only one that there is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::paths;
use super::values::scalar_text;
use crate::syntax::{Entry, Node, NodeData, yaml};

/// Overlays that one builds on, so that their nesting is bounded, too.
const MAX_BASES: usize = 64;
/// Overlays that are read.
const MAX_OVERLAYS: usize = 400;
/// Manifests of one overlay that are followed.
const MAX_FILES: usize = 2_000;

/// The changes of manifests, by file.
#[derive(Debug, Default)]
pub struct Patches {
    by_file: BTreeMap<String, Vec<Patch>>,
}

#[derive(Debug, Clone)]
struct Patch {
    kind: Option<String>,
    name: Option<String>,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Merge(Node),
    Steps(Vec<Step>),
}

#[derive(Debug, Clone)]
struct Step {
    removes: bool,
    adds: bool,
    path: Vec<String>,
    value: Option<Node>,
}

/// One `kustomization.yaml`.
struct Overlay {
    /// Manifests, and the overlays that it builds on.
    files: Vec<String>,
    bases: Vec<String>,
    patches: Vec<Patch>,
}

impl Patches {
    /// `paths` are all of the project, `read` gives the text of one.
    pub fn of(paths: &[&str], read: &dyn Fn(&str) -> Option<String>) -> Patches {
        let named = paths.iter().filter(|path| is_kustomization(path)).take(MAX_OVERLAYS);
        let overlays: BTreeMap<&str, Overlay> =
            named.filter_map(|path| Some((*path, overlay(path, paths, read)?))).collect();
        let based_on: BTreeSet<&str> =
            overlays.values().flat_map(|overlay| overlay.bases.iter().map(String::as_str)).collect();
        let mut reaching: BTreeMap<String, Vec<(&str, Vec<Patch>)>> = BTreeMap::new();
        for &top in overlays.keys().filter(|path| !based_on.contains(**path)) {
            for (file, patches) in flatten(top, &overlays, &mut BTreeSet::new()) {
                reaching.entry(file).or_default().push((top, patches));
            }
        }
        let chosen = reaching.into_iter().filter_map(|(file, found)| Some((file, for_production(found)?)));
        Patches { by_file: chosen.filter(|(_, patches)| !patches.is_empty()).collect() }
    }

    /// A document of a file as it is deployed.
    pub fn apply<'n>(&self, path: &str, root: &'n Node) -> Cow<'n, Node> {
        let Some(patches) = self.by_file.get(path) else { return Cow::Borrowed(root) };
        let mut root = root.clone();
        let kind = root.get("kind").and_then(scalar_text);
        let name = root.at(&["metadata", "name"]).and_then(scalar_text);
        let fits = |wanted: &Option<String>, own: &Option<String>| wanted.is_none() || wanted == own;
        for patch in patches {
            if fits(&patch.kind, &kind) && fits(&patch.name, &name) {
                match &patch.change {
                    Change::Merge(with) => merge(&mut root, with),
                    Change::Steps(steps) => steps.iter().for_each(|step| take(&mut root, step, &step.path)),
                }
            }
        }
        Cow::Owned(root)
    }
}

pub fn is_kustomization(path: &str) -> bool {
    matches!(paths::name(path), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

fn overlay(path: &str, all: &[&str], read: &dyn Fn(&str) -> Option<String>) -> Option<Overlay> {
    let root = yaml::parse(&read(path)?).ok()?;
    let folder = paths::folder(path);
    let listed = |key: &str| root.get(key).map(Node::items).unwrap_or_default().iter();
    let (mut files, mut bases) = (Vec::new(), Vec::new());
    for named in ["resources", "bases", "components"].into_iter().flat_map(listed).filter_map(Node::as_text) {
        let target = paths::join(folder, named.trim_end_matches('/'));
        let below = ["kustomization.yaml", "kustomization.yml", "Kustomization"].map(|name| paths::join(&target, name));
        match below.into_iter().find(|path| all.binary_search(&path.as_str()).is_ok()) {
            Some(base) => bases.push(base),
            None => files.push(target),
        }
    }
    let text_of = |node: &Node| {
        let inline = node.get("patch").and_then(Node::as_text).map(str::to_owned);
        inline.or_else(|| read(&paths::join(folder, node.get("path")?.as_text()?)))
    };
    let mut patches = Vec::new();
    for node in listed("patchesStrategicMerge").filter_map(Node::as_text) {
        let text = if node.contains('\n') { Some(node.to_owned()) } else { read(&paths::join(folder, node)) };
        patches.extend(patches_of(&text.unwrap_or_default(), None));
    }
    for node in listed("patches").chain(listed("patchesJson6902")) {
        patches.extend(patches_of(&text_of(node).unwrap_or_default(), node.get("target")));
    }
    Some(Overlay { files, bases, patches })
}

/// The patches of a text, which is a manifest in part or a list of steps.
fn patches_of(text: &str, target: Option<&Node>) -> Vec<Patch> {
    let documents = yaml::parse_documents(text).unwrap_or_default();
    let aimed = |key: &str| target.and_then(|target| target.get(key)).and_then(scalar_text);
    let read = |root: Node| {
        let steps: Vec<Step> = root.items().iter().filter_map(step).collect();
        if !steps.is_empty() {
            return Some(Patch { kind: aimed("kind"), name: aimed("name"), change: Change::Steps(steps) });
        }
        let kind = aimed("kind").or_else(|| root.get("kind").and_then(scalar_text))?;
        let name = if target.is_some() { aimed("name") } else { root.at(&["metadata", "name"]).and_then(scalar_text) };
        Some(Patch { kind: Some(kind), name, change: Change::Merge(root) })
    };
    documents.into_iter().filter_map(read).collect()
}

fn step(node: &Node) -> Option<Step> {
    let op = node.get("op")?.as_text()?;
    let path = node.get("path")?.as_text()?.strip_prefix('/')?;
    let path = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let known = matches!(op, "add" | "replace" | "remove");
    known.then(|| Step { removes: op == "remove", adds: op == "add", path, value: node.get("value").cloned() })
}

/// The manifests of an overlay with what it and its bases change in them, inner changes first.
fn flatten<'o>(
    path: &'o str,
    overlays: &'o BTreeMap<&str, Overlay>,
    seen: &mut BTreeSet<&'o str>,
) -> Vec<(String, Vec<Patch>)> {
    let Some(overlay) = overlays.get(path).filter(|_| seen.len() < MAX_BASES && seen.insert(path)) else {
        return Vec::new();
    };
    let mut found: Vec<(String, Vec<Patch>)> = overlay.files.iter().map(|file| (file.clone(), Vec::new())).collect();
    for base in &overlay.bases {
        found.extend(flatten(base, overlays, seen));
        found.truncate(MAX_FILES);
    }
    found.iter_mut().for_each(|(_, patches)| patches.extend(overlay.patches.iter().cloned()));
    found
}

/// The changes of the overlay for production, or of the only one.
fn for_production(found: Vec<(&str, Vec<Patch>)>) -> Option<Vec<Patch>> {
    let only = found.len() == 1;
    let says =
        |path: &str| paths::words(path).iter().any(|word| matches!(word.as_str(), "prod" | "production" | "live"));
    found.into_iter().find(|(path, _)| only || says(path)).map(|(_, patches)| patches)
}

/// Strategic merge: maps key by key, lists of things with names by their names, everything else is replaced.
fn merge(base: &mut Node, with: &Node) {
    let at = (base.start, base.end);
    match (&mut base.data, &with.data) {
        (NodeData::Map(entries), NodeData::Map(changes)) => {
            for change in changes {
                let known = entries.iter().position(|entry| entry.key == change.key);
                match (known, &change.value.data) {
                    (Some(index), NodeData::Null) => {
                        entries.remove(index);
                    }
                    (Some(index), _) => merge(&mut entries[index].value, &change.value),
                    (None, _) => entries.push(Entry {
                        key: change.key.clone(),
                        key_start: at.0,
                        key_end: at.1,
                        value: placed(&change.value, at),
                    }),
                }
            }
        }
        (NodeData::List(items), NodeData::List(changes)) if changes.iter().any(|item| item.get("name").is_some()) => {
            for change in changes {
                let name = change.get("name").and_then(scalar_text);
                match items.iter_mut().find(|item| item.get("name").and_then(scalar_text) == name) {
                    Some(item) => merge(item, change),
                    None => items.push(placed(change, at)),
                }
            }
        }
        _ => base.data = placed(with, at).data,
    }
}

/// One step of JSON Patch; what does not lead anywhere changes nothing.
fn take(node: &mut Node, step: &Step, path: &[String]) {
    let at = (node.start, node.end);
    let Some((key, rest)) = path.split_first() else { return };
    let value = || step.value.as_ref().filter(|_| rest.is_empty()).map(|value| placed(value, at));
    match &mut node.data {
        NodeData::Map(entries) => {
            let known = entries.iter().position(|entry| *entry.key == **key);
            match (known, value()) {
                (Some(index), _) if step.removes && rest.is_empty() => {
                    entries.remove(index);
                }
                (Some(index), Some(value)) => entries[index].value = value,
                (Some(index), None) => take(&mut entries[index].value, step, rest),
                (None, Some(value)) => {
                    entries.push(Entry { key: key.as_str().into(), key_start: at.0, key_end: at.1, value });
                }
                (None, None) => {}
            }
        }
        NodeData::List(items) => {
            let index = key.parse::<usize>().ok().filter(|index| *index < items.len());
            match (index, value()) {
                (Some(index), _) if step.removes && rest.is_empty() => {
                    items.remove(index);
                }
                (Some(index), Some(value)) if step.adds => items.insert(index, value),
                (Some(index), Some(value)) => items[index] = value,
                (Some(index), None) => take(&mut items[index], step, rest),
                (None, Some(value)) => items.push(value),
                (None, None) => {}
            }
        }
        _ => {}
    }
}

/// The same at a place of the manifest: what a patch says is shown where it is said of.
fn placed(node: &Node, at: (u32, u32)) -> Node {
    let data = match &node.data {
        NodeData::List(items) => NodeData::List(items.iter().map(|item| placed(item, at)).collect()),
        NodeData::Map(entries) => NodeData::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    key_start: at.0,
                    key_end: at.1,
                    value: placed(&entry.value, at),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node { start: at.0, end: at.1, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "kind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 1\n  template: {spec: {containers: [{name: api, image: 'api:1'}, {name: log, image: 'log:1'}]}}\n";
    const MERGED: &str = "kind: Deployment\nmetadata: {name: api}\nspec:\n  paused: null\n  template: {spec: {containers: [{name: api, livenessProbe: {tcpSocket: {port: 80}}}]}}\n";
    const STEPS: &str = "resources: [../../base]\npatches:\n  - path: probes.yaml\n  - target: {kind: Deployment, name: api}\n    patch: |-\n      - {op: replace, path: /spec/replicas, value: 3}\n      - {op: remove, path: /spec/template/spec/containers/1}\n      - {op: add, path: /spec/template/spec/containers/0/tty, value: true}\n      - {op: add, path: /nowhere/0/x, value: 1}\n  - target: {kind: Service}\n    patch: '[{op: remove, path: /spec}]'\n";

    fn applied(files: &[(&str, &str)]) -> Node {
        let mut names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        Patches::of(&names, &read).apply("base/api.yaml", &yaml::parse(BASE).unwrap()).into_owned()
    }

    #[test]
    fn overlays_change_what_they_build_on() {
        let node = applied(&[
            ("base/kustomization.yaml", "resources: [api.yaml]"),
            ("overlays/prod/kustomization.yaml", STEPS),
            ("overlays/prod/probes.yaml", MERGED),
            (
                "overlays/dev/kustomization.yaml",
                "resources: [../../base]\npatchesStrategicMerge: ['kind: Deployment\n']",
            ),
        ]);
        let containers = node.at(&["spec", "template", "spec", "containers"]).unwrap().items();
        assert_eq!(containers.len(), 1);
        assert_eq!(containers[0].get("image").unwrap().as_text(), Some("api:1"));
        assert!(containers[0].at(&["livenessProbe", "tcpSocket"]).is_some());
        assert_eq!(containers[0].get("tty").unwrap().as_bool(), Some(true));
        assert_eq!(node.at(&["spec", "replicas"]).unwrap().data, NodeData::Number(3.0));
        let probe = containers[0].get("livenessProbe").unwrap();
        assert!(probe.end as usize <= BASE.len(), "placed in the manifest");
    }

    #[test]
    fn nothing_is_guessed_or_upset() {
        let unchanged = yaml::parse(BASE).unwrap();
        let two = [
            ("base/kustomization.yaml", "resources: [api.yaml]"),
            ("a/kustomization.yaml", "resources: [../base]\npatches: [{path: p.yaml}]"),
            ("b/kustomization.yaml", "resources: [../base]"),
            ("a/p.yaml", MERGED),
        ];
        assert_eq!(applied(&two), unchanged);
        for text in ["", "resources: [.]\npatches: [1, {path: gone}, {patch: '- op: add'}]", "{", "bases: [../base]"] {
            assert_eq!(applied(&[("base/kustomization.yaml", text)]), unchanged, "{text}");
        }
    }
}
