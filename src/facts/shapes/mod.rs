//! Facts from files that are not code: configuration, containers, workflows, schemas.
//! A shape turns one format into facts and knows no rule; [`read`] chooses the shapes of a file.

mod ci;
mod cluster;
mod commands;
mod compose;
mod docker;
mod documents;
mod dotenv;
mod helm;
mod images;
mod kubernetes;
mod kustomize;
mod locks;
mod migrations;
mod monitoring;
mod native_locks;
mod openapi;
mod operations;
mod packages;
mod paths;
mod prisma;
mod probes;
mod prose;
mod proxies;
mod rights;
mod schema;
mod settings;
mod targets;
mod terraform;
mod values;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::facts::{Fact, Value};
use crate::project::{Area, Diagnostic, File, FileId, FileKind, Tracked};
use crate::syntax::{self, Node, SyntaxError};

pub use ci::{workflow, workflow_rights};
pub use commands::shell_commands;
pub use compose::{compose, is_compose};
pub use docker::{DockerContext, dockerfile};
pub use dotenv::{env_entries, is_template};
pub use kubernetes::kubernetes;
pub use kustomize::Patches;
pub use locks::{LockInput, Manifest, locks};
pub use migrations::migrations;
pub use native_locks::{NativeManifest, native_locks};
pub use openapi::openapi;
pub use operations::{Operation, operations};
pub use packages::dependencies;
pub use prisma::prisma;
pub use proxies::{Backend, ProxyFile, ProxyInput, is_proxy_file, is_traefik_file, proxies};
pub use schema::{SchemaReading, is_change_log, schemas};
pub use settings::{format_of, settings};
pub use targets::{Targets, is_script};

/// The scripts of every package.json, by its folder (`.` for the root).
pub type Scripts = BTreeMap<String, BTreeMap<String, String>>;

/// What shapes have to know beyond the file they read.
pub struct Surroundings<'a> {
    pub scripts: &'a Scripts,
    /// What make, tox and their like run.
    pub targets: &'a Targets,
    /// What overlays of Kustomize change in manifests.
    pub patches: &'a Patches,
    /// All paths of the project, sorted.
    pub paths: &'a [&'a str],
    /// The text of a file of the project.
    pub read: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

impl Surroundings<'_> {
    pub fn has(&self, path: &str) -> bool {
        self.paths.binary_search(&path).is_ok()
    }
}

/// What one file says.
#[derive(Debug, Default)]
pub struct Reading {
    pub facts: Vec<Fact>,
    pub diagnostics: Vec<Diagnostic>,
    /// Read here, turned into facts by [`prisma`] when all schema files are there.
    pub schema: Option<syntax::prisma::Schema>,
}

/// Text files that shapes read although their kind does not say so: proxies, Terraform.
pub fn reads_text(path: &str) -> bool {
    is_proxy_file(path) || terraform::is_terraform(path) || migrations::is_xml_change_log(path)
}

/// Files of data larger than this are only looked into where their beginning says what they are.
const MAX_DATA: usize = 1024 * 1024;

/// Reads a file that is not code; nothing for kinds of file that no shape knows.
pub fn read(id: FileId, file: &File, text: &str, around: &Surroundings<'_>) -> Reading {
    let mut reading = Reading::default();
    let is_data = || !is_worth_reading(&file.path, text) || !is_known(file, text, around);
    if matches!(file.kind, FileKind::Json | FileKind::Yaml) && is_data() {
        return reading;
    }
    let outcome = match file.kind {
        FileKind::Json => syntax::json::parse(text).map(|node| json(id, file, &node)),
        FileKind::Toml => syntax::toml_file::parse(text).map(|node| {
            let mut facts = format_settings(id, file, &node);
            facts.extend(packages::required_by_tree(id, &file.path, &node));
            facts
        }),
        FileKind::Yaml if helm::chart_of(&file.path, around).is_some() => {
            let broken = helm::check(text);
            reading.diagnostics.extend(broken.as_ref().map(|problem| problem.diagnostic(&file.path)));
            templated(id, file, text, around).or_else(|error| broken.map_or(Err(error), |_| Ok(Vec::new())))
        }
        FileKind::Yaml => {
            let (nodes, problem) = documents::documents(text);
            reading.diagnostics.extend(problem.map(|problem| problem.diagnostic(&file.path)));
            Ok(yaml(id, file, &nodes, around))
        }
        FileKind::Dockerfile => syntax::dockerfile::parse(text).map(|parsed| {
            reading.diagnostics.extend(parsed.incomplete.iter().map(|problem| problem.diagnostic(&file.path)));
            let context =
                DockerContext { path: &file.path, ignores: docker::has_ignore_file(&file.path, around), around };
            dockerfile(id, &parsed, &context)
        }),
        FileKind::Dotenv => Ok(env_entries(id, &file.path, text, file.tracked != Tracked::No)),
        FileKind::Prisma => {
            let schema = syntax::prisma::parse(text);
            reading.diagnostics.extend(schema.errors.iter().map(|error| error.diagnostic(&file.path)));
            reading.schema = Some(schema);
            Ok(Vec::new())
        }
        FileKind::Text if terraform::is_terraform(&file.path) => terraform::terraform(id, text),
        FileKind::Text if ci::is_jenkinsfile(&file.path) => Ok(ci::jenkins(id, text, around)),
        FileKind::Text | FileKind::Python => Ok(packages::required_by_text(id, &file.path, text)),
        _ => Ok(Vec::new()),
    };
    match outcome {
        Ok(facts) => reading.facts = facts,
        Err(error) => reading.diagnostics.push(error.diagnostic(&file.path)),
    }
    place(&mut reading.facts, file);
    reading
}

/// The sections of a document that people read; nothing for other files. Needs nothing beyond the file, whose text need
/// not be kept.
pub fn sections(id: FileId, file: &File, text: &str) -> Vec<Fact> {
    let mut facts = if file.area == Area::Vendored { Vec::new() } else { prose::sections(id, &file.path, text) };
    place(&mut facts, file);
    facts
}

/// The scripts of a package.json, needed before workflows can be read.
pub fn scripts(text: &str) -> Result<BTreeMap<String, String>, SyntaxError> {
    syntax::json::parse(text).map(|node| packages::scripts(&node))
}

/// Gives facts the area and service of their file, but for areas that a shape knows better.
pub fn place(facts: &mut [Fact], file: &File) {
    for fact in facts {
        if fact.area == Area::Config {
            fact.area = file.area;
        }
        fact.service = file.service;
    }
}

/// Lock files, translations and large data are not parsed.
pub fn is_worth_reading(path: &str, text: &str) -> bool {
    let named = || {
        let head: String = text.chars().take(4_096).collect();
        ["openapi", "swagger", "apiVersion", "services"].iter().any(|key| head.contains(key))
    };
    !settings::is_data(path) && (text.len() <= MAX_DATA || named())
}

/// Keys by which shapes know a file of JSON or YAML whatever it is called.
const KNOWN_KEYS: &[&str] =
    &["openapi", "swagger", "apiVersion", "groups", "receivers", "contactPoints", "rule_files", "panels", "rows"];

/// Whether some shape may know a file of JSON or YAML: by its name or place, or by what is in it.
fn is_known(file: &File, text: &str, around: &Surroundings<'_>) -> bool {
    static KEYS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(KNOWN_KEYS).ok());
    let is_named = settings::is_named(&file.path) || helm::chart_of(&file.path, around).is_some();
    is_named || KEYS.as_ref().is_none_or(|keys| keys.is_match(text))
}

fn json(id: FileId, file: &File, node: &Node) -> Vec<Fact> {
    let mut facts = format_settings(id, file, node);
    if paths::name(&file.path) == "package.json" {
        facts.extend(dependencies(id, node));
    }
    facts.extend(openapi(id, &file.path, node));
    facts.extend(kubernetes(id, node));
    facts.extend(monitoring::dashboard(id, node));
    facts
}

fn yaml(id: FileId, file: &File, nodes: &[Node], around: &Surroundings<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for node in nodes {
        facts.extend(format_settings(id, file, node));
        facts.extend(openapi(id, &file.path, node));
        facts.extend(kubernetes(id, &around.patches.apply(&file.path, node)));
        facts.extend(monitoring::monitoring(id, node));
        if kustomize::is_kustomization(&file.path) {
            facts.extend(cluster::generated_entries(id, node));
        }
    }
    if is_patch(&file.path, around) {
        let whole =
            |fact: &Fact| &*fact.kind != "container" || fact.get("image").is_none_or(|image| !image.is_absent());
        facts.retain(whole);
    }
    if let Some(first) = nodes.first() {
        if is_compose(&file.path) {
            facts.extend(compose(id, &file.path, first, around));
        }
        facts.extend(workflow(id, &file.path, first, around));
        facts.extend(workflow_rights(id, &file.path, first));
        facts.extend(packages::required_by_tree(id, &file.path, first));
    }
    facts
}

/// Kustomize may only change what stands in another file: containers without image are no containers.
fn is_patch(path: &str, around: &Surroundings<'_>) -> bool {
    let folder = paths::folder(path);
    ["kustomization.yaml", "kustomization.yml"].iter().any(|name| around.has(&paths::join(folder, name)))
}

/// A template of Helm, as far as it can be rendered here.
fn templated(id: FileId, file: &File, text: &str, around: &Surroundings<'_>) -> Result<Vec<Fact>, SyntaxError> {
    let chart = helm::Chart::read(helm::chart_of(&file.path, around).unwrap_or("."), around);
    let parse = |marks: bool| {
        let rendered = helm::render(text, &chart, marks);
        syntax::yaml::parse_documents(&rendered.text).map(|nodes| (rendered, nodes))
    };
    let (rendered, nodes) = parse(true).or_else(|_| parse(false)).map_err(|error| {
        SyntaxError::malformed(text, 0, format!("only Helm can render this template: {}", error.message))
    })?;
    let mut facts: Vec<Fact> = nodes.iter().flat_map(|node| kubernetes(id, node)).collect();
    facts.extend(nodes.iter().flat_map(|node| monitoring::monitoring(id, node)));
    facts.retain(|fact| !leaves_tls_open(fact));
    facts.iter_mut().for_each(|fact| fact.at = rendered.source(fact.at));
    Ok(facts)
}

/// An Ingress whose TLS is up to whoever installs the chart.
fn leaves_tls_open(fact: &Fact) -> bool {
    let is_ingress = fact.get("kind").and_then(Value::as_text) == Some("Ingress");
    is_ingress && fact.get("spec").is_none_or(|spec| spec.field("tls").is_absent())
}

/// A Secret of Kubernetes gives none: its values must not be shown.
fn format_settings(id: FileId, file: &File, node: &Node) -> Vec<Fact> {
    if node.get("kind").and_then(Node::as_text) == Some("Secret") && node.get("apiVersion").is_some() {
        return Vec::new();
    }
    format_of(&file.path, node, file.size).map(|format| settings(id, format, node)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::ServiceId;

    fn reading(path: &str, kind: FileKind, area: Area, text: &str) -> Reading {
        let file = File { area, service: ServiceId(4), size: text.len() as u64, ..File::sample(path, kind) };
        let around = Surroundings {
            scripts: &Scripts::new(),
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &[],
            read: &|_| None,
        };
        read(FileId(1), &file, text, &around)
    }

    fn kinds(reading: &Reading) -> Vec<&str> {
        let mut kinds: Vec<&str> = reading.facts.iter().map(|fact| &*fact.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn each_format_finds_its_shapes() {
        for (path, kind, text, wanted) in [
            ("package.json", FileKind::Json, "{\"dependencies\": {\"a\": \"1\"}}", vec!["dependency", "setting"]),
            ("compose.yml", FileKind::Yaml, "services: {a: {image: redis}}", vec!["container", "setting"]),
            (".github/workflows/a.yml", FileKind::Yaml, "on: push", vec!["ci", "setting", "workflow"]),
            ("api.yaml", FileKind::Yaml, "openapi: 3.1.0\npaths: {/a: {get: {}}}", vec!["openapi", "operation"]),
            ("fly.toml", FileKind::Toml, "app = 'x'", vec!["setting"]),
            ("pod.json", FileKind::Json, r#"{"apiVersion": "v1", "kind": "Pod"}"#, vec!["manifest", "setting"]),
            (
                "s.yml",
                FileKind::Yaml,
                "{apiVersion: v1, kind: Secret, data: {a: eA==}}",
                vec!["manifest", "secret-entry"],
            ),
            ("Dockerfile", FileKind::Dockerfile, "FROM x", vec!["image", "instruction"]),
            (".env", FileKind::Dotenv, "A=1", vec!["env-entry"]),
            ("Jenkinsfile", FileKind::Text, "sh 'x'", vec!["ci"]),
            ("notes.txt", FileKind::Text, "sh 'x'", vec![]),
            ("requirements.txt", FileKind::Text, "flask==3\n", vec!["dependency"]),
            (
                "setup.py",
                FileKind::Python,
                "from setuptools import setup\nsetup(install_requires=['flask'])",
                vec!["dependency"],
            ),
            ("Pipfile", FileKind::Toml, "[packages]\nflask = '*'", vec!["dependency", "setting"]),
            ("package-lock.json", FileKind::Json, "{broken", vec![]),
        ] {
            let reading = reading(path, kind, Area::Config, text);
            assert_eq!((kinds(&reading), &reading.diagnostics), (wanted, &vec![]), "{path}");
        }
    }

    #[test]
    fn charts_are_rendered() {
        let path = "charts/shop/templates/api.yaml";
        let files = [
            ("charts/shop/Chart.yaml", "appVersion: 1.4.2"),
            ("charts/shop/values.yaml", "image: {repository: acme/api}\nresources: {limits: {memory: 1Gi}}"),
        ];
        let source = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let names = ["charts/shop/Chart.yaml", "charts/shop/values.yaml"];
        let around = Surroundings {
            scripts: &Scripts::new(),
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &names,
            read: &source,
        };
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: api\n      image: {{ .Values.image.repository }}:{{ .Chart.AppVersion }}\n      securityContext:\n        {{- include \"x\" . | nindent 8 }}\n      resources: {{ toYaml .Values.resources | nindent 8 }}\n---\nkind: Ingress\napiVersion: v1\n";
        let reading = read(FileId(1), &File::sample(path, FileKind::Yaml), text, &around);
        assert_eq!((kinds(&reading), reading.diagnostics.len()), (vec!["container", "manifest"], 0));
        let container = reading.facts.iter().find(|fact| &*fact.kind == "container").unwrap();
        assert_eq!(container.get("image"), Some(&Value::text("acme/api:1.4.2")));
        assert_eq!(
            (container.get("memory"), container.get("keeps")),
            (Some(&Value::text("1Gi")), Some(&Value::UNKNOWN))
        );
        assert_eq!(reading.facts.iter().filter(|fact| &*fact.kind == "manifest").count(), 1);
        let broken = read(FileId(1), &File::sample(path, FileKind::Yaml), "a:\n  {{ .Values.x }}: [\n", &around);
        assert!(broken.diagnostics[0].message.starts_with("only Helm can render"));
    }

    #[test]
    fn broken_files_are_diagnostics_with_a_place() {
        for (path, kind, text, line) in [
            ("package.json", FileKind::Json, "{\n\"a\": }", 2),
            ("compose.yml", FileKind::Yaml, "a: 1\nb: {{ x }}\n", 2),
            ("a.toml", FileKind::Toml, "a = 1\n\nb =", 3),
            ("Dockerfile", FileKind::Dockerfile, "RUN x", 1),
            ("part.Dockerfile", FileKind::Dockerfile, "ARG X", 1),
            ("schema.prisma", FileKind::Prisma, "model A {\n  id Int\n", 1),
        ] {
            let diagnostics = reading(path, kind, Area::Config, text).diagnostics;
            assert_eq!(diagnostics.len(), 1, "{path}");
            assert_eq!((diagnostics[0].kind.as_str(), diagnostics[0].line), ("parse-error", line), "{path}");
        }
    }

    #[test]
    fn facts_take_area_and_service_of_their_file() {
        let example = reading("docs/dev/compose.yml", FileKind::Yaml, Area::Docs, "services: {a: {image: x}}");
        let container = example.facts.iter().find(|fact| &*fact.kind == "container").unwrap();
        assert_eq!((container.area, container.service), (Area::Example, ServiceId(4)));
        assert_eq!(reading("a/fly.toml", FileKind::Toml, Area::Docs, "a = 1").facts[0].area, Area::Docs);
    }

    #[test]
    fn deep_and_large_files_are_read_without_harm() {
        let deep: String = (0..900).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert!(reading("deep.yaml", FileKind::Yaml, Area::Config, &deep).diagnostics.is_empty());
        let data = format!("[{}1]", "1,".repeat(MAX_DATA));
        assert!(reading("data.json", FileKind::Json, Area::Config, &data).facts.is_empty());
        let nested = "[".repeat(10_000);
        assert_eq!(reading("app.json", FileKind::Json, Area::Config, &nested).diagnostics[0].kind, "too-deep");
    }

    #[test]
    fn data_of_the_application_is_not_parsed() {
        for (path, kind, text) in
            [("data.json", FileKind::Json, "{broken"), ("src/public/intl/messages.yaml", FileKind::Yaml, "a: [broken")]
        {
            assert!(reading(path, kind, Area::Server, text).diagnostics.is_empty(), "{path}");
            let known = format!("{text} apiVersion");
            assert_eq!(reading(path, kind, Area::Server, &known).diagnostics.len(), 1, "{path}");
        }
    }

    #[test]
    fn every_field_is_in_the_vocabulary() {
        let mut all = reading("package.json", FileKind::Json, Area::Config, "{\"dependencies\": {\"a\": \"1\"}}").facts;
        let compose = "services: {a: {image: redis, healthcheck: {test: curl http://x/y}}}";
        all.extend(reading("compose.yml", FileKind::Yaml, Area::Config, compose).facts);
        let pod = "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}";
        all.extend(reading("pod.yml", FileKind::Yaml, Area::Config, pod).facts);
        all.extend(reading(".github/workflows/a.yml", FileKind::Yaml, Area::Config, "on: push").facts);
        all.extend(reading("o.yml", FileKind::Yaml, Area::Config, "openapi: 3.1.0\ninfo: {}").facts);
        all.extend(reading("Dockerfile", FileKind::Dockerfile, Area::Config, "FROM x").facts);
        all.extend(reading(".env", FileKind::Dotenv, Area::Config, "A=1").facts);
        all.extend(migrations(&[(FileId(0), "migrations/001_a.sql")]));
        let text = "datasource d {\n provider = \"mysql\"\n}\nmodel A {\n id Int @id\n b B @relation(fields: [id], references: [id])\n}\nmodel B {\n id Int\n}";
        let schema = syntax::prisma::parse(text);
        all.extend(prisma(&[(FileId(0), "schema.prisma", &schema)]));
        let manifest =
            Manifest::read(FileId(0), "package.json", Area::Config, ServiceId(0), "{\"dependencies\": {\"a\": \"1\"}}");
        all.extend(locks(&LockInput { paths: &[], manifests: &[manifest], read: &|_| None }));
        let mut seen = std::collections::BTreeSet::new();
        for fact in &all {
            let known = crate::facts::VOCABULARY.iter().find(|(kind, _)| *kind == &*fact.kind).unwrap().1;
            assert!(fact.fields.iter().all(|(name, _)| known.contains(&&**name)), "{fact:?}");
            seen.insert(fact.kind.to_string());
        }
        assert_eq!(seen.len(), 18, "{seen:?}");
    }
}
