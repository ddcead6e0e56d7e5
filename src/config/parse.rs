//! From the text of `readycheck.toml` to [`Config`].

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Problem, first_with_others};
use super::model::{
    Attestation, AuditConfig, Compliance, Config, ControlConfig, Exposure, GateConfig, ProjectConfig, Stage, Waiver,
    WaiverTarget,
};
use super::table::{Located, Problems, Table, bounded_number, choose, problem, suggestion};
use crate::rules::Priority;

/// The names that a configuration may use.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub controls: &'a [&'a str],
    pub rules: &'a [&'a str],
    pub categories: &'a [&'a str],
}

const PRIORITIES: &[(&str, Priority)] =
    &[("P0", Priority::P0), ("P1", Priority::P1), ("P2", Priority::P2), ("P3", Priority::P3)];
const STAGES: &[(&str, Stage)] = &[("development", Stage::Development), ("production", Stage::Production)];
const EXPOSURES: &[(&str, Exposure)] =
    &[("public", Exposure::Public), ("internal", Exposure::Internal), ("partner", Exposure::Partner)];
const COMPLIANCE: &[(&str, Compliance)] =
    &[("gdpr", Compliance::Gdpr), ("soc2", Compliance::Soc2), ("pci", Compliance::Pci)];

/// Parses and checks `text`; `name` is how errors call the file. The error is the first that the file has and holds
/// the others. Whatever is wrong, nothing of the file is used: half a configuration would gate on half its rules.
pub fn parse(name: &str, text: &str, known: &Known<'_>) -> Result<Config, Box<ConfigError>> {
    let mut problems = Problems::new();
    let config = match DeTable::parse(text) {
        Ok(root) => read_root(root.get_ref(), root.span(), known, &mut problems),
        Err(error) => {
            let range = error.span().unwrap_or(0..0);
            problems.push(problem(range, error.message(), "not TOML"));
            Config::default()
        }
    };
    first_with_others(problems, name, text).map_or(Ok(config), |error| Err(Box::new(error)))
}

fn read_root(root: &DeTable<'_>, range: std::ops::Range<usize>, known: &Known<'_>, problems: &mut Problems) -> Config {
    let mut table = Table::new(root, range, "the file");
    let config = Config {
        epoch: table.words("epoch", problems),
        extends: values(table.strings("extends", problems)),
        project: table.table("project", problems).map(|t| read_project(t, problems)).unwrap_or_default(),
        audit: table.table("audit", problems).map(|t| read_audit(t, problems)).unwrap_or_default(),
        gate: table.table("gate", problems).map(|t| read_gate(t, known, problems)),
        controls: table.table("controls", problems).map(|t| read_controls(&t, known, problems)).unwrap_or_default(),
        waivers: table.tables("waiver", problems).into_iter().filter_map(|t| read_waiver(t, known, problems)).collect(),
        attestations: table
            .tables("attest", problems)
            .into_iter()
            .filter_map(|t| read_attestation(t, known, problems))
            .collect(),
    };
    table.finish(problems);
    config
}

fn read_project(mut table: Table<'_, '_>, problems: &mut Problems) -> ProjectConfig {
    let project = ProjectConfig {
        stage: table.choice("stage", STAGES, problems),
        exposure: table.choice("exposure", EXPOSURES, problems),
        platform: table.words("platform", problems),
        replicas: table.count("replicas", problems),
        proxy_hops: table.count("proxy_hops", problems),
        compliance: read_compliance(&mut table, problems),
    };
    table.finish(problems);
    project
}

fn read_compliance(table: &mut Table<'_, '_>, problems: &mut Problems) -> Vec<Compliance> {
    let named = table.strings("compliance", problems);
    let mut found: Vec<_> = named.iter().filter_map(|word| choose("compliance", word, COMPLIANCE, problems)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn read_audit(mut table: Table<'_, '_>, problems: &mut Problems) -> AuditConfig {
    let audit = AuditConfig {
        exclude: globs(table.strings("exclude", problems), problems),
        services: values(table.strings("services", problems)),
        public: values(table.strings("public", problems)),
    };
    table.finish(problems);
    audit
}

fn read_gate(mut table: Table<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> GateConfig {
    let default = GateConfig::default();
    let gate = GateConfig {
        min_score: table.number("min_score", 100.0, problems),
        blockers: table.boolean("blockers", problems).unwrap_or(default.blockers),
        fail_on: table.choice("fail_on", PRIORITIES, problems),
        max_drop: table.number("max_drop", 100.0, problems),
        new: table.choice("new", PRIORITIES, problems),
        category_min: read_category_min(&mut table, known, problems),
        ratchet: table.boolean("ratchet", problems).unwrap_or(default.ratchet),
        attestations: table.boolean("attestations", problems).unwrap_or(default.attestations),
    };
    table.finish(problems);
    gate
}

fn read_category_min(table: &mut Table<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> BTreeMap<String, f64> {
    let Some(minima) = table.table("category_min", problems) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (category, value) in minima.entries() {
        let least = bounded_number(&category.value, value, 100.0, problems);
        if let (Some(name), Some(least)) = (known_id("category", category, known.categories, problems), least) {
            found.insert(name, least);
        }
    }
    found
}

fn read_controls(table: &Table<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> BTreeMap<String, ControlConfig> {
    let mut found = BTreeMap::new();
    for (key, value) in table.entries() {
        let name = format!("[controls.{}]", key.value);
        let Some(id) = known_id("control", key, known.controls, problems) else { continue };
        let DeValue::Table(entries) = value.get_ref() else {
            problems.push(problem(value.span(), format!("{name} must be a table"), "not a table"));
            continue;
        };
        let mut one = Table::new(entries, value.span(), name);
        let control = ControlConfig {
            enabled: one.boolean("enabled", problems),
            priority: one.choice("priority", PRIORITIES, problems),
        };
        one.finish(problems);
        found.insert(id, control);
    }
    found
}

fn read_waiver(mut table: Table<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Option<Waiver> {
    let control = table.string("control", problems);
    let rule = table.string("rule", problems);
    let target = match (control, rule) {
        (Some(id), None) => known_id("control", id, known.controls, problems).map(WaiverTarget::Control),
        (None, Some(id)) => known_id("rule", id, known.rules, problems).map(WaiverTarget::Rule),
        (None, None) => {
            if !table.has("control") && !table.has("rule") {
                table.missing("control` or `rule", problems);
            }
            None
        }
        (Some(_), Some(id)) => {
            problems.push(problem(id.range, "a waiver names a control or a rule, not both", "leave one out"));
            None
        }
    };
    let paths = globs(table.strings("paths", problems), problems);
    let fingerprint = table.words("fingerprint", problems);
    let reason = table.required_words("reason", problems);
    let owner = table.words("owner", problems);
    let until = table.date("until", problems);
    table.finish(problems);
    Some(Waiver { target: target?, paths, fingerprint, reason: reason?, owner, until })
}

fn read_attestation(mut table: Table<'_, '_>, known: &Known<'_>, problems: &mut Problems) -> Option<Attestation> {
    let control = table.string("control", problems);
    if control.is_none() && !table.has("control") {
        table.missing("control", problems);
    }
    let control = control.and_then(|id| known_id("control", id, known.controls, problems));
    let by = table.required_words("by", problems);
    let evidence = table.required_words("evidence", problems);
    let on = table.date("on", problems);
    let until = table.date("until", problems);
    table.finish(problems);
    Some(Attestation { control: control?, by: by?, evidence: evidence?, on, until })
}

fn known_id(what: &str, id: Located<String>, known: &[&str], problems: &mut Problems) -> Option<String> {
    if known.contains(&id.value.as_str()) {
        return Some(id.value);
    }
    let help = suggestion(&id.value, known.iter().copied())
        .unwrap_or_else(|| "`readycheck rules list` shows every id".to_owned());
    let message = format!("there is no {what} `{}`", id.value);
    problems.push(Problem { range: id.range, message, label: format!("unknown {what}"), help: Some(help) });
    None
}

fn globs(patterns: Vec<Located<String>>, problems: &mut Problems) -> Vec<String> {
    for pattern in &patterns {
        if let Err(error) = globset::Glob::new(&pattern.value) {
            problems.push(problem(pattern.range.clone(), format!("not a glob: {}", error.kind()), "here"));
        }
    }
    values(patterns)
}

fn values(located: Vec<Located<String>>) -> Vec<String> {
    located.into_iter().map(|one| one.value).collect()
}

#[cfg(test)]
mod tests;
