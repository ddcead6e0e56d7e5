//! The labels by which Traefik is told about a container.

use std::collections::BTreeMap;

use super::Proxy;
use crate::facts::{Data, Fact, Value};

/// Settings of Traefik by their paths, in lower case: `traefik.http.routers.api.tls` → `true`.
pub type Labels = BTreeMap<String, String>;

/// The router of a container; `started` is how the project starts Traefik itself.
pub fn router(container: &Fact, started: &str) -> Option<Proxy> {
    let name = container.symbol.to_string();
    let found = read(&labels(container), started)?;
    Some(Proxy { upstreams: vec![name.clone()], name, at: (container.at.start, container.at.end), ..found })
}

/// What labels say of the requests that their routers take.
pub fn read(labels: &Labels, started: &str) -> Option<Proxy> {
    let routers: Vec<(&str, &str)> = part(labels, "traefik.http.routers.");
    if routers.is_empty() || labels.get("traefik.enable").is_some_and(|value| value == "false") {
        return None;
    }
    let ends =
        |ending: &str| routers.iter().filter(|(name, _)| name.ends_with(ending)).map(|(_, value)| *value).collect();
    let (resolvers, switches, entries): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (ends(".tls.certresolver"), ends(".tls"), ends(".entrypoints"));
    let named = |value: &str| value.contains("websecure") || value.contains("https") || value.contains("443");
    let tls = !resolvers.is_empty()
        || switches.contains(&"true")
        || entries.iter().any(|value| named(value)) && !entries.is_empty();
    let used: Vec<&str> = ends_list(&routers);
    let middlewares: BTreeMap<&str, &str> =
        part(labels, "traefik.http.middlewares.").into_iter().filter(|(name, _)| is_used(name, &used)).collect();
    let option = |ending: &str| middlewares.iter().find(|(name, _)| name.ends_with(ending)).map(|(_, value)| *value);
    Some(Proxy {
        software: "Traefik",
        tls,
        renewal: !resolvers.is_empty() || started.contains("certresolver"),
        redirects: option("redirectscheme.scheme") == Some("https")
            || used.iter().any(|name| name.contains("https-redirect") || name.contains("redirect-to-https"))
            || started.contains("redirections.entrypoint"),
        headers: headers(&option),
        rate_limit: option(".ratelimit.average").is_some(),
        body_limit: option(".buffering.maxrequestbodybytes").map(|size| format!("{size}b")),
        compresses: option(".compress")
            .filter(|value| *value == "true")
            .map(|_| vec!["*".to_owned()])
            .unwrap_or_default(),
        checks: labels.keys().any(|name| name.contains(".loadbalancer.healthcheck.")),
        ..Proxy::default()
    })
}

fn labels(container: &Fact) -> Labels {
    let Some(Value { data: Data::Record(record), .. }) = container.get("labels") else { return BTreeMap::new() };
    let texts = record.fields.iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_text()?)));
    texts.map(|(name, value)| (name, value.to_ascii_lowercase())).collect()
}

/// The labels below a name, without it.
fn part<'l>(labels: &'l Labels, prefix: &str) -> Vec<(&'l str, &'l str)> {
    labels.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.as_str()))).collect()
}

/// The middlewares that some router names.
fn ends_list<'l>(routers: &[(&'l str, &'l str)]) -> Vec<&'l str> {
    let lists = routers.iter().filter(|(name, _)| name.ends_with(".middlewares"));
    lists
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().split('@').next().unwrap_or_default())
        .collect()
}

fn is_used(label: &str, used: &[&str]) -> bool {
    used.iter().any(|name| label.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn headers<'l>(option: &dyn Fn(&str) -> Option<&'l str>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let pairs = [
        (".headers.stsseconds", "strict-transport-security"),
        (".headers.contentsecuritypolicy", "content-security-policy"),
        (".headers.referrerpolicy", "referrer-policy"),
        (".headers.customframeoptionsvalue", "x-frame-options"),
        (".headers.contenttypenosniff", "x-content-type-options"),
        (".headers.framedeny", "x-frame-options"),
    ];
    for (ending, header) in pairs {
        if let Some(value) = option(ending).filter(|value| *value != "false" && *value != "0") {
            let value = if ending.ends_with("stsseconds") { format!("max-age={value}") } else { value.to_owned() };
            found.insert(header.to_owned(), value);
        }
    }
    found
}

/// How the project starts Traefik, in lower case.
pub fn commands(all: &[Fact]) -> String {
    let images = all.iter().filter(|fact| &*fact.kind == "container");
    let own = images.filter(|fact| fact.get("image").and_then(Value::as_text).is_some_and(|i| i.contains("traefik")));
    own.filter_map(|fact| fact.get("command").and_then(Value::as_text)).map(str::to_ascii_lowercase).collect()
}
