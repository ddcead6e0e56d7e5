//! What watches over a service: alert rules (Prometheus, its operator, Grafana), receivers, and dashboards.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::values::{fact, optional, scalar_text, span, texts};

/// Alerts that are kept of one file.
const MAX_ALERTS: usize = 1_000;

pub fn monitoring(file: FileId, root: &Node) -> Vec<Fact> {
    let mut facts = Vec::new();
    for groups in [root.get("groups"), root.at(&["spec", "groups"])].into_iter().flatten() {
        let rules = groups.items().iter().filter_map(|group| group.get("rules")).flat_map(Node::items);
        facts.extend(rules.filter_map(|rule| alert(file, rule)).take(MAX_ALERTS));
    }
    let receivers = root.get("receivers").filter(|_| root.get("route").is_some()).map(Node::items).unwrap_or_default();
    facts.extend(receivers.iter().filter(|receiver| receiver.entries().len() > 1).map(|receiver| {
        named(file, receiver, "receiver", receiver.get("name").and_then(Node::as_text).unwrap_or_default())
    }));
    let contacts = root.get("contactPoints").map(Node::items).unwrap_or_default();
    facts.extend(contacts.iter().map(|contact| {
        named(file, contact, "receiver", contact.get("name").and_then(Node::as_text).unwrap_or_default())
    }));
    if let Some(entry) = root.entry("rule_files").filter(|_| root.get("scrape_configs").is_some()) {
        let loaded = texts(&entry.value).into_iter();
        facts.extend(loaded.map(|path| named(file, &entry.value, "loaded", path)));
    }
    facts
}

fn named(file: FileId, node: &Node, what: &str, name: &str) -> Fact {
    fact("alert", span(file, node.start, node.end), "shape monitoring", name)
        .with("what", Value::text(what))
        .with("name", Value::text(name))
        .with("expression", Value::ABSENT)
}

/// `alert` and `expr` of Prometheus, `title` and `data` of Grafana.
fn alert(file: FileId, rule: &Node) -> Option<Fact> {
    let grafana = rule.get("condition").is_some() && rule.get("data").is_some();
    let entry = rule.entry("alert").or_else(|| rule.entry("title").filter(|_| grafana))?;
    let name = scalar_text(&entry.value)?;
    let queries = rule.get("data").map(Node::items).unwrap_or_default().iter();
    let queries: Vec<&str> = queries.filter_map(|query| query.at(&["model", "expr"])?.as_text()).collect();
    let expression = rule.get("expr").and_then(scalar_text).or_else(|| Some(queries.join(" ; ")));
    let made = fact("alert", span(file, entry.key_start, entry.value.end), "shape monitoring", &name)
        .with("what", Value::text("rule"))
        .with("name", Value::text(name.as_str()))
        .with("expression", optional(expression.as_deref()));
    Some(made)
}

/// A dashboard of Grafana as JSON.
pub fn dashboard(file: FileId, root: &Node) -> Option<Fact> {
    let root = root.get("dashboard").unwrap_or(root);
    let panels = root.get("panels").or_else(|| root.get("rows"))?.items();
    let known = ["schemaVersion", "templating", "timepicker", "__inputs"].iter().any(|key| root.get(key).is_some());
    let title = root.get("title").and_then(Node::as_text).filter(|_| known && !panels.is_empty())?;
    let made = fact("dashboard", span(file, root.start, root.start), "shape monitoring", title)
        .with("name", Value::text(title))
        .with("panels", Value::number(panels.len() as f64));
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{json, yaml};

    #[test]
    fn alerts_and_receivers() {
        let rules = "groups:\n- name: api\n  rules:\n  - alert: HighErrors\n    expr: rate(errors[5m]) > 1\n  - record: x\n    expr: y\n  - {title: Slow, condition: A, data: [{model: {expr: p99}}]}\n";
        let facts = monitoring(FileId(0), &yaml::parse(rules).unwrap());
        let names: Vec<&str> = facts.iter().map(|fact| &*fact.symbol).collect();
        assert_eq!(names, ["HighErrors", "Slow"]);
        assert_eq!(facts[1].get("expression"), Some(&Value::text("p99")));
        let operator = "kind: PrometheusRule\nspec: {groups: [{rules: [{alert: A, expr: up == 0}]}]}";
        assert_eq!(monitoring(FileId(0), &yaml::parse(operator).unwrap()).len(), 1);
        let manager = "route: {receiver: a}\nreceivers:\n- {name: a, slack_configs: []}\n- {name: none}\n";
        assert_eq!(monitoring(FileId(0), &yaml::parse(manager).unwrap()).len(), 1);
        let config = "scrape_configs: []\nrule_files: [rules/*.yml]\n";
        assert_eq!(monitoring(FileId(0), &yaml::parse(config).unwrap())[0].get("what"), Some(&Value::text("loaded")));
        assert!(monitoring(FileId(0), &yaml::parse("groups: [{rules: 3}]\nrule_files: 1").unwrap()).is_empty());
    }

    #[test]
    fn dashboards() {
        let of = |text: &str| dashboard(FileId(0), &json::parse(text).unwrap());
        assert!(of("{\"title\": \"API\", \"schemaVersion\": 39, \"panels\": [{}]}").is_some());
        assert!(of("{\"title\": \"API\", \"panels\": [{}]}").is_none() && of("[]").is_none());
    }
}
