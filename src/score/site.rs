//! The places that a control looks at, with what is open there.

use std::collections::BTreeMap;

use crate::facts::Confidence;
use crate::project::Span;
use crate::report::FindingState;
use crate::rules::{Evaluation, Finding, Site};

/// How doubt is read: as the rules say, or all of it as bad or as good news (the ends of the interval).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    AsIs,
    Pessimistic,
    Optimistic,
}

impl Stance {
    /// How sure a finding is, read this way; `None` where it is taken for no finding.
    pub fn confidence(self, of: Confidence) -> Option<Confidence> {
        match (self, of) {
            (Stance::Pessimistic, Confidence::Low) => Some(Confidence::High),
            (Stance::Optimistic, Confidence::Low) => None,
            _ => Some(of),
        }
    }
}

/// One place as the score sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Thousandths of full evidence; `None` where it is unknown. Whole numbers add up alike in any order.
    pub credit: Option<u64>,
    /// The surest open finding about it.
    pub open: Option<Confidence>,
    /// Something about it is waived, and nothing is open.
    pub waived: bool,
    /// Unknown, and taken for bad.
    pub guessed: bool,
    pub mutates: bool,
    /// How sure it is that the place is as `credit` says.
    pub confidence: Confidence,
}

/// Thousandths of full evidence.
pub const FULL: u64 = 1_000;

/// Every place of an evaluation: its sites, then one for each place that only findings name.
pub fn spots(evaluation: &Evaluation, states: &[FindingState], stance: Stance) -> Vec<Spot> {
    let mut marks = vec![Mark::default(); evaluation.sites.len()];
    let mut elsewhere: BTreeMap<Span, Mark> = BTreeMap::new();
    for (finding, state) in with_states(evaluation, states) {
        let mark = match finding.site.and_then(|site| marks.get_mut(site)) {
            Some(mark) => mark,
            None => elsewhere.entry(finding.at).or_default(),
        };
        mark.note(stance.confidence(finding.confidence), state);
    }
    let sites = evaluation.sites.iter().zip(marks).map(|(site, mark)| of_site(site, mark, stance));
    let others = elsewhere.into_values().map(of_mark);
    sites.chain(others).collect()
}

/// Each finding with its state; one that nobody decided about is open.
pub fn with_states<'a>(
    evaluation: &'a Evaluation,
    states: &'a [FindingState],
) -> impl Iterator<Item = (&'a Finding, FindingState)> {
    let states = states.iter().copied().chain(std::iter::repeat(FindingState::Open));
    evaluation.findings.iter().zip(states)
}

/// What the findings about one place come to.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    open: Option<Confidence>,
    waived: bool,
    /// A finding was taken for none: the place counts as good.
    pardoned: bool,
}

impl Mark {
    /// What is in the baseline is known, not forgiven: it counts as open.
    fn note(&mut self, confidence: Option<Confidence>, state: FindingState) {
        self.waived |= state == FindingState::Waived;
        if state != FindingState::Waived {
            self.open = self.open.max(confidence);
            self.pardoned |= confidence.is_none();
        }
    }

    fn is_waived(self) -> bool {
        self.waived && self.open.is_none() && !self.pardoned
    }
}

fn of_site(site: &Site, mark: Mark, stance: Stance) -> Spot {
    let guessed = site.unknown && mark.open.is_none() && stance == Stance::Pessimistic;
    let credit = match mark.open {
        Some(_) => Some(0),
        None if mark.pardoned => Some(FULL),
        None if site.unknown => unknown_credit(stance),
        None => Some(known_credit(site, stance)),
    };
    let surest = if guessed { Some(Confidence::High) } else { mark.open.or(stance.confidence(site.confidence)) };
    Spot {
        credit,
        open: mark.open,
        waived: mark.is_waived(),
        guessed,
        mutates: site.mutates,
        confidence: surest.unwrap_or(Confidence::Low),
    }
}

fn unknown_credit(stance: Stance) -> Option<u64> {
    match stance {
        Stance::AsIs => None,
        Stance::Pessimistic => Some(0),
        Stance::Optimistic => Some(FULL),
    }
}

/// Evidence of medium confidence counts in full and that of low confidence comes halved; the interval takes both back.
fn known_credit(site: &Site, stance: Stance) -> u64 {
    let credit = if site.credit.is_finite() { site.credit.clamp(0.0, 1.0) } else { 0.0 };
    let read = match (stance, site.confidence) {
        (Stance::Pessimistic, Confidence::Medium) => credit / 2.0,
        (Stance::Pessimistic, Confidence::Low) => 0.0,
        (Stance::Optimistic, Confidence::Low) => 1.0,
        _ => credit,
    };
    (read * FULL as f64).round() as u64
}

fn of_mark(mark: Mark) -> Spot {
    let pardoned = mark.open.is_none() && mark.pardoned;
    Spot {
        credit: Some(if pardoned { FULL } else { 0 }),
        open: mark.open,
        waived: mark.is_waived(),
        guessed: false,
        mutates: false,
        confidence: mark.open.unwrap_or(Confidence::Low),
    }
}
