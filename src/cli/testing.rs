//! An engine with hand-made answers, and a way to run the command line over it.

use std::collections::HashMap;
use std::path::Path;

use super::*;
use crate::audit::{Audit, Options, Stage};
use crate::facts::{Confidence, Fact, FactStore, Value};
use crate::project::{File, FileId, FileKind, Project, Service, ServiceId, Span, Tree};
use crate::report::{Report, RouteReport, State, sample};
use crate::rules::{Applies, Evaluation, Evidence, Priority, Site};

pub struct Fake {
    pub report: Report,
    pub gate: Gate,
    pub tests: RuleTests,
    pub panics: bool,
}

impl Fake {
    pub fn unready() -> Fake {
        let tests = RuleTests { controls: 2, examples: 5, ..RuleTests::default() };
        Fake { report: sample::unready(), gate: Gate::Off, tests, panics: false }
    }

    pub fn ready() -> Fake {
        let mut report = sample::ready();
        report.routes = vec![route("POST", "/orders", State::Pass), route("GET", "/orders/:id", State::Fail)];
        Fake { report, ..Fake::unready() }
    }

    pub fn not_assessable() -> Fake {
        Fake { report: sample::not_assessable(), ..Fake::unready() }
    }

    pub fn panicking() -> Fake {
        Fake { panics: true, ..Fake::unready() }
    }
}

impl Engine for Fake {
    fn audit(&self, _: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
        progress(Stage::Files);
        assert!(!self.panics, "hunter2");
        let at = Span { file: FileId(0), start: 4, end: 20 };
        let fact = Fact::new("route", at, "stacks/express.toml fact.route[0]")
            .with("method", Value::text("POST"))
            .with("path", Value::text("/orders"))
            .with("roles", Value::texts(["auth"]));
        let controls = sample::controls();
        let evaluation = Evaluation {
            control: controls.iter().position(|info| info.id == "security-headers").expect("is there"),
            service: ServiceId(0),
            applies: Applies::Yes,
            priority: Priority::P1,
            blocker: false,
            sites: vec![Site { at, credit: 0.0, unknown: false, mutates: false, confidence: Confidence::High }],
            findings: Vec::new(),
            evidence: Vec::new(),
            nearest_miss: Some(Evidence { rule: "r".into(), at, message: "`helmet` is never mounted".into() }),
            searched: vec!["2 mounts".into(), "23 routes".into()],
        };
        Ok(Audit {
            project: project(),
            facts: FactStore { facts: vec![fact], ..FactStore::default() },
            report: self.report.clone(),
            controls,
            evaluations: vec![evaluation],
        })
    }

    fn gate(&self, _: &Options, _: &Report, _: &GateRequest) -> miette::Result<Gate> {
        Ok(self.gate.clone())
    }

    fn rules(&self, _: &Options) -> miette::Result<Vec<RuleFile>> {
        let text = "title = \"x\"\n\n[rule.built-sql]\neach = { fact = \"query\" }\n";
        let file = |info: crate::rules::ControlInfo| RuleFile {
            path: format!("rules/{}/{}.toml", info.category, info.id),
            text: text.into(),
            info,
        };
        let mut files: Vec<RuleFile> = sample::controls().into_iter().map(file).collect();
        if let Some(last) = files.last_mut() {
            last.info.implemented = false;
            last.info.category = "observability".into();
        }
        Ok(files)
    }

    fn test_rules(&self, _: Option<&Path>, _: bool) -> miette::Result<RuleTests> {
        Ok(self.tests.clone())
    }

    fn rule_schema(&self) -> serde_json::Value {
        serde_json::json!({ "title": "rules" })
    }

    fn config_template(&self) -> &str {
        "# readycheck.toml\n"
    }
}

fn project() -> Project {
    let file = File { size: 30, ..File::sample("src/app.js", FileKind::JavaScript) };
    let overlay = HashMap::from([("src/app.js".to_owned(), (*b"one\napp.post('/orders')\n").into())]);
    let tree = Tree { overlay, virtual_only: true, ..Tree::default() };
    let service = Service { path: ".".into(), ..Service::default() };
    Project { tree, files: vec![file], services: vec![service], ..Project::default() }
}

fn route(method: &str, path: &str, state: State) -> RouteReport {
    let controls =
        [("route-authentication", state), ("input-validation", State::Unknown), ("pagination", State::Partial)];
    RouteReport {
        service: ".".into(),
        method: method.into(),
        path: path.into(),
        file: "src/app.js".into(),
        line: 2,
        controls: controls.map(|(id, state)| (id.to_owned(), state)).into(),
    }
}

/// What a run printed and how it ended.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Runs `readycheck ARGS` over an engine, with pipes for streams.
pub fn readycheck(engine: &Fake, args: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("readycheck").chain(args.iter().copied()).map(OsString::from);
    let exit = run(args, &mut out, &mut err, Environment::default(), engine);
    let text = |bytes| String::from_utf8(bytes).expect("prints UTF-8");
    Ran { exit, out: text(out), err: text(err) }
}
