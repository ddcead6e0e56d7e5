use super::*;
use crate::facts::Confidence::{High, Low};
use crate::score::sample::{CAPABILITY, DEFECT, World, blocking, control, finding};

fn settings() -> GateSettings {
    GateSettings::new(Some(0.0), None, None, None, false).unwrap()
}

/// 40 of 44 = 90.9.
fn good() -> World {
    let mut world = World::new().with_passing(10);
    world.add(control("health", CAPABILITY, Priority::P1), vec![], vec![]);
    world
}

fn reasons(outcome: GateOutcome) -> Vec<String> {
    match outcome {
        GateOutcome::Failed(reasons) => reasons,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_condition_there_is_no_gate() {
    assert_eq!(GateSettings::new(None, None, None, None, false), None);
    assert!(GateSettings::new(None, None, None, Some(&GateConfig::default()), false).is_some());
}

#[test]
fn the_command_line_comes_before_the_file() {
    let file =
        GateConfig { min_score: Some(50.0), fail_on: Some(Priority::P2), ratchet: true, ..GateConfig::default() };
    let both = GateSettings::new(Some(80.0), None, None, Some(&file), false).unwrap();
    assert_eq!((both.min_score, both.fail_on, both.max_drop), (Some(80.0), Some(Priority::P2), Some(0.0)));
}

#[test]
fn printed_scores_are_compared() {
    let report = good().report();
    let with = |least: f64| gate(&report, &GateSettings { min_score: Some(least), ..settings() }, None);
    assert_eq!(with(90.9), GateOutcome::Passed);
    assert_eq!(reasons(with(91.0)), ["the score 90.9 is below 91.0"]);
}

#[test]
fn an_open_blocker_fails_unless_told_otherwise() {
    let mut world = good();
    world.add(blocking("key"), vec![], vec![finding(0, High)]);
    let report = world.report();
    assert_eq!(reasons(gate(&report, &settings(), None)), ["open blockers: key"]);
    assert_eq!(gate(&report, &GateSettings { blockers: false, ..settings() }, None), GateOutcome::Passed);
}

#[test]
fn fail_on_takes_what_is_as_urgent_or_more() {
    let mut world = good();
    world.add(control("guess", DEFECT, Priority::P0), vec![], vec![finding(0, Low)]);
    let report = world.report();
    let with = |priority| gate(&report, &GateSettings { fail_on: Some(priority), ..settings() }, None);
    assert_eq!(with(Priority::P0), GateOutcome::Passed);
    assert_eq!(reasons(with(Priority::P1)), ["open at P1 or above: health"]);
}

#[test]
fn a_drop_is_measured_against_the_baseline() {
    let report = good().report();
    let with = |baseline| gate(&report, &GateSettings { max_drop: Some(1.0), ..settings() }, baseline);
    assert_eq!(with(Some(91.9)), GateOutcome::Passed);
    assert_eq!(with(Some(20.0)), GateOutcome::Passed);
    assert_eq!(reasons(with(Some(92.0))), ["the score dropped by 1.1 from 92.0 to 90.9; 1.0 may go"]);
    assert_eq!(with(None).exit_code(), 3);
}

#[test]
fn a_category_can_have_its_own_minimum() {
    let report = good().report();
    let category_min = BTreeMap::from([("api".to_owned(), 95.0), ("nothing".to_owned(), 95.0)]);
    let outcome = gate(&report, &GateSettings { category_min, ..settings() }, None);
    assert_eq!(reasons(outcome), ["the score of api is 90.9, below 95.0"]);
}

#[test]
fn no_score_is_inconclusive_but_a_certain_failure_is_a_failure() {
    let mut world = World::new().with_passing(3);
    let asked = || GateSettings { fail_on: Some(Priority::P0), min_score: None, ..settings() };
    let outcome = gate(&world.report(), &asked(), None);
    assert_eq!(outcome, GateOutcome::Inconclusive("there is no score: only 3 controls apply; a score takes 8".into()));
    assert_eq!(gate(&world.report(), &GateSettings { narrowed: true, ..asked() }, None), GateOutcome::Passed);
    world.add(blocking("key"), vec![], vec![finding(0, High)]);
    let outcome = gate(&world.report(), &asked(), None);
    assert_eq!(outcome.exit_code(), 1);
    assert_eq!(reasons(outcome), ["open blockers: key", "open at P0 or above: key"]);
}

#[test]
fn new_findings_need_a_baseline_to_be_new() {
    let mut world = good();
    world.add(control("leak", DEFECT, Priority::P1), vec![], vec![finding(0, High)]);
    let report = world.report();
    let asked = GateSettings { new: Some(Priority::P1), ..settings() };
    assert_eq!(gate(&report, &asked, None).exit_code(), 3);
    assert_eq!(reasons(gate(&report, &asked, Some(50.0))).len(), 1);
}
