//! Whether what was seen is used: a router that is mounted, a role that stands on the way of a request.
//!
//! In goes a raw fact, out comes whether anything runs it.

use super::Builder;
use crate::facts::code::extract::Raw;
use crate::facts::model::Phase;
use crate::facts::program::FunctionRef;
use crate::syntax::hir::Definition;

impl<'p, 'r> Builder<'p, 'r> {
    /// Is what a raw fact makes mounted, or called on the way of a request?
    pub(super) fn is_used(&self, raw: &Raw) -> bool {
        match &*raw.kind {
            "router" => raw.text("parent") == Some("none") || self.wiring.used_sites.contains(&raw.at),
            "role" if self.wiring.mounts.contains(&raw.at) => true,
            "role" => match raw.get("fails") {
                Some(_) => raw.function.is_none_or(|f| self.phases[self.program().number(f).0 as usize] > Phase::Dead),
                None => {
                    self.wiring.used_sites.contains(&raw.at)
                        || self.stands_in_a_mount(raw)
                        || self.is_called_per_request(raw)
                }
            },
            _ => true,
        }
    }

    /// A function in the chain of a mount, or something made and called in one go.
    fn stands_in_a_mount(&self, raw: &Raw) -> bool {
        let Some(function) = raw.function else { return false };
        self.phases[self.program().number(function).0 as usize] == Phase::Request
    }

    /// `const limit = limiter(…)`, and a function that runs per request calls `limit(req, res, next)`.
    fn is_called_per_request(&self, raw: &Raw) -> bool {
        let program = self.program();
        let module = program.module(raw.at.module);
        let holds = |definition: &Definition| matches!(definition, Definition::Variable { init, steps, .. } if *init == raw.at.expr && steps.is_empty());
        let reads = module.symbols.iter().filter(|s| holds(&s.definition)).flat_map(|s| s.reads.iter().copied());
        reads.into_iter().any(|read| {
            let called = module.expr(read).parent.some().and_then(|p| module.call(p)).is_some_and(|(c, _)| c == read);
            let function = FunctionRef { module: raw.at.module, function: module.function_of(read) };
            called && self.phases[program.number(function).0 as usize] == Phase::Request
        })
    }
}
