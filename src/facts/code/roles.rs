//! Which role a function plays: it reaches a callable of that role and enforces its failure. A name alone never
//! gives a role.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::extract::Raw;
use super::usage::{admits, usage, usage_of};
use crate::facts::graph::Callable;
use crate::facts::model::{FunctionId, Origins};
use crate::facts::program::{ExprRef, FunctionRef, Program};
use crate::facts::values::is_error_name;
use crate::syntax::hir::{
    ContextId, ContextKind, Definition, ExprId, ExprKind, FunctionIdx, Language, LogicalOp, Module, Prop, Step,
    SymbolIdx,
};

/// Does a failure end the request?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforced {
    No,
    /// It is handed to the caller, who has to act.
    Pending,
    /// The same, and what is handed back is the failure itself (`verify(token).map(User)`): what the framework calls
    /// thereby refuses.
    HandedBack,
    /// It always refuses: whoever calls it under a condition enforces something.
    Refuses,
    /// Where the check fails nothing is given back (`if (!session) return null`): a handler thereby ends, and whoever
    /// else calls it has to act.
    GivesNothing,
    Yes,
}

impl Enforced {
    /// Does a failure end the request when this is what the framework calls?
    pub fn ends_request(self) -> bool {
        self >= Enforced::GivesNothing
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub name: String,
    pub half: bool,
    pub enforced: Enforced,
    /// Index of the raw fact that it comes from.
    pub raw: usize,
}

impl Role {
    /// `auth`, `auth/half`
    pub fn label(&self) -> String {
        if self.half { format!("{}/half", self.name) } else { self.name.clone() }
    }
}

const MAX_HOPS: u8 = 5;

pub struct Roles<'r, 'p> {
    /// Functions that refuse a request by giving back something false.
    pub refusing: FxHashSet<FunctionRef>,
    /// Extractors and guards: a failure that they give back ends the request.
    pub extractors: FxHashSet<FunctionRef>,
    program: &'p Program<'p>,
    raws: &'r [Raw],
    by_function: FxHashMap<FunctionRef, Vec<usize>>,
    by_site: FxHashMap<ExprRef, Vec<usize>>,
    /// By function: the calls of other functions in it.
    callees: FxHashMap<FunctionRef, Vec<(ExprRef, FunctionRef)>>,
    children: FxHashMap<FunctionRef, Vec<FunctionRef>>,
    memo: FxHashMap<FunctionRef, Vec<Role>>,
    active: FxHashSet<FunctionRef>,
}

impl<'r, 'p> Roles<'r, 'p> {
    pub fn new(program: &'p Program<'p>, raws: &'r [Raw], callers: &[Vec<ExprRef>]) -> Roles<'r, 'p> {
        let mut by_function: FxHashMap<FunctionRef, Vec<usize>> = FxHashMap::default();
        let mut by_site: FxHashMap<ExprRef, Vec<usize>> = FxHashMap::default();
        for (index, raw) in raws.iter().enumerate().filter(|(_, raw)| &*raw.kind == "role") {
            by_site.entry(raw.at).or_default().push(index);
            if let Some(function) = raw.function {
                by_function.entry(function).or_default().push(index);
            }
        }
        let mut callees: FxHashMap<FunctionRef, Vec<(ExprRef, FunctionRef)>> = FxHashMap::default();
        for (number, calls) in callers.iter().enumerate() {
            let callee = program.function_at(FunctionId(u32::try_from(number).unwrap_or(u32::MAX)));
            for &call in calls {
                let function = program.module(call.module).function_of(call.expr);
                callees.entry(FunctionRef { module: call.module, function }).or_default().push((call, callee));
            }
        }
        let mut children: FxHashMap<FunctionRef, Vec<FunctionRef>> = FxHashMap::default();
        for module in program.ids() {
            for (index, function) in program.module(module).functions.iter().enumerate().skip(1) {
                let child = FunctionRef { module, function: FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX)) };
                children.entry(FunctionRef { module, function: function.parent }).or_default().push(child);
            }
        }
        Roles {
            refusing: FxHashSet::default(),
            extractors: FxHashSet::default(),
            program,
            raws,
            by_function,
            by_site,
            callees,
            children,
            memo: FxHashMap::default(),
            active: FxHashSet::default(),
        }
    }

    /// The roles of one link of a chain.
    pub fn of_callable(&mut self, callable: Callable) -> Vec<Role> {
        match callable {
            Callable::Function(function) => self.of_function(function),
            Callable::External { site: Some(site), .. } => self.at_site(site),
            Callable::External { site: None, .. } | Callable::Opaque => Vec::new(),
        }
    }

    /// The role that a call makes (`rateLimit({…})` is a limiter).
    fn at_site(&self, site: ExprRef) -> Vec<Role> {
        let indexes = self.by_site.get(&site).into_iter().flatten();
        indexes
            .filter(|&&index| self.raws[index].get("fails").is_none())
            .filter_map(|&index| self.role(index, Enforced::Yes))
            .collect()
    }

    fn role(&self, index: usize, enforced: Enforced) -> Option<Role> {
        let raw = &self.raws[index];
        let name = raw.text("role")?.to_owned();
        let half = raw.text("strength") == Some("half");
        Some(Role { name, half, enforced, raw: index })
    }

    pub fn of_function(&mut self, function: FunctionRef) -> Vec<Role> {
        let mut found = self.within(function, MAX_HOPS);
        let refuses = self.refusing.contains(&function);
        let extracts = refuses || self.extractors.contains(&function);
        for role in &mut found {
            match role.enforced {
                Enforced::Pending if refuses => role.enforced = Enforced::Yes,
                Enforced::HandedBack if extracts => role.enforced = Enforced::Yes,
                _ => {}
            }
        }
        found
    }

    /// Does a call or name at that place play a role by itself?
    pub fn is_role(&self, site: ExprRef) -> bool {
        self.by_site.contains_key(&site)
    }

    fn within(&mut self, function: FunctionRef, hops: u8) -> Vec<Role> {
        if let Some(known) = self.memo.get(&function) {
            return known.clone();
        }
        if hops == 0 || !self.active.insert(function) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for index in self.by_function.get(&function).cloned().unwrap_or_default() {
            let enforced = self.enforced_at(index);
            let half = self.is_optional(index);
            found.extend(self.role(index, enforced).map(|role| Role { half: role.half || half, ..role }));
        }
        for child in self.children.get(&function).cloned().unwrap_or_default() {
            let mut roles = self.within(child, hops - 1);
            if is_only_where_there_is_one(self.program, child) {
                roles.iter_mut().for_each(|role| role.half = true);
            }
            found.extend(roles);
        }
        for (call, callee) in self.callees.get(&function).cloned().unwrap_or_default() {
            for mut role in self.within(callee, hops - 1) {
                if self.lacks_its_means(&role, call, callee) {
                    continue;
                }
                let module = self.program.module(call.module);
                role.enforced = match role.enforced {
                    Enforced::Pending | Enforced::HandedBack | Enforced::GivesNothing => usage(module, call.expr),
                    Enforced::Refuses => refusal(module, call.expr),
                    other => other,
                };
                found.push(role);
            }
        }
        self.active.remove(&function);
        strongest(&mut found);
        if hops == MAX_HOPS {
            self.memo.insert(function, found.clone());
        }
        found
    }

    /// Does it only refuse who brings something that turns out wrong?
    fn is_optional(&self, index: usize) -> bool {
        let raw = &self.raws[index];
        raw.text("fails") == Some("refuses")
            && raw.text("role") == Some("auth")
            && raw.at.expr != ExprId::NONE
            && is_only_for_who_brings_one(self.program.module(raw.at.module), raw.at.expr)
    }

    /// A helper that checks with what it is handed (`parse(request, schema)` calls `schema.parse`) checks nothing for
    /// a caller who hands it nothing.
    fn lacks_its_means(&self, role: &Role, call: ExprRef, helper: FunctionRef) -> bool {
        let at = self.raws[role.raw].at;
        if at.module != helper.module || at.expr == ExprId::NONE {
            return false;
        }
        let module = self.program.module(at.module);
        let Some((callee, _)) = module.call(at.expr) else { return false };
        let ExprKind::Member { object, .. } = module.kind(callee) else { return false };
        let ExprKind::Ident(symbol) = module.kind(object) else { return false };
        match &module.symbol(symbol).definition {
            Definition::Parameter { function, index, steps, default: ExprId::NONE, .. }
                if *function == helper.function =>
            {
                is_withheld(self.program, module, call, *index as usize, steps)
            }
            _ => false,
        }
    }

    fn enforced_at(&self, index: usize) -> Enforced {
        let raw = &self.raws[index];
        if raw.at.expr == ExprId::NONE {
            return Enforced::Pending;
        }
        // What is checked must be what came in: an environment schema validates no request.
        if let Some(on) = raw.get("on")
            && !on.origins.has(Origins::REQUEST)
            && !on.origins.has(Origins::PARAMETER)
            && !on.origins.has(Origins::DYNAMIC)
            && (on.origins.has(Origins::ENV) || on.origins.has(Origins::LITERAL))
        {
            return Enforced::No;
        }
        let module = self.program.module(raw.at.module);
        match raw.text("fails") {
            Some("throws") => handed_error(module, raw.at.expr).unwrap_or_else(|| thrown(module, raw.at.expr)),
            Some("refuses") => refusal(module, raw.at.expr),
            Some("always") => Enforced::Yes,
            // What came in is only worked with where it passed.
            Some(_) if raw.text("role") == Some("validate") && admits(module, raw.at.expr) => Enforced::Yes,
            Some(_) => usage(module, raw.at.expr),
            // Something that is made here plays its role only where it is mounted or called.
            None => match called_at_once(module, raw.at.expr) {
                true => Enforced::Yes,
                false => Enforced::No,
            },
        }
    }
}

/// `header.map(|token| verify(token)).transpose()?`: what is not there is not checked.
fn is_only_where_there_is_one(program: &Program<'_>, closure: FunctionRef) -> bool {
    let module = program.module(closure.module);
    let parent = |expr: ExprId| module.expr(expr).parent.some();
    let called = |call: ExprId| match module.call(call).map(|(callee, _)| module.kind(callee)) {
        Some(ExprKind::Member { name, .. }) => module.str(name),
        _ => "",
    };
    let call = module.function(closure.function).expr.some().and_then(parent);
    let Some(call) = call.filter(|&call| matches!(called(call), "map" | "and_then")) else { return false };
    parent(call).and_then(parent).is_some_and(|next| called(next) == "transpose")
}

/// `token = request.headers.get("Authorization")`, `if token: … abort(401)`: who brings no token comes past.
fn is_only_for_who_brings_one(module: &Module, refusal: ExprId) -> bool {
    module.contexts_of(refusal).any(|(_, context)| match context.kind {
        ContextKind::Then(test) => test != ExprId::NONE && is_what_was_brought(module, test),
        _ => false,
    })
}

/// Is it a header or cookie, or a variable that one is put into, and first of all that?
fn is_what_was_brought(module: &Module, mut expr: ExprId) -> bool {
    for _ in 0..8 {
        expr = match module.kind(expr) {
            ExprKind::Logical { op: LogicalOp::And, left, .. } => left,
            ExprKind::Ident(symbol) => match module.symbol(symbol).definition {
                Definition::Variable { init, .. } if init != ExprId::NONE => init,
                _ => return false,
            },
            ExprKind::Call { callee, .. } => callee,
            ExprKind::Member { object, name } => match module.str(name) {
                "headers" | "cookies" => return true,
                _ => object,
            },
            _ => return false,
        };
    }
    false
}

/// Is a parameter, or the property of it that `steps` names, plainly not among the arguments of a call?
fn is_withheld(program: &Program<'_>, helper: &Module, call: ExprRef, index: usize, steps: &[Step]) -> bool {
    let module = program.module(call.module);
    let Some((_, args)) = module.call(call.expr) else { return false };
    if module.list(args).any(|arg| matches!(module.kind(arg), ExprKind::Spread(_))) {
        return false;
    }
    let Some(argument) = module.list(args).nth(index) else { return true };
    match (module.kind(argument), steps) {
        (ExprKind::Null | ExprKind::Undefined, _) => true,
        (ExprKind::Object(run), [Step::Property(name)]) => {
            let name = helper.str(*name);
            let may_hold = |prop: &Prop| match prop.key {
                Some(key) => module.str(key) == name,
                None => true,
            };
            !module.object(run).iter().any(may_hold)
        }
        _ => false,
    }
}

fn strongest(roles: &mut Vec<Role>) {
    roles.sort_by(|a, b| (&a.name, a.half, b.enforced, a.raw).cmp(&(&b.name, b.half, a.enforced, b.raw)));
    roles.dedup_by(|later, earlier| later.name == earlier.name && later.half == earlier.half);
}

/// `rateLimit(options)(req, res, next)`
fn called_at_once(module: &Module, expr: ExprId) -> bool {
    let Some(parent) = module.expr(expr).parent.some() else { return false };
    module.call(parent).is_some_and(|(callee, _)| callee == expr)
}

/// A refusal (status 401, 403, 429) that stands under a condition is a check.
fn refusal(module: &Module, expr: ExprId) -> Enforced {
    let mut child = expr;
    while let Some(parent) = module.expr(child).parent.some() {
        let conditional = match module.kind(parent) {
            ExprKind::Conditional { test, .. } => test != child,
            ExprKind::Logical { right, .. } => right == child,
            ExprKind::Call { callee, .. } => callee != child && stands_for_failure(module, callee),
            _ => false,
        };
        if conditional {
            return Enforced::Yes;
        }
        child = parent;
    }
    let mut context = module.expr(expr).context.some();
    let mut first = true;
    while let Some(id) = context {
        let entry = &module.contexts[id.0 as usize];
        match entry.kind {
            ContextKind::Then(_) | ContextKind::Else(_) | ContextKind::Case | ContextKind::Catch => {
                return Enforced::Yes;
            }
            // A closure that is made under a condition (`error = () => unauthorized()`), but not a whole handler.
            ContextKind::Function(function) => {
                let call = module.function(function).expr.some().and_then(|expr| module.expr(expr).parent.some());
                let callee = call.and_then(|call| module.call(call)).map(|(callee, _)| callee);
                if callee.is_some_and(|callee| stands_for_failure(module, callee)) {
                    return Enforced::Yes;
                }
                if !first || module.function(function).statements > 1 {
                    break;
                }
                first = false;
            }
            _ => {}
        }
        context = entry.parent.some();
    }
    let follows_exit = module.contexts.iter().any(|c| {
        c.function == module.function_of(expr)
            && c.exits
            && matches!(c.kind, ContextKind::Then(_) | ContextKind::Try { .. })
    });
    // `if (ok) return next(); res.sendStatus(401)`
    if follows_exit { Enforced::Yes } else { Enforced::Refuses }
}

/// `token.ok_or(refusal)?`, `check().map_err(|_| refusal)?`: what stands where something failed.
fn stands_for_failure(module: &Module, callee: ExprId) -> bool {
    let ExprKind::Member { name, .. } = module.kind(callee) else { return false };
    module.language == Language::Rust
        && matches!(module.str(name), "ok_or" | "ok_or_else" | "map_err" | "or_else" | "or_err" | "unwrap_or_else")
}

/// `verify(token, key, (err, user) => …)` throws nothing: what the callback does about the error counts.
fn handed_error(module: &Module, call: ExprId) -> Option<Enforced> {
    let (_, args) = module.call(call)?;
    let ExprKind::Function(callback) = module.kind(module.list(args).last()?) else { return None };
    let parameters = &module.function(callback).parameters;
    let symbols: SmallVec<[SymbolIdx; 2]> = parameters.iter().take(2).filter_map(|p| p.symbol.some()).collect();
    let first = symbols.first()?;
    let is_error = is_error_name(module.str(module.symbol(*first).name));
    is_error.then(|| usage_of(module, &symbols))
}

/// A throwing check is enforced unless a `catch` around it swallows the error.
pub fn thrown(module: &Module, expr: ExprId) -> Enforced {
    let contexts: SmallVec<[(ContextId, ContextKind); 8]> =
        module.contexts_of(expr).map(|(id, context)| (id, context.kind)).collect();
    for (id, kind) in contexts {
        if let ContextKind::Try { catches: true } = kind {
            return match catch_of(module, id) {
                Some(catch) if module.contexts[catch.0 as usize].exits || answers(module, catch) => Enforced::Yes,
                _ => usage(module, expr).max(Enforced::Pending),
            };
        }
    }
    // A rejected promise nobody waits for stops nothing, but a middleware's promise usually is returned.
    Enforced::Yes
}

/// The `catch` of a `try`.
pub fn catch_of(module: &Module, try_context: ContextId) -> Option<ContextId> {
    let parent = module.contexts[try_context.0 as usize].parent;
    let after = try_context.0 as usize + 1;
    module.contexts.iter().enumerate().skip(after).find_map(|(index, context)| {
        let fits = matches!(context.kind, ContextKind::Catch) && context.parent == parent;
        fits.then(|| ContextId(u32::try_from(index).unwrap_or(u32::MAX)))
    })
}

/// Does a block call something that its function was handed (`next(e)`, `res.status(401)`)?
fn answers(module: &Module, context: ContextId) -> bool {
    module.exprs.iter().any(|expr| {
        let ExprKind::Call { callee, .. } = expr.kind else { return false };
        let inside = expr.context == context || module.contexts_from(expr.context).any(|(id, _)| id == context);
        inside
            && root_symbol(module, callee)
                .is_some_and(|symbol| matches!(module.symbol(symbol).definition, Definition::Parameter { .. }))
    })
}

fn root_symbol(module: &Module, mut expr: ExprId) -> Option<SymbolIdx> {
    for _ in 0..16 {
        match module.kind(expr) {
            ExprKind::Ident(symbol) => return Some(symbol),
            ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => expr = object,
            ExprKind::Call { callee, .. } => expr = callee,
            _ => return None,
        }
    }
    None
}
