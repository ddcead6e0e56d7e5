//! Helm templates, rendered with the values of their chart as far as can be told without Helm: values, defaults,
//! conditions, loops over values and `toYaml`; what helpers would make is left out.
//!
//! In goes a template, out comes YAML text whose lines know the lines that they come from.

mod blocks;
mod expressions;
mod render;
mod write;

use crate::facts::shapes::{Surroundings, paths};
use crate::project::Span;
use crate::syntax::{Node, NodeData, yaml};

pub use blocks::check;
pub use render::render;

use write::scalar;

/// Lines that one template may become.
const MAX_LINES: usize = 20_000;
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
        let nothing = || {
            (!around.has(&paths::join(folder, "values.yaml"))).then_some(Node {
                start: 0,
                end: 0,
                data: NodeData::Null,
            })
        };
        let values = parsed("values.yaml").or_else(nothing);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::FileId;
    use crate::syntax::NodeData;

    const VALUES: &str = "replicaCount: 2\nimage: {repository: acme/api, tag: \"\"}\nresources:\n  limits: {memory: 256Mi}\nautoscaling: {enabled: false}\nextra: {}\nprobe: {path: /live}\nloop: {env: {A: x, B: 2}, ports: [{number: 80}, {number: 81, name: admin}], hosts: [a, b]}\n";

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
    fn loops_over_values_are_run() {
        let template = "{{- $all := .Values.loop }}\nenv:\n{{- range $key, $value := $all.env }}\n  - name: {{ $key }}\n    value: {{ $value | quote }}\n{{- end }}\nports:\n{{- range .Values.loop.ports }}\n  - port: {{ .number }}\n    {{- if .name }}\n    name: {{ .name }}-{{ $.Values.replicaCount }}\n    {{- end }}\n{{- end }}\nhosts:\n{{- range $at, $host := .Values.loop.hosts }}\n  - {{ $at }}{{ $host }}\n{{- else }}\n  - none\n{{- end }}\nnone:\n{{- range .Values.nothing }}\n  - {{ . }}\n{{- else }}\n  - empty\n{{- end }}\nhelped:\n{{- range include \"x\" . }}\n  - {{ . }}\n{{- end }}\nlast: 1\n";
        let node = yaml::parse(&rendered(template).text).unwrap();
        let texts = |key: &str, inner: &str| -> Vec<String> {
            let NodeData::List(items) = &node.get(key).unwrap().data else { return Vec::new() };
            items.iter().filter_map(|item| scalar(item.get(inner).unwrap_or(item))).collect()
        };
        assert_eq!(
            (texts("env", "name"), texts("env", "value")),
            (vec!["A".into(), "B".into()], vec!["x".into(), "2".into()])
        );
        assert_eq!(
            (texts("ports", "port"), texts("ports", "name")),
            (vec!["80".into(), "81".into()], vec!["admin-2".to_owned()])
        );
        assert_eq!((texts("hosts", ""), texts("none", "")), (vec!["0a".into(), "1b".into()], vec!["empty".to_owned()]));
        assert!(texts("helped", "").is_empty() && node.get("last").is_some());
    }

    #[test]
    fn actions_may_take_several_lines() {
        let template = "a: 1\n{{- /* nindent 2\n  {{ if }} */}}\nsecurityContext:\n  {{- include \"x\" (list\n    .Values\n    \"y\"\n  ) | nindent 2 }}\nreplicas: {{ .Values.replicaCount\n  | default 1 }}\nopen: {{ .Values\n";
        let node = yaml::parse(&rendered(template).text).unwrap();
        assert_eq!(node.at(&["securityContext", MARK]).unwrap().as_bool(), Some(true));
        assert_eq!(node.get("replicas").unwrap().data, NodeData::Number(2.0));
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
            "{{ range }}",
            "{{ range .Values.loop.hosts }}",
            "{{ range $a, $b := }}\n{{ $a }}\n{{ end }}",
            "{{ range .Values.loop.hosts }}\n{{ else }}\n{{ else }}\n{{ end }}\n{{ end }}",
            "{{ $x := $x }}\n{{ $x.y }}{{ $ }}{{ $. }}",
        ] {
            let _ = rendered(text);
        }
        let nested = "{{ range .Values.loop.hosts }}\n".repeat(200) + "a\n" + &"{{ end }}\n".repeat(200);
        assert!(rendered(&nested).text.len() < 4_000_000);
        assert!(rendered(&"{{ toYaml .Values.resources }}\n".repeat(50_000)).text.len() < 4_000_000);
    }
}
