//! What must not go to production whatever the rest is worth.

use std::collections::BTreeSet;

use crate::facts::Confidence;
use crate::report::FindingState;
use crate::rules::{Blocks, ControlInfo, ControlKind, Evaluation};

use super::site::{FULL, Spot, Stance, with_states};
use super::value::Measure;

/// Below this value a control blocks.
const HALF: f64 = 0.5;

/// Whether a control that may block a release does so here.
pub fn is_open(
    info: &ControlInfo,
    evaluation: &Evaluation,
    states: &[FindingState],
    spots: &[Spot],
    measure: &Measure,
    stance: Stance,
) -> bool {
    match info.kind {
        ControlKind::Defect => {
            measure.value.is_some_and(|value| value < HALF) && is_certain_enough(evaluation, states, stance)
        }
        _ if !evaluation.blocker => false,
        ControlKind::Coverage => gap_blocks(info.blocks.unwrap_or(Blocks::AnySite), spots),
        ControlKind::Capability | ControlKind::Manual => measure.value.is_some_and(|value| value < HALF),
    }
}

/// One finding of high confidence, or two rules of medium confidence that found something independently.
fn is_certain_enough(evaluation: &Evaluation, states: &[FindingState], stance: Stance) -> bool {
    let mut rules = BTreeSet::new();
    for (finding, state) in with_states(evaluation, states) {
        if !finding.blocker || state == FindingState::Waived {
            continue;
        }
        match stance.confidence(finding.confidence) {
            Some(Confidence::High) => return true,
            Some(Confidence::Medium) => {
                rules.insert(finding.rule.as_str());
            }
            Some(Confidence::Low) | None => {}
        }
    }
    rules.len() >= 2
}

fn gap_blocks(blocks: Blocks, spots: &[Spot]) -> bool {
    let certain_gap = |spot: &&Spot| is_gap(spot) && spot.confidence == Confidence::High;
    match blocks {
        Blocks::AnyMutation => spots.iter().filter(certain_gap).any(|spot| spot.mutates),
        Blocks::AnySite => spots.iter().any(|spot| certain_gap(&spot)),
        Blocks::UnderHalf => spots.iter().any(|spot| certain_gap(&spot)) && under_half(spots),
    }
}

fn is_gap(spot: &Spot) -> bool {
    !spot.waived && spot.credit.is_some_and(|credit| credit < FULL / 2)
}

/// Unknown places get the benefit of the doubt, waived ones are left out.
fn under_half(spots: &[Spot]) -> bool {
    let counted = spots.iter().filter(|spot| !spot.waived);
    let (credit, most) =
        counted.fold((0, 0), |(credit, most), spot| (credit + spot.credit.unwrap_or(FULL), most + FULL));
    credit * 2 < most
}
