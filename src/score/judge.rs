//! Where one control stands in one service: its state, why, and what it brings to the sums.

use crate::project::ProcessKind;
use crate::report::{FindingState, SiteCounts, State};
use crate::rules::{ASKS_FOR_ATTESTATION, Applies, ControlInfo, ControlKind, Evaluation, NOT_IMPLEMENTED, Priority};

use super::blockers;
use super::model::{Side, Term, weight};
use super::site::{Stance, spots};
use super::value::{FLAWLESS, Measure, measure};

/// One control in one service, with everything that was decided about it elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub info: &'a ControlInfo,
    pub evaluation: Option<&'a Evaluation>,
    /// Of the evaluation's findings, in their order.
    pub states: &'a [FindingState],
    /// After configuration.
    pub priority: Priority,
    /// `enabled = false`
    pub disabled: bool,
    /// Why the whole control is waived.
    pub waived: Option<&'a str>,
    /// Who vouches for it.
    pub attested: Option<&'a str>,
    /// What the service runs.
    pub processes: &'a [ProcessKind],
}

/// Where a control stands.
#[derive(Debug, Clone)]
pub struct Standing {
    pub state: State,
    pub value: Option<f64>,
    pub reason: String,
    pub counts: SiteCounts,
    /// Places with an open finding.
    pub open: usize,
    /// `None` where it stands outside the sums.
    pub term: Option<Term>,
    /// It is for this service and can be judged, whatever came out.
    pub applicable: bool,
}

impl Standing {
    fn outside(state: State, reason: impl Into<String>) -> Standing {
        Standing {
            state,
            value: None,
            reason: reason.into(),
            counts: SiteCounts::default(),
            open: 0,
            term: None,
            applicable: !matches!(state, State::NotApplicable),
        }
    }

    pub fn blocks(&self) -> bool {
        self.term.is_some_and(|term| term.blocks)
    }

    /// Something of it is known to be bad.
    fn is_proven_bad(&self) -> bool {
        self.open > 0 || self.value.is_some_and(|value| value < FLAWLESS)
    }
}

/// The state of a control is that of [`Stance::AsIs`]; the other two give the terms of the interval's ends.
pub fn judge(case: &Case<'_>, stance: Stance) -> Standing {
    if case.disabled {
        return Standing::outside(State::NotApplicable, "switched off in readycheck.toml");
    }
    let plain = plainly(case);
    let unknown = plain.state == State::Unknown;
    if let Some(by) = case.attested.filter(|_| unknown && may_be_attested(case, &plain)) {
        return attested(case, by);
    }
    match case.waived {
        Some(reason) if matches!(plain.state, State::Fail | State::Partial | State::Unknown) => {
            Standing { applicable: plain.applicable, ..Standing::outside(State::Waived, reason) }
        }
        _ if stance == Stance::AsIs => plain,
        _ => read_as(case, plain, stance),
    }
}

/// What has no rule yet cannot be vouched for: what it asks is not settled.
fn may_be_attested(case: &Case<'_>, plain: &Standing) -> bool {
    case.info.implemented && !plain.is_proven_bad()
}

fn attested(case: &Case<'_>, by: &str) -> Standing {
    let term = Term { side: Side::Earns, weight: weight(case.priority), unknown: 0.0, value: 1.0, blocks: false };
    Standing { value: Some(1.0), term: Some(term), ..Standing::outside(State::Attested, format!("attested by {by}")) }
}

fn plainly(case: &Case<'_>) -> Standing {
    let info = case.info;
    if !info.implemented {
        return Standing { applicable: false, ..Standing::outside(State::Unknown, NOT_IMPLEMENTED) };
    }
    let Some(evaluation) = case.evaluation else { return without_evaluation(case) };
    match &evaluation.applies {
        Applies::No(reason) => Standing::outside(State::NotApplicable, reason),
        Applies::Unknown(reason) => unknown(case, reason),
        Applies::Yes if info.kind == ControlKind::Manual && evaluation.findings.is_empty() => {
            unknown(case, ASKS_FOR_ATTESTATION)
        }
        Applies::Yes if info.unknown_without_evidence && is_silent(evaluation) => {
            unknown(case, crate::report::view::MAY_BE_ELSEWHERE)
        }
        Applies::Yes => measured(case, evaluation, Stance::AsIs),
    }
}

fn is_silent(evaluation: &Evaluation) -> bool {
    evaluation.sites.is_empty() && evaluation.findings.is_empty() && evaluation.evidence.is_empty()
}

fn without_evaluation(case: &Case<'_>) -> Standing {
    let wanted = &case.info.processes;
    if !wanted.is_empty() && !wanted.iter().any(|kind| case.processes.contains(kind)) {
        return Standing::outside(State::NotApplicable, "not for what this service runs");
    }
    if case.info.kind == ControlKind::Manual {
        return unknown(case, ASKS_FOR_ATTESTATION);
    }
    unknown(case, "it was not evaluated here")
}

fn unknown(case: &Case<'_>, reason: &str) -> Standing {
    let term = Term { side: side(case.info), weight: 0.0, unknown: weight(case.priority), value: 0.0, blocks: false };
    Standing { term: Some(term), ..Standing::outside(State::Unknown, reason) }
}

fn side(info: &ControlInfo) -> Side {
    if info.kind == ControlKind::Defect { Side::Costs } else { Side::Earns }
}

fn measured(case: &Case<'_>, evaluation: &Evaluation, stance: Stance) -> Standing {
    let spots = spots(evaluation, case.states, stance);
    let found = measure(case.info, &spots);
    if found.all_waived {
        return Standing::outside(State::Waived, "every finding is waived");
    }
    if found.counts.applicable == 0 && found.value.is_none() {
        return Standing::outside(State::NotApplicable, "nothing here that it is about");
    }
    let blocks = blockers::is_open(case.info, evaluation, case.states, &spots, &found, stance);
    let state = state_of(case.info.kind, &found);
    Standing {
        state,
        value: found.value,
        reason: reason(case.info.kind, &found, state, evaluation),
        open: found.open,
        term: Some(term_of(case, &found, blocks)),
        applicable: true,
        counts: found.counts,
    }
}

/// What can be earned counts by the share that is known, so that one more undecided place moves the score a little
/// and never a whole control in or out. What is broken costs its whole weight.
fn term_of(case: &Case<'_>, found: &Measure, blocks: bool) -> Term {
    let full = weight(case.priority);
    let side = side(case.info);
    let known = if side == Side::Earns { full * found.known } else { full };
    let value = found.value.unwrap_or(if side == Side::Earns { 0.0 } else { 1.0 });
    Term { side, weight: known, unknown: full - known, value, blocks }
}

fn state_of(kind: ControlKind, found: &Measure) -> State {
    let mostly_unknown = found.counts.unknown * 2 > found.counts.applicable;
    match (kind, found.value) {
        (_, None) => State::Unknown,
        (ControlKind::Defect, Some(_)) if found.open == 0 => {
            if mostly_unknown {
                State::Unknown
            } else {
                State::Pass
            }
        }
        (ControlKind::Defect, Some(value)) => {
            if value >= 0.5 {
                State::Partial
            } else {
                State::Fail
            }
        }
        _ if mostly_unknown => State::Unknown,
        (_, Some(value)) if value >= FLAWLESS => State::Pass,
        (_, Some(value)) if value > 0.0 => State::Partial,
        _ => State::Fail,
    }
}

fn reason(kind: ControlKind, found: &Measure, state: State, evaluation: &Evaluation) -> String {
    let counts = &found.counts;
    if kind == ControlKind::Defect {
        return match (found.open, state) {
            (0, State::Unknown) => format!("{} of {} places undecided", counts.unknown, counts.applicable),
            (0, _) => "nothing found".into(),
            (1, _) => "1 open finding".into(),
            (open, _) => format!("{open} open findings"),
        };
    }
    if evaluation.sites.is_empty() {
        let miss = evaluation.nearest_miss.as_ref().map(|miss| miss.message.clone());
        return miss.unwrap_or_else(|| "nothing found that does it".into());
    }
    let satisfied = super::round::two(counts.satisfied);
    let known = counts.applicable - counts.unknown;
    let undecided = if counts.unknown > 0 { format!(", {} undecided", counts.unknown) } else { String::new() };
    format!("{satisfied} of {known}{undecided}")
}

/// The same control with every doubt taken one way.
fn read_as(case: &Case<'_>, plain: Standing, stance: Stance) -> Standing {
    let Some(term) = plain.term else { return plain };
    match case.evaluation {
        Some(evaluation) if !is_wholly_unknown(&plain, case.info) => measured(case, evaluation, stance),
        evaluation => {
            let bad = stance == Stance::Pessimistic;
            let may_block = evaluation.is_some_and(|evaluation| evaluation.blocker);
            let read = Term {
                weight: weight(case.priority),
                unknown: 0.0,
                value: if bad { 0.0 } else { 1.0 },
                blocks: bad && may_block,
                ..term
            };
            Standing { term: Some(read), ..plain }
        }
    }
}

/// Nothing of it is decided, or it is a defect whose places are mostly undecided.
fn is_wholly_unknown(plain: &Standing, info: &ControlInfo) -> bool {
    plain.state == State::Unknown && (plain.value.is_none() || info.kind == ControlKind::Defect)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
