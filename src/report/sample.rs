//! Hand-made reports for tests: a shop that is not ready and one that is.

use std::collections::BTreeMap;

use super::model::*;
use crate::facts::Confidence;
use crate::project::Diagnostic;
use crate::rules::{ControlInfo, ControlKind, Effort, Mode, Priority};

/// A medium-sized audit: five blockers, quick wins, a tight screen.
pub fn unready() -> Report {
    let mut controls = vec![
        open("hardcoded-secret", "security", Priority::P0, ControlKind::Defect, 0.5, (0.0, 8.1)),
        open("insecure-cookie-flags", "security", Priority::P0, ControlKind::Defect, 0.25, (0.0, 8.1)),
        open("route-authentication", "auth", Priority::P0, ControlKind::Coverage, 2.5, (3.0, 5.2)),
        open("input-validation", "api", Priority::P0, ControlKind::Coverage, 3.0, (2.6, 5.0)),
        open("sql-injection", "security", Priority::P0, ControlKind::Defect, 1.0, (0.0, 8.1)),
        open("rate-limit-coverage", "api", Priority::P1, ControlKind::Coverage, 1.5, (2.2, 0.0)),
        open("security-headers", "security", Priority::P1, ControlKind::Capability, 0.25, (3.4, 0.0)),
        open("health-endpoint", "reliability", Priority::P1, ControlKind::Capability, 0.5, (3.4, 0.0)),
        open("graceful-shutdown", "reliability", Priority::P1, ControlKind::Capability, 1.0, (3.4, 0.0)),
        good("lockfile", "delivery", Priority::P1, "package-lock.json", "npm's lock file matches `package.json`"),
        good("password-hashing", "auth", Priority::P0, "src/users.js", "`bcrypt.hash` with 12 rounds"),
        closed("secret-fallback-default", "security", Priority::P0, ControlKind::Defect, State::Pass, ""),
        closed(
            "tenant-data-isolation",
            "data",
            Priority::P0,
            ControlKind::Capability,
            State::NotApplicable,
            "one tenant",
        ),
        closed("backup-restore-tested", "data", Priority::P1, ControlKind::Manual, State::Unknown, "not attested"),
        closed("blue-green", "delivery", Priority::P3, ControlKind::Capability, State::Unknown, "not implemented yet"),
        closed("canary", "delivery", Priority::P3, ControlKind::Capability, State::Unknown, "not implemented yet"),
    ];
    fill_unready(&mut controls);
    let blockers: Vec<String> = controls.iter().filter(|c| c.blocker).map(|c| c.id.clone()).collect();
    let score = Score {
        state: ScoreState::Scored,
        value: Some(28.2),
        out_of_10: Some(2.8),
        grade: Some('F'),
        verdict: Some(Verdict::NotReady),
        level: 0,
        reason: String::new(),
        base: Some(28.2),
        cap: Some(44),
        blockers,
        low: Some(26.0),
        high: Some(33.5),
        assessed: 0.91,
        strict: Some(24.0),
    };
    Report {
        plan: Plan {
            quick_wins: ids(&[
                "insecure-cookie-flags",
                "hardcoded-secret",
                "sql-injection",
                "route-authentication",
                "input-validation",
                "security-headers",
                "health-endpoint",
                "graceful-shutdown",
            ]),
            unblocked: Some(Unblocked { days: 7.3, score: 58.4 }),
            weeks: vec![
                Week { controls: ids(&["hardcoded-secret", "sql-injection", "insecure-cookie-flags"]), score: 44.0 },
                Week { controls: ids(&["route-authentication", "security-headers"]), score: 61.5 },
            ],
        },
        notices: vec![Notice {
            kind: "unused-waiver".into(),
            path: Some("readycheck.toml".into()),
            line: Some(12),
            message: "this waiver of `n-plus-one` matches nothing".into(),
        }],
        diagnostics: vec![Diagnostic {
            kind: "parse-error".into(),
            path: "src/broken.js".into(),
            line: 7,
            message: "unexpected `}`; the file was left out".into(),
        }],
        ..report(score, controls, &["express", "mongoose"])
    }
}

/// Everything is in place but what nobody can see in files.
pub fn ready() -> Report {
    let controls = vec![
        good("hardcoded-secret", "security", Priority::P0, "src/env.ts", "`STRIPE_KEY` comes from the environment"),
        good("route-authentication", "auth", Priority::P0, "src/auth.ts", "`requireUser` guards 31 routes"),
        good("input-validation", "api", Priority::P0, "src/validate.ts", "`zod` checks every body"),
        good("rate-limit-coverage", "api", Priority::P1, "src/limit.ts", "mounted before all routes"),
        good("security-headers", "security", Priority::P1, "src/app.ts", "`helmet()` is mounted first"),
        open("tracing", "observability", Priority::P2, ControlKind::Capability, 1.0, (1.3, 0.0)),
        closed("backup-restore-tested", "data", Priority::P1, ControlKind::Manual, State::Attested, ""),
        closed("canary", "delivery", Priority::P3, ControlKind::Capability, State::Unknown, "not implemented yet"),
    ];
    let score = Score {
        state: ScoreState::Scored,
        value: Some(92.4),
        out_of_10: Some(9.2),
        grade: Some('A'),
        verdict: Some(Verdict::Ready),
        level: 3,
        reason: String::new(),
        base: Some(92.4),
        cap: None,
        blockers: Vec::new(),
        low: Some(91.0),
        high: Some(94.1),
        assessed: 0.97,
        strict: Some(92.4),
    };
    let mut report = report(score, controls, &["express", "postgres", "prisma"]);
    report.plan = Plan {
        quick_wins: ids(&["tracing"]),
        unblocked: None,
        weeks: vec![Week { controls: ids(&["tracing"]), score: 93.7 }],
    };
    report.project.counts.skipped.clear();
    report
}

pub fn not_assessable() -> Report {
    let score = Score {
        state: ScoreState::NotAssessable,
        value: None,
        out_of_10: None,
        grade: None,
        verdict: None,
        level: 0,
        reason: "there is no service of kind http, worker, scheduler or function".into(),
        base: None,
        cap: None,
        blockers: Vec::new(),
        low: None,
        high: None,
        assessed: 0.0,
        strict: None,
    };
    let mut report = report(score, Vec::new(), &[]);
    report.project.services.clear();
    report.project.counts = Counts { audited: 0, skipped: BTreeMap::new() };
    report.project.lines = 0;
    report
}

pub fn finding(rule: &str, path: &str, line: u32, message: &str) -> FindingReport {
    FindingReport {
        rule: rule.into(),
        path: path.into(),
        line,
        column: 3,
        end_line: line,
        end_column: 12,
        service: ".".into(),
        message: message.into(),
        confidence: Confidence::High,
        priority: Priority::P0,
        fingerprint: format!("{rule}-{line}"),
        state: FindingState::Open,
        trace: Vec::new(),
        secret: false,
    }
}

/// The texts of the controls in the reports above.
pub fn controls() -> Vec<ControlInfo> {
    let info = |(id, title, problem, why, fix): &(&str, &str, &str, &str, &str)| ControlInfo {
        id: (*id).into(),
        title: (*title).into(),
        problem: (*problem).into(),
        category: "security".into(),
        kind: ControlKind::Defect,
        mode: Mode::Any,
        priority: Priority::P0,
        blocker: true,
        blocks: None,
        effort: Effort { base: 0.5, per_site: 0.0, max: 0.5 },
        standards: vec!["SOC2 CC6.1".into()],
        why: (*why).into(),
        fix: (*fix).into(),
        remedy: None,
        processes: Vec::new(),
        repository_wide: false,
        unknown_without_evidence: false,
        implemented: true,
    };
    TEXTS.iter().map(info).collect()
}

const TEXTS: [(&str, &str, &str, &str, &str); 10] = [
    (
        "hardcoded-secret",
        "Secrets come from outside",
        "Secret literal in the source",
        "Whoever reads the code has the key.",
        "Read it from the environment and rotate it.",
    ),
    (
        "insecure-cookie-flags",
        "Cookies are protected",
        "Session cookie without `httpOnly`",
        "A script can take the session.",
        "Set `httpOnly`, `secure` and `sameSite`.",
    ),
    (
        "route-authentication",
        "Routes know who calls",
        "Routes that change data for anybody",
        "Anybody can change anything.",
        "Mount the authentication before the routes.",
    ),
    (
        "input-validation",
        "Input is validated",
        "Request bodies go unchecked",
        "What the client sends reaches the database.",
        "Parse each body with a schema.",
    ),
    (
        "sql-injection",
        "SQL is parameterised",
        "Request data in SQL text",
        "An attacker reads every table.",
        "Bind the values.",
    ),
    (
        "rate-limit-coverage",
        "Routes are rate limited",
        "Routes without a rate limit",
        "One client can use up everything.",
        "Mount a limiter before the routes.",
    ),
    (
        "security-headers",
        "Security headers are sent",
        "No security headers",
        "Browsers cannot protect users.",
        "Mount `helmet()` first.",
    ),
    (
        "health-endpoint",
        "There is a health endpoint",
        "No health endpoint",
        "Nobody notices a dead process.",
        "Answer on `/health`.",
    ),
    (
        "graceful-shutdown",
        "Shutdown drains requests",
        "Deployments drop requests",
        "Each release fails requests in flight.",
        "On SIGTERM, close the server, then the pool.",
    ),
    (
        "tracing",
        "Requests are traced",
        "No distributed tracing",
        "Slow requests cannot be explained.",
        "Start OpenTelemetry before the server.",
    ),
];

fn fill_unready(controls: &mut [ControlReport]) {
    for (index, control) in controls.iter_mut().take(5).enumerate() {
        control.blocker = true;
        let line = 4 + 27 * u32::try_from(index).unwrap_or(0);
        let message = format!("`{}` is violated here", control.id);
        control.findings.push(finding(&control.id.clone(), "src/routes/orders.js", line, &message));
    }
    controls[0].findings[0].secret = true;
    controls[2]
        .findings
        .extend((0..17).map(|n| finding("no-auth", "src/routes/users.js", 20 + n, "`POST` without auth")));
    controls[2].reason = "5 of 23 routes".into();
    controls[5].state = State::Partial;
    controls[5].reason = "5 of 23 routes".into();
    controls[6].nearest_miss = Some(evidence("package.json", "`helmet` is installed but never mounted"));
}

fn open(id: &str, category: &str, priority: Priority, kind: ControlKind, days: f64, gain: (f64, f64)) -> ControlReport {
    ControlReport {
        effort_days: days,
        loss: gain.0 + gain.1,
        gain: Gain { now: gain.0, banked: gain.1 },
        ..closed(id, category, priority, kind, State::Fail, "")
    }
}

fn good(id: &str, category: &str, priority: Priority, path: &str, message: &str) -> ControlReport {
    let mut control = closed(id, category, priority, ControlKind::Capability, State::Pass, "");
    control.evidence.push(evidence(path, message));
    control
}

fn closed(
    id: &str,
    category: &str,
    priority: Priority,
    kind: ControlKind,
    state: State,
    reason: &str,
) -> ControlReport {
    let title = TEXTS.iter().find(|text| text.0 == id).map_or_else(|| id.replace('-', " "), |text| text.1.to_owned());
    ControlReport {
        id: id.into(),
        title,
        category: category.into(),
        priority,
        kind,
        blocker: false,
        service: ".".into(),
        state,
        value: None,
        reason: reason.into(),
        sites: SiteCounts::default(),
        loss: 0.0,
        gain: Gain::default(),
        effort_days: 0.0,
        remedy: None,
        command: None,
        standards: vec!["SOC2 CC6.1".into()],
        evidence: Vec::new(),
        nearest_miss: None,
        gaps: Vec::new(),
        findings: Vec::new(),
    }
}

fn evidence(path: &str, message: &str) -> EvidenceReport {
    EvidenceReport { rule: "rule".into(), path: path.into(), line: 12, column: 1, message: message.into() }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn report(score: Score, controls: Vec<ControlReport>, stacks: &[&str]) -> Report {
    let service = ServiceReport {
        path: ".".into(),
        kinds: vec!["http".into()],
        languages: vec!["javascript".into()],
        stacks: ids(stacks),
        score: score.clone(),
    };
    Report {
        schema: SCHEMA,
        tool: Tool { name: "readycheck", version: "0.1.0", epoch: "2026.1".into() },
        project: ProjectSummary {
            root: ".".into(),
            commit: None,
            lines: 3_120,
            counts: Counts { audited: 46, skipped: BTreeMap::from([("parse-error".into(), 1)]) },
            services: vec![service],
        },
        score,
        tallies: tally(&controls),
        controls,
        routes: Vec::new(),
        plan: Plan::default(),
        waivers: Vec::new(),
        attestations: Vec::new(),
        notices: Vec::new(),
        diagnostics: Vec::new(),
        now: None,
    }
}

fn tally(controls: &[ControlReport]) -> Tallies {
    let mut tallies = Tallies::default();
    for control in controls {
        let state = serde_json::to_value(control.state).unwrap().as_str().unwrap().to_owned();
        let add = |counts: &mut BTreeMap<String, StateCounts>, key: String| {
            *counts.entry(key).or_default().entry(state.clone()).or_default() += 1;
        };
        add(&mut tallies.category, control.category.clone());
        add(&mut tallies.priority, format!("{:?}", control.priority));
    }
    tallies
}
