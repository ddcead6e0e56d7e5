//! Grade, verdict and level: what the numbers mean.

use crate::report::{State, Verdict};
use crate::rules::Priority;

use super::model::Side;
use super::service::Row;
use super::value::FLAWLESS;

/// The share that must be known for an `A` and for `ready`.
const KNOWN_ENOUGH: f64 = 0.8;

/// What a verdict is drawn from; the numbers as they are printed.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    pub rows: &'a [Row],
    pub score: f64,
    pub assessed: f64,
    pub blockers: usize,
    /// A blocker that only a waiver, a lowered priority or the like keeps out of `blockers`.
    pub waived_blocker: bool,
}

pub fn grade(score: f64, assessed: f64) -> char {
    match score {
        s if s >= 85.0 && assessed >= KNOWN_ENOUGH => 'A',
        s if s >= 70.0 => 'B',
        s if s >= 50.0 => 'C',
        s if s >= 30.0 => 'D',
        _ => 'F',
    }
}

pub fn verdict(grounds: &Grounds<'_>) -> Verdict {
    if grounds.blockers > 0 || grounds.score < 50.0 {
        return Verdict::NotReady;
    }
    let urgent_unknown = grounds.rows.iter().any(is_unknown_p0);
    let ready = grounds.score >= 70.0
        && is_launchable(grounds)
        && !urgent_unknown
        && grounds.assessed >= KNOWN_ENOUGH
        && !grounds.waived_blocker;
    if ready { Verdict::Ready } else { Verdict::Conditional }
}

fn is_unknown_p0(row: &Row) -> bool {
    row.priority == Priority::P0 && row.standing.state == State::Unknown && row.standing.applicable
}

/// 0 none, 1 Launchable, 2 Operable, 3 Scalable, 4 Exemplary.
pub fn level(grounds: &Grounds<'_>) -> u8 {
    let reached = [
        grounds.blockers == 0 && is_launchable(grounds),
        mean(grounds.rows, Priority::P1) >= 0.8 && !has_failing_defect(grounds.rows, Priority::P1),
        mean(grounds.rows, Priority::P2) >= 0.7,
        values(grounds.rows, |_| true).all(|value| value >= 0.9) && grounds.assessed >= 0.9,
    ];
    reached.into_iter().take_while(|step| *step).count() as u8
}

fn is_launchable(grounds: &Grounds<'_>) -> bool {
    values(grounds.rows, |row| row.priority == Priority::P0).all(|value| value >= FLAWLESS)
}

fn values(rows: &[Row], wanted: impl Fn(&Row) -> bool) -> impl Iterator<Item = f64> {
    rows.iter().filter(move |row| row.standing.term.is_some() && wanted(row)).filter_map(|row| row.standing.value)
}

/// Of what can be earned: clean defects would lift any mean. Without such a control there is nothing to miss.
fn mean(rows: &[Row], priority: Priority) -> f64 {
    let earns = |row: &Row| row.priority == priority && row.standing.term.is_some_and(|term| term.side == Side::Earns);
    let (sum, count) = values(rows, earns).fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 1.0 } else { sum / f64::from(count) }
}

fn has_failing_defect(rows: &[Row], priority: Priority) -> bool {
    rows.iter().any(|row| {
        row.priority == priority
            && row.standing.state == State::Fail
            && row.standing.term.is_some_and(|term| term.side == Side::Costs)
    })
}
