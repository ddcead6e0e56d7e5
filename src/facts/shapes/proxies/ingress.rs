//! Ingress objects: TLS by their specification, the rest by annotations of the usual controllers.

use std::collections::BTreeMap;

use super::Proxy;
use crate::facts::{Data, Fact, Value};

pub fn ingress(manifest: &Fact) -> Option<Proxy> {
    let kind = manifest.get("kind").and_then(Value::as_text)?;
    if !matches!(kind, "Ingress" | "IngressRoute" | "Gateway") {
        return None;
    }
    let annotations = annotations(manifest);
    let ending = |name: &str| annotations.iter().find(|(key, _)| key.ends_with(name)).map(|(_, value)| value.as_str());
    let has = |part: &str| annotations.keys().any(|key| key.contains(part));
    let spec = manifest.get("spec").cloned().unwrap_or(Value::ABSENT);
    let tls = is_filled(&spec.field("tls"))
        || listeners_use_tls(&spec)
        || ["certificate-arn", "ssl-cert", "managed-certificates", "pre-shared-cert"].iter().any(|name| has(name));
    let plain = ending("/ssl-redirect") == Some("false");
    let name = manifest.symbol.to_string();
    Some(Proxy {
        software: "Ingress",
        at: (manifest.at.start, manifest.at.end),
        tls,
        renewal: has("cert-manager.io/")
            || has("certmanager.k8s.io/")
            || has("tls-acme")
            || has("certificate-arn")
            || has("managed-certificates"),
        redirects: tls && !plain && (has("nginx.ingress") || has("ssl-redirect") || has("redirect-entry-point")),
        headers: headers(ending("/hsts-max-age"), ending("/configuration-snippet")),
        rate_limit: has("/limit-rps") || has("/limit-rpm"),
        body_limit: ending("/proxy-body-size").filter(|size| *size != "0").map(|size| format!("{size}b")),
        timeout: ending("/proxy-read-timeout").map(|seconds| format!("{seconds}s")),
        upstreams: vec![name.clone()],
        balanced: true,
        name,
        ..Proxy::default()
    })
}

fn is_filled(value: &Value) -> bool {
    match &value.data {
        Data::List(items) => !items.is_empty(),
        Data::Record(record) => !record.fields.is_empty(),
        _ => false,
    }
}

/// Of a Gateway: some listener has a certificate.
fn listeners_use_tls(spec: &Value) -> bool {
    match &spec.field("listeners").data {
        Data::List(items) => items.iter().any(|item| is_filled(&item.field("tls"))),
        _ => false,
    }
}

fn annotations(manifest: &Fact) -> BTreeMap<String, String> {
    let Some(Value { data: Data::Record(record), .. }) = manifest.get("annotations") else { return BTreeMap::new() };
    let text = |value: &Value| match &value.data {
        Data::Text(text) => Some(text.to_string()),
        Data::Bool(flag) => Some(flag.to_string()),
        Data::Number(number) => Some(number.to_string()),
        _ => None,
    };
    record.fields.iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
}

/// The headers of `more_set_headers "Name: value";` lines, and HSTS by its own annotation.
fn headers(hsts: Option<&str>, snippet: Option<&str>) -> BTreeMap<String, String> {
    let quoted = snippet.unwrap_or_default().split(['"', '\'']).skip(1).step_by(2);
    let pairs = quoted.filter_map(|text| text.split_once(':'));
    let mut found: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
    if let Some(age) = hsts {
        found.insert("strict-transport-security".to_owned(), format!("max-age={age}"));
    }
    found
}
