//! One service: every control's standing in it, and its score.

use std::collections::BTreeMap;

use crate::config::ControlConfig;
use crate::project::{ProcessKind, Service};
use crate::report::{FindingState, Score, ScoreState};
use crate::rules::{ControlInfo, Evaluation, Priority};

use super::judge::{Case, Standing, judge};
use super::model::{Sums, Term};
use super::round::{one, two};
use super::site::Stance;
use super::verdict::{Grounds, grade, level, verdict};

/// With fewer controls a number says nothing.
const FEWEST_CONTROLS: usize = 8;
/// With a smaller known share a number says nothing.
const LEAST_KNOWN: f64 = 0.3;

/// One control in one service.
#[derive(Debug, Clone)]
pub struct Row {
    pub control: usize,
    pub evaluation: Option<usize>,
    pub priority: Priority,
    pub standing: Standing,
    /// The term with every doubt taken as bad news, and as good news.
    pub low: Option<Term>,
    pub high: Option<Term>,
}

/// Everything that decides where controls stand, but the service.
#[derive(Clone, Copy)]
pub struct Ledger<'a> {
    pub controls: &'a [ControlInfo],
    pub evaluations: &'a [Evaluation],
    pub states: &'a [Vec<FindingState>],
    /// Control → why it is waived as a whole.
    pub waived: &'a BTreeMap<usize, String>,
    /// Control → who vouches.
    pub attested: &'a BTreeMap<usize, String>,
    pub config: &'a BTreeMap<String, ControlConfig>,
    /// Nothing that makes it easier counts: no waiver, no disabled control, no lowered priority.
    pub strict: bool,
}

impl Ledger<'_> {
    pub fn row(&self, control: usize, evaluation: Option<usize>, service: &Service) -> Option<Row> {
        let info = self.controls.get(control)?;
        let evaluated = evaluation.and_then(|index| self.evaluations.get(index));
        let states = evaluation.and_then(|index| self.states.get(index));
        let config = self.config.get(&info.id).copied().unwrap_or_default();
        let case = Case {
            info,
            evaluation: evaluated,
            states: states.map_or(&[], Vec::as_slice),
            priority: self.priority(evaluated.map_or(info.priority, |e| e.priority), config.priority),
            disabled: config.enabled == Some(false) && !self.strict,
            waived: self.waived.get(&control).filter(|_| !self.strict).map(String::as_str),
            attested: self.attested.get(&control).map(String::as_str),
            processes: &service.kinds,
        };
        Some(Row {
            control,
            evaluation,
            priority: case.priority,
            standing: judge(&case, Stance::AsIs),
            low: judge(&case, Stance::Pessimistic).term,
            high: judge(&case, Stance::Optimistic).term,
        })
    }

    /// The configured priority; read strictly, only one that is not lower.
    pub fn priority(&self, own: Priority, configured: Option<Priority>) -> Priority {
        configured.filter(|configured| !self.strict || *configured <= own).unwrap_or(own)
    }
}

pub fn sums(rows: &[Row]) -> Sums {
    Sums::of(rows.iter().filter_map(|row| row.standing.term))
}

/// The sums with one control fixed.
pub fn sums_fixing(rows: &[Row], fixed: impl Fn(&Row) -> bool) -> Sums {
    Sums::of(rows.iter().filter_map(|row| row.standing.term.map(|term| if fixed(row) { term.fixed() } else { term })))
}

/// The score as it is printed: base to one decimal, then the cap.
pub fn printed(sums: &Sums) -> Option<f64> {
    sums.base().map(|base| one(base).min(f64::from(sums.cap())))
}

/// Why there can be no number for what this service is, whatever its controls say.
pub fn why_not_a_service(service: &Service) -> Option<String> {
    let deployable = |kind: &ProcessKind| !matches!(kind, ProcessKind::Cli | ProcessKind::Library);
    let runs = service.kinds.iter().any(deployable);
    (!runs).then(|| "nothing here serves requests or works through jobs".to_owned())
}

/// `rows` and `strict` in the order of the control ids.
pub fn score(rows: &[Row], strict: &[Row], controls: &[ControlInfo]) -> Score {
    let sums = sums(rows);
    let assessed = two(sums.assessed());
    let applicable = rows.iter().filter(|row| row.standing.applicable).count();
    let blockers = blockers(rows, controls);
    let (Some(base), Some(value)) = (sums.base(), printed(&sums)) else {
        return Score { blockers, ..not_assessable("no control that applies could be decided", assessed) };
    };
    if let Some(reason) = too_little(applicable, assessed) {
        return Score { blockers, ..not_assessable(reason, assessed) };
    }
    let waived_blocker =
        strict.iter().any(|row| row.standing.blocks() && !blockers.contains(&controls[row.control].id));
    let grounds = Grounds { rows, score: value, assessed, blockers: blockers.len(), waived_blocker };
    let end = |terms: Vec<Term>| printed(&Sums::of(terms)).unwrap_or(value);
    Score {
        state: ScoreState::Scored,
        value: Some(value),
        out_of_10: Some(value.floor() / 10.0),
        grade: Some(grade(value, assessed)),
        verdict: Some(verdict(&grounds)),
        level: level(&grounds),
        reason: String::new(),
        base: Some(one(base)),
        cap: Some(sums.cap()),
        low: Some(end(rows.iter().filter_map(|row| row.low).collect()).min(value)),
        high: Some(end(rows.iter().filter_map(|row| row.high).collect()).max(value)),
        assessed,
        strict: printed(&self::sums(strict)),
        blockers,
    }
}

fn too_little(applicable: usize, assessed: f64) -> Option<String> {
    if applicable < FEWEST_CONTROLS {
        return Some(format!("only {applicable} controls apply; a score takes {FEWEST_CONTROLS}"));
    }
    let percent = (assessed * 100.0).round();
    (assessed < LEAST_KNOWN).then(|| format!("only {percent} % of what applies could be decided; a score takes 30 %"))
}

fn blockers(rows: &[Row], controls: &[ControlInfo]) -> Vec<String> {
    let open = rows.iter().filter(|row| row.standing.blocks());
    let mut ids: Vec<String> = open.filter_map(|row| controls.get(row.control)).map(|info| info.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

pub fn not_assessable(reason: impl Into<String>, assessed: f64) -> Score {
    Score {
        state: ScoreState::NotAssessable,
        value: None,
        out_of_10: None,
        grade: None,
        verdict: None,
        level: 0,
        reason: reason.into(),
        base: None,
        cap: None,
        blockers: Vec::new(),
        low: None,
        high: None,
        assessed,
        strict: None,
    }
}

/// The project's score: the worst service's number with the worst verdict, the lowest level and cap, and every open
/// blocker. (The service with the lowest number is not always the one that blocks; its number still holds, since no
/// service's score exceeds its own cap.)
pub fn worst(scores: &[Score]) -> Score {
    let by_value = |a: &&Score, b: &&Score| a.value.unwrap_or(0.0).total_cmp(&b.value.unwrap_or(0.0));
    let scored = || scores.iter().filter(|score| score.state == ScoreState::Scored);
    let Some(lowest) = scored().min_by(by_value) else { return unscored(scores) };
    let mut blockers: Vec<String> = scores.iter().flat_map(|score| score.blockers.iter().cloned()).collect();
    blockers.sort();
    blockers.dedup();
    Score {
        verdict: scored().filter_map(|score| score.verdict).max_by_key(|verdict| *verdict as u8),
        level: scored().map(|score| score.level).min().unwrap_or(0),
        cap: scored().filter_map(|score| score.cap).min(),
        strict: scored().filter_map(|score| score.strict).min_by(f64::total_cmp),
        low: scored().filter_map(|score| score.low).min_by(f64::total_cmp),
        high: scored().filter_map(|score| score.high).min_by(f64::total_cmp),
        blockers,
        ..lowest.clone()
    }
}

fn unscored(scores: &[Score]) -> Score {
    let reason = scores.first().map_or("there is no service here", |score| score.reason.as_str());
    let assessed = scores.first().map_or(0.0, |score| score.assessed);
    let blockers = scores.iter().flat_map(|score| score.blockers.iter().cloned()).collect();
    Score { blockers, ..not_assessable(reason, assessed) }
}
