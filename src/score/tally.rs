//! How many controls stand where.

use std::collections::BTreeMap;

use crate::report::{ControlReport, State, StateCounts, Tallies};

const STATES: [State; 8] = [
    State::Pass,
    State::Partial,
    State::Fail,
    State::NotApplicable,
    State::Unknown,
    State::Attested,
    State::Waived,
    State::Error,
];

/// As JSON writes it.
fn name(state: State) -> &'static str {
    match state {
        State::Pass => "pass",
        State::Partial => "partial",
        State::Fail => "fail",
        State::NotApplicable => "not-applicable",
        State::Unknown => "unknown",
        State::Attested => "attested",
        State::Waived => "waived",
        State::Error => "error",
    }
}

pub fn tallies(controls: &[ControlReport]) -> Tallies {
    let mut tallies = Tallies::default();
    for control in controls {
        count(&mut tallies.category, control.category.clone(), control.state);
        count(&mut tallies.priority, format!("{:?}", control.priority), control.state);
    }
    tallies
}

fn count(counts: &mut BTreeMap<String, StateCounts>, key: String, state: State) {
    let of_key = counts.entry(key).or_insert_with(|| STATES.iter().map(|s| (name(*s).to_owned(), 0)).collect());
    *of_key.entry(name(state).to_owned()).or_default() += 1;
}
