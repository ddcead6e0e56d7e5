//! Helm templates, rendered with the values of their chart as far as can be told without Helm: values, defaults,
//! conditions and `toYaml`; what helpers and loops would make is left out.
//!
//! In goes a template, out comes YAML text whose lines know the lines that they come from.

use crate::facts::shapes::{Surroundings, paths};
use crate::project::Span;
use crate::syntax::{Node, NodeData, yaml};

/// Lines that one template may become.
const MAX_LINES: usize = 20_000;
/// Longer expressions are not looked into.
const MAX_EXPRESSION: usize = 500;
/// The key, and the name of the variable, that stand for what only Helm can tell.
pub const MARK: &str = "templated";
/// How deep values may lie in each other.
const MAX_DEPTH: usize = 24;

/// The folder of the chart that a template belongs to.
pub fn chart_of<'p>(path: &'p str, around: &Surroundings<'_>) -> Option<&'p str> {
    let (chart, _) =
        path.rsplit_once("/templates/").or_else(|| path.strip_prefix("templates/").map(|rest| (".", rest)))?;
    around.has(&paths::join(chart, "Chart.yaml")).then_some(chart)
}

/// Something in a value is only known to Helm.
pub fn is_templated(value: &str) -> bool {
    value.contains("{{") || value.contains(&format!("${MARK}"))
}

/// What templates read.
pub struct Chart {
    /// Nothing where they are not known.
    values: Option<Node>,
    version: String,
}

impl Chart {
    pub fn read(folder: &str, around: &Surroundings<'_>) -> Chart {
        let parsed = |name: &str| (around.read)(&paths::join(folder, name)).and_then(|text| yaml::parse(&text).ok());
        let version = parsed("Chart.yaml").and_then(|chart| scalar(chart.get("appVersion")?));
        let nothing = Node { start: 0, end: 0, data: NodeData::Null };
        let values = Some(parsed("values.yaml").unwrap_or(nothing));
        Chart { values, version: version.unwrap_or_else(|| "0".to_owned()) }
    }

    /// For templates without a chart: whatever they read is unknown.
    pub fn unknown() -> Chart {
        Chart { values: None, version: format!("${MARK}") }
    }
}

/// Rendered text, with the place in the template that each of its lines comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    starts: Vec<usize>,
    places: Vec<(u32, u32)>,
}

impl Rendered {
    fn push(&mut self, line: &str, place: (u32, u32)) {
        if self.places.len() < MAX_LINES {
            self.starts.push(self.text.len());
            self.places.push(place);
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// The place in the template behind one in the text.
    pub fn source(&self, at: Span) -> Span {
        let line = self.starts.partition_point(|start| *start <= at.start as usize).saturating_sub(1);
        let (start, end) = self.places.get(line).copied().unwrap_or_default();
        Span { start, end, ..at }
    }
}

/// With `marks`, what only Helm can tell leaves a key named [`MARK`] where it stands.
pub fn render(template: &str, chart: &Chart, marks: bool) -> Rendered {
    let mut renderer = Renderer { chart, marks, blocks: Vec::new(), out: Rendered::default() };
    let (mut offset, mut open) = (0, false);
    for whole in template.split_inclusive('\n') {
        let line = whole.trim_end();
        let indent = line.len() - line.trim_start().len();
        let place = (narrow(offset + indent), narrow(offset + line.len()));
        offset += whole.len();
        // An action over several lines is a comment or too much for us.
        if open {
            open = !line.contains("}}");
            continue;
        }
        let opened = line.rfind("{{").filter(|at| !line.get(*at..).unwrap_or_default().contains("}}"));
        open = opened.is_some();
        let text = opened.map_or(line, |at| line.get(..at).unwrap_or_default());
        if !open || !text.trim().is_empty() {
            renderer.line(text, place);
        }
    }
    renderer.out
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A block that has not ended yet.
struct Block<'v> {
    /// Its lines are part of the output.
    shown: bool,
    /// Some branch of it was shown.
    taken: bool,
    /// What `.` stands for inside.
    dot: Option<&'v Node>,
}

struct Renderer<'v> {
    chart: &'v Chart,
    marks: bool,
    blocks: Vec<Block<'v>>,
    out: Rendered,
}

/// What an expression stands for.
enum Found<'v> {
    Node(&'v Node),
    Text(String),
    Missing,
    /// Nobody can tell without Helm.
    Unknown,
}

impl<'v> Renderer<'v> {
    fn line(&mut self, line: &str, place: (u32, u32)) {
        let trimmed = line.trim();
        let whole =
            trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).filter(|rest| !rest.contains("}}"));
        if let Some(action) = whole.map(|action| action.trim_matches('-').trim()) {
            self.whole_line(action, line, place);
        } else if self.is_shown() {
            let text = self.inline(line);
            self.out.push(&text, place);
        }
    }

    fn is_shown(&self) -> bool {
        self.blocks.iter().all(|block| block.shown)
    }

    fn dot(&self) -> Option<&'v Node> {
        self.blocks.iter().rev().find_map(|block| block.dot)
    }

    /// A line that is one action: a condition, or a value with its own lines.
    fn whole_line(&mut self, action: &str, line: &str, place: (u32, u32)) {
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((action, ""));
        match word {
            "if" => {
                let shown = self.is_true(rest);
                self.blocks.push(Block { shown, taken: shown, dot: None });
            }
            "with" => {
                let found = self.value(rest);
                let (shown, dot) = match found {
                    Found::Node(node) => (!is_empty(node), Some(node)),
                    Found::Missing => (false, None),
                    Found::Text(_) | Found::Unknown => (true, None),
                };
                self.blocks.push(Block { shown, taken: shown, dot });
            }
            "range" | "define" | "block" => self.blocks.push(Block { shown: false, taken: true, dot: None }),
            "else" => {
                let condition = rest.trim().strip_prefix("if").map(|condition| self.is_true(condition.trim()));
                if let Some(block) = self.blocks.last_mut() {
                    block.shown = !block.taken && condition.unwrap_or(true);
                    block.taken |= block.shown;
                    block.dot = None;
                }
            }
            "end" => {
                self.blocks.pop();
            }
            _ if self.is_shown() => self.value_lines(action, line, place),
            _ => {}
        }
    }

    /// `toYaml .Values.resources | nindent 12` as lines of that indentation.
    fn value_lines(&mut self, action: &str, line: &str, place: (u32, u32)) {
        let given = action.rsplit("indent ").next().and_then(|rest| rest.trim().parse::<usize>().ok());
        let indent = given.unwrap_or_else(|| line.len() - line.trim_start().len()).min(200);
        let mut lines = Vec::new();
        match self.value(action) {
            Found::Node(node) => write(node, indent, &mut lines, MAX_DEPTH),
            Found::Unknown if self.marks && given.is_some() => {
                lines.push(format!("{}{MARK}: true", " ".repeat(indent)))
            }
            _ => {}
        }
        for text in &lines {
            self.out.push(text, place);
        }
    }

    /// A line with its actions replaced by what they stand for.
    fn inline(&self, line: &str) -> String {
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
    fn value(&self, pipeline: &str) -> Found<'v> {
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
    fn is_true(&self, condition: &str) -> bool {
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

/// What Helm takes for false.
fn is_empty(node: &Node) -> bool {
    match &node.data {
        NodeData::Null => true,
        NodeData::Bool(value) => !value,
        NodeData::Number(number) => *number == 0.0,
        NodeData::Text(text) => text.is_empty(),
        NodeData::List(items) => items.is_empty(),
        NodeData::Map(entries) => entries.is_empty(),
    }
}

fn scalar(node: &Node) -> Option<String> {
    crate::facts::shapes::values::scalar_text(node)
}

/// A value on one line.
fn flow(node: &Node, depth: usize) -> String {
    match &node.data {
        NodeData::List(items) if depth > 0 => {
            format!("[{}]", items.iter().map(|item| flow(item, depth - 1)).collect::<Vec<_>>().join(", "))
        }
        NodeData::Map(entries) if depth > 0 => {
            let parts = entries.iter().map(|entry| format!("{}: {}", quote(&entry.key), flow(&entry.value, depth - 1)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        NodeData::Text(text) => quote(text),
        _ => scalar(node).unwrap_or_else(|| "null".to_owned()),
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A value as lines: the entries of a map or list each on its own, so that others may stand beside them.
fn write(node: &Node, indent: usize, lines: &mut Vec<String>, depth: usize) {
    let pad = " ".repeat(indent);
    match &node.data {
        NodeData::Map(entries) => {
            lines.extend(
                entries.iter().map(|entry| format!("{pad}{}: {}", quote(&entry.key), flow(&entry.value, depth))),
            );
        }
        NodeData::List(items) => lines.extend(items.iter().map(|item| format!("{pad}- {}", flow(item, depth)))),
        _ => lines.push(format!("{pad}{}", flow(node, depth))),
    }
    if lines.is_empty() {
        lines.push(format!("{pad}{}", flow(node, depth)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::FileId;

    const VALUES: &str = "replicaCount: 2\nimage: {repository: acme/api, tag: \"\"}\nresources:\n  limits: {memory: 256Mi}\nautoscaling: {enabled: false}\nextra: {}\nprobe: {path: /live}\n";

    fn rendered(template: &str) -> Rendered {
        let chart = Chart { values: Some(yaml::parse(VALUES).unwrap()), version: "1.4.2".to_owned() };
        render(template, &chart, true)
    }

    #[test]
    fn values_defaults_and_conditions() {
        let template = "{{- if .Values.image }}\nname: {{ include \"x.name\" . }}\nlabels:\n  {{- include \"x.labels\" . | nindent 2 }}\n  own: 1\n{{- if not (.Values.autoscaling).enabled }}\nreplicas: {{ .Values.replicaCount }}\n{{- else }}\nreplicas: 9\n{{- end }}\nimage: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\nresources:\n  {{- toYaml .Values.resources | nindent 2 }}\n{{- with .Values.probe }}\npath: {{ .path | quote }}\n{{- end }}\n{{- with .Values.extra }}\nextra: {{ toYaml . }}\n{{- end }}\n{{- range .Values.hosts }}\n- {{ . }}\n{{- end }}\n{{- /* a\n comment */}}\n{{- end }}\n";
        let out = rendered(template);
        let node = yaml::parse(&out.text).unwrap();
        assert_eq!(node.get("replicas").unwrap().data, NodeData::Number(2.0));
        assert_eq!(node.get("image").unwrap().as_text(), Some("acme/api:1.4.2"));
        assert_eq!(node.at(&["resources", "limits", "memory"]).unwrap().as_text(), Some("256Mi"));
        assert_eq!(node.get("path").unwrap().as_text(), Some("/live"));
        assert!(node.get("extra").is_none() && !out.text.contains("- $templated"));
        assert_eq!(node.at(&["labels", MARK]).unwrap().as_bool(), Some(true));
        assert_eq!(node.get("name").unwrap().as_text(), Some("$templated"));
    }

    #[test]
    fn places_are_those_of_the_template() {
        let template =
            "{{- if .Values.image }}\na: 1\nresources:\n  {{- toYaml .Values.resources | nindent 2 }}\n{{- end }}\n";
        let out = rendered(template);
        let at = out.text.find("limits").unwrap();
        let place = out.source(Span { file: FileId(0), start: u32::try_from(at).unwrap(), end: 0 });
        assert_eq!(&template[place.start as usize..place.end as usize], "{{- toYaml .Values.resources | nindent 2 }}");
    }

    #[test]
    fn odd_templates_are_rendered() {
        for text in [
            "{{",
            "}}",
            "{{ end }}",
            "{{ else }}",
            "a: {{ é | default }}",
            "{{ if }}",
            "{{- with }}\nx\n",
            "a: {{ .Values }}",
        ] {
            let _ = rendered(text);
        }
        assert!(rendered(&"{{ toYaml .Values.resources }}\n".repeat(50_000)).text.len() < 4_000_000);
    }
}
