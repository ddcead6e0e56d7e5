//! The engine of the binary: every question of the command line, answered by the layers below.

use std::path::Path;

use super::engine::{Engine, Gate, GateRequest, RuleFile, RuleTests};
use crate::audit::{self, Audit, Options, Stage};
use crate::config;
use crate::project::find_root;
use crate::report::Report;
use crate::rules::{RuleSet, rule_file_schema};
use crate::score::{GateOutcome, GateSettings, gate};

pub struct Builtin;

impl Engine for Builtin {
    fn audit(&self, options: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
        audit::run(options, progress)
    }

    fn gate(&self, options: &Options, report: &Report, asked: &GateRequest) -> miette::Result<Gate> {
        let root = root(options);
        let rules = audit::rules(options, &root)?;
        let config = audit::load_config(options, &root, &rules)?;
        let narrowed = !(options.only.is_empty() && options.skip.is_empty() && options.categories.is_empty());
        let settings = GateSettings::new(asked.min_score, asked.fail_on, None, config.gate.as_ref(), narrowed);
        let Some(settings) = settings else { return Ok(Gate::Off) };
        Ok(match gate(report, &settings, None) {
            GateOutcome::Passed => Gate::Passed,
            GateOutcome::Failed(reasons) => Gate::Failed(reasons),
            GateOutcome::Inconclusive(reason) => Gate::Inconclusive(reason),
        })
    }

    fn rules(&self, options: &Options) -> miette::Result<Vec<RuleFile>> {
        let rules = audit::rules(options, &root(options))?;
        let file = |control: &crate::rules::Control| RuleFile {
            info: control.info.clone(),
            path: control.source.path.clone(),
            text: control.source.text.to_string(),
        };
        Ok(rules.controls.iter().map(file).collect())
    }

    fn test_rules(&self, path: Option<&Path>, mutants: bool) -> miette::Result<RuleTests> {
        let rules = match path {
            Some(path) => RuleSet::under_test(path)?,
            None => RuleSet::embedded()?,
        };
        let (report, needless) = audit::test_rules(&rules, mutants)?;
        Ok(RuleTests {
            controls: report.controls,
            examples: report.examples,
            failures: report
                .failures
                .into_iter()
                .map(|f| (format!("{}:{}: {}", f.path, f.line, f.rule), f.message))
                .collect(),
            needless: needless
                .into_iter()
                .map(|m| (format!("{}:{}: {}", m.path, m.line, m.control), m.condition))
                .collect(),
        })
    }

    fn rule_schema(&self) -> serde_json::Value {
        RuleSet::embedded().map_or_else(|_| serde_json::json!({}), |rules| rule_file_schema(&rules.lexicons))
    }

    fn config_template(&self) -> &str {
        config::TEMPLATE
    }
}

/// The project around the path; the path itself where there is none (the audit says what is wrong with it).
fn root(options: &Options) -> std::path::PathBuf {
    find_root(&options.path).map_or_else(|_| options.path.clone(), |(root, _)| root)
}
