//! Members and elements: what `object.name` and `object[key]` may be.
//!
//! In go the things that the object may be and a name, out come the things that stand there.

use smallvec::SmallVec;

use super::thing::{MAX_THINGS, dedup, one};
use super::{Evaluator, MAX_CALLERS, MAX_DEPTH, Thing, Things};
use crate::facts::memo::Rests;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::syntax::hir::{Definition, ExprId, ExprKind, PropKind, SymbolIdx};

impl Evaluator<'_> {
    pub(super) fn member_expr(&mut self, at: ExprRef, object: ExprId, name: &str) -> Things {
        let module = self.program.module(at.module);
        let mut found = Things::new();
        if let ExprKind::Ident(symbol) = module.kind(object) {
            let assigned: SmallVec<[ExprId; 4]> =
                self.program.assigned_to(at.module, symbol, name).take(MAX_CALLERS).collect();
            for value in assigned {
                if value != at.expr {
                    found.extend(self.things(ExprRef { module: at.module, expr: value }));
                }
            }
        }
        let objects = self.things(ExprRef { module: at.module, expr: object });
        for thing in objects {
            found.extend(self.member(thing, name));
        }
        found
    }

    pub(super) fn index_expr(&mut self, module: ModuleId, object: ExprId, index: ExprId) -> Things {
        let objects = self.things(ExprRef { module, expr: object });
        let key = self.constant_text(ExprRef { module, expr: index });
        let mut found = Things::new();
        for thing in objects {
            match (&key, thing) {
                (Some(name), thing) => found.extend(self.member(thing, name)),
                (None, Thing::Path { path, .. }) => {
                    let path = self.paths.member(path, "[]");
                    found.push(Thing::Path { path, site: None });
                }
                // Any of the members, when the key is not known.
                (None, Thing::Data(at)) => found.extend(self.elements(at)),
                _ => {}
            }
        }
        found
    }

    /// Everything that an array or object literal holds.
    pub fn elements(&mut self, at: ExprRef) -> Things {
        let module = self.program.module(at.module);
        let items: SmallVec<[ExprId; 8]> = match module.kind(at.expr) {
            ExprKind::Array(run) => module.list(run).take(MAX_THINGS).collect(),
            ExprKind::Object(run) => module.object(run).iter().map(|p| p.value).take(MAX_THINGS).collect(),
            _ => return Things::new(),
        };
        items.into_iter().flat_map(|expr| self.things(ExprRef { module: at.module, expr })).collect()
    }

    pub fn member(&mut self, thing: Thing, name: &str) -> Things {
        // An object may spread itself (`state = { ...state, x }`).
        let is_own = !matches!(thing, Thing::Path { .. } | Thing::Module(_));
        if is_own { self.own_member(thing, name) } else { self.member_within_depth(thing, name) }
    }

    fn own_member(&mut self, thing: Thing, name: &str) -> Things {
        let key = (thing, Box::from(name));
        if let Some((known, rests)) = self.members.get(&key) {
            let known = known.clone();
            self.rests = self.rests.with(*rests);
            return known;
        }
        if self.depth >= MAX_DEPTH {
            self.cut();
            return Things::new();
        }
        self.members.begin(key.clone());
        let outer = std::mem::take(&mut self.rests);
        let mut found = self.member_within_depth(thing, name);
        dedup(&mut found);
        self.members.finish(key, found.clone(), self.rests);
        self.rests = self.rests.with(outer);
        found
    }

    fn member_within_depth(&mut self, thing: Thing, name: &str) -> Things {
        if self.depth >= MAX_DEPTH {
            self.cut();
            return Things::new();
        }
        self.depth += 1;
        let found = self.member_of(thing, name);
        self.depth -= 1;
        found
    }

    fn member_of(&mut self, thing: Thing, name: &str) -> Things {
        match thing {
            Thing::Path { path, .. } => one(Thing::Path { path: self.paths.member(path, name), site: None }),
            Thing::Module(module) => self.exported_name(module, name),
            Thing::Data(at) => self.property(at, name),
            Thing::Instance(module, class) => self.class_member(module, class, name, false, 0),
            Thing::Class(module, class) => self.class_member(module, class, name, true, 0),
            Thing::Made(function) => {
                let program = self.program;
                let module = program.module(function.module);
                let assigned = &module.function(function.function).assigned;
                let values: SmallVec<[ExprId; 2]> =
                    assigned.iter().filter(|(n, _)| module.str(*n) == name).map(|(_, v)| *v).collect();
                values.into_iter().flat_map(|expr| self.things(ExprRef { module: function.module, expr })).collect()
            }
            Thing::Function(function) => match name {
                "bind" | "call" | "apply" => one(thing),
                _ => self.function_property(function, name),
            },
        }
    }

    /// `f.x = …` on a declared function.
    fn function_property(&mut self, function: FunctionRef, name: &str) -> Things {
        let program = self.program;
        let module = program.module(function.module);
        let symbol = module
            .symbols
            .iter()
            .position(|s| matches!(s.definition, Definition::Function(index) if index == function.function));
        let Some(symbol) = symbol else { return Things::new() };
        let symbol = SymbolIdx(u32::try_from(symbol).unwrap_or(u32::MAX));
        let values: SmallVec<[ExprId; 4]> =
            program.assigned_to(function.module, symbol, name).take(MAX_CALLERS).collect();
        values.into_iter().flat_map(|expr| self.things(ExprRef { module: function.module, expr })).collect()
    }

    /// A property of an object literal, spreads included.
    fn property(&mut self, at: ExprRef, name: &str) -> Things {
        let program = self.program;
        let module = program.module(at.module);
        if let ExprKind::Array(run) = module.kind(at.expr) {
            let Ok(index) = name.parse::<usize>() else { return Things::new() };
            let item = module.list(run).nth(index);
            return item.map_or_else(Things::new, |expr| self.things(ExprRef { module: at.module, expr }));
        }
        let ExprKind::Object(run) = module.kind(at.expr) else { return Things::new() };
        for prop in module.object(run).iter().rev() {
            let value = ExprRef { module: at.module, expr: prop.value };
            match prop.kind {
                PropKind::Spread => {
                    let spread = self.things(value);
                    let found: Things = spread.into_iter().flat_map(|thing| self.member(thing, name)).collect();
                    if !found.is_empty() {
                        return found;
                    }
                }
                PropKind::Value if prop.key.is_some_and(|k| module.str(k) == name) => return self.things(value),
                PropKind::Getter if prop.key.is_some_and(|k| module.str(k) == name) => {
                    let getters = self.things(value);
                    return self.results(&getters, value, false);
                }
                _ => {}
            }
        }
        // `const db = {}; db.client = …; module.exports = db`.
        let values: SmallVec<[ExprId; 4]> = program.assigned_to_literal(at, name).take(MAX_CALLERS).collect();
        values.into_iter().flat_map(|expr| self.things(ExprRef { module: at.module, expr })).collect()
    }

    /// What the variable of a loop over `iterated` may be.
    pub(super) fn elements_of(&mut self, iterated: ExprRef) -> Things {
        self.rests = self.rests.with(Rests::on_loop(iterated));
        if let Some(item) = self.turn.element_of(iterated) {
            return self.things(item);
        }
        let iterated = self.things(iterated);
        iterated.into_iter().flat_map(|thing| self.element_of(thing)).collect()
    }

    fn element_of(&mut self, thing: Thing) -> Things {
        match thing {
            Thing::Data(at) => self.elements(at),
            Thing::Path { path, .. } => one(Thing::Path { path: self.paths.member(path, "[]"), site: None }),
            _ => Things::new(),
        }
    }
}
