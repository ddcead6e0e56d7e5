//! Which proxies are deployed, by what, and which services lie behind them.

use super::ProxyInput;
use crate::facts::shapes::paths;
use crate::facts::{Data, Fact, Value};
use crate::project::{Area, ServiceId};

/// What is known of the deployment of a proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wiring {
    /// Something that is deployed mounts or copies it.
    pub wired: bool,
    /// It takes requests of other hosts at the usual ports.
    pub published: bool,
    /// In a file that is named for production, or that keeps its services running.
    pub production: bool,
}

impl Wiring {
    pub fn deployed() -> Wiring {
        Wiring { wired: true, published: true, production: true }
    }

    pub fn of_container(container: &Fact) -> Wiring {
        let lasting = matches!(text(container, "restart"), Some("always" | "unless-stopped"));
        Wiring {
            wired: is_deployed(container),
            published: texts(container, "published").iter().any(|port| is_usual(port))
                || text(container, "network") == Some("host"),
            production: lasting || container.get("production") == Some(&Value::bool(true)),
        }
    }

    fn or(self, other: Wiring) -> Wiring {
        Wiring {
            wired: self.wired || other.wired,
            published: self.published || other.published,
            production: self.production || other.production,
        }
    }
}

/// `80:8080`, `0.0.0.0:443:443`, `${PORT:-80}:80`; the port of the host decides, a variable of unknown value may be one.
fn is_usual(port: &str) -> bool {
    let host = port.rsplit_once(':').map_or(port, |(host, _)| host);
    let number = host.trim_end_matches('}').rsplit([':', '-']).next().unwrap_or_default();
    matches!(number, "80" | "443")
}

/// How a file gets into what runs: as a mount of a container, or copied into an image.
pub fn of_file(path: &str, input: &ProxyInput<'_>) -> Wiring {
    let mut wiring = Wiring::default();
    for fact in input.facts.iter().filter(|fact| is_deployed(fact)) {
        match &*fact.kind {
            "container" if texts(fact, "binds").iter().any(|bind| holds(bind, path)) => {
                wiring = wiring.or(Wiring::of_container(fact));
            }
            "instruction" if copies(fact, path) => {
                wiring.wired = true;
                let image = text(fact, "path");
                let built = input.facts.iter().filter(|other| &*other.kind == "container" && is_deployed(other));
                for container in built.filter(|other| image.is_some() && text(other, "build") == image) {
                    wiring = wiring.or(Wiring::of_container(container));
                }
            }
            _ => {}
        }
    }
    wiring
}

/// A ConfigMap is deployed by the pods that mount it; who reaches them is up to what stands before them.
pub fn of_config_map(manifest: &Fact, input: &ProxyInput<'_>) -> Wiring {
    let pods = input.facts.iter().filter(|fact| &*fact.kind == "manifest" && is_deployed(fact));
    let wired = pods.filter_map(|fact| fact.get("spec")).any(|spec| {
        let inner = spec.field("template").field("spec");
        [spec.field("volumes"), inner.field("volumes")].iter().any(|volumes| mounts_map(volumes, &manifest.symbol))
    });
    Wiring { wired, published: false, production: wired }
}

fn mounts_map(volumes: &Value, name: &str) -> bool {
    match &volumes.data {
        Data::List(items) => items.iter().any(|item| item.field("configMap").field("name").as_text() == Some(name)),
        _ => false,
    }
}

fn is_deployed(fact: &Fact) -> bool {
    !matches!(fact.area, Area::Test | Area::Example | Area::Docs | Area::Vendored)
}

/// The file itself or a folder around it.
fn holds(bind: &str, path: &str) -> bool {
    bind == path || bind != "." && path.strip_prefix(bind).is_some_and(|rest| rest.starts_with('/'))
}

/// `COPY nginx.conf /etc/nginx/`, `COPY deploy/nginx/ /etc/nginx/`, of the last stage.
fn copies(instruction: &Fact, path: &str) -> bool {
    if !matches!(text(instruction, "name"), Some("COPY" | "ADD"))
        || instruction.get("final") != Some(&Value::bool(true))
    {
        return false;
    }
    let value = text(instruction, "value").unwrap_or_default();
    if value.contains("--from") {
        return false;
    }
    let words: Vec<&str> =
        value.split(|c: char| c.is_whitespace() || "[]\",".contains(c)).filter(|w| !w.is_empty()).collect();
    let sources = words.iter().take(words.len().saturating_sub(1)).filter(|word| !word.starts_with("--"));
    let mut named = sources.map(|source| source.trim_start_matches("./").trim_end_matches('/'));
    named.any(|source| {
        let whole = !source.is_empty() && source != "." && !source.contains('*');
        let ends = |rest: &str| rest.is_empty() || rest.ends_with('/');
        whole
            && (path.strip_suffix(source).is_some_and(ends)
                || path.starts_with(&format!("{source}/"))
                || path.contains(&format!("/{source}/")))
    })
}

/// The services that answer for those hosts: containers of these names, or the only service that there is.
pub fn behind(upstreams: &[String], input: &ProxyInput<'_>) -> Vec<ServiceId> {
    let containers = input.facts.iter().filter(|fact| &*fact.kind == "container");
    let named = containers.filter(|fact| upstreams.iter().any(|host| text(fact, "name") == Some(host.as_str())));
    let mut found: Vec<ServiceId> = named.filter_map(|container| built(container, input)).collect();
    found.sort();
    found.dedup();
    if found.is_empty() { only_backend(input) } else { found }
}

pub fn only_backend(input: &ProxyInput<'_>) -> Vec<ServiceId> {
    match input.backends.as_slice() {
        [only] => vec![only.id],
        _ => Vec::new(),
    }
}

/// The service that a container runs.
pub fn service_of(container: &Fact, input: &ProxyInput<'_>) -> Option<ServiceId> {
    built(container, input).or_else(|| only_backend(input).first().copied())
}

/// The service in the folder of the container's Dockerfile, or the nearest around it.
fn built(container: &Fact, input: &ProxyInput<'_>) -> Option<ServiceId> {
    let folder = paths::folder(text(container, "build")?);
    let around =
        |outer: &str| outer == "." || outer.is_empty() || folder == outer || folder.starts_with(&format!("{outer}/"));
    let candidates = input.backends.iter().filter(|backend| around(backend.folder));
    candidates.max_by_key(|backend| backend.folder.len()).map(|backend| backend.id)
}

fn text<'f>(fact: &'f Fact, field: &str) -> Option<&'f str> {
    fact.get(field).and_then(Value::as_text)
}

fn texts<'f>(fact: &'f Fact, field: &str) -> Vec<&'f str> {
    match fact.get(field).map(|value| &value.data) {
        Some(Data::List(items)) => items.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}
