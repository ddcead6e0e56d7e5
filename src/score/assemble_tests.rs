use super::*;
use crate::config::{Attestation, Comments, ControlConfig, Waiver, WaiverTarget, find_allows};
use crate::facts::Confidence::{High, Low, Medium};
use crate::project::ProcessKind;
use crate::report::{FindingState, Verdict};
use crate::rules::{Applies, ControlKind, Finding, Priority, Site};
use crate::score::sample::{
    CAPABILITY, COVERAGE, DEFECT, World, blocking, control, evidence, finding, locate, notices, row, service, site,
    undecided,
};

/// Ten passing P1 (T 40, C 40), a coverage of P0 at 0.5 (T 16, C 8), a missing P1 (T 4), an open P1 (D 4):
/// base = 100 · 48 / (60 + 4) = 75.
fn shop() -> World {
    let mut world = World::new().with_passing(10);
    world.add(control("auth", COVERAGE, Priority::P0), vec![site(1, 1.0), site(2, 0.0)], vec![]);
    world.add(control("health", CAPABILITY, Priority::P1), vec![], vec![]);
    world.add(control("leak", DEFECT, Priority::P1), vec![], vec![finding(3, High)]);
    world
}

fn waiver(target: WaiverTarget) -> Waiver {
    Waiver { target, paths: vec![], fingerprint: None, reason: "later".into(), owner: None, until: None }
}

fn of_control(id: &str) -> Waiver {
    waiver(WaiverTarget::Control(id.into()))
}

fn attest(id: &str) -> Attestation {
    Attestation { control: id.into(), by: "Ada".into(), evidence: "runbook".into(), on: None, until: None }
}

#[test]
fn the_worked_example_adds_up() {
    let report = shop().report();
    let score = &report.score;
    assert_eq!((score.base, score.value, score.out_of_10), (Some(75.0), Some(75.0), Some(7.5)));
    assert_eq!((score.grade, score.verdict, score.level), (Some('B'), Some(Verdict::Conditional), 0));
    assert_eq!((score.cap, score.assessed), (Some(100), 1.0));
    assert_eq!(row(&report, "auth").loss, 12.5);
    assert_eq!((row(&report, "health").loss, row(&report, "leak").loss), (6.3, 6.2));
    // With the defect fixed: 48 / 60; with the route fixed: 56 / 64; with the capability: 52 / 64.
    assert_eq!(row(&report, "leak").gain.now, 5.0);
    assert_eq!(row(&report, "auth").gain.now, 12.5);
    assert_eq!(row(&report, "health").gain.now, 6.3);
}

#[test]
fn a_blocker_caps_and_banks() {
    let mut world = shop();
    world.add(blocking("key"), vec![], vec![finding(9, High)]);
    let report = world.report();
    // base = 100 · 48 / 80 = 60, below the cap of 64.
    assert_eq!((report.score.base, report.score.value, report.score.cap), (Some(60.0), Some(60.0), Some(64)));
    assert_eq!(
        (report.score.blockers.as_slice(), report.score.verdict),
        (&["key".to_owned()][..], Some(Verdict::NotReady))
    );
    // With auth fixed the base is 70 and the cap binds: 4 of 10 points now.
    let gain = &row(&report, "auth").gain;
    assert_eq!((gain.now, gain.banked), (4.0, 6.0));
    assert_eq!(row(&report, "key").gain.now, 15.0);
}

#[test]
fn the_plan_takes_blockers_first_and_four_days_a_week() {
    let mut world = shop();
    world.add(blocking("key"), vec![], vec![finding(9, High)]);
    for info in &mut world.controls {
        info.effort.base = if info.id == "health" { 0.5 } else { 3.0 };
    }
    let plan = world.report().plan;
    assert_eq!(plan.quick_wins, ["key", "health", "auth", "leak"]);
    assert_eq!(plan.unblocked, Some(crate::report::Unblocked { days: 3.0, score: 75.0 }));
    let weeks: Vec<(Vec<&str>, f64)> =
        plan.weeks.iter().map(|w| (w.controls.iter().map(String::as_str).collect(), w.score)).collect();
    // Without the blocker 48 of 64, then +8 and +4, then of 60.
    assert_eq!(weeks, [(vec!["key"], 75.0), (vec!["auth", "health"], 93.8), (vec!["leak"], 100.0)]);
}

#[test]
fn waived_findings_leave_the_value_and_the_strict_score_keeps_them() {
    let mut world = shop();
    world.config.waivers = vec![Waiver { paths: vec!["src".into()], ..of_control("leak") }];
    let report = world.report();
    assert_eq!((report.score.value, report.score.strict), (Some(80.0), Some(75.0)));
    assert_eq!(row(&report, "leak").state, State::Pass);
    assert_eq!(row(&report, "leak").findings[0].state, FindingState::Waived);
    assert_eq!(report.waivers[0].findings, 1);
    assert_eq!(notices(&report), ["strict-differs"]);
    let mut input = world.input(&locate);
    input.no_waivers = true;
    assert_eq!(assemble(input).score.value, Some(75.0));
}

#[test]
fn a_waiver_of_the_whole_control_takes_it_out_of_the_sums() {
    let mut world = shop();
    world.config.waivers = vec![of_control("auth"), of_control("passing-1")];
    let report = world.report();
    // 40 of 44 + 4.
    assert_eq!((report.score.value, row(&report, "auth").state), (Some(83.3), State::Waived));
    assert_eq!(row(&report, "auth").reason, "later");
    assert_eq!(row(&report, "passing-1").state, State::Pass);
    assert_eq!(notices(&report), ["strict-differs", "unused-waiver"]);
}

#[test]
fn waivers_that_ended_or_hit_nothing_are_told() {
    let mut world = shop();
    world.config.waivers = vec![
        Waiver { until: "2026-11-20".parse().ok(), ..of_control("leak") },
        Waiver { until: "2026-11-21".parse().ok(), fingerprint: Some("none".into()), ..of_control("leak") },
        Waiver { paths: vec!["lib/**".into()], ..waiver(WaiverTarget::Rule("bad".into())) },
    ];
    let report = world.report();
    assert_eq!(report.score.value, Some(75.0));
    assert_eq!(notices(&report), ["expired-waiver", "unused-waiver", "unused-waiver"]);
    assert_eq!(report.waivers.iter().map(|w| w.expired).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn inline_allows_waive_their_line_only() {
    let allows = |text: &str| {
        let mut world = shop();
        world.allows = vec![("src/app.ts".into(), find_allows(text, Comments::Slashes))];
        world.report()
    };
    // The finding of `leak` is on line 4.
    let report = allows("\n\n// readycheck-allow(leak): known\n");
    assert_eq!((report.score.value, report.score.strict), (Some(80.0), Some(75.0)));
    assert_eq!((report.waivers[0].source.as_str(), report.waivers[0].findings), ("src/app.ts:3", 1));
    assert_eq!(allows("\n\n\n// readycheck-allow(bad): by its rule\n").score.value, Some(80.0));
    let with_control = "\n\n\n// readycheck-allow(leak/bad): by both\n";
    assert_eq!(allows(with_control).score.value, Some(80.0));
    for (text, kind) in [
        ("\n\n\n// readycheck-allow(auth/bad): of another control", "malformed-allow"),
        ("// readycheck-allow(leak): too far away", "unused-allow"),
        ("\n\n\n// readycheck-allow(leak)", "malformed-allow"),
        ("\n\n\n// readycheck-allow(leek): typo", "malformed-allow"),
        ("\n\n\n// readycheck-allow(leak, until=2026-11-20): over", "expired-allow"),
    ] {
        let report = allows(text);
        assert_eq!((report.score.value, notices(&report)), (Some(75.0), vec![kind]), "{text}");
    }
}

#[test]
fn attestations_count_where_files_say_nothing() {
    let mut world = shop();
    world.add(control("drill", ControlKind::Manual, Priority::P1), vec![], vec![]);
    assert_eq!((world.report().score.value, world.report().score.assessed), (Some(75.0), 0.94));
    world.config.attestations = vec![attest("drill"), attest("health")];
    let report = world.report();
    // 52 of 64 + 4; health is proven absent.
    assert_eq!((report.score.value, row(&report, "drill").state), (Some(76.5), State::Attested));
    assert_eq!(row(&report, "health").state, State::Fail);
    assert_eq!(notices(&report), ["unused-attestation"]);
    world.config.attestations[0].until = "2026-11-20".parse().ok();
    let report = world.report();
    assert_eq!(row(&report, "drill").state, State::Unknown);
    assert_eq!(notices(&report), ["expired-attestation", "unused-attestation"]);
}

#[test]
fn a_gate_without_attestations_counts_none() {
    let mut world = shop();
    world.add(control("drill", ControlKind::Manual, Priority::P1), vec![], vec![]);
    world.config.attestations = vec![attest("drill")];
    world.config.gate = Some(crate::config::GateConfig { attestations: false, ..Default::default() });
    let report = world.report();
    assert_eq!(row(&report, "drill").state, State::Unknown);
    assert_eq!(notices(&report), ["attestations-ignored"]);
}

#[test]
fn configuration_moves_the_score_and_the_strict_one_keeps_what_makes_it_easier() {
    let mut world = shop();
    let one = |enabled, priority| ControlConfig { enabled, priority };
    world.config.controls.insert("health".into(), one(Some(false), None));
    world.config.controls.insert("auth".into(), one(None, Some(Priority::P3)));
    let report = world.report();
    // T = 40 + 0.25, C = 40.125, D = 4.
    assert_eq!((report.score.value, report.score.strict), (Some(90.7), Some(75.0)));
    assert_eq!(row(&report, "health").reason, "switched off in readycheck.toml");
    let mut raised = shop();
    raised.config.controls.insert("leak".into(), one(None, Some(Priority::P0)));
    let report = raised.report();
    // 48 of 60 + 16.
    assert_eq!((report.score.value, report.score.strict), (Some(63.2), Some(63.2)));
    assert_eq!(row(&report, "leak").findings[0].priority, Priority::P0);
}

#[test]
fn ready_takes_all_that_is_urgent() {
    let ready = World::new().with_passing(10);
    let verdict = |world: &World| world.report().score.verdict;
    assert_eq!(verdict(&ready), Some(Verdict::Ready));
    let with = |change: &dyn Fn(&mut World)| {
        let mut world = ready.clone();
        change(&mut world);
        verdict(&world)
    };
    let partial = |w: &mut World| {
        w.add(control("p0", COVERAGE, Priority::P0), vec![site(0, 1.0), site(1, 0.5)], vec![]);
    };
    let unknown = |w: &mut World| {
        w.add(control("p0", DEFECT, Priority::P0), vec![], vec![]).applies = Applies::Unknown("why".into());
    };
    let later = |w: &mut World| {
        w.controls.push(crate::rules::ControlInfo { implemented: false, ..control("p0", DEFECT, Priority::P0) });
    };
    let waived = |w: &mut World| {
        w.add(blocking("key"), vec![], vec![finding(0, High)]);
        w.config.waivers = vec![of_control("key")];
    };
    assert_eq!(with(&partial), Some(Verdict::Conditional));
    assert_eq!(with(&unknown), Some(Verdict::Conditional));
    assert_eq!(with(&later), Some(Verdict::Ready));
    assert_eq!(with(&waived), Some(Verdict::Conditional));
}

#[test]
fn levels_build_on_each_other() {
    let level = |p1: f64, p2: f64| {
        let mut world = World::new().with_passing(4);
        for index in 0..6 {
            world.add(control(&format!("one-{index}"), COVERAGE, Priority::P1), vec![site(0, p1)], vec![]);
            world.add(control(&format!("two-{index}"), COVERAGE, Priority::P2), vec![site(0, p2)], vec![]);
        }
        world.report().score.level
    };
    assert_eq!([level(0.5, 1.0), level(0.75, 0.5), level(0.75, 0.75), level(1.0, 1.0)], [1, 2, 3, 4]);
}

#[test]
fn the_interval_holds_the_doubt() {
    let mut world = World::new().with_passing(8);
    world.add(control("limit", COVERAGE, Priority::P1), vec![site(0, 1.0), undecided(1)], vec![]);
    world.add(control("maybe", DEFECT, Priority::P1), vec![], vec![finding(2, Low)]);
    let unsure = Site { confidence: Medium, ..site(3, 1.0) };
    world.add(control("seems", CAPABILITY, Priority::P1), vec![unsure], vec![]);
    let score = world.report().score;
    // (32 + 2 + 4) of (32 + 2 + 4 + 1.2); all bad (32 + 2 + 2) of (40 + 4); all good 40 of 40.
    assert_eq!((score.value, score.low, score.high), (Some(96.9), Some(81.8), Some(100.0)));
}

#[test]
fn no_number_without_ground_to_stand_on() {
    let reason = |world: &World| {
        let score = world.report().score;
        assert_eq!((score.value, score.verdict), (None, None));
        score.reason
    };
    assert_eq!(reason(&World::new().with_passing(7)), "only 7 controls apply; a score takes 8");
    let mut library = World::new().with_passing(9);
    library.project.services[0].kinds = vec![ProcessKind::Library];
    assert_eq!(reason(&library), "nothing here serves requests or works through jobs");
    let mut input = library.input(&locate);
    input.as_services = [ServiceId(0)].into();
    assert_eq!(assemble(input).score.value, Some(100.0));
    let mut foggy = World::new().with_passing(7);
    for index in 0..20 {
        let unknown = foggy.add(control(&format!("u{index}"), CAPABILITY, Priority::P1), vec![], vec![]);
        unknown.applies = Applies::Unknown("no rule".into());
    }
    assert_eq!(reason(&foggy), "only 26 % of what applies could be decided; a score takes 30 %");
    let mut empty = World::new();
    empty.project.services.clear();
    assert_eq!(reason(&empty), "there is no service here");
}

/// Two services, 10 controls each, and one repository-wide control computed in the second.
fn monorepo() -> World {
    let mut world = World::new();
    world.project.services = vec![
        service("apps/web", &[ProcessKind::Http]),
        service("apps/api", &[ProcessKind::Http]),
        service("packages/db", &[ProcessKind::Library]),
    ];
    for index in 0..10 {
        world.controls.push(control(&format!("c{index}"), CAPABILITY, Priority::P1));
        world.evaluate(index, 0, vec![site(0, 1.0)], vec![]);
        world.evaluate(index, 1, vec![site(0, if index < 5 { 1.0 } else { 0.0 })], vec![]);
    }
    let mut shared = control("ci", CAPABILITY, Priority::P1);
    shared.repository_wide = true;
    world.controls.push(shared);
    world.evaluate(10, 2, vec![], vec![]);
    world
}

#[test]
fn the_worst_service_speaks_for_the_project() {
    let report = monorepo().report();
    let services: Vec<_> = report.project.services.iter().map(|s| (s.path.as_str(), s.score.value)).collect();
    // 40 of 44, 20 of 44.
    assert_eq!(services, [("apps/api", Some(45.5)), ("apps/web", Some(90.9)), ("packages/db", None)]);
    assert_eq!((report.score.value, report.score.verdict), (Some(45.5), Some(Verdict::NotReady)));
    let ci: Vec<_> = report.controls.iter().filter(|c| c.id == "ci").collect();
    assert_eq!((ci.len(), ci[0].service.as_str()), (1, "packages/db"));
    let lost: f64 = report.controls.iter().filter(|c| c.service != "apps/web").map(|c| c.loss).sum();
    assert!((lost - 54.5).abs() < 1e-9, "{lost}");
    assert_eq!(report.plan.weeks.last().map(|week| week.score), Some(100.0));
}

#[test]
fn a_blocker_in_a_better_service_is_the_projects_too() {
    let mut world = monorepo();
    world.controls.push(blocking("key"));
    world.evaluate(11, 0, vec![], vec![finding(0, High)]);
    let score = world.report().score;
    assert_eq!((score.value, score.cap), (Some(45.5), Some(64)));
    assert_eq!(score.blockers, ["key"]);
    let mut input = world.input(&locate);
    input.services = Some([ServiceId(1)].into());
    assert_eq!(assemble(input).score.blockers, [""; 0]);
}

#[test]
fn rows_are_sorted_and_tallied() {
    let mut world = shop();
    world.evaluations[10].evidence = vec![evidence(9, "b"), evidence(1, "a"), evidence(1, "a")];
    let auth = vec![Finding { site: Some(1), ..finding(2, Medium) }];
    world.evaluations[10].findings = auth;
    world.evaluations.reverse();
    let report = world.report();
    let ids: Vec<_> = report.controls.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids[..3], ["passing-0", "passing-1", "passing-2"]);
    assert_eq!(ids[10..], ["auth", "health", "leak"]);
    assert_eq!(row(&report, "auth").evidence.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 10]);
    assert_eq!(report.tallies.priority["P1"]["pass"], 10);
    assert_eq!(report.tallies.category["api"]["partial"], 1);
    assert_eq!(report.tallies.category["security"]["not-applicable"], 0);
}
