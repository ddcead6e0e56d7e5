//! What facts say of each other: changes of state, roles of mounts, error handlers that nothing mounts.

use rustc_hash::FxHashMap;

use super::{Builder, symbol_of};
use crate::facts::code::roles::Role;
use crate::facts::model::{Data, Fact, FactId, Origins, Value};
use crate::facts::program::{ExprRef, FunctionRef};
use crate::project::{Area, Span};
use crate::syntax::hir::FunctionIdx;

impl<'p, 'r> Builder<'p, 'r> {
    /// Gives each change the fact of its collection.
    pub(super) fn join_states(&mut self) {
        let by_site: FxHashMap<ExprRef, usize> = self
            .raws
            .iter()
            .enumerate()
            .filter(|(_, raw)| &*raw.kind == "state")
            .map(|(index, raw)| (raw.at, index))
            .collect();
        for (index, raw) in self.raws.iter().enumerate().filter(|(_, raw)| &*raw.kind == "change") {
            let state = raw.refs("state").first().and_then(|at| by_site.get(at)).and_then(|raw| self.of_raw.get(raw));
            if let (Some(&state), Some(&own)) = (state, self.of_raw.get(&index)) {
                let id = FactId(u32::try_from(state).unwrap_or(u32::MAX));
                let value = Value { data: Data::Fact(id), origins: Origins::default() };
                self.facts[own].fields.push(("state".into(), value));
            }
        }
    }

    /// Functions in the form of an error handler (error, request, response, next) that nothing mounts.
    pub(super) fn unmounted_error_handlers(&mut self) {
        let program = self.program();
        for module in program.ids() {
            let loaded = program.loaded(module);
            if program.project.file(loaded.file).area != Area::Server {
                continue;
            }
            for (index, entry) in loaded.module.functions.iter().enumerate().skip(1) {
                let function = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
                let mounted = self.wiring.request_functions.contains(&function);
                if entry.parameters.len() != 4 || mounted || !self.evaluator.takes_request(function, 1) {
                    continue;
                }
                let at = Span { file: loaded.file, start: entry.start, end: entry.start + 1 };
                let mut fact = Fact::new("role", at, "shape error-handler").with("role", Value::text("error-handler"));
                fact.area = Area::Server;
                fact.service = program.project.file(loaded.file).service;
                fact.symbol = symbol_of(program, function);
                fact.used = false;
                fact.reached = self.reach.reached[module.0 as usize];
                fact.because = Some(match fact.reached {
                    true => format!("`{}` in {} is never mounted", fact.symbol, program.path(module)).into(),
                    false => self.why_unreached(module),
                });
                self.facts.push(fact);
            }
        }
    }

    pub(super) fn mount_roles(&mut self) {
        for (raw, roles) in &self.wiring.mount_roles {
            if let Some(&fact) = self.of_raw.get(raw) {
                let mut labels: Vec<String> = roles.iter().map(Role::label).collect();
                labels.sort();
                labels.dedup();
                self.facts[fact].fields.push(("roles".into(), Value::texts(&labels)));
            }
        }
    }
}
