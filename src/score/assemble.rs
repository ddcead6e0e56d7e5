//! From what the rules found to the report.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Allow, Config, Date};
use crate::project::{Diagnostic, Project, Service, ServiceId, Span};
use crate::report::{
    Counts, Notice, ProjectSummary, Report, RouteReport, SCHEMA, Score, ScoreState, ServiceReport, State, Tool, Verdict,
};
use crate::rules::{ControlInfo, Evaluation};

use super::service::{self, Ledger, Row};
use super::{attest, controls, plan, tally, waive};

/// A span as a person reads it; lines and columns from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// Finds the line and column of a span.
pub type Locate<'a> = dyn Fn(Span) -> Place + 'a;

/// Everything that a report is made of.
pub struct Input<'a> {
    /// In catalogue order.
    pub controls: &'a [ControlInfo],
    /// The ids of all rules.
    pub rules: &'a [String],
    /// One for each control and service, repository-wide controls once.
    pub evaluations: &'a [Evaluation],
    pub project: &'a Project,
    pub config: &'a Config,
    /// By path.
    pub allows: &'a [(String, Vec<Allow>)],
    pub locate: &'a Locate<'a>,
    /// Decides expiry.
    pub today: Date,
    /// The same day, where it was given and is to be printed.
    pub now: Option<String>,
    pub epoch: &'a str,
    pub lines: u64,
    pub counts: Counts,
    pub routes: Vec<RouteReport>,
    /// Besides the project's own.
    pub diagnostics: Vec<Diagnostic>,
    pub notices: Vec<Notice>,
    /// `--no-waivers`
    pub no_waivers: bool,
    /// `--only`, `--skip`, `--category`: the controls that are left; `None` for all.
    pub selected: Option<BTreeSet<usize>>,
    /// `--service`, or `[audit] services`: the only ones that are looked at.
    pub services: Option<BTreeSet<ServiceId>>,
    /// `--as-service`, or `[audit] services`: are scored, whatever they seem to be.
    pub as_services: BTreeSet<ServiceId>,
    /// Services that cannot be scored, with the reason (a language that is not supported).
    pub not_assessable: BTreeMap<ServiceId, String>,
}

/// One service with its rows in the order of the control ids; those without a score have their own findings only.
pub(super) struct Scored {
    pub id: ServiceId,
    pub rows: Vec<Row>,
    pub score: Score,
    /// It runs something that can be scored, whether there was enough to score or not.
    pub deployable: bool,
}

impl Scored {
    pub fn has_number(&self) -> bool {
        self.score.state == ScoreState::Scored
    }
}

/// Scores every service and writes everything down, sorted and rounded. Pure: the same input gives the same report.
pub fn assemble(input: Input<'_>) -> Report {
    let places = locate_findings(&input);
    let findings = waive::Findings {
        controls: input.controls,
        evaluations: input.evaluations,
        places: &places,
        rules: input.rules,
        today: input.today,
        narrowed: input.selected.is_some() || input.services.is_some(),
    };
    let open = findings.all_open();
    let waived = if input.no_waivers {
        waive::Waived { states: findings.all_open(), ..waive::Waived::default() }
    } else {
        waive::apply(&findings, &input.config.waivers, input.allows)
    };
    let accepted = input.config.gate.as_ref().is_none_or(|gate| gate.attestations);
    let attested = attest::apply(input.controls, &input.config.attestations, input.today, accepted);
    let reasons = whole_waivers(&waived, input.config);
    let ledger = Ledger {
        controls: input.controls,
        evaluations: input.evaluations,
        states: &waived.states,
        waived: &reasons,
        attested: &attested.by,
        config: &input.config.controls,
        strict: false,
    };
    let strict = Ledger { states: &open, strict: true, ..ledger };
    let services = score_services(&input, &ledger, &strict);
    let scores: Vec<Score> = services.iter().map(|scored| scored.score.clone()).collect();
    let score = service::worst(&scores);
    let listing = controls::list(&input, &services, &ledger, &places);
    let mut notices = input.notices.clone();
    notices.extend(waived.notices.iter().cloned());
    notices.extend(attested.notices);
    notices.extend(without_effect(&input, &services, &waived, &attested.by));
    notices.extend(strict_differs(&score));
    let tallies = tally::tallies(&listing.controls);
    let scored_rows: Vec<&[Row]> = services.iter().filter(|s| s.has_number()).map(|s| s.rows.as_slice()).collect();
    Report {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), epoch: input.epoch.to_owned() },
        project: summary(&input, &services),
        score,
        plan: plan::plan(listing.tasks, &scored_rows),
        controls: listing.controls,
        routes: sorted_routes(input.routes),
        tallies,
        waivers: waived.reports,
        attestations: attested.reports,
        notices: sorted(notices),
        diagnostics: sorted(input.project.diagnostics.iter().cloned().chain(input.diagnostics).collect()),
        now: input.now,
    }
}

fn locate_findings(input: &Input<'_>) -> Vec<Vec<Place>> {
    let places = |evaluation: &Evaluation| evaluation.findings.iter().map(|f| (input.locate)(f.at)).collect();
    input.evaluations.iter().map(places).collect()
}

fn whole_waivers(waived: &waive::Waived, config: &Config) -> BTreeMap<usize, String> {
    let reason = |index: &usize| config.waivers.get(*index).map(|waiver| waiver.reason.clone());
    waived.whole.iter().filter_map(|(control, index)| Some((*control, reason(index)?))).collect()
}

/// Where each control was evaluated.
struct Evaluated {
    own: BTreeMap<(usize, ServiceId), usize>,
    /// Of repository-wide controls.
    shared: BTreeMap<usize, usize>,
}

impl Evaluated {
    fn of(input: &Input<'_>) -> Evaluated {
        let mut found = Evaluated { own: BTreeMap::new(), shared: BTreeMap::new() };
        let mut order: Vec<usize> = (0..input.evaluations.len()).collect();
        order.sort_by_key(|index| input.evaluations[*index].service);
        for index in order {
            let evaluation = &input.evaluations[index];
            match input.controls.get(evaluation.control) {
                Some(info) if info.repository_wide => {
                    found.shared.entry(evaluation.control).or_insert(index);
                }
                Some(_) => {
                    found.own.entry((evaluation.control, evaluation.service)).or_insert(index);
                }
                None => {}
            }
        }
        found
    }

    fn index(&self, control: usize, service: ServiceId) -> Option<usize> {
        self.shared.get(&control).or_else(|| self.own.get(&(control, service))).copied()
    }
}

fn score_services(input: &Input<'_>, ledger: &Ledger<'_>, strict: &Ledger<'_>) -> Vec<Scored> {
    let evaluated = Evaluated::of(input);
    let mut order: Vec<usize> = (0..input.controls.len()).filter(|c| is_selected(input, *c)).collect();
    order.sort_by(|a, b| input.controls[*a].id.cmp(&input.controls[*b].id));
    let mut services: Vec<Scored> = services_of(input)
        .map(|(id, service)| {
            let rows = |ledger: &Ledger<'_>| -> Vec<Row> {
                order.iter().filter_map(|c| ledger.row(*c, evaluated.index(*c, id), service)).collect()
            };
            let real = rows(ledger);
            let why_not = why_not(input, id, service);
            let deployable = why_not.is_none();
            let score = match why_not {
                Some(reason) => service::not_assessable(reason, 0.0),
                None => service::score(&real, &rows(strict), input.controls),
            };
            Scored { id, rows: real, score, deployable }
        })
        .collect();
    services.sort_by(|a, b| path_of(input, a.id).cmp(path_of(input, b.id)).then(a.id.cmp(&b.id)));
    services
}

fn services_of<'a, 'i>(input: &'a Input<'i>) -> impl Iterator<Item = (ServiceId, &'i Service)> + use<'a, 'i> {
    let wanted = |id: &ServiceId| input.services.as_ref().is_none_or(|wanted| wanted.contains(id));
    let numbered = input.project.services.iter().enumerate();
    numbered
        .filter_map(|(index, service)| Some((ServiceId(u16::try_from(index).ok()?), service)))
        .filter(move |(id, _)| wanted(id))
}

/// A language that is not read comes first: nobody looked for what such a service serves.
fn why_not(input: &Input<'_>, id: ServiceId, service: &Service) -> Option<String> {
    let forced = input.as_services.contains(&id);
    let unread = input.not_assessable.get(&id).cloned();
    unread.or_else(|| service::why_not_a_service(service).filter(|_| !forced))
}

pub(super) fn is_selected(input: &Input<'_>, control: usize) -> bool {
    input.selected.as_ref().is_none_or(|selected| selected.contains(&control))
}

pub(super) fn path_of<'a>(input: &Input<'a>, id: ServiceId) -> &'a str {
    input.project.services.get(usize::from(id.0)).map_or(".", |service| service.path.as_str())
}

/// Waivers of whole controls and attestations that changed nothing.
fn without_effect(
    input: &Input<'_>,
    services: &[Scored],
    waived: &waive::Waived,
    attested: &BTreeMap<usize, String>,
) -> Vec<Notice> {
    let stands = |control: usize, state: State| {
        let mut rows = services.iter().flat_map(|scored| &scored.rows);
        rows.any(|row| row.control == control && row.standing.state == state)
    };
    let idle = |control: &usize, state: State| is_selected(input, *control) && !stands(*control, state);
    let say = |kind: &str, message: String| Notice { kind: kind.into(), path: None, line: None, message };
    let id = |control: &usize| input.controls.get(*control).map_or("", |info| info.id.as_str());
    let waivers = waived.whole.keys().filter(|control| idle(control, State::Waived));
    let vouched = attested.keys().filter(|control| idle(control, State::Attested));
    waivers
        .map(|control| say("unused-waiver", format!("the waiver of `{}` hides nothing", id(control))))
        .chain(vouched.map(|control| {
            let message =
                format!("the attestation of `{}` counts nothing: files decide it, or no rule does yet", id(control));
            say("unused-attestation", message)
        }))
        .collect()
}

fn strict_differs(score: &Score) -> Option<Notice> {
    let (value, strict) = (score.value?, score.strict?);
    let message =
        format!("without waivers, disabled controls, lowered priorities and changed rules the score is {strict:.1}");
    (value != strict).then(|| Notice { kind: STRICT_DIFFERS.into(), path: None, line: None, message })
}

const STRICT_DIFFERS: &str = "strict-differs";

/// Holds a report that was made under changed rules against one of the same tree under the built-in ones, without
/// waivers: the strict scores are the lower ones, and a blocker that the changes hide keeps `ready` away.
pub fn harden(report: &mut Report, unchanged: &Report) {
    harden_score(&mut report.score, &unchanged.score);
    for service in &mut report.project.services {
        if let Some(other) = unchanged.project.services.iter().find(|other| other.path == service.path) {
            harden_score(&mut service.score, &other.score);
        }
    }
    let mut notices = std::mem::take(&mut report.notices);
    notices.retain(|notice| notice.kind != STRICT_DIFFERS);
    notices.extend(strict_differs(&report.score));
    report.notices = sorted(notices);
}

fn harden_score(score: &mut Score, unchanged: &Score) {
    if let (Some(strict), Some(value)) = (score.strict, unchanged.value) {
        score.strict = Some(strict.min(value));
    }
    let hidden = unchanged.blockers.iter().any(|id| !score.blockers.contains(id));
    if hidden && score.verdict == Some(Verdict::Ready) {
        score.verdict = Some(Verdict::Conditional);
    }
}

fn summary(input: &Input<'_>, services: &[Scored]) -> ProjectSummary {
    let report = |scored: &Scored| {
        let service = input.project.services.get(usize::from(scored.id.0))?;
        Some(ServiceReport {
            path: service.path.clone(),
            kinds: service.kinds.iter().map(|kind| format!("{kind:?}").to_ascii_lowercase()).collect(),
            languages: service.languages.clone(),
            stacks: service.stacks.clone(),
            score: scored.score.clone(),
        })
    };
    ProjectSummary {
        root: ".".into(),
        commit: input.project.commit.clone(),
        lines: input.lines,
        counts: input.counts.clone(),
        services: services.iter().filter_map(report).collect(),
    }
}

fn sorted_routes(mut routes: Vec<RouteReport>) -> Vec<RouteReport> {
    routes.sort_by(|a, b| {
        let key = |r: &RouteReport| (r.service.clone(), r.path.clone(), r.method.clone(), r.file.clone(), r.line);
        key(a).cmp(&key(b))
    });
    routes
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
