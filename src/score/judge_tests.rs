//! Hand-computed values and states, seen through the report.

use crate::facts::Confidence::{self, High, Low, Medium};
use crate::report::{ControlReport, State};
use crate::rules::{Applies, Blocks, ControlInfo, ControlKind, Evaluation, Finding, Priority, Site};
use crate::score::sample::{
    CAPABILITY, COVERAGE, DEFECT, World, blocking, control, evidence, finding, guarded, ratio, row, site, undecided,
};

/// The row of one control among ten that pass.
fn judged(info: ControlInfo, sites: Vec<Site>, findings: Vec<Finding>) -> ControlReport {
    judged_with(info, sites, findings, |_| ())
}

fn judged_with(
    info: ControlInfo,
    sites: Vec<Site>,
    findings: Vec<Finding>,
    change: impl Fn(&mut Evaluation),
) -> ControlReport {
    let mut world = World::new().with_passing(10);
    let id = info.id.clone();
    change(world.add(info, sites, findings));
    row(&world.report(), &id).clone()
}

fn sites(credits: &[f64]) -> Vec<Site> {
    credits.iter().zip(0..).map(|(credit, at)| site(at, *credit)).collect()
}

fn found(confidences: &[Confidence]) -> Vec<Finding> {
    confidences.iter().zip(0..).map(|(confidence, at)| finding(at, *confidence)).collect()
}

fn at(site: usize, finding: Finding) -> Finding {
    Finding { site: Some(site), ..finding }
}

#[test]
fn coverage_is_the_mean_over_its_places() {
    let coverage = || control("c", COVERAGE, Priority::P1);
    for (credits, value, state) in [
        (vec![1.0, 1.0], 1.0, State::Pass),
        (vec![1.0, 0.5, 0.0, 0.0], 0.38, State::Partial),
        (vec![0.0, 0.0], 0.0, State::Fail),
        (vec![1.0; 19].into_iter().chain([0.0]).collect(), 1.0, State::Pass),
        (vec![1.0; 18].into_iter().chain([0.0]).collect(), 0.95, State::Partial),
    ] {
        let row = judged(coverage(), sites(&credits), vec![]);
        assert_eq!((row.value, row.state), (Some(value), state), "{credits:?}");
    }
    assert_eq!(judged(coverage(), vec![], vec![]).state, State::NotApplicable);
}

#[test]
fn a_place_with_an_open_finding_is_unsatisfied() {
    let row = judged(control("c", COVERAGE, Priority::P1), sites(&[1.0, 1.0]), vec![at(1, finding(1, Medium))]);
    assert_eq!((row.value, row.reason.as_str()), (Some(0.5), "1 of 2"));
}

#[test]
fn a_capability_that_nothing_shows_fails_with_the_nearest_miss() {
    let row = judged_with(control("c", CAPABILITY, Priority::P1), vec![], vec![], |evaluation| {
        evaluation.nearest_miss = Some(evidence(3, "lib/limit.ts is never imported"));
    });
    assert_eq!((row.state, row.value), (State::Fail, Some(0.0)));
    assert_eq!(row.reason, "lib/limit.ts is never imported");
    assert_eq!(row.nearest_miss.map(|miss| miss.line), Some(4));
}

#[test]
fn unknown_places_leave_the_mean_and_over_half_of_them_leave_it_undecided() {
    let coverage = || control("c", COVERAGE, Priority::P1);
    let with = |known: &[f64], unknown: u32| {
        let mut all = sites(known);
        all.extend((0..unknown).map(|at| undecided(100 + at)));
        judged(coverage(), all, vec![])
    };
    let row = with(&[1.0, 0.0], 2);
    assert_eq!((row.state, row.value, row.reason.as_str()), (State::Partial, Some(0.5), "1 of 2, 2 undecided"));
    assert_eq!(with(&[1.0, 0.0], 3).state, State::Unknown);
    let nothing_known = with(&[], 3);
    assert_eq!((nothing_known.state, nothing_known.value, nothing_known.loss), (State::Unknown, None, 0.0));
}

#[test]
fn any_defect_goes_by_its_surest_finding() {
    for (confidences, value, state) in [
        (vec![], 1.0, State::Pass),
        (vec![Low], 0.7, State::Partial),
        (vec![Low, Medium], 0.3, State::Fail),
        (vec![Low, High, Medium], 0.0, State::Fail),
    ] {
        let row = judged(control("d", DEFECT, Priority::P1), sites(&[1.0; 9]), found(&confidences));
        assert_eq!((row.value, row.state), (Some(value), state), "{confidences:?}");
    }
}

#[test]
fn ratio_defect_goes_by_the_share_of_its_places() {
    let with = |clean: u32, confidences: &[Confidence]| {
        let findings = found(confidences);
        let mut all: Vec<Site> = (0..clean).map(|at| site(1_000 + at, 1.0)).collect();
        let mut on_sites = Vec::new();
        for finding in findings {
            on_sites.push(Finding { site: Some(all.len()), ..finding.clone() });
            all.push(Site { at: finding.at, ..site(0, 0.0) });
        }
        judged(ratio("d"), all, on_sites)
    };
    for (clean, confidences, value, state) in [
        (4, vec![], 1.0, State::Pass),
        (3, vec![High], 0.75, State::Partial),
        (1, vec![High, High, High], 0.25, State::Fail),
        (99, vec![High], 0.9, State::Partial),
        (1, vec![Medium], 0.65, State::Partial),
        (0, vec![High, Low], 0.0, State::Fail),
        (1, vec![High, Low, Low], 0.5, State::Partial),
    ] {
        let row = with(clean, &confidences);
        assert_eq!((row.value, row.state), (Some(value), state), "{clean} {confidences:?}");
    }
}

#[test]
fn blockers_take_certainty() {
    let defect = |findings: Vec<Finding>| judged(blocking("d"), vec![], findings).blocker;
    let by = |rule: &str, at: u32| Finding { rule: rule.into(), ..finding(at, Medium) };
    assert!(defect(found(&[High])));
    assert!(!defect(found(&[Medium, Medium, Low])));
    assert!(defect(vec![by("one", 0), by("another", 1)]));
    assert!(!defect(vec![]));
    assert!(!judged(control("d", DEFECT, Priority::P0), vec![], found(&[High])).blocker);
}

#[test]
fn coverage_blocks_as_it_says() {
    let blocks = |how: Blocks, sites: Vec<Site>| judged(guarded("c", how), sites, vec![]).blocker;
    let mutation = |credit: f64, confidence| Site { mutates: true, confidence, ..site(50, credit) };
    assert!(!blocks(Blocks::AnyMutation, sites(&[0.0, 1.0])));
    assert!(blocks(Blocks::AnyMutation, vec![mutation(0.0, High)]));
    assert!(!blocks(Blocks::AnyMutation, vec![mutation(0.0, Medium)]));
    assert!(!blocks(Blocks::AnyMutation, vec![mutation(0.5, High)]));
    assert!(blocks(Blocks::AnySite, sites(&[0.0, 1.0, 1.0])));
    assert!(!blocks(Blocks::UnderHalf, sites(&[0.0, 1.0])));
    assert!(blocks(Blocks::UnderHalf, sites(&[0.0, 0.0, 1.0])));
    let doubt = vec![site(0, 0.0), site(1, 0.0), site(2, 1.0), undecided(3)];
    assert!(!blocks(Blocks::UnderHalf, doubt));
}

#[test]
fn what_does_not_count_says_why() {
    let applies = |applies: Applies| {
        judged_with(control("c", CAPABILITY, Priority::P0), sites(&[0.0]), vec![], move |e| e.applies = applies.clone())
    };
    let provided = applies(Applies::No("provided by Vercel".into()));
    assert_eq!((provided.state, provided.reason.as_str()), (State::NotApplicable, "provided by Vercel"));
    let no_rule = applies(Applies::Unknown("no rule for hono".into()));
    assert_eq!((no_rule.state, no_rule.reason.as_str(), no_rule.loss), (State::Unknown, "no rule for hono", 0.0));
    let later = judged(ControlInfo { implemented: false, ..control("c", CAPABILITY, Priority::P0) }, vec![], vec![]);
    assert_eq!((later.state, later.reason.as_str()), (State::Unknown, "not implemented yet"));
    let elsewhere = ControlInfo { unknown_without_evidence: true, ..control("c", CAPABILITY, Priority::P0) };
    assert_eq!(judged(elsewhere.clone(), vec![], vec![]).state, State::Unknown);
    assert_eq!(judged(elsewhere, sites(&[0.0]), vec![]).state, State::Fail);
    let manual = judged(control("c", ControlKind::Manual, Priority::P1), vec![], vec![]);
    assert_eq!(manual.state, State::Unknown);
}
