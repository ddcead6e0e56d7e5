//! What must hold of every score, tried on random worlds.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::config::{ControlConfig, Waiver, WaiverTarget};
use crate::facts::Confidence;
use crate::report::{Report, ScoreState};
use crate::rules::{Applies, Blocks, ControlInfo, ControlKind, Effort, Finding, Mode, Priority, Site};

use super::sample::{World, control, finding, site};

fn confidence() -> impl Strategy<Value = Confidence> {
    prop_oneof![Just(Confidence::High), Just(Confidence::Medium), Just(Confidence::Low)]
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::P0), Just(Priority::P1), Just(Priority::P2), Just(Priority::P3)]
}

fn info() -> impl Strategy<Value = ControlInfo> {
    let kinds = prop_oneof![
        4 => Just(ControlKind::Coverage),
        4 => Just(ControlKind::Capability),
        5 => Just(ControlKind::Defect),
        1 => Just(ControlKind::Manual),
    ];
    let modes = prop_oneof![Just(Mode::Any), Just(Mode::Ratio)];
    let blocks = prop_oneof![
        Just(None),
        Just(Some(Blocks::AnyMutation)),
        Just(Some(Blocks::AnySite)),
        Just(Some(Blocks::UnderHalf)),
    ];
    let flags = (proptest::bool::weighted(0.3), proptest::bool::weighted(0.1), proptest::bool::weighted(0.95));
    (kinds, modes, blocks, priority(), flags, 0.0..5.0_f64).prop_map(|(kind, mode, blocks, priority, flags, base)| {
        let (blocker, unknown_without_evidence, implemented) = flags;
        let effort = Effort { base, per_site: 0.25, max: 10.0 };
        let info = control("", kind, priority);
        ControlInfo { mode, blocks, blocker, unknown_without_evidence, implemented, effort, ..info }
    })
}

/// A place, with the confidence of a finding about it where there is one.
fn place() -> impl Strategy<Value = (Site, Option<Confidence>)> {
    let credit = prop_oneof![3 => Just(1.0), 1 => Just(0.5), 1 => Just(0.25), 3 => Just(0.0)];
    let flags = (proptest::bool::weighted(0.2), any::<bool>());
    (credit, flags, confidence(), proptest::option::weighted(0.3, confidence())).prop_map(
        |(credit, (unknown, mutates), certain, found)| {
            let found = found.map(|found| if credit < 0.5 && !unknown { certain } else { found });
            (Site { unknown, mutates, confidence: certain, ..site(0, credit) }, found)
        },
    )
}

type Drawn = (ControlInfo, Vec<(Site, Option<Confidence>)>, Vec<Confidence>, u8);

fn drawn() -> impl Strategy<Value = Drawn> {
    (info(), vec(place(), 0..7), vec(confidence(), 0..2), 0..20_u8)
}

/// Up to 24 controls, and one that passes so that most worlds have a number.
fn world() -> impl Strategy<Value = World> {
    vec(drawn(), 8..24).prop_map(|controls| {
        let mut world = World::new().with_passing(1);
        for (index, drawn) in controls.into_iter().enumerate() {
            add(&mut world, index, drawn);
        }
        world
    })
}

fn add(world: &mut World, index: usize, (info, places, elsewhere, applies): Drawn) {
    let info = ControlInfo { id: format!("control-{index:02}"), ..info };
    let start = index as u32 * 100;
    let mut sites = Vec::new();
    let mut findings = Vec::new();
    for (number, (place, found)) in places.into_iter().enumerate() {
        let at = site(start + number as u32, 0.0).at;
        sites.push(Site { at, ..place });
        findings.extend(found.map(|c| Finding { site: Some(number), ..named(finding(at.start, c)) }));
    }
    let others = elsewhere.into_iter().zip(start + 50..);
    findings.extend(others.map(|(confidence, at)| named(finding(at, confidence))));
    let evaluation = world.add(info, sites, findings);
    match applies {
        0 => evaluation.applies = Applies::No("not here".into()),
        1 => evaluation.applies = Applies::Unknown("no rule".into()),
        _ => {}
    }
}

fn named(finding: Finding) -> Finding {
    Finding { rule: format!("rule-{}", finding.at.start % 3), ..finding }
}

fn value(world: &World) -> Option<f64> {
    world.report().score.value
}

/// Compares where both worlds have a number.
fn at_least(better: &World, worse: &World) -> Result<(), TestCaseError> {
    if let (Some(better), Some(worse)) = (value(better), value(worse)) {
        prop_assert!(better >= worse, "{better} is below {worse}");
    }
    Ok(())
}

/// Every (evaluation, finding).
fn findings(world: &World) -> Vec<(usize, usize)> {
    let of = |(e, evaluation): (usize, &crate::rules::Evaluation)| (0..evaluation.findings.len()).map(move |f| (e, f));
    world.evaluations.iter().enumerate().flat_map(of).collect()
}

/// The finding's place is as it should be from now on.
fn repaired(world: &World, (e, f): (usize, usize)) -> World {
    let mut world = world.clone();
    let evaluation = &mut world.evaluations[e];
    let site = evaluation.findings.remove(f).site;
    if let Some(site) = site.filter(|site| !evaluation.findings.iter().any(|other| other.site == Some(*site))) {
        evaluation.sites[site] = Site { credit: 1.0, unknown: false, ..evaluation.sites[site].clone() };
    }
    world
}

/// The finding is gone, its place is as the other rules say.
fn silenced(world: &World, (e, f): (usize, usize)) -> World {
    let mut world = world.clone();
    world.evaluations[e].findings.remove(f);
    world
}

/// The bad code was deleted: the place is gone with all that was said about it.
fn deleted(world: &World, (e, f): (usize, usize)) -> World {
    let mut world = world.clone();
    let evaluation = &mut world.evaluations[e];
    let Some(gone) = evaluation.findings[f].site else { return silenced(&world, (e, f)) };
    evaluation.sites.remove(gone);
    evaluation.findings.retain(|finding| finding.site != Some(gone));
    for finding in &mut evaluation.findings {
        finding.site = finding.site.map(|site| if site > gone { site - 1 } else { site });
    }
    world
}

fn waived(world: &World, picks: &[(usize, bool)]) -> World {
    let mut world = world.clone();
    for (pick, whole) in picks {
        let id = world.controls[pick % world.controls.len()].id.clone();
        let paths = if *whole { vec![] } else { vec!["src/**".into()] };
        world.config.waivers.push(Waiver {
            target: WaiverTarget::Control(id),
            paths,
            fingerprint: None,
            reason: "r".into(),
            owner: None,
            until: None,
        });
    }
    world
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).unwrap()
}

fn shuffled<T: Clone>(items: &[T], seed: u64) -> Vec<T> {
    let mut keyed: Vec<(u64, T)> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            ((index as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15), item.clone())
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// `PROPTEST_CASES=20000 cargo test score::properties` for a thorough run.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(96);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn fixing_a_finding_never_lowers_the_score(world in world(), pick in any::<prop::sample::Index>()) {
        let all = findings(&world);
        if !all.is_empty() {
            let one = *pick.get(&all);
            at_least(&repaired(&world, one), &world)?;
            at_least(&silenced(&world, one), &world)?;
            at_least(&deleted(&world, one), &world)?;
        }
    }

    #[test]
    fn adding_a_finding_never_raises_the_score(
        world in world(),
        pick in any::<prop::sample::Index>(),
        confidence in confidence(),
        place in 0..8_usize,
    ) {
        let index = pick.index(world.evaluations.len());
        let mut worse = world.clone();
        let evaluation = &mut worse.evaluations[index];
        let (priority, blocker) = (evaluation.priority, evaluation.blocker);
        let new = Finding { priority, blocker, ..named(finding(9_000, confidence)) };
        match evaluation.sites.get(place) {
            Some(site) if site.credit < 0.5 && !site.unknown => return Ok(()),
            Some(_) => evaluation.findings.push(Finding { site: Some(place), ..new }),
            None => {
                evaluation.sites.push(Site { confidence, ..site(9_000, 0.0) });
                let site = Some(evaluation.sites.len() - 1);
                evaluation.findings.push(Finding { site, ..new });
            }
        }
        at_least(&world, &worse)?;
    }

    #[test]
    fn adding_what_is_flawless_never_lowers_the_score(
        world in world(),
        kind in prop_oneof![Just(ControlKind::Capability), Just(ControlKind::Coverage), Just(ControlKind::Defect)],
        priority in priority(),
    ) {
        let mut absent = world.clone();
        let added = ControlInfo { id: "added".into(), ..control("", kind, priority) };
        absent.add(added, vec![], vec![]).applies = Applies::No("there is none".into());
        let mut present = absent.clone();
        if let Some(evaluation) = present.evaluations.last_mut() {
            evaluation.applies = Applies::Yes;
            evaluation.sites.push(site(9_000, 1.0));
        }
        at_least(&present, &absent)?;
    }

    #[test]
    fn better_evidence_never_lowers_the_score(
        world in world(),
        pick in any::<prop::sample::Index>(),
        place in 0..8_usize,
    ) {
        let mut better = world.clone();
        let index = pick.index(world.evaluations.len());
        let sites = &mut better.evaluations[index].sites;
        match sites.get_mut(place) {
            Some(one) => *one = Site { credit: 1.0, unknown: false, confidence: Confidence::High, ..one.clone() },
            None => sites.push(site(9_000, 1.0)),
        }
        let still_open = world.evaluations[index].findings.iter().any(|finding| finding.site == Some(place));
        if !still_open {
            at_least(&better, &world)?;
        }
    }

    #[test]
    fn order_is_irrelevant(world in world(), seed in any::<u64>()) {
        let mut other = world.clone();
        other.evaluations = shuffled(&world.evaluations, seed);
        for evaluation in &mut other.evaluations {
            evaluation.findings = shuffled(&evaluation.findings, seed);
        }
        prop_assert_eq!(json(&world.report()), json(&other.report()));
        let order: Vec<usize> = shuffled(&(0..world.controls.len()).collect::<Vec<_>>(), seed);
        other.controls = order.iter().map(|index| world.controls[*index].clone()).collect();
        for evaluation in &mut other.evaluations {
            evaluation.control = order.iter().position(|index| *index == evaluation.control).unwrap();
        }
        prop_assert_eq!(world.report().score, other.report().score);
    }

    #[test]
    fn nothing_that_makes_it_easier_raises_the_strict_score(
        world in world(),
        picks in vec((0..30_usize, any::<bool>()), 1..6),
        lowered in 0..30_usize,
    ) {
        let mut eased = waived(&world, &picks);
        let id = world.controls[lowered % world.controls.len()].id.clone();
        eased.config.controls.insert(id, ControlConfig { enabled: Some(lowered % 2 == 0), priority: Some(Priority::P3) });
        let (plain, eased) = (world.report().score, eased.report().score);
        if plain.state == ScoreState::Scored && eased.state == ScoreState::Scored {
            prop_assert_eq!(plain.strict, eased.strict);
            prop_assert_eq!(plain.strict, plain.value);
        }
    }

    #[test]
    fn numbers_stay_in_their_bounds(world in world(), picks in vec((0..30_usize, any::<bool>()), 0..3)) {
        let report = waived(&world, &picks).report();
        let score = &report.score;
        if let (Some(value), Some(base), Some(cap)) = (score.value, score.base, score.cap) {
            prop_assert!(0.0 <= value && value <= f64::from(cap) && value <= base);
            prop_assert!(score.low.unwrap() <= value && value <= score.high.unwrap());
            let tenths = |number: f64| (number * 10.0).round() as i64;
            let lost: i64 = report.controls.iter().map(|control| tenths(control.loss)).sum();
            prop_assert_eq!(lost, 1_000 - tenths(base));
            let mut last = value;
            for week in &report.plan.weeks {
                prop_assert!(week.score >= last);
                last = week.score;
            }
        }
        for control in &report.controls {
            let numbers = [control.loss, control.gain.now, control.gain.banked, control.effort_days];
            prop_assert!(numbers.iter().all(|number| number.is_finite() && *number >= 0.0), "{control:?}");
            prop_assert!(control.value.is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(world in world()) {
        prop_assert_eq!(json(&world.report()), json(&world.clone().report()));
    }
}
