//! The rows of every service as the report lists them.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::{ServiceId, Span};
use crate::report::{ControlReport, EvidenceReport, FindingReport, FindingState, Gain, PlaceReport, SiteCounts, State};
use crate::rules::{ControlInfo, ControlKind, Evaluation, Evidence, Finding, Site};

use super::assemble::{Input, Place, Scored, path_of};
use super::model::apportion;
use super::plan::{Task, is_task};
use super::round::{one, two};
use super::service::{Ledger, Row, printed, sums, sums_fixing};
use super::{effort, site};

pub(super) struct Listing {
    pub controls: Vec<ControlReport>,
    pub tasks: Vec<Task>,
}

/// What a row is worth in its service.
#[derive(Debug, Clone, Default)]
struct Worth {
    loss: f64,
    gain: Gain,
}

/// Every control of every service that has or could have a score, repository-wide ones once with what they are worth
/// in the worst service; of libraries and the like only what has findings, unless there is nothing else.
pub(super) fn list(input: &Input<'_>, services: &[Scored], ledger: &Ledger<'_>, places: &[Vec<Place>]) -> Listing {
    let lister = Lister { input, ledger, places };
    let any_deployable = services.iter().any(|scored| scored.deployable);
    let speaker = speaker(services);
    let mut listing = Listing { controls: Vec::new(), tasks: Vec::new() };
    let mut tasks = BTreeMap::new();
    for scored in services {
        let whole = scored.deployable || !any_deployable;
        for (row, worth) in scored.rows.iter().zip(worths(scored)) {
            let Some(info) = input.controls.get(row.control) else { continue };
            if scored.has_number() && is_task(row) {
                add_task(&mut tasks, info, row, &worth);
            }
            let shared_elsewhere = info.repository_wide && speaker != Some(scored.id);
            if !shared_elsewhere && (whole || lister.has_findings(row)) {
                let home = lister.home(info, row, scored.id);
                listing.controls.push(lister.control(info, row, worth, home));
            }
        }
    }
    let catalogue: BTreeMap<&str, usize> =
        input.controls.iter().enumerate().map(|(index, info)| (info.id.as_str(), index)).collect();
    listing.controls.sort_by(|a, b| {
        let order = |c: &ControlReport| catalogue.get(c.id.as_str()).copied();
        a.service.cmp(&b.service).then_with(|| order(a).cmp(&order(b)))
    });
    listing.tasks = tasks.into_values().collect();
    listing
}

/// The service that repository-wide controls are listed for: the one with the lowest score.
fn speaker(services: &[Scored]) -> Option<ServiceId> {
    let lowest = services
        .iter()
        .filter(|s| s.has_number())
        .min_by(|a, b| a.score.value.unwrap_or(0.0).total_cmp(&b.score.value.unwrap_or(0.0)));
    let deployable = || services.iter().find(|scored| scored.deployable);
    lowest.or_else(deployable).or_else(|| services.first()).map(|scored| scored.id)
}

fn worths(scored: &Scored) -> Vec<Worth> {
    let rows = &scored.rows;
    let (Some(base), Some(value), true) = (scored.score.base, scored.score.value, scored.has_number()) else {
        return vec![Worth::default(); rows.len()];
    };
    let lost: Vec<f64> = rows.iter().map(|row| row.standing.term.map_or(0.0, |term| term.lost())).collect();
    let total = (1_000.0 - base * 10.0).round().max(0.0) as u64;
    let losses = apportion(&lost, total);
    let all = sums(rows);
    let gain = |row: &Row| {
        let fixed = sums_fixing(rows, |other| other.control == row.control);
        let now = one(printed(&fixed).unwrap_or(value) - value).max(0.0);
        let grown = one(fixed.base().unwrap_or(0.0)) - one(all.base().unwrap_or(0.0));
        Gain { now, banked: one((grown - now).max(0.0)) }
    };
    rows.iter()
        .zip(losses)
        .map(|(row, tenths)| Worth {
            loss: tenths as f64 / 10.0,
            gain: if is_task(row) { gain(row) } else { Gain::default() },
        })
        .collect()
}

fn add_task(tasks: &mut BTreeMap<usize, Task>, info: &ControlInfo, row: &Row, worth: &Worth) {
    let days = days(info, row);
    let task = tasks.entry(row.control).or_insert_with(|| Task {
        control: row.control,
        id: info.id.clone(),
        blocks: false,
        priority: row.priority,
        points: 0.0,
        days: 0.0,
    });
    task.blocks |= row.standing.blocks();
    task.priority = task.priority.min(row.priority);
    task.points = task.points.max(worth.gain.now + worth.gain.banked);
    task.days = if info.repository_wide { task.days.max(days) } else { task.days + days };
}

fn days(info: &ControlInfo, row: &Row) -> f64 {
    if !is_task(row) {
        return 0.0;
    }
    let counts = &row.standing.counts;
    let known = counts.applicable.saturating_sub(counts.unknown) as f64;
    let unsatisfied = (known - counts.satisfied).max(0.0).ceil() as usize;
    effort::days(info.effort, row.standing.open.max(unsatisfied))
}

struct Lister<'a> {
    input: &'a Input<'a>,
    ledger: &'a Ledger<'a>,
    places: &'a [Vec<Place>],
}

impl Lister<'_> {
    fn evaluation(&self, row: &Row) -> Option<&Evaluation> {
        row.evaluation.and_then(|index| self.input.evaluations.get(index))
    }

    fn has_findings(&self, row: &Row) -> bool {
        self.evaluation(row).is_some_and(|evaluation| !evaluation.findings.is_empty())
    }

    /// The path of the service that a row is listed under: a shared one stands where it was computed.
    fn home(&self, info: &ControlInfo, row: &Row, service: ServiceId) -> String {
        let computed = self.evaluation(row).filter(|_| info.repository_wide).map(|evaluation| evaluation.service);
        path_of(self.input, computed.unwrap_or(service)).to_owned()
    }

    fn control(&self, info: &ControlInfo, row: &Row, worth: Worth, service: String) -> ControlReport {
        let standing = &row.standing;
        let evaluation = self.evaluation(row);
        ControlReport {
            id: info.id.clone(),
            title: info.title.clone(),
            category: info.category.clone(),
            priority: row.priority,
            kind: info.kind,
            blocker: standing.blocks(),
            service,
            state: standing.state,
            value: standing.value.map(two),
            reason: standing.reason.clone(),
            sites: SiteCounts { satisfied: two(standing.counts.satisfied), ..standing.counts },
            loss: worth.loss,
            gain: worth.gain,
            effort_days: one(days(info, row)),
            remedy: info.remedy.clone(),
            command: None,
            standards: info.standards.clone(),
            evidence: self.evidence(evaluation.map_or(&[], |evaluation| &evaluation.evidence)),
            nearest_miss: evaluation.and_then(|e| e.nearest_miss.as_ref()).map(|miss| self.located(miss)),
            gaps: self.gaps(info, row),
            findings: self.findings(info, row),
        }
    }

    /// The places of an open control that lack something and that no finding names. Where a capability has one place
    /// and nothing is there, that place only stands for the service.
    fn gaps(&self, info: &ControlInfo, row: &Row) -> Vec<PlaceReport> {
        let stands_for_all = |evaluation: &&Evaluation| {
            info.kind == ControlKind::Capability && matches!(evaluation.sites.as_slice(), [site] if site.credit <= 0.0)
        };
        let open = self.evaluation(row).filter(|_| is_task(row));
        let Some(evaluation) = open.filter(|evaluation| !stands_for_all(evaluation)) else { return Vec::new() };
        let named: BTreeSet<usize> = evaluation.findings.iter().filter_map(|finding| finding.site).collect();
        let gap = |(index, site): &(usize, &Site)| !site.unknown && site.credit < 1.0 && !named.contains(index);
        let mut list: Vec<PlaceReport> = evaluation
            .sites
            .iter()
            .enumerate()
            .filter(gap)
            .map(|(_, site)| {
                let place = (self.input.locate)(site.at);
                PlaceReport { path: place.path, line: place.line, column: place.column, credit: two(site.credit) }
            })
            .collect();
        list.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        list
    }

    fn evidence(&self, evidence: &[Evidence]) -> Vec<EvidenceReport> {
        let mut list: Vec<EvidenceReport> = evidence.iter().map(|one| self.located(one)).collect();
        list.sort_by(|a, b| {
            (&a.path, a.line, a.column, &a.rule, &a.message).cmp(&(&b.path, b.line, b.column, &b.rule, &b.message))
        });
        list.dedup();
        list
    }

    fn located(&self, evidence: &Evidence) -> EvidenceReport {
        self.note(&evidence.rule, evidence.at, &evidence.message)
    }

    fn note(&self, rule: &str, at: Span, message: &str) -> EvidenceReport {
        let place = (self.input.locate)(at);
        EvidenceReport {
            rule: rule.to_owned(),
            path: place.path,
            line: place.line,
            column: place.column,
            message: message.to_owned(),
        }
    }

    fn findings(&self, info: &ControlInfo, row: &Row) -> Vec<FindingReport> {
        let (Some(index), Some(evaluation)) = (row.evaluation, self.evaluation(row)) else { return Vec::new() };
        let states = self.ledger.states.get(index).map_or(&[][..], Vec::as_slice);
        let places = self.places.get(index).map_or(&[][..], Vec::as_slice);
        let mut list: Vec<FindingReport> = site::with_states(evaluation, states)
            .zip(places)
            .map(|((finding, state), place)| {
                let state = if row.standing.state == State::Waived { FindingState::Waived } else { state };
                self.finding(info, finding, state, place)
            })
            .collect();
        list.sort_by(|a, b| {
            let key = |f: &FindingReport| (f.line, f.column, f.end_line, f.end_column);
            a.path
                .cmp(&b.path)
                .then_with(|| key(a).cmp(&key(b)))
                .then_with(|| (&a.rule, &a.message, &a.fingerprint).cmp(&(&b.rule, &b.message, &b.fingerprint)))
        });
        list
    }

    fn finding(&self, info: &ControlInfo, finding: &Finding, state: FindingState, place: &Place) -> FindingReport {
        let configured = self.input.config.controls.get(&info.id).and_then(|config| config.priority);
        FindingReport {
            rule: finding.rule.clone(),
            path: place.path.clone(),
            line: place.line,
            column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
            service: path_of(self.input, finding.service).to_owned(),
            message: finding.message.clone(),
            confidence: finding.confidence,
            priority: self.ledger.priority(finding.priority, configured),
            fingerprint: finding.fingerprint.clone(),
            state,
            trace: finding.trace.iter().map(|(at, message)| self.note(&finding.rule, *at, message)).collect(),
            secret: finding.secret,
        }
    }
}
