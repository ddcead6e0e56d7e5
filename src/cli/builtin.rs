//! The engine of the binary: every question of the command line, answered by the layers below.

use std::path::Path;

use miette::miette;

use super::engine::{Engine, Gate, GateRequest, RuleFile, RuleTests};
use crate::audit::{Audit, Options, Stage};
use crate::report::Report;

pub struct Builtin;

impl Engine for Builtin {
    fn audit(&self, _: &Options, _: &dyn Fn(Stage)) -> miette::Result<Audit> {
        Err(miette!("this build has no audit"))
    }

    fn gate(&self, _: &Options, _: &Report, _: &GateRequest) -> miette::Result<Gate> {
        Ok(Gate::Off)
    }

    fn rules(&self, _: &Options) -> miette::Result<Vec<RuleFile>> {
        Ok(Vec::new())
    }

    fn test_rules(&self, _: Option<&Path>, _: bool) -> miette::Result<RuleTests> {
        Err(miette!("this build has no rules"))
    }

    fn rule_schema(&self) -> serde_json::Value {
        serde_json::json!({})
    }

    fn config_template(&self) -> &str {
        ""
    }
}
