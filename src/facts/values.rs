//! What a value is, as far as it is constant, and where it comes from: constant folding and flow in one.

use std::sync::Arc;

use smallvec::SmallVec;

use super::apart::{join, put_in, spread_origins};
use super::checks::admits_known;
use super::model::{Data, Guard, Origins, Record, Value, Within};
use super::paths::PathId;
use super::program::{ExprRef, FunctionRef, ModuleId};
use super::resolve::{Evaluator, Thing, gives_what_it_holds};
use super::stacks::Verb;
use crate::syntax::hir::{
    BinaryOp, ContextId, ContextKind, Definition, ExprId, ExprKind, Language, LogicalOp, Module, PropKind, Run, Step,
    SymbolIdx, Type, TypeId, TypeRoot,
};

const MAX_DEPTH: u16 = 32;
/// Elements and properties that are looked at.
const MAX_ITEMS: usize = 64;
/// Later values of a variable that are looked at.
const MAX_ASSIGNED: usize = 16;
/// With more callers than these nobody says what all of them pass.
const MAX_CALLERS: usize = 16;

/// Turns of a loop over constants that are told apart.
const MAX_TURNS: usize = 64;

/// Callbacks of these run once per element.
pub const ITERATORS: &[&str] = &["map", "forEach", "flatMap", "filter", "some", "every", "find", "reduce", "each"];

impl Evaluator<'_> {
    pub fn value(&mut self, at: ExprRef) -> Value {
        if at.expr == ExprId::NONE {
            return Value::ABSENT;
        }
        if let Some(known) = self.values.get(&at) {
            return known.clone();
        }
        if self.value_depth >= MAX_DEPTH || !self.value_active.insert(at) {
            return Value::UNKNOWN;
        }
        self.value_depth += 1;
        let value = self.compute(at);
        self.value_depth -= 1;
        self.value_active.remove(&at);
        self.values.insert(at, value.clone());
        value
    }

    fn compute(&mut self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Str(atom) => Value::text(module.str(atom)),
            ExprKind::Num(index) => Value::number(module.numbers[index as usize]),
            ExprKind::Bool(value) => Value::bool(value),
            ExprKind::Null => Value { data: Data::Null, origins: Origins::LITERAL },
            ExprKind::Undefined => Value::ABSENT,
            ExprKind::Regex(atom) => {
                Value { data: Data::Text(module.str(atom).into()), origins: regex_origin(module.str(atom)) }
            }
            ExprKind::Template { quasis, exprs } => self.template(at.module, quasis, exprs),
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Spread(inner) => self.value(here(inner)),
            ExprKind::Assign { value, .. } => self.value(here(value)),
            ExprKind::Sequence(run) => {
                let last = module.list(run).last();
                last.map_or(Value::UNKNOWN, |last| self.value(here(last)))
            }
            ExprKind::Object(run) => self.object(at.module, run),
            ExprKind::Array(run) => {
                let items: SmallVec<[ExprId; 8]> = module.list(run).take(MAX_ITEMS).collect();
                let items: Vec<Value> = items.into_iter().map(|item| self.value(here(item))).collect();
                let origins = items.iter().fold(Origins::default(), |all, item| all.with(item.origins));
                Value { data: Data::List(items.into()), origins }
            }
            ExprKind::Logical { op, left, right } => {
                let developers = op == LogicalOp::And && self.is_development(at.module, left);
                let (left, right) = (self.value(here(left)), self.value(here(right)));
                logical(op, left, if developers { shown_to_developers(&right) } else { right })
            }
            ExprKind::Conditional { test, branches } => self.conditional(at.module, test, branches),
            ExprKind::Binary { op, left, right } => self.binary(at.module, op, left, right),
            ExprKind::Not(inner) => {
                let inner = self.value(here(inner));
                match inner.data {
                    Data::Bool(value) => Value { data: Data::Bool(!value), origins: inner.origins },
                    Data::Null | Data::Absent => Value::bool(true),
                    // `!!token` says whether there is one, not what it is.
                    _ => Value { data: Data::Unknown, origins: only_environment(inner.origins) },
                }
            }
            ExprKind::Unary(inner) => {
                let inner = self.value(here(inner));
                Value { data: Data::Unknown, origins: inner.origins }
            }
            ExprKind::Ident(symbol) => self.symbol_value(at, symbol),
            ExprKind::Member { object, name } => self.member_value(at, object, module.str(name)),
            ExprKind::Index { object, index } => self.index_value(at, object, index),
            ExprKind::Call { callee, args } | ExprKind::New { callee, args } => self.call_value(at, callee, args),
            ExprKind::Global(_) => self.path_value(at).unwrap_or(Value::UNKNOWN),
            ExprKind::Tagged { template, .. } => {
                let inner = self.value(here(template));
                Value { data: Data::Unknown, origins: inner.origins }
            }
            _ => Value::UNKNOWN,
        }
    }

    fn template(&mut self, module: ModuleId, quasis: Run, exprs: u32) -> Value {
        let hir = self.program.module(module);
        let texts = &hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
        let holes: SmallVec<[ExprId; 4]> = hir.holes(quasis, exprs).collect();
        let mut text = String::new();
        let mut origins =
            texts.first().map_or(Origins::default(), |atom| Origins::of_start(&hir.strings[*atom as usize]));
        let mut constant = true;
        for (index, atom) in texts.iter().enumerate() {
            text.push_str(&hir.strings[*atom as usize]);
            if let Some(&hole) = holes.get(index) {
                let hole = ExprRef { module, expr: hole };
                let value = self.value(hole);
                origins = origins.joined(self.checked_origins(hole, value.origins));
                match plain_text(&value) {
                    Some(part) => text.push_str(&part),
                    None => constant = false,
                }
            }
        }
        built(constant, text, origins)
    }

    /// The texts that an expression has in turn, where it names or holds the variable of a loop over constant texts.
    pub fn texts_in_loop(&mut self, at: ExprRef) -> Vec<String> {
        let hir = self.program.module(at.module);
        match hir.kind(at.expr) {
            ExprKind::Ident(symbol) => self.texts_of_element(at.module, symbol),
            ExprKind::Template { quasis, exprs } => {
                let holes: SmallVec<[ExprId; 4]> = hir.holes(quasis, exprs).collect();
                let &[hole] = holes.as_slice() else { return Vec::new() };
                let texts = &hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
                let piece = |index: usize| texts.get(index).map_or("", |atom| &*hir.strings[*atom as usize]);
                let inner = self.texts_in_loop(ExprRef { module: at.module, expr: hole });
                inner.into_iter().map(|text| format!("{}{text}{}", piece(0), piece(1))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn texts_of_element(&mut self, module: ModuleId, symbol: SymbolIdx) -> Vec<String> {
        let hir = self.program.module(module);
        let of = match &hir.symbol(symbol).definition {
            Definition::Element { of, keys: false, steps } if steps.is_empty() => Some(*of),
            Definition::Parameter { function, index: 0, steps, .. } if steps.is_empty() => {
                self.iterated(FunctionRef { module, function: *function })
            }
            _ => None,
        };
        let Some(of) = of else { return Vec::new() };
        let Data::List(items) = self.value(ExprRef { module, expr: of }).data else { return Vec::new() };
        let texts: Option<Vec<String>> = items.iter().take(MAX_TURNS).map(plain_text).collect();
        texts.unwrap_or_default()
    }

    fn object(&mut self, module: ModuleId, run: Run) -> Value {
        let hir = self.program.module(module);
        let mut record = Record::default();
        let mut origins = Origins::default();
        for prop in hir.object(run).iter().take(MAX_ITEMS) {
            let at = ExprRef { module, expr: prop.value };
            match (prop.kind, prop.key) {
                (PropKind::Spread, _) => {
                    let spread = self.value(at);
                    origins = origins.with(spread_origins(&spread));
                    match spread.data {
                        Data::Record(other) => {
                            for (name, value) in &other.fields {
                                set_field(&mut record, name.clone(), value.clone());
                            }
                            record.open |= other.open;
                        }
                        Data::Absent | Data::Null | Data::Bool(_) => {}
                        _ => record.open = true,
                    }
                }
                (PropKind::Value, Some(key)) => {
                    let value = self.value(at);
                    origins = origins.with(value.origins);
                    // Something stands there, whatever it is.
                    let value = if value.is_absent() && !matches!(hir.kind(prop.value), ExprKind::Undefined) {
                        Value { data: Data::Unknown, origins: value.origins }
                    } else {
                        value
                    };
                    set_field(&mut record, hir.str(key).into(), value);
                }
                (PropKind::Getter, Some(key)) => set_field(&mut record, hir.str(key).into(), Value::UNKNOWN),
                _ => record.open = true,
            }
        }
        record.open |= run.len as usize > MAX_ITEMS;
        Value { data: Data::Record(Arc::new(record)), origins }
    }

    fn conditional(&mut self, module: ModuleId, test: ExprId, branches: Run) -> Value {
        let hir = self.program.module(module);
        let branches: SmallVec<[ExprId; 2]> = hir.list(branches).collect();
        let test_value = self.value(ExprRef { module, expr: test });
        let mut values: SmallVec<[Value; 2]> =
            branches.iter().map(|&expr| self.value(ExprRef { module, expr })).collect();
        for (index, (value, &branch)) in values.iter_mut().zip(&branches).enumerate() {
            if admits_known(hir, test, branch, index == 0) {
                value.origins = Origins::ALLOW_LISTED;
            }
        }
        if let Some(yes) = values.first_mut()
            && self.is_development(module, test)
        {
            *yes = shown_to_developers(yes);
        }
        let [yes, no] = values.as_slice() else { return Value::UNKNOWN };
        match test_value.data {
            Data::Bool(true) => return yes.clone(),
            Data::Bool(false) => return no.clone(),
            _ => {}
        }
        let by_environment = if test_value.origins.has(Origins::PROD) { Origins::PROD } else { Origins::default() };
        let origins = yes.origins.with(no.origins).with(by_environment);
        if yes.data == no.data {
            Value { data: yes.data.clone(), origins }
        } else {
            Value { data: Data::Unknown, origins }
        }
    }

    /// `process.env.NODE_ENV === "development"`; whatever is only asked not to be production may be anything.
    fn is_development(&mut self, module: ModuleId, test: ExprId) -> bool {
        match self.program.module(module).kind(test) {
            ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
                let sides = [left, right].map(|expr| self.value(ExprRef { module, expr }));
                sides.iter().any(|side| matches!(side.as_text(), Some("development" | "dev" | "local")))
                    && sides.iter().any(|side| side.origins.has(Origins::ENV))
            }
            ExprKind::Logical { op: LogicalOp::And, left, right } => {
                self.is_development(module, left) || self.is_development(module, right)
            }
            _ => false,
        }
    }

    fn binary(&mut self, module: ModuleId, op: BinaryOp, left: ExprId, right: ExprId) -> Value {
        let (at_left, at_right) = (ExprRef { module, expr: left }, ExprRef { module, expr: right });
        let (left, right) = (self.value(at_left), self.value(at_right));
        match op {
            BinaryOp::Add => {
                if let (Data::Number(a), Data::Number(b)) = (&left.data, &right.data) {
                    return Value::number(a + b);
                }
                let origins = self.checked_origins(at_left, left.origins);
                let origins = origins.joined(self.checked_origins(at_right, right.origins));
                let origins = origins.with(left.as_text().map_or(Origins::default(), Origins::of_start));
                match (plain_text(&left), plain_text(&right)) {
                    (Some(a), Some(b)) => built(true, a + &b, origins),
                    _ => built(false, String::new(), origins),
                }
            }
            BinaryOp::Modulo if left.as_text().is_some() || left.origins.has(Origins::BUILT) => {
                let origins = self.checked_origins(at_left, left.origins);
                built(false, String::new(), origins.joined(self.checked_origins(at_right, right.origins)))
            }
            BinaryOp::Multiply => match (&left.data, &right.data) {
                (Data::Number(a), Data::Number(b)) => Value::number(a * b),
                _ => Value { data: Data::Unknown, origins: Origins::DYNAMIC },
            },
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let production = [&left, &right].iter().any(|v| matches!(v.as_text(), Some("production" | "prod")));
                let environment = left.origins.with(right.origins).has(Origins::ENV);
                let origins = if production && environment { Origins::PROD } else { Origins::default() };
                Value { data: Data::Unknown, origins: origins.with(only_environment(left.origins.with(right.origins))) }
            }
            _ => Value { data: Data::Unknown, origins: Origins::default() },
        }
    }

    fn symbol_value(&mut self, at: ExprRef, symbol: SymbolIdx) -> Value {
        if let Some(value) = self.path_value(at) {
            return self.with_guard_of_own_error(at, symbol, value);
        }
        let program = self.program;
        let entry = program.module(at.module).symbol(symbol);
        let here = |expr| ExprRef { module: at.module, expr };
        let value = match &entry.definition {
            Definition::Variable { init, steps, .. } if self.checked_field(at.module, *init, steps).is_some() => {
                Value { data: Data::Unknown, origins: Origins::ALLOW_LISTED }
            }
            Definition::Variable { init, steps, default, .. } => {
                let mut value = if *init == ExprId::NONE { Value::ABSENT } else { self.value(here(*init)) };
                value = follow(program.module(at.module), value, steps);
                if *default != ExprId::NONE {
                    value = logical(LogicalOp::Nullish, value, self.value(here(*default)));
                }
                if !entry.assigned.is_empty() {
                    let mut origins = value.origins.with(Origins::DYNAMIC);
                    let mut open = Record { fields: Vec::new(), open: true };
                    if let Data::Record(record) = &value.data {
                        open.fields = record.fields.clone();
                    }
                    for assigned in entry.assigned.iter().take(MAX_ASSIGNED) {
                        origins = origins.joined(self.value(here(*assigned)).origins);
                        // `if (isProduction) message = "…"`
                        if self.surroundings(here(*assigned)).1.0 & Guard::PROD.0 != 0 {
                            origins = origins.with(Origins::PROD);
                        }
                    }
                    let data = if open.fields.is_empty() { Data::Unknown } else { Data::Record(Arc::new(open)) };
                    return self.with_guard_of_own_error(at, symbol, Value { data, origins });
                }
                self.with_assigned_fields(at.module, symbol, value)
            }
            Definition::Parameter { function, index, steps, default, .. } => {
                let function = FunctionRef { module: at.module, function: *function };
                let value = self.parameter_value(function, *index as usize, steps);
                if *default == ExprId::NONE {
                    value
                } else {
                    logical(LogicalOp::Nullish, value, self.value(here(*default)))
                }
            }
            Definition::Caught => Value { data: Data::Unknown, origins: Origins::CAUGHT_ERROR },
            Definition::Element { of, steps, .. } => match self.element_value(here(*of)) {
                Some(value) => follow(program.module(at.module), value, steps),
                None => {
                    let of = self.value(here(*of));
                    Value { data: Data::Unknown, origins: of.origins.with(Origins::LOOP_VARIABLE) }
                }
            },
            Definition::Import { .. } => self.imported_value(at),
            Definition::Enum(_) => Value { data: Data::Unknown, origins: Origins::CONSTANT },
            Definition::Function(_) | Definition::Class(_) => Value { data: Data::Unknown, origins: Origins::CONSTANT },
            _ => Value::UNKNOWN,
        };
        self.with_guard_of_own_error(at, symbol, value)
    }

    /// `options.expiresIn = "15m"` later on: the field may be there.
    fn with_assigned_fields(&mut self, module: ModuleId, symbol: SymbolIdx, value: Value) -> Value {
        let Data::Record(record) = &value.data else { return value };
        let program = self.program;
        let assigned = program.assigned_fields(module, symbol);
        if assigned.is_empty() {
            return value;
        }
        let mut record = Record { fields: record.fields.clone(), open: record.open || assigned.len() > MAX_ITEMS };
        let mut origins = value.origins;
        for (name, expr) in assigned.iter().take(MAX_ITEMS) {
            let name = program.module(module).str(*name);
            let given = self.value(ExprRef { module, expr: *expr });
            origins = origins.with(given.origins);
            let before = record.fields.iter().find(|(n, _)| &**n == name).map(|(_, value)| value.origins);
            let either = given.origins.with(before.unwrap_or(Origins::DYNAMIC));
            set_field(&mut record, name.into(), Value { data: Data::Unknown, origins: either });
        }
        Value { data: Data::Record(Arc::new(record)), origins }
    }

    /// Inside `if (e instanceof AppError)` the error is the project's own: its text is meant for clients.
    fn with_guard_of_own_error(&mut self, at: ExprRef, symbol: SymbolIdx, value: Value) -> Value {
        if !is_error(value.origins) {
            return value;
        }
        let module = self.program.module(at.module);
        let own = module.contexts_of(at.expr).any(|(_, context)| match context.kind {
            ContextKind::Then(test) => tests_kind_of_error(module, test, symbol),
            _ => false,
        }) || enclosing_conditional_tests(module, at.expr, symbol);
        if own { Value { data: value.data, origins: value.origins.with(Origins::OWN_ERROR) } } else { value }
    }

    fn imported_value(&mut self, at: ExprRef) -> Value {
        let things = self.things(at);
        match things.as_slice() {
            [Thing::Data(data)] if *data != at => {
                let value = self.value(*data);
                Value { data: value.data, origins: value.origins.with(Origins::CONSTANT) }
            }
            _ => match self.exported_constant(at) {
                Some(value) => value,
                None => Value::UNKNOWN,
            },
        }
    }

    /// `import { LIMIT } from "./config"`: the value of what it names.
    fn exported_constant(&mut self, at: ExprRef) -> Option<Value> {
        let program = self.program;
        let loaded = program.loaded(at.module);
        let ExprKind::Ident(symbol) = loaded.module.kind(at.expr) else { return None };
        let Definition::Import { source, name } = loaded.module.symbol(symbol).definition else { return None };
        let super::program::Target::Module(target) = loaded.targets[source.0 as usize] else { return None };
        match program.export(target, &loaded.module, name)? {
            super::program::Exported::Expr(expr) => Some(self.value(expr)),
            super::program::Exported::Symbol(module, symbol) => {
                let entry = program.module(module).symbol(symbol);
                match &entry.definition {
                    Definition::Variable { init, steps, .. } if entry.assigned.is_empty() => {
                        let value = self.value(ExprRef { module, expr: *init });
                        Some(follow(program.module(module), value, steps))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn parameter_value(&mut self, function: FunctionRef, index: usize, steps: &[Step]) -> Value {
        let program = self.program;
        let hir = program.module(function.module);
        if self.is_element_callback(function, index) {
            let iterated = self.iterated(function).map(|expr| ExprRef { module: function.module, expr });
            if let Some(value) = iterated.and_then(|iterated| self.element_value(iterated)) {
                return follow(hir, value, steps);
            }
            return Value {
                data: Data::Unknown,
                origins: Origins::LOOP_VARIABLE.with(self.iterated_origins(function)),
            };
        }
        if self.is_error_parameter(function, index) {
            return Value { data: Data::Unknown, origins: Origins::CAUGHT_ERROR };
        }
        if self.is_position(function, index) {
            return Value { data: Data::Unknown, origins: Origins::NUMERIC };
        }
        if let Some(value) = self.handed_by_library(function, index) {
            return follow(hir, value, steps);
        }
        let value = self.passed_by_callers(function, index, steps);
        self.marked(function, index, value)
    }

    /// What the callers of a function pass for a parameter, as far as they agree.
    fn passed_by_callers(&mut self, function: FunctionRef, index: usize, steps: &[Step]) -> Value {
        let program = self.program;
        let hir = program.module(function.module);
        let links = self.links;
        let entered = self.turn.call_of(function);
        let callers = match &entered {
            Some(call) => std::slice::from_ref(call),
            None => links.callers.get(program.number(function).0 as usize).map_or(&[][..], Vec::as_slice),
        };
        let mut origins = Origins::PARAMETER;
        let mut given = callers.is_empty() || callers.len() >= MAX_CALLERS;
        let mut agreed: Option<Value> = None;
        for call in callers.iter().take(MAX_CALLERS) {
            let value = match self.passed(*call, function, index) {
                Some(argument) => follow(hir, self.value(argument), steps),
                None if self.spreads_arguments(*call) => Value::UNKNOWN,
                None => Value::ABSENT,
            };
            given |= matches!(value.data, Data::Unknown) && value.origins.without(Origins::DYNAMIC).0 == 0;
            // A loop variable of the caller is not one here, and what the caller built is the caller's.
            let passed = value.origins.without(Origins::LOOP_VARIABLE.with(Origins::BUILT));
            origins = if agreed.is_none() { origins.with(passed) } else { origins.joined(passed) };
            agreed = Some(agreed.map_or_else(|| value.clone(), |seen| join(&seen, &value, 0)));
        }
        if given && !(steps.is_empty() && self.holds_no_text(function, index)) {
            origins = origins.joined(Origins::GIVEN);
        }
        match agreed {
            Some(value) if callers.len() <= MAX_CALLERS => Value { data: value.data, origins },
            _ => Value { data: Data::Unknown, origins },
        }
    }

    fn spreads_arguments(&self, call: ExprRef) -> bool {
        let module = self.program.module(call.module);
        module.call(call.expr).is_some_and(|(_, args)| {
            module.list(args).any(|argument| matches!(module.kind(argument), ExprKind::Spread(_)))
        })
    }

    /// The parameter of a callback that a library calls: what a promise holds, or what a stack says that the call gives
    /// (`bcrypt.hash(password, 12, (error, hash) => …)`).
    fn handed_by_library(&mut self, function: FunctionRef, index: usize) -> Option<Value> {
        let program = self.program;
        let hir = program.module(function.module);
        let expr = hir.function(function.function).expr.some()?;
        let parent = hir.expr(expr).parent.some()?;
        let (callee, _) = hir.call(parent).filter(|(callee, _)| *callee != expr)?;
        if let ExprKind::Member { object, name } = hir.kind(callee)
            && hir.str(name) == "then"
            && index == 0
        {
            return Some(self.value(ExprRef { module: function.module, expr: object }));
        }
        let paths = self.paths_of(ExprRef { module: function.module, expr: callee });
        let origins = paths.into_iter().find_map(|path| self.declared_origin(path, Origins::default()))?;
        Some(Value { data: Data::Unknown, origins })
    }

    /// Is the parameter declared to be a number, a flag or one of some literals?
    fn holds_no_text(&self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let parameter = hir.function(function.function).parameters.get(index);
        parameter.is_some_and(|parameter| self.is_closed_type(function.module, parameter.annotation, 0))
    }

    fn is_closed_type(&self, module: ModuleId, ty: TypeId, depth: u8) -> bool {
        let hir = self.program.module(module);
        match hir.ty(ty) {
            _ if depth > 4 => false,
            Some(Type::Keyword(name)) => {
                matches!(hir.str(*name), "number" | "boolean" | "bigint" | "literal" | "undefined" | "null")
            }
            Some(Type::Union(parts)) => parts.iter().all(|&part| self.is_closed_type(module, part, depth + 1)),
            Some(Type::Array(inner)) => self.is_closed_type(module, *inner, depth + 1),
            Some(Type::Reference { root: TypeRoot::Symbol(symbol), path, .. }) if path.is_empty() => {
                match hir.symbol(*symbol).definition {
                    Definition::TypeOnly(inner) => self.is_closed_type(module, inner, depth + 1),
                    Definition::Enum(_) => true,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Is it the index that `map((item, index) => …)` and `Array.from(x, (_, index) => …)` hand in?
    fn is_position(&self, function: FunctionRef, index: usize) -> bool {
        if index != 1 {
            return false;
        }
        let hir = self.program.module(function.module);
        let Some(expr) = hir.function(function.function).expr.some() else { return false };
        let Some((callee, _)) = hir.expr(expr).parent.some().and_then(|parent| hir.call(parent)) else { return false };
        matches!(hir.kind(callee), ExprKind::Member { name, .. } if callee != expr
            && matches!(hir.str(name), "map" | "forEach" | "flatMap" | "filter" | "some" | "every" | "find" | "from"))
    }

    /// Is the function the callback of `map`, `forEach` …?
    pub fn is_element_callback(&self, function: FunctionRef, index: usize) -> bool {
        index == 0 && self.iterated(function).is_some()
    }

    /// What the callback runs over.
    pub fn iterated(&self, function: FunctionRef) -> Option<ExprId> {
        let hir = self.program.module(function.module);
        let expr = hir.function(function.function).expr.some()?;
        let parent = hir.expr(expr).parent.some()?;
        let (callee, _) = hir.call(parent)?;
        match hir.kind(callee) {
            ExprKind::Member { object, name } if callee != expr && ITERATORS.contains(&hir.str(name)) => Some(object),
            _ => None,
        }
    }

    fn iterated_origins(&mut self, function: FunctionRef) -> Origins {
        match self.iterated(function) {
            Some(expr) => self.value(ExprRef { module: function.module, expr }).origins,
            None => Origins::default(),
        }
    }

    /// The first parameter of an error handler, of the callback of `.catch`, and of `(err, result) => …`.
    fn is_error_parameter(&self, function: FunctionRef, index: usize) -> bool {
        let hir = self.program.module(function.module);
        let entry = hir.function(function.function);
        if index != 0 {
            return false;
        }
        let name = entry.parameters.first().and_then(|p| p.symbol.some()).map(|s| hir.str(hir.symbol(s).name));
        if entry.parameters.len() == 4 && name.is_some_and(is_error_name) {
            return true;
        }
        let Some(parent) = entry.expr.some().and_then(|e| hir.expr(e).parent.some()) else { return false };
        let Some((callee, _)) = hir.call(parent) else { return false };
        match hir.kind(callee) {
            ExprKind::Member { name: method, .. } if hir.str(method) == "catch" => true,
            _ => entry.parameters.len() >= 2 && name.is_some_and(is_error_name),
        }
    }

    fn member_value(&mut self, at: ExprRef, object: ExprId, name: &str) -> Value {
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let object_ref = ExprRef { module: at.module, expr: object };
        let of = self.value(object_ref);
        if of.origins.has(Origins::REQUEST.with(Origins::PARAMETER))
            && let Some(origins) = self.schema_field(object_ref, name)
        {
            return Value { data: Data::Unknown, origins };
        }
        // An object that holds an error (`{ data, error }`) is none itself.
        let known = matches!(&of.data, Data::Record(record) if record.fields.iter().any(|(field, _)| &**field == name));
        if is_error(of.origins) && !known {
            return error_member(&of, name);
        }
        match &of.data {
            Data::Record(_) => {
                let field = of.field(name);
                if !field.is_absent() {
                    return field;
                }
            }
            Data::List(items) if name == "length" => return Value::number(items.len() as f64),
            _ => {}
        }
        if name == "length" {
            return Value { data: Data::Unknown, origins: Origins::DYNAMIC };
        }
        let things = self.things(at);
        if let [Thing::Data(data)] = things.as_slice()
            && *data != at
            && let value = self.value(*data)
            && !self.depends_on_call(at, *data, &value)
        {
            return value;
        }
        if let Some(value) = self.field_constant(object_ref, name) {
            return value;
        }
        // A member of what a request holds is still the request's.
        Value { data: Data::Unknown, origins: of.origins }
    }

    /// What another function puts into an object from its parameters is different for each of its calls.
    fn depends_on_call(&self, reader: ExprRef, data: ExprRef, value: &Value) -> bool {
        let function = |at: ExprRef| (at.module, self.program.module(at.module).function_of(at.expr));
        value.origins.has(Origins::PARAMETER) && function(reader) != function(data)
    }

    /// `config.secret`, where `config` is a class instance or module with that constant.
    fn field_constant(&mut self, object: ExprRef, name: &str) -> Option<Value> {
        let program = self.program;
        for thing in self.things(object) {
            match thing {
                Thing::Module(module) => match program.export_named(module, name)? {
                    super::program::Exported::Expr(expr) => return Some(self.value(expr)),
                    super::program::Exported::Symbol(module, symbol) => {
                        let entry = program.module(module).symbol(symbol);
                        if let Definition::Variable { init, steps, .. } = &entry.definition
                            && entry.assigned.is_empty()
                        {
                            let value = self.value(ExprRef { module, expr: *init });
                            return Some(follow(program.module(module), value, steps));
                        }
                    }
                    _ => {}
                },
                Thing::Data(data) => {
                    let field = self.value(data).field(name);
                    if !field.is_absent() && !self.depends_on_call(object, data, &field) {
                        return Some(field);
                    }
                }
                Thing::Instance(module, class) => {
                    let hir = program.module(module);
                    let assigned = hir.class(class).assigned.iter().find(|(n, _)| hir.str(*n) == name);
                    if let Some((_, expr)) = assigned {
                        let value = self.value(ExprRef { module, expr: *expr });
                        // What an object was wired with is no value of a call.
                        let wired = Origins::PARAMETER.with(Origins::GIVEN);
                        return Some(Value { origins: value.origins.without(wired), ..value });
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn index_value(&mut self, at: ExprRef, object: ExprId, index: ExprId) -> Value {
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let of = self.value(ExprRef { module: at.module, expr: object });
        let key = self.value(ExprRef { module: at.module, expr: index });
        match (&of.data, &key.data) {
            (Data::Record(_), Data::Text(name)) => of.field(name),
            (Data::List(items), Data::Number(n)) if *n >= 0.0 => {
                items.get(*n as usize).cloned().unwrap_or(Value::ABSENT)
            }
            // Whatever the key, only what the table holds comes out.
            (Data::Record(record), _) if !record.open => {
                Value { data: Data::Unknown, origins: of.origins.with(Origins::ALLOW_LISTED) }
            }
            _ => Value { data: Data::Unknown, origins: of.origins },
        }
    }

    fn call_value(&mut self, at: ExprRef, callee: ExprId, args: Run) -> Value {
        let module = self.program.module(at.module);
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let arguments: SmallVec<[ExprId; 4]> = module.list(args).take(8).collect();
        let here = |expr| ExprRef { module: at.module, expr };
        let passed: SmallVec<[Value; 4]> = arguments
            .iter()
            .map(|&argument| match module.kind(argument) {
                ExprKind::Function(_) => Value::UNKNOWN,
                _ => self.value(here(argument)),
            })
            .collect();
        let mut origins = passed.iter().fold(Origins::default(), |all, value| all.with(value.origins));
        let mut method = "";
        if let ExprKind::Member { object, name } = module.kind(callee) {
            method = module.str(name);
            if module.language == Language::Rust && gives_what_it_holds(method) {
                return self.value(here(object));
            }
            if let Some(mapped) = self.mapped_value(at.module, method, &arguments) {
                return mapped;
            }
            let receiver = self.value(here(object));
            if let Some(folded) = fold_method(&receiver, method) {
                return folded;
            }
            origins = match method {
                // The keys of an object are written where it is made.
                "keys" => origins.with(receiver.origins).without(Origins::GIVEN),
                // How often says nothing of what.
                "repeat" => receiver.origins,
                "fill" => origins,
                _ => origins.joined(receiver.origins),
            };
        }
        for thing in self.things(here(callee)) {
            if let Thing::Function(function) = thing {
                let by_name = module.keywords(args).map(|_| self.passed_values(at, function));
                return self.returned_value(function, by_name.as_ref().unwrap_or(&passed));
            }
            if let Thing::Path { path, .. } = thing
                && let Some(replaced) = self.declared_origin(path, origins)
            {
                return Value { data: Data::Unknown, origins: replaced };
            }
        }
        if module.language == Language::Python && matches!(method, "format" | "join") {
            return built(false, String::new(), origins);
        }
        let (keep_literal, masked) = match method {
            "slice" | "substring" | "substr" => (false, Origins::MASKED),
            _ => (false, Origins::default()),
        };
        let kept = if keep_literal { origins } else { Origins(origins.0 & !Origins::LITERAL.0) };
        Value { data: Data::Unknown, origins: kept.with(masked) }
    }

    /// `ids.map(() => "?")`: what the callback returns, whatever it runs over.
    fn mapped_value(&mut self, module: ModuleId, method: &str, arguments: &[ExprId]) -> Option<Value> {
        let callback = match method {
            "map" | "flatMap" => *arguments.first()?,
            "from" => *arguments.get(1)?,
            _ => return None,
        };
        let ExprKind::Function(function) = self.program.module(module).kind(callback) else { return None };
        let entry = self.program.module(module).function(function);
        let returns: SmallVec<[ExprId; 4]> = entry.returns.iter().take(6).copied().collect();
        let origins = returns
            .into_iter()
            .fold(Origins::default(), |all, expr| all.joined(self.value(ExprRef { module, expr }).origins));
        Some(Value { data: Data::Unknown, origins: origins.without(Origins::LITERAL.with(Origins::LOOP_VARIABLE)) })
    }

    /// What stack files say that the result of a call is.
    pub(super) fn declared_origin(&mut self, path: PathId, arguments: Origins) -> Option<Origins> {
        let stacks = self.stacks;
        for clause in stacks.origin_candidates(self.paths.last_name(path)) {
            if self.matcher.matches(&self.paths, &stacks.types, path, &clause.selector) {
                return Some(if clause.replaces { clause.origin } else { clause.origin.with(arguments) });
            }
        }
        None
    }

    /// What a call of a function of the project gives, with what it passes.
    fn returned_value(&mut self, function: FunctionRef, passed: &[Value]) -> Value {
        if let Some(known) = self.returned.get(&function) {
            return put_in(known, passed);
        }
        let depth = self.value_depth;
        if let Some(known) = self.returned_deep.get(&(function, depth)) {
            return put_in(known, passed);
        }
        if !self.returning.insert(function) {
            return Value::UNKNOWN;
        }
        let program = self.program;
        let entry = program.module(function.module).function(function.function);
        let mut returned: Option<Value> = None;
        let hir = program.module(function.module);
        for &expr in entry.returns.iter().filter(|&&expr| !is_rejection(hir, expr)).take(6) {
            let mut value = self.value_apart(function, ExprRef { module: function.module, expr });
            // What a function finds by a request's words is no longer the request's.
            let found = Origins::REQUEST.with(Origins::GIVEN).with(Origins::LOOP_VARIABLE);
            value.origins = value.origins.without(found);
            returned = Some(match returned {
                Some(seen) => {
                    let origins = seen.origins.joined(value.origins);
                    Value { data: join(&seen, &value, 0).data, origins }
                }
                None => value,
            });
        }
        self.returning.remove(&function);
        // What a function without a body or without returns does to its arguments is anybody's guess.
        let returned = returned.unwrap_or_else(|| {
            let marks = (0..passed.len()).map(Origins::of_parameter).fold(Origins::PARAMETER, Origins::with);
            Value { data: Data::Unknown, origins: marks }
        });
        let value = put_in(&returned, passed);
        if depth < MAX_DEPTH / 2 {
            self.returned.insert(function, returned);
        } else {
            self.returned_deep.insert((function, depth), returned);
        }
        value
    }

    /// The value of something external: an environment variable, a part of a request, what a stack declares.
    fn path_value(&mut self, at: ExprRef) -> Option<Value> {
        for thing in self.things(at) {
            let Thing::Path { path, .. } = thing else { continue };
            if self.is_input(path) && !self.is_made_from_environment(at) {
                let turn = if self.is_of_loop(at) { Origins::LOOP_VARIABLE } else { Origins::default() };
                return Some(Value { data: Data::Unknown, origins: Origins::REQUEST.with(turn) });
            }
            if self.is_environment(path) || self.is_whole_environment(path) {
                return Some(Value { data: Data::Unknown, origins: Origins::ENV });
            }
            if self.paths.is_result(path)
                && let Some(origins) = self.paths.parent(path).and_then(|p| self.declared_origin(p, Origins::default()))
            {
                // Arguments are the caller's to add unless the result hides them.
                if origins == Origins::RANDOM {
                    return Some(Value { data: Data::Unknown, origins });
                }
            }
        }
        None
    }

    /// Is it the variable of a loop, or a property of that?
    fn is_of_loop(&self, at: ExprRef) -> bool {
        let module = self.program.module(at.module);
        let mut expr = at.expr;
        while let ExprKind::Member { object, .. } | ExprKind::Index { object, .. } = module.kind(expr) {
            expr = object;
        }
        let ExprKind::Ident(symbol) = module.kind(expr) else { return false };
        match module.symbol(symbol).definition {
            Definition::Element { keys, .. } => !keys,
            Definition::Parameter { function, index, .. } => {
                self.is_element_callback(FunctionRef { module: at.module, function }, index as usize)
            }
            _ => false,
        }
    }

    /// `new URL(process.env.DATABASE_URL).searchParams` is no part of a request.
    fn is_made_from_environment(&mut self, at: ExprRef) -> bool {
        let mut at = self.origin(at);
        for _ in 0..8 {
            let module = self.program.module(at.module);
            let next = match module.kind(at.expr) {
                ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => object,
                ExprKind::Call { callee, .. } => match self.first_returned(ExprRef { module: at.module, expr: callee })
                {
                    Some(returned) => {
                        at = self.origin(returned);
                        continue;
                    }
                    None => callee,
                },
                ExprKind::New { args, .. } => {
                    let Some(first) = module.list(args).next() else { return false };
                    let origins = self.value(ExprRef { module: at.module, expr: first }).origins;
                    return origins.has(Origins::ENV) && !origins.has(Origins::REQUEST);
                }
                _ => return false,
            };
            at = self.origin(ExprRef { module: at.module, expr: next });
        }
        false
    }

    /// What a function of the project returns first.
    fn first_returned(&mut self, callee: ExprRef) -> Option<ExprRef> {
        self.things(callee).into_iter().find_map(|thing| match thing {
            Thing::Function(function) => {
                let expr = *self.program.module(function.module).function(function.function).returns.first()?;
                Some(ExprRef { module: function.module, expr })
            }
            _ => None,
        })
    }

    /// All variables together: each of its members is one.
    pub fn is_whole_environment(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.environments.get(&path) {
            return known;
        }
        let variable = self.paths.member(path, "ANY");
        let found = variable != path && self.is_environment(variable);
        self.environments.insert(path, found);
        found
    }

    pub fn is_environment(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.variables.get(&path) {
            return known;
        }
        let stacks = self.stacks;
        let found = stacks.candidates(Verb::Read, self.paths.last_name(path)).any(|(clause, pattern)| {
            &*clause.kind == "env" && self.matcher.matches_pattern(&self.paths, &stacks.types, path, pattern)
        });
        self.variables.insert(path, found);
        found
    }

    /// Is it, or does it lie inside, what a stack calls input?
    pub fn is_input(&mut self, path: PathId) -> bool {
        if let Some(&known) = self.inputs.get(&path) {
            return known;
        }
        let own = self.is_input_itself(path);
        let found = own || self.paths.parent(path).is_some_and(|parent| self.is_input(parent));
        self.inputs.insert(path, found);
        found
    }

    fn is_input_itself(&mut self, path: PathId) -> bool {
        let stacks = self.stacks;
        let (verb, asked) = if self.paths.is_result(path) {
            match self.paths.parent(path) {
                Some(parent) => (Verb::Call, parent),
                None => return false,
            }
        } else {
            (Verb::Read, path)
        };
        stacks.candidates(verb, self.paths.last_name(asked)).any(|(clause, pattern)| {
            &*clause.kind == "input" && self.matcher.matches_pattern(&self.paths, &stacks.types, asked, pattern)
        })
    }

    /// What surrounds an expression: loops, try, catch, and tests of the environment.
    pub fn surroundings(&mut self, at: ExprRef) -> (Within, Guard) {
        let module = self.program.module(at.module);
        let contexts: SmallVec<[(ContextId, ContextKind); 8]> =
            module.contexts_of(at.expr).map(|(id, context)| (id, context.kind)).collect();
        let mut within = 0;
        let mut guard = 0;
        for (_, kind) in contexts {
            match kind {
                ContextKind::Loop { .. } => within |= Within::LOOP.0,
                ContextKind::Try { .. } => within |= Within::TRY.0,
                ContextKind::Catch => within |= Within::CATCH.0,
                ContextKind::Finally => within |= Within::FINALLY.0,
                ContextKind::Then(test) => guard |= self.guard_of(at.module, test, true),
                ContextKind::Else(test) => guard |= self.guard_of(at.module, test, false),
                ContextKind::Function(function) => {
                    if self.iterated(FunctionRef { module: at.module, function }).is_some() {
                        within |= Within::LOOP.0;
                    }
                }
                ContextKind::Case | ContextKind::With(_) => {}
            }
        }
        (Within(within), Guard(guard))
    }

    fn guard_of(&mut self, module: ModuleId, test: ExprId, holds: bool) -> u8 {
        let hir = self.program.module(module);
        match hir.kind(test) {
            ExprKind::Not(inner) => self.guard_of(module, inner, !holds),
            ExprKind::Logical { op, left, right } if (op == LogicalOp::And) == holds => {
                self.guard_of(module, left, holds) | self.guard_of(module, right, holds)
            }
            ExprKind::Binary { op: op @ (BinaryOp::Equal | BinaryOp::NotEqual), left, right } => {
                let (left, right) =
                    (self.value(ExprRef { module, expr: left }), self.value(ExprRef { module, expr: right }));
                if !left.origins.with(right.origins).has(Origins::ENV) {
                    return 0;
                }
                let equal = (op == BinaryOp::Equal) == holds;
                match left.as_text().or(right.as_text()) {
                    Some("production" | "prod") if equal => Guard::PROD.0,
                    Some("production" | "prod") => Guard::DEV.0,
                    Some("development" | "dev" | "local") if equal => Guard::DEV.0,
                    Some("test" | "testing") if equal => Guard::TEST.0,
                    _ => 0,
                }
            }
            _ => {
                let value = self.value(ExprRef { module, expr: test });
                match (value.origins.has(Origins::PROD), holds) {
                    (true, true) => Guard::PROD.0,
                    (true, false) => Guard::DEV.0,
                    _ => 0,
                }
            }
        }
    }
}

/// `return Promise.reject(error)` throws.
fn is_rejection(module: &Module, expr: ExprId) -> bool {
    let Some((callee, _)) = module.call(expr) else { return false };
    matches!(module.kind(callee), ExprKind::Member { object, name } if module.str(name) == "reject"
        && matches!(module.kind(object), ExprKind::Global(promise) if module.str(promise) == "Promise"))
}

fn is_error(origins: Origins) -> bool {
    origins.has(Origins::CAUGHT_ERROR.with(Origins::PASSED_ERROR))
}

/// Names that errors bear as parameters.
pub(super) fn is_error_name(name: &str) -> bool {
    matches!(name.trim_start_matches('_'), "e" | "err" | "error" | "ex" | "exception")
}

fn error_member(of: &Value, name: &str) -> Value {
    let origins = match name {
        "stack" => of.origins.with(Origins::ERROR_STACK),
        // A status or code that the project's own errors carry says nothing of the inside.
        "status" | "statusCode" | "code" | "name" | "type" | "length" => Origins::DYNAMIC,
        _ => of.origins,
    };
    Value { data: Data::Unknown, origins }
}

/// Does the test single out the project's own errors (`e instanceof AppError`, `err.isOperational`, `e.name === …`)?
fn tests_kind_of_error(module: &Module, test: ExprId, symbol: SymbolIdx) -> bool {
    let is_symbol = |id: ExprId| module.kind(id) == ExprKind::Ident(symbol);
    match module.kind(test) {
        ExprKind::Binary { op: BinaryOp::Instanceof, left, right } => {
            // `instanceof Error` tells nothing: every error is one.
            is_symbol(left) && !matches!(module.kind(right), ExprKind::Global(name) if module.str(name) == "Error")
        }
        ExprKind::Logical { left, right, .. } => {
            tests_kind_of_error(module, left, symbol) || tests_kind_of_error(module, right, symbol)
        }
        ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::Compare, left, .. } => {
            matches!(module.kind(left), ExprKind::Member { object, .. } if is_symbol(object))
        }
        ExprKind::Member { object, .. } => is_symbol(object),
        ExprKind::Call { args, .. } => module.list(args).next().is_some_and(is_symbol),
        _ => false,
    }
}

/// `e instanceof AppError ? e.message : "…"`: the expression lies in the first branch.
fn enclosing_conditional_tests(module: &Module, expr: ExprId, symbol: SymbolIdx) -> bool {
    let mut child = expr;
    while let Some(parent) = module.expr(child).parent.some() {
        match module.kind(parent) {
            ExprKind::Conditional { test, branches }
                if module.list(branches).next() == Some(child) && tests_kind_of_error(module, test, symbol) =>
            {
                return true;
            }
            ExprKind::Logical { op: LogicalOp::And, left, right }
                if right == child && tests_kind_of_error(module, left, symbol) =>
            {
                return true;
            }
            _ => {}
        }
        child = parent;
    }
    false
}

fn regex_origin(pattern: &str) -> Origins {
    let anchored = pattern.starts_with('^') && pattern.ends_with('$');
    if anchored { Origins::LITERAL } else { Origins::LITERAL.with(Origins::LOOSE_REGEX) }
}

fn built(constant: bool, text: String, origins: Origins) -> Value {
    if constant {
        let origins = Origins(origins.0 | Origins::LITERAL.0);
        return Value { data: Data::Text(text.into()), origins };
    }
    let origins = Origins(origins.0 & !Origins::LITERAL.0).with(Origins::BUILT);
    Value { data: Data::Unknown, origins }
}

fn plain_text(value: &Value) -> Option<String> {
    match &value.data {
        Data::Text(text) => Some(text.to_string()),
        Data::Number(number) => Some(number.to_string()),
        Data::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What stands there in development alone shows nobody an error.
fn shown_to_developers(value: &Value) -> Value {
    let origins = value.origins.without(Origins::CAUGHT_ERROR.with(Origins::ERROR_STACK));
    Value { data: Data::Unknown, origins: origins.with(Origins::DYNAMIC) }
}

fn only_environment(origins: Origins) -> Origins {
    Origins(origins.0 & (Origins::PROD.0 | Origins::ENV.0))
}

fn logical(op: LogicalOp, left: Value, right: Value) -> Value {
    let origins = left.origins.with(right.origins);
    match (op, &left.data) {
        (LogicalOp::And, Data::Bool(false) | Data::Null | Data::Absent) => left,
        (LogicalOp::And, Data::Bool(true)) => right,
        (LogicalOp::Or, Data::Bool(false) | Data::Null | Data::Absent) => right,
        (LogicalOp::Nullish, Data::Null | Data::Absent) => right,
        (
            LogicalOp::Or | LogicalOp::Nullish,
            Data::Text(_) | Data::Number(_) | Data::Record(_) | Data::List(_) | Data::Bool(_),
        ) => left,
        // `...(size > 0 && { take: size })`: the fields stand there at times.
        (LogicalOp::And, _) if matches!(right.data, Data::Record(_)) => {
            Value { data: sometimes(&right.data, left.origins), origins }
        }
        // `secure: isProd && true`, `debug && { stack }`
        (LogicalOp::And, _) => Value { data: Data::Unknown, origins },
        _ => Value { data: Data::Unknown, origins },
    }
}

/// The fields of a record that stands there only under a condition.
fn sometimes(data: &Data, condition: Origins) -> Data {
    let Data::Record(record) = data else { return Data::Unknown };
    let fields = record.fields.iter().map(|(name, value)| {
        let origins = value.origins.with(only_environment(condition)).with(Origins::DYNAMIC);
        (name.clone(), Value { data: Data::Unknown, origins })
    });
    Data::Record(Arc::new(Record { fields: fields.collect(), open: true }))
}

fn set_field(record: &mut Record, name: Arc<str>, value: Value) {
    match record.fields.iter_mut().find(|(n, _)| *n == name) {
        Some(slot) => slot.1 = value,
        None => record.fields.push((name, value)),
    }
}

fn follow(module: &Module, value: Value, steps: &[Step]) -> Value {
    let mut value = value;
    for step in steps {
        value = match step {
            Step::Property(name) => {
                if is_error(value.origins) {
                    error_member(&value, module.str(*name))
                } else {
                    let field = value.field(module.str(*name));
                    // What comes out of something unknown still comes from where that came from.
                    if field.is_unknown() { Value { data: Data::Unknown, origins: value.origins } } else { field }
                }
            }
            Step::Index(index) => match &value.data {
                Data::List(items) => items.get(*index as usize).cloned().unwrap_or(Value::ABSENT),
                _ => Value { data: Data::Unknown, origins: value.origins },
            },
            Step::Rest => Value { data: Data::Unknown, origins: value.origins },
        };
    }
    value
}

fn fold_method(receiver: &Value, method: &str) -> Option<Value> {
    let text = receiver.as_text()?;
    let folded = match method {
        "toLowerCase" | "lower" => text.to_lowercase(),
        "toUpperCase" | "upper" => text.to_uppercase(),
        "trim" | "strip" => text.trim().to_owned(),
        "toString" => text.to_owned(),
        _ => return None,
    };
    Some(Value { data: Data::Text(folded.into()), origins: receiver.origins })
}
