//! Traefik's configuration in files: the tree that labels spell out path by path.

use super::traefik::{self, Labels};
use super::{Proxy, ProxyFile, host_of};
use crate::facts::shapes::paths;
use crate::syntax::{Entry, Node, NodeData, toml_file, yaml};

/// Settings of one file that are looked at, and how deep they may lie.
const MAX_SETTINGS: usize = 2_000;
const MAX_DEPTH: usize = 16;

/// A file of YAML or TOML that is named for Traefik, itself or by its folder.
pub fn is_traefik_file(path: &str) -> bool {
    let ends = [".yml", ".yaml", ".toml"].iter().any(|ending| path.ends_with(ending));
    let named = paths::words(path).iter().any(|word| word == "traefik");
    ends && named && !paths::words(paths::name(path)).iter().any(|word| word.contains("compose"))
}

/// The files that are, with what is in them; what does not parse is told by whoever reads settings.
pub fn trees<'f, 't>(files: &'f [ProxyFile<'t>]) -> Vec<(&'f ProxyFile<'t>, Node)> {
    let named = files.iter().filter(|file| is_traefik_file(file.path));
    let parse = |file: &ProxyFile<'_>| match file.path.ends_with(".toml") {
        true => toml_file::parse(file.text).ok(),
        false => yaml::parse(file.text).ok(),
    };
    named.filter_map(|file| Some((file, parse(file)?))).collect()
}

/// What files say of how Traefik is started, as the paths of its settings.
pub fn started(trees: &[(&ProxyFile<'_>, Node)]) -> String {
    let mut labels = Labels::new();
    for (_, tree) in trees {
        for key in ["entryPoints", "entrypoints", "certificatesResolvers", "certificatesresolvers"] {
            if let Some(node) = tree.get(key) {
                flatten(key, node, MAX_DEPTH, &mut labels);
            }
        }
    }
    labels.into_iter().map(|(path, value)| format!("{path}={value}\n")).collect()
}

/// The routers of a file, each with the middlewares that it uses and the servers of its service.
pub fn routers(tree: &Node, started: &str) -> Vec<Proxy> {
    let mut shared = Labels::new();
    for part in ["middlewares", "services"] {
        if let Some(node) = tree.at(&["http", part]) {
            flatten(&format!("traefik.http.{part}"), node, MAX_DEPTH, &mut shared);
        }
    }
    let routers = tree.at(&["http", "routers"]).map(Node::entries).unwrap_or_default();
    routers.iter().filter_map(|router| of_router(router, &shared, started)).collect()
}

fn of_router(router: &Entry, shared: &Labels, started: &str) -> Option<Proxy> {
    let mut labels = shared.clone();
    flatten(&format!("traefik.http.routers.{}", router.key), &router.value, MAX_DEPTH, &mut labels);
    let service = router.value.get("service").and_then(Node::as_text).unwrap_or_default();
    let service = service.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let own = format!("traefik.http.services.{service}.loadbalancer.");
    let urls = shared.iter().filter(|(path, _)| path.starts_with(&own) && path.ends_with(".url"));
    let upstreams: Vec<String> = urls.filter_map(|(_, url)| host_of(url)).collect();
    Some(Proxy {
        name: router.key.to_string(),
        at: (router.key_start, router.key_end),
        balanced: upstreams.len() > 1,
        checks: shared.keys().any(|path| path.starts_with(&format!("{own}healthcheck."))),
        upstreams,
        ..traefik::read(&labels, started)?
    })
}

/// A tree as labels: lists of names joined, what is switched on by standing there as `true`.
fn flatten(path: &str, node: &Node, depth: usize, labels: &mut Labels) {
    if labels.len() >= MAX_SETTINGS || depth == 0 {
        return;
    }
    let mut put = |value: String| labels.insert(path.to_ascii_lowercase(), value.to_ascii_lowercase());
    match &node.data {
        NodeData::Map(entries) if entries.is_empty() => {
            put("true".to_owned());
        }
        NodeData::Map(entries) => {
            for entry in entries {
                flatten(&format!("{path}.{}", entry.key), &entry.value, depth - 1, labels);
            }
        }
        NodeData::List(items) if items.iter().all(|item| item.as_text().is_some()) => {
            let names: Vec<&str> = items.iter().filter_map(Node::as_text).collect();
            put(names.join(","));
        }
        NodeData::List(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(&format!("{path}.{number}"), item, depth - 1, labels);
            }
        }
        _ => {
            if let Some(value) = crate::facts::shapes::values::scalar_text(node) {
                put(value);
            }
        }
    }
}
