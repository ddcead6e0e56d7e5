//! Sites of a Caddyfile. A site with a domain has TLS, renewal and redirects without being told.

use std::collections::BTreeMap;

use super::{Proxy, host_of};
use crate::syntax::blocks::Directive;

pub fn sites(directives: &[Directive]) -> Vec<Proxy> {
    let global = directives.iter().find(|directive| directive.name.is_empty() && directive.body.is_some());
    let off = global.and_then(|global| global.first("auto_https")).map_or("", |found| found.arg(0));
    let snippets: BTreeMap<&str, &Directive> = directives
        .iter()
        .filter(|found| found.name.starts_with('('))
        .map(|found| (found.name.as_str(), found))
        .collect();
    let blocks = directives
        .iter()
        .filter(|found| found.body.is_some() && !found.name.is_empty() && !found.name.starts_with(['(', '&']));
    let mut found: Vec<Proxy> = blocks.map(|block| site(block, &flat(block.children(), &snippets, 4), off)).collect();
    // A file with a single site needs no braces: its address stands in the first line.
    let bare = directives.iter().find(|found| !found.name.is_empty());
    if let Some(address) = bare.filter(|found| found_nothing(directives) && found.args.is_empty()) {
        found.push(site(address, &directives.iter().skip(1).collect::<Vec<_>>(), off));
    }
    found
}

fn found_nothing(directives: &[Directive]) -> bool {
    directives
        .iter()
        .all(|found| found.body.is_none() || matches!(found.name.as_str(), "" | "reverse_proxy" | "header"))
}

/// What lies in `handle`, `route` and imported snippets too.
fn flat<'d>(level: &'d [Directive], snippets: &BTreeMap<&str, &'d Directive>, depth: usize) -> Vec<&'d Directive> {
    let mut found = Vec::new();
    for directive in level {
        let snippet = (directive.name == "import").then(|| format!("({})", directive.arg(0)));
        let inner = match snippet.and_then(|name| snippets.get(name.as_str()).copied()) {
            Some(snippet) => Some(snippet),
            None => matches!(directive.name.as_str(), "handle" | "route" | "handle_path").then_some(directive),
        };
        match inner.filter(|_| depth > 0) {
            Some(inner) => found.extend(flat(inner.children(), snippets, depth - 1)),
            None => found.push(directive),
        }
    }
    found
}

fn site(block: &Directive, level: &[&Directive], auto_https: &str) -> Proxy {
    let addresses: Vec<&str> = std::iter::once(block.name.as_str())
        .chain(block.args.iter().map(String::as_str))
        .map(|address| address.trim_end_matches(','))
        .filter(|address| !address.is_empty())
        .collect();
    let first = |name: &str| level.iter().copied().find(|found| found.name == name);
    let secure = !addresses.is_empty() && addresses.iter().all(|address| is_secure(address)) && auto_https != "off";
    let own = first("tls").is_some_and(|tls| tls.args.len() > 1);
    let proxies: Vec<&Directive> = level.iter().copied().filter(|found| found.name == "reverse_proxy").collect();
    let targets = proxies.iter().flat_map(|proxy| {
        let inner = proxy.all("to").flat_map(|to| &to.args);
        proxy.args.iter().filter(|arg| !arg.starts_with(['/', '@', '*'])).chain(inner)
    });
    let mut upstreams: Vec<String> = targets.map(|url| host_of(url).unwrap_or_else(|| url.clone())).collect();
    upstreams.sort();
    upstreams.dedup();
    let limit = first("request_body").and_then(|body| body.first("max_size")).map(|size| size.arg(0).to_owned());
    Proxy {
        software: "Caddy",
        name: addresses.first().copied().unwrap_or("site").to_owned(),
        at: (block.start, block.end),
        tls: secure,
        renewal: secure && !own,
        redirects: secure && auto_https != "disable_redirects",
        headers: headers(level),
        rate_limit: first("rate_limit").is_some(),
        body_limit: limit.map(|limit| limit.to_ascii_lowercase()),
        timeout: proxies.iter().find_map(|proxy| answer_timeout(proxy)),
        compresses: first("encode").map(|_| vec!["*".to_owned()]).unwrap_or_default(),
        balanced: upstreams.len() > 1,
        checks: proxies.iter().any(|proxy| proxy.children().iter().any(|found| found.name.contains("health"))),
        upstreams,
        ..Proxy::default()
    }
}

/// How long the proxy waits for an answer. https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#the-http-transport
fn answer_timeout(proxy: &Directive) -> Option<String> {
    let transport = proxy.first("transport")?;
    let waits = ["response_header_timeout", "read_timeout"].into_iter().find_map(|name| transport.first(name))?;
    Some(waits.arg(0).to_owned())
}

/// A domain, or a variable that will be one; neither a bare port nor plain HTTP.
fn is_secure(address: &str) -> bool {
    let plain = address.starts_with("http://") || address.starts_with(':') && address != ":443";
    let local = ["localhost", "127.0.0.1"].iter().any(|host| address.contains(host)) || address.ends_with(".localhost");
    !plain && !local && !address.ends_with(":80")
}

fn headers(level: &[&Directive]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for header in level.iter().filter(|found| found.name == "header") {
        let everywhere = !header.arg(0).starts_with(['/', '@']);
        let args: Vec<&str> = header.args.iter().map(String::as_str).filter(|arg| *arg != "*").collect();
        if let (true, [name, value, ..]) = (everywhere, args.as_slice()) {
            found.insert(name.to_ascii_lowercase(), (*value).to_owned());
        }
        for child in header.children().iter().filter(|_| everywhere && !header.arg(0).starts_with('-')) {
            let name = child.name.trim_start_matches(['?', '+', '>']);
            if !name.starts_with('-') {
                found.insert(name.to_ascii_lowercase(), child.arg(0).to_owned());
            }
        }
    }
    found
}
