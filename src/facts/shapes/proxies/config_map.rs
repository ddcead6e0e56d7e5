//! Configuration of nginx and Caddy in the entries of a ConfigMap, each entry read like the file that it becomes.

use super::nginx::{self, Shared};
use super::{Proxy, caddy, style_of};
use crate::facts::{Data, Fact, Value};
use crate::syntax::blocks::{self, Style};

/// The sites of a ConfigMap, at its place: what cannot be read is left out.
pub fn servers(manifest: &Fact, shared: &Shared<'_>) -> Vec<Proxy> {
    if manifest.get("kind").and_then(Value::as_text) != Some("ConfigMap") {
        return Vec::new();
    }
    let Some(Value { data: Data::Record(entries), .. }) = manifest.get("data") else { return Vec::new() };
    let texts = entries.fields.iter().filter_map(|(name, value)| Some((&**name, value.as_text()?)));
    let sites = texts.flat_map(|(name, text)| of_file(name, text, shared));
    sites.map(|site| Proxy { at: (manifest.at.start, manifest.at.end), ..site }).collect()
}

fn of_file(name: &str, text: &str, shared: &Shared<'_>) -> Vec<Proxy> {
    let Some(style) = style_of(name).filter(|style| *style == Style::Lines || nginx::is_likely(text)) else {
        return Vec::new();
    };
    let Ok(directives) = blocks::parse(text, style) else { return Vec::new() };
    match style {
        Style::Lines => caddy::sites(&directives),
        Style::Semicolons => nginx::servers(name, &directives, shared),
    }
}
