//! Small worlds for tests.

use std::collections::BTreeMap;

use crate::config::{Allow, Config, Date};
use crate::facts::Confidence;
use crate::project::{FileId, ProcessKind, Project, Service, ServiceId, Span};
use crate::report::{ControlReport, Counts, Report};
use crate::rules::{
    Applies, Blocks, ControlInfo, ControlKind, Effort, Evaluation, Evidence, Finding, Mode, Priority, Site,
};

use super::{Input, Place, assemble};

pub fn control(id: &str, kind: ControlKind, priority: Priority) -> ControlInfo {
    ControlInfo {
        id: id.into(),
        title: format!("{id} is good"),
        problem: format!("{id} is bad"),
        category: if kind == ControlKind::Defect { "security".into() } else { "api".into() },
        kind,
        mode: Mode::Any,
        priority,
        blocker: false,
        blocks: None,
        effort: Effort { base: 1.0, per_site: 0.0, max: 0.0 },
        standards: Vec::new(),
        why: String::new(),
        fix: String::new(),
        remedy: None,
        processes: Vec::new(),
        repository_wide: false,
        unknown_without_evidence: false,
        implemented: true,
    }
}

pub fn span(at: u32) -> Span {
    Span { file: FileId(0), start: at, end: at + 1 }
}

pub fn site(at: u32, credit: f64) -> Site {
    Site { at: span(at), credit, unknown: false, mutates: false, confidence: Confidence::High }
}

pub fn undecided(at: u32) -> Site {
    Site { unknown: true, ..site(at, 0.0) }
}

pub fn finding(at: u32, confidence: Confidence) -> Finding {
    Finding {
        rule: "bad".into(),
        at: span(at),
        message: "it is bad".into(),
        confidence,
        site: None,
        service: ServiceId(0),
        fingerprint: format!("{at:016x}"),
        trace: Vec::new(),
        secret: false,
        priority: Priority::P1,
        blocker: false,
    }
}

pub fn evidence(at: u32, message: &str) -> Evidence {
    Evidence { rule: "good".into(), at: span(at), message: message.into() }
}

/// A catalogue with what was found, one service, one file whose lines are one byte long.
#[derive(Clone)]
pub struct World {
    pub controls: Vec<ControlInfo>,
    pub evaluations: Vec<Evaluation>,
    pub project: Project,
    pub config: Config,
    pub allows: Vec<(String, Vec<Allow>)>,
    pub today: Date,
}

/// Only what was drawn, so that a failing case can be read.
impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for evaluation in &self.evaluations {
            let info = &self.controls[evaluation.control];
            let (kind, mode, blocks) = (info.kind, info.mode, info.blocks);
            let (priority, blocker) = (info.priority, info.blocker);
            writeln!(f, "{} {kind:?} {mode:?} {priority:?} blocker {blocker} {blocks:?}", info.id)?;
            writeln!(f, "  {:?}", evaluation.applies)?;
            for Site { credit, unknown, mutates, confidence, .. } in &evaluation.sites {
                writeln!(f, "  site {credit} unknown {unknown} mutates {mutates} {confidence:?}")?;
            }
            for Finding { site, confidence, rule, .. } in &evaluation.findings {
                writeln!(f, "  finding {rule} {confidence:?} at {site:?}")?;
            }
        }
        Ok(())
    }
}

pub fn service(path: &str, kinds: &[ProcessKind]) -> Service {
    Service { path: path.into(), kinds: kinds.to_vec(), ..Service::default() }
}

impl World {
    pub fn new() -> World {
        let project = Project { services: vec![service(".", &[ProcessKind::Http])], ..Project::default() };
        World {
            controls: Vec::new(),
            evaluations: Vec::new(),
            project,
            config: Config::default(),
            allows: Vec::new(),
            today: "2026-11-21".parse().unwrap(),
        }
    }

    /// `count` capabilities of P1 that are there: 4 points of weight each.
    pub fn with_passing(mut self, count: usize) -> World {
        for index in 0..count {
            self.add(
                control(&format!("passing-{index}"), ControlKind::Capability, Priority::P1),
                vec![site(0, 1.0)],
                vec![],
            );
        }
        self
    }

    pub fn add(&mut self, info: ControlInfo, sites: Vec<Site>, findings: Vec<Finding>) -> &mut Evaluation {
        self.controls.push(info);
        self.evaluate(self.controls.len() - 1, 0, sites, findings)
    }

    pub fn evaluate(
        &mut self,
        index: usize,
        service: u16,
        sites: Vec<Site>,
        findings: Vec<Finding>,
    ) -> &mut Evaluation {
        let info = &self.controls[index];
        let findings = findings
            .into_iter()
            .map(|f| Finding { priority: info.priority, blocker: info.blocker, service: ServiceId(service), ..f })
            .collect();
        self.evaluations.push(Evaluation {
            control: index,
            service: ServiceId(service),
            applies: Applies::Yes,
            priority: info.priority,
            blocker: info.blocker,
            sites,
            findings,
            evidence: Vec::new(),
            nearest_miss: None,
            searched: Vec::new(),
        });
        self.evaluations.last_mut().unwrap()
    }

    pub fn input<'a>(&'a self, locate: &'a dyn Fn(Span) -> Place) -> Input<'a> {
        Input {
            controls: &self.controls,
            rules: &[],
            evaluations: &self.evaluations,
            project: &self.project,
            config: &self.config,
            allows: &self.allows,
            locate,
            today: self.today,
            now: None,
            epoch: "2026.1",
            lines: 0,
            counts: Counts { audited: 1, skipped: BTreeMap::new() },
            routes: Vec::new(),
            diagnostics: Vec::new(),
            notices: Vec::new(),
            no_waivers: false,
            selected: None,
            services: None,
            as_services: Default::default(),
            not_assessable: BTreeMap::new(),
        }
    }

    pub fn report(&self) -> Report {
        assemble(self.input(&locate))
    }
}

pub fn locate(span: Span) -> Place {
    let line = span.start + 1;
    Place { path: "src/app.ts".into(), line, column: 1, end_line: line, end_column: 2 }
}

pub fn row<'a>(report: &'a Report, id: &str) -> &'a ControlReport {
    report.controls.iter().find(|control| control.id == id).unwrap_or_else(|| panic!("no row {id}"))
}

pub fn notices(report: &Report) -> Vec<&str> {
    report.notices.iter().map(|notice| notice.kind.as_str()).collect()
}

pub const COVERAGE: ControlKind = ControlKind::Coverage;
pub const CAPABILITY: ControlKind = ControlKind::Capability;
pub const DEFECT: ControlKind = ControlKind::Defect;

pub fn blocking(id: &str) -> ControlInfo {
    ControlInfo { blocker: true, ..control(id, DEFECT, Priority::P0) }
}

pub fn ratio(id: &str) -> ControlInfo {
    ControlInfo { mode: Mode::Ratio, ..control(id, DEFECT, Priority::P1) }
}

pub fn guarded(id: &str, blocks: Blocks) -> ControlInfo {
    ControlInfo { blocker: true, blocks: Some(blocks), ..control(id, COVERAGE, Priority::P0) }
}
