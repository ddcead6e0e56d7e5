//! What expressions of templates stand for.

use super::render::Renderer;
use super::write::{flow, is_empty, scalar};
use super::{MARK, MAX_DEPTH};
use crate::syntax::{Node, NodeData};

/// Longer expressions are not looked into.
const MAX_EXPRESSION: usize = 500;

/// What an expression stands for.
#[derive(Clone)]
pub(super) enum Found<'v> {
    Node(&'v Node),
    Text(String),
    Missing,
    /// Nobody can tell without Helm.
    Unknown,
}

/// `$value.name` is the variable `value` and what is asked of it; `$.Values` is none.
fn variable(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix('$')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

impl<'v> Renderer<'v> {
    /// A line with its actions replaced by what they stand for.
    pub(super) fn inline(&self, line: &str) -> String {
        let mut parts = line.split("{{");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let Some((action, after)) = part.split_once("}}") else { break };
            let action = action.trim_matches('-').trim();
            text.push_str(&self.inline_value(action));
            text.push_str(after);
        }
        text
    }

    fn inline_value(&self, action: &str) -> String {
        let control = ["if ", "else", "end", "with ", "range ", "/*"].iter().any(|word| action.starts_with(word));
        if control || action.starts_with('$') && action.contains(":=") {
            return String::new();
        }
        let quoted = action.contains("| quote") || action.starts_with("quote ");
        let text = match self.value(action) {
            Found::Node(node) if matches!(node.data, NodeData::List(_) | NodeData::Map(_)) => flow(node, MAX_DEPTH),
            Found::Node(node) => scalar(node).unwrap_or_default(),
            Found::Text(text) => text,
            Found::Missing | Found::Unknown => format!("${MARK}"),
        };
        if quoted { format!("\"{}\"", text.replace(['"', '\\'], "")) } else { text }
    }

    /// A pipeline: `.Values.a.b | default "x" | quote`.
    pub(super) fn value(&self, pipeline: &str) -> Found<'v> {
        let mut steps = pipeline.split('|').map(str::trim);
        let mut found = self.operand(steps.next().unwrap_or_default());
        for step in steps {
            if let Some(default) = step.strip_prefix("default ") {
                let empty = match &found {
                    Found::Missing => true,
                    Found::Node(node) => is_empty(node),
                    _ => false,
                };
                if empty {
                    found = self.operand(default.trim());
                }
            }
        }
        found
    }

    fn operand(&self, text: &str) -> Found<'v> {
        let text = text.trim().trim_matches(['(', ')']).trim().replace(").", ".");
        let text = text.as_str();
        if text.len() > MAX_EXPRESSION {
            return Found::Unknown;
        }
        let inner = ["toYaml ", "quote ", "tpl ", "toString ", "int ", "required ", "int64 "];
        if let Some(rest) = inner.iter().find_map(|word| text.strip_prefix(word)) {
            let last = if text.starts_with("required ") { rest.rsplit(' ').next().unwrap_or(rest) } else { rest };
            return self.operand(last.split(" $").next().unwrap_or(last).trim_end_matches(" ."));
        }
        if let Some(rest) = text.strip_prefix("default ") {
            let (default, value) = rest.rsplit_once(' ').unwrap_or((rest, ""));
            return match self.operand(value) {
                Found::Missing => self.operand(default),
                found => found,
            };
        }
        if let Some(literal) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            return Found::Text(literal.to_owned());
        }
        if text.parse::<f64>().is_ok() || matches!(text, "true" | "false") {
            return Found::Text(text.to_owned());
        }
        let plain = |path: &str| path.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
        let under = |root: &'v Node, path: &str| {
            let mut keys = path.split('.').filter(|key| !key.is_empty());
            keys.try_fold(root, |node, key| node.get(key)).map_or(Found::Missing, Found::Node)
        };
        if let Some((name, rest)) = variable(text) {
            return match self.variable(name) {
                Some(Found::Node(node)) if plain(rest) => under(node, rest),
                Some(found) if rest.is_empty() => found,
                _ => Found::Unknown,
            };
        }
        let path = text.strip_prefix('$').unwrap_or(text);
        match path.strip_prefix(".Values.") {
            Some(rest) if plain(rest) => {
                self.chart.values.as_ref().map_or(Found::Unknown, |values| under(values, rest))
            }
            _ if path == ".Chart.AppVersion" => Found::Text(self.chart.version.clone()),
            _ if path.starts_with(".Release.") || path.starts_with(".Chart.") => Found::Text("release".to_owned()),
            _ if path == "." => self.dot().map_or(Found::Unknown, Found::Node),
            _ if path.starts_with('.') && plain(path) => self.dot().map_or(Found::Unknown, |dot| under(dot, path)),
            _ => Found::Unknown,
        }
    }

    /// Whether a condition holds; what nobody can tell does.
    pub(super) fn is_true(&self, condition: &str) -> bool {
        let condition = condition.trim();
        if condition.len() > MAX_EXPRESSION {
            return true;
        }
        if let Some(rest) = condition.strip_prefix("not ") {
            return !self.is_true(rest.trim()) || self.is_unknown(rest);
        }
        let words = || condition.split_whitespace().skip(1);
        match condition.split_whitespace().next() {
            Some("and") if !condition.contains('(') => words().all(|word| self.is_true(word)),
            Some("or") if !condition.contains('(') => words().any(|word| self.is_true(word)),
            _ => match self.value(condition) {
                Found::Node(node) => !is_empty(node),
                Found::Missing => false,
                Found::Text(text) => text != "false" && !text.is_empty(),
                Found::Unknown => true,
            },
        }
    }

    fn is_unknown(&self, condition: &str) -> bool {
        matches!(self.value(condition.trim()), Found::Unknown)
    }
}
