//! Proxies in front of services: nginx, Caddy, Traefik's labels and files, Ingress objects, each as one `proxy` fact for every
//! service behind it, and the `directive`s of the files.
//!
//! A proxy proves something only if it is wired: mounted or copied by what is deployed. The others are shown as what
//! nothing here deploys.

mod caddy;
mod config_map;
mod ingress;
mod nginx;
mod traefik;
mod traefik_file;
mod wiring;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::{Data, Fact, Origins, Record, Value};
use crate::project::{Area, Diagnostic, FileId, ServiceId, Span};
use crate::syntax::blocks::{self, Directive, Style};

pub use traefik_file::is_traefik_file;

use super::paths;
use super::values::{fact, optional, span};

/// Directives that are kept of one file.
const MAX_DIRECTIVES: usize = 2_000;

/// A text file that may configure a proxy.
pub struct ProxyFile<'a> {
    pub id: FileId,
    pub path: &'a str,
    pub text: &'a str,
    pub area: Area,
    pub service: ServiceId,
}

/// A service that answers HTTP.
pub struct Backend<'a> {
    pub id: ServiceId,
    pub folder: &'a str,
}

pub struct ProxyInput<'a> {
    pub files: Vec<ProxyFile<'a>>,
    pub backends: Vec<Backend<'a>>,
    /// Containers, instructions and manifests.
    pub facts: &'a [Fact],
}

/// What one site of a proxy does with the requests that it passes on.
#[derive(Debug, Clone, Default, PartialEq)]
struct Proxy {
    software: &'static str,
    name: String,
    at: (u32, u32),
    tls: bool,
    /// Certificates are renewed without anybody's help.
    renewal: bool,
    protocols: Vec<String>,
    redirects: bool,
    /// Those that every answer carries, by their names in lower case.
    headers: BTreeMap<String, String>,
    rate_limit: bool,
    body_limit: Option<String>,
    timeout: Option<String>,
    /// Types that it compresses; `*` for all that are worth it.
    compresses: Vec<String>,
    hides_version: Option<bool>,
    /// The hosts that it passes requests to.
    upstreams: Vec<String>,
    /// Several servers share the load.
    balanced: bool,
    /// A server that fails is left out.
    checks: bool,
    /// Something in front of it speaks to the clients.
    outer: bool,
}

/// Files that may configure nginx or Caddy, by their names.
pub fn is_proxy_file(path: &str) -> bool {
    style_of(path).is_some()
}

fn style_of(path: &str) -> Option<Style> {
    let name = paths::name(path).to_ascii_lowercase();
    let plain = name.trim_end_matches(".template").trim_end_matches(".tmpl").trim_end_matches(".j2");
    if plain == "caddyfile" || plain.starts_with("caddyfile.") || plain.ends_with(".caddyfile") {
        return Some(Style::Lines);
    }
    let nginx = plain.ends_with(".conf") || plain.ends_with(".nginx") || plain.starts_with("nginx");
    let folder = paths::passes(path, &["sites-available", "sites-enabled", "conf.d", "nginx"]) && !plain.contains('.');
    (nginx || folder).then_some(Style::Semicolons)
}

pub fn proxies(input: &ProxyInput<'_>) -> (Vec<Fact>, Vec<Diagnostic>) {
    let (mut facts, mut diagnostics) = (Vec::new(), Vec::new());
    let mut read: Vec<(&ProxyFile<'_>, Vec<Directive>)> = Vec::new();
    for file in input.files.iter().filter(|file| file.area != Area::Vendored) {
        let Some(style) = style_of(file.path) else { continue };
        if style == Style::Semicolons && !nginx::is_likely(file.text) {
            continue;
        }
        match blocks::parse(file.text, style) {
            Ok(directives) => read.push((file, directives)),
            Err(error) => diagnostics.push(error.diagnostic(file.path)),
        }
    }
    let shared = nginx::Shared::new(&read);
    for (file, directives) in &read {
        facts.extend(listed(file, directives));
        let found = match style_of(file.path) {
            Some(Style::Lines) => caddy::sites(directives),
            _ => nginx::servers(file.path, directives, &shared),
        };
        let wiring = wiring::of_file(file.path, input);
        for proxy in found {
            let behind = wiring::behind(&proxy.upstreams, input);
            facts.extend(placed(proxy, file.id, file.area, &behind, file.service, &wiring));
        }
    }
    let trees = traefik_file::trees(&input.files);
    let started = traefik::commands(input.facts) + &traefik_file::started(&trees);
    for (file, tree) in &trees {
        let wiring = wiring::of_file(file.path, input);
        for proxy in traefik_file::routers(tree, &started) {
            let behind = wiring::behind(&proxy.upstreams, input);
            facts.extend(placed(proxy, file.id, file.area, &behind, file.service, &wiring));
        }
    }
    for container in input.facts.iter().filter(|fact| &*fact.kind == "container") {
        if let Some(proxy) = traefik::router(container, &started) {
            let own = wiring::service_of(container, input);
            let behind: Vec<ServiceId> = own.into_iter().collect();
            let wiring = wiring::Wiring::of_container(container);
            facts.extend(placed(proxy, container.at.file, container.area, &behind, container.service, &wiring));
        }
    }
    for manifest in input.facts.iter().filter(|fact| &*fact.kind == "manifest") {
        for proxy in config_map::servers(manifest, &shared) {
            let behind = wiring::behind(&proxy.upstreams, input);
            let wiring = wiring::of_config_map(manifest, input);
            facts.extend(placed(proxy, manifest.at.file, manifest.area, &behind, manifest.service, &wiring));
        }
        if let Some(proxy) = ingress::ingress(manifest) {
            let behind = wiring::only_backend(input);
            let wiring = wiring::Wiring::deployed();
            facts.extend(placed(proxy, manifest.at.file, manifest.area, &behind, manifest.service, &wiring));
        }
    }
    (facts, diagnostics)
}

/// A fact for every service behind it; for the file's own service where nobody can tell.
fn placed(
    proxy: Proxy,
    file: FileId,
    area: Area,
    behind: &[ServiceId],
    own: ServiceId,
    wiring: &wiring::Wiring,
) -> Vec<Fact> {
    let made = proxy.fact(file, area, !behind.is_empty(), wiring);
    let services = if behind.is_empty() { &[own][..] } else { behind };
    services.iter().map(|&service| Fact { service, ..made.clone() }).collect()
}

impl Proxy {
    fn fact(self, file: FileId, area: Area, known: bool, wiring: &wiring::Wiring) -> Fact {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str().into(), Value::text(value.as_str())));
        let record = Record::closed(headers.collect());
        let headers = Value { data: Data::Record(Arc::new(record)), origins: Origins::default() };
        let made = fact("proxy", span(file, self.at.0, self.at.1), "shape proxy", &self.name)
            .with("software", Value::text(self.software))
            .with("name", Value::text(self.name.as_str()))
            .with("tls", Value::bool(self.tls))
            .with("renewal", Value::bool(self.renewal))
            .with("protocols", Value::texts(&self.protocols))
            .with("redirects", Value::bool(self.redirects))
            .with("headers", headers)
            .with("rate_limit", Value::bool(self.rate_limit))
            .with("body_limit", optional(self.body_limit.as_deref()))
            .with("timeout", optional(self.timeout.as_deref()))
            .with("compresses", Value::texts(&self.compresses))
            .with("hides_version", self.hides_version.map_or(Value::ABSENT, Value::bool))
            .with("serves", Value::bool(!self.upstreams.is_empty()))
            .with("behind", Value::bool(known && !self.upstreams.is_empty()))
            .with("upstreams", Value::texts(&self.upstreams))
            .with("balanced", Value::bool(self.balanced))
            .with("checks", Value::bool(self.checks))
            .with("outer", Value::bool(self.outer))
            .with("wired", Value::bool(wiring.wired))
            .with("published", Value::bool(wiring.published))
            .with("production", Value::bool(wiring.production));
        let because = (!wiring.wired).then(|| "nothing here deploys this proxy".into());
        Fact { area, reached: wiring.wired, because, ..made }
    }
}

/// The directives of a file, each with the block that it stands in.
fn listed(file: &ProxyFile<'_>, directives: &[Directive]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut queue: Vec<(&Directive, Option<&Directive>)> = directives.iter().rev().map(|all| (all, None)).collect();
    while let Some((directive, block)) = queue.pop() {
        if facts.len() >= MAX_DIRECTIVES {
            break;
        }
        let at: Span = span(file.id, directive.start, directive.end);
        let made = fact("directive", at, "shape proxy", &directive.name)
            .with("path", Value::text(file.path))
            .with("name", Value::text(directive.name.as_str()))
            .with("value", Value::text(directive.args.join(" ")))
            .with("block", optional(block.map(|block| block.name.as_str())))
            .with("of", optional(block.map(|block| block.args.join(" ")).as_deref()));
        facts.push(Fact { area: file.area, service: file.service, ..made });
        queue.extend(directive.children().iter().rev().map(|child| (child, Some(directive))));
    }
    facts
}

/// `http://api:3000/v1` is passed to `api`.
fn host_of(url: &str) -> Option<String> {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let host = address.split(['/', ':', '?']).next().unwrap_or_default().trim_start_matches('[');
    (!host.is_empty() && !host.contains('$') && host != "unix").then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
