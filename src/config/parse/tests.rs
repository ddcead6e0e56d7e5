use super::*;
use crate::config::{Date, TEMPLATE};

const KNOWN: Known<'static> = Known {
    controls: &["api-versioning", "backup-restore-drill", "rate-limit-coverage"],
    rules: &["route-without-limit"],
    categories: &["security", "api"],
};

fn read(text: &str) -> Config {
    parse("readycheck.toml", text, &KNOWN).unwrap_or_else(|error| panic!("{error}: {:?}", error.others))
}

/// The message, the marked text and the help of every problem.
fn wrong(text: &str) -> Vec<(String, String, String)> {
    let first = *parse("readycheck.toml", text, &KNOWN).expect_err("it should be refused");
    let others = first.others.clone();
    std::iter::once(first)
        .chain(others)
        .map(|e| (e.message.clone(), text[e.range()].to_owned(), e.help.clone().unwrap_or_default()))
        .collect()
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(read(""), Config::default());
    assert_eq!(read("# nothing\n"), Config::default());
    assert_eq!(read(TEMPLATE), Config::default());
}

/// A key line of the template is `#key = …` or `#[table]`, without a blank after the sign.
#[test]
fn the_template_documents_every_key() {
    let live: String = TEMPLATE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = read(&live);
    assert_eq!(config.epoch.as_deref(), Some("2026.1"));
    assert_eq!(config.extends, ["../our-rules"]);
    assert_eq!(
        config.project,
        ProjectConfig {
            stage: Some(Stage::Production),
            exposure: Some(Exposure::Public),
            platform: Some("fly".into()),
            replicas: Some(2),
            proxy_hops: Some(1),
            compliance: vec![Compliance::Gdpr],
        }
    );
    assert_eq!(config.audit.exclude, ["legacy/**"]);
    assert_eq!(config.audit.services, ["apps/api", "apps/worker"]);
    assert_eq!(config.audit.public.len(), 2);
    assert_eq!(
        config.gate,
        Some(GateConfig {
            min_score: Some(70.0),
            fail_on: Some(Priority::P0),
            max_drop: Some(2.0),
            new: Some(Priority::P1),
            category_min: BTreeMap::from([("security".into(), 80.0)]),
            ..GateConfig::default()
        })
    );
    assert_eq!(config.controls["api-versioning"], ControlConfig { enabled: Some(false), priority: Some(Priority::P3) });
    assert_eq!(config.waivers[0].until, date("2027-03-31"));
    assert!(!config.waivers[0].is_of_whole_control());
    assert_eq!(config.attestations[0].on, date("2026-11-01"));
}

#[test]
fn an_unknown_key_is_marked_and_the_nearest_is_named() {
    assert_eq!(
        wrong("[gate]\nmin_scroe = 70\n"),
        [("[gate] has no key `min_scroe`".into(), "min_scroe".into(), "did you mean `min_score`?".into())]
    );
    let (message, marked, help) = wrong("[zzz]\na = 1\n").remove(0);
    assert_eq!((message.as_str(), marked.as_str()), ("the file has no key `zzz`", "zzz"));
    assert!(help.contains("keys: epoch, extends, project"), "{help}");
}

#[test]
fn an_unknown_id_is_marked_and_the_nearest_is_named() {
    let found = wrong("[controls.api-versionning]\nenabled = false\n");
    assert_eq!(found[0].1, "api-versionning");
    assert_eq!(found[0].2, "did you mean `api-versioning`?");
    let found = wrong("[[waiver]]\nrule = \"route-without-limt\"\nreason = \"r\"\n");
    assert_eq!(found[0].1, "\"route-without-limt\"");
    assert_eq!(wrong("[gate]\ncategory_min = { securty = 3 }")[0].1, "securty");
}

#[test]
fn wrong_values_are_marked() {
    for (text, marked, says) in [
        ("epoch = 2026.1", "2026.1", "must be a string"),
        ("epoch = \"\"", "\"\"", "is empty"),
        ("[project]\nstage = \"prod\"", "\"prod\"", "is no `stage`"),
        ("[project]\nreplicas = -1", "-1", "whole number"),
        ("[project]\ncompliance = [\"gdpr\", \"hipaa\"]", "\"hipaa\"", "is no `compliance`"),
        ("[gate]\nmin_score = 101", "101", "between 0 and 100"),
        ("[gate]\nmin_score = nan", "nan", "between 0 and 100"),
        ("[gate]\nfail_on = \"P4\"", "\"P4\"", "is no `fail_on`"),
        ("[audit]\nexclude = [\"a[\"]", "\"a[\"", "not a glob"),
        ("[audit]\nexclude = \"a\"", "\"a\"", "list of strings"),
        ("[[waiver]]\nreason = \"r\"", "[[waiver]]", "lacks `control` or `rule`"),
        ("[[waiver]]\ncontrol = \"api-versioning\"", "[[waiver]]", "lacks `reason`"),
        ("[[attest]]\ncontrol = \"api-versioning\"\nby = \"a\"", "[[attest]]", "lacks `evidence`"),
        ("[waiver]\nreason = \"r\"", "[waiver]", "list of tables"),
        ("gate = 1", "1", "must be a table"),
        ("[gate\n", "", ""),
    ] {
        let found = wrong(text);
        assert!(found[0].0.contains(says), "{text}: {found:?}");
        assert_eq!(found[0].1, marked, "{text}");
    }
}

#[test]
fn dates_must_be_days_of_the_calendar() {
    let waiver = |until: &str| format!("[[waiver]]\ncontrol = \"api-versioning\"\nreason = \"r\"\nuntil = {until}\n");
    assert_eq!(read(&waiver("2027-03-31")).waivers[0].until, date("2027-03-31"));
    assert_eq!(read(&waiver("\"2027-03-31\"")).waivers[0].until, date("2027-03-31"));
    for bad in ["\"2027-02-30\"", "\"soon\"", "2027-03-31T10:00:00Z", "7"] {
        assert_eq!(wrong(&waiver(bad))[0].1, bad);
    }
}

#[test]
fn every_problem_of_the_file_is_told_in_its_order() {
    let found = wrong("epok = \"1\"\n[gate]\nmin_score = 700\nblokers = true\n");
    let marked: Vec<_> = found.iter().map(|(_, marked, _)| marked.as_str()).collect();
    assert_eq!(marked, ["epok", "700", "blokers"]);
}

#[test]
fn hostile_files_are_refused_without_a_crash() {
    for text in ["a.".repeat(5_000) + "b = 1", "x = ".to_owned() + &"[".repeat(20_000), "\u{0}\u{1b}[31m".to_owned()] {
        assert!(parse("readycheck.toml", &text, &KNOWN).is_err());
    }
}
