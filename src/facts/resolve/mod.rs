//! What an expression may be: a thing of some package (by its API path), a function, class or object of the project.
//!
//! In goes an expression ([`Evaluator::things`]), out come the [`Things`] that it may be.
//!
//! Nothing is executed. Calls of the project's own functions give what those return, parameters give what callers
//! pass, and everything is cut at a fixed depth; an empty answer means that nobody can tell.

mod calls;
mod class_members;
mod members;
mod names;
mod parameters;
mod thing;
mod types;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use self::class_members::Extensions;
use self::names::globals_of;
use self::thing::{dedup, one};
use crate::facts::checks::admits_known;
use crate::facts::memo::{Answers, Aside, Members, Rests, State};
use crate::facts::model::{FunctionId, Value};
use crate::facts::paths::{Matcher, PathId, PathTable, TypeIdx};
use crate::facts::program::{ExprRef, FunctionRef, Program};
use crate::facts::settings::Settings;
use crate::facts::stacks::Stacks;
use crate::facts::turn::Turn;
use crate::facts::values::Outside;
use crate::syntax::hir::{ExprId, ExprKind, Imported, LogicalOp};

pub(crate) use calls::gives_what_it_holds;
pub use thing::{Thing, Things};

const MAX_DEPTH: u16 = 48;
/// Calls in a chain that may nest.
const SHORT_CHAIN: usize = 4;
/// Callers that are asked what they pass for a parameter.
const MAX_CALLERS: usize = 6;

/// What a first pass over all calls found, so that parameters can be followed.
#[derive(Debug, Default)]
pub struct Links {
    /// By function: the calls that reach it.
    pub callers: Vec<Vec<ExprRef>>,
    /// By function: types of its parameters, from being a handler of some stack.
    pub handlers: FxHashMap<FunctionId, Vec<Option<TypeIdx>>>,
    pub settings: Settings,
}

/// What one evaluator has worked out and another of the same program may go on from.
#[derive(Debug)]
pub struct Learned {
    paths: PathTable,
    matcher: Matcher,
    things: Answers<Things>,
    members: Members,
    values: Answers<Value>,
}

impl Learned {
    /// Nothing yet, about a program with that many modules.
    pub fn new(modules: usize) -> Learned {
        Learned {
            paths: PathTable::default(),
            matcher: Matcher::default(),
            things: Answers::new(modules, Things::new()),
            members: Members::default(),
            values: Answers::new(modules, Value::UNKNOWN),
        }
    }
}

/// Answers questions about one program; remembers what it has worked out.
pub struct Evaluator<'p> {
    pub program: &'p Program<'p>,
    pub stacks: &'p Stacks,
    pub links: &'p Links,
    pub paths: PathTable,
    pub matcher: Matcher,
    things: Answers<Things>,
    members: Members,
    pub(crate) values: Answers<Value>,
    depth: u16,
    /// What the answer that is being worked out rests on so far.
    pub(crate) rests: Rests,
    /// The expressions whose values are being worked out, each because of the one before it: too few to hash.
    pub(crate) value_active: Vec<ExprRef>,
    pub(crate) value_depth: u16,
    /// The calls by which it goes through helpers; usually none.
    pub(crate) turn: Turn,
    /// The function whose parameters stand for themselves.
    pub(crate) apart: Option<FunctionRef>,
    /// What functions return, looked at on their own.
    pub(crate) returned: FxHashMap<FunctionRef, Value>,
    /// The same for functions that were reached at a depth that leaves little to follow: good for that depth alone.
    pub(crate) returned_deep: FxHashMap<(FunctionRef, u16), Value>,
    pub(crate) returning: FxHashSet<FunctionRef>,
    /// By path, once somebody asks.
    pub(crate) outsides: Vec<Option<Outside>>,
    pub(crate) inputs: FxHashMap<PathId, bool>,
    pub(crate) environments: FxHashMap<PathId, bool>,
    pub(crate) variables: FxHashMap<PathId, bool>,
    returns_active: FxHashSet<FunctionRef>,
    /// Found once somebody asks.
    extensions: Option<Extensions>,
    implementors: Option<Extensions>,
}

impl<'p> Evaluator<'p> {
    pub fn new(program: &'p Program<'p>, stacks: &'p Stacks, links: &'p Links) -> Evaluator<'p> {
        Evaluator::with(program, stacks, links, Learned::new(program.modules.len()))
    }

    /// Goes on from what another evaluator has learned.
    pub fn with(program: &'p Program<'p>, stacks: &'p Stacks, links: &'p Links, learned: Learned) -> Evaluator<'p> {
        let Learned { paths, matcher, things, members, values } = learned;
        Evaluator {
            program,
            stacks,
            links,
            paths,
            matcher,
            things,
            members,
            values,
            turn: Turn::default(),
            depth: 0,
            rests: Rests::NOTHING,
            value_active: Vec::new(),
            value_depth: 0,
            apart: None,
            returned: FxHashMap::default(),
            returned_deep: FxHashMap::default(),
            returning: FxHashSet::default(),
            outsides: Vec::new(),
            inputs: FxHashMap::default(),
            environments: FxHashMap::default(),
            variables: FxHashMap::default(),
            returns_active: FxHashSet::default(),
            extensions: None,
            implementors: None,
        }
    }

    /// What it has learned and what still holds when other calls turn out to be linked.
    pub fn learned(self) -> Learned {
        let Evaluator { paths, matcher, mut things, mut members, mut values, .. } = self;
        things.keep_free();
        members.keep_free();
        values.keep_free();
        Learned { paths, matcher, things, members, values }
    }

    /// Answers to who asks from somewhere special; gives what to put back.
    pub(crate) fn enter(&mut self, special: Rests) -> (Aside<Things>, Members, Aside<Value>) {
        let apart = self.apart.map_or(Rests::NOTHING, Rests::on_function);
        (self.things.enter(special), self.members.enter(special), self.values.enter(special.with(apart)))
    }

    pub(crate) fn leave(&mut self, (things, members, values): (Aside<Things>, Members, Aside<Value>)) {
        self.things.leave(things);
        self.members.leave(members);
        self.values.leave(values);
    }

    /// The answer at hand was cut short.
    pub(crate) fn cut(&mut self) {
        self.rests = self.rests.with(Rests::CUT);
    }

    pub fn is_type(&mut self, path: PathId, ty: TypeIdx) -> bool {
        self.matcher.is_type(&self.paths, &self.stacks.types, path, ty)
    }

    pub fn is_any_type(&mut self, path: PathId, types: &[TypeIdx]) -> bool {
        types.iter().any(|&ty| self.is_type(path, ty))
    }

    /// The API paths among what an expression may be.
    pub fn paths_of(&mut self, at: ExprRef) -> SmallVec<[PathId; 2]> {
        self.things(at)
            .into_iter()
            .filter_map(|thing| match thing {
                Thing::Path { path, .. } => Some(path),
                _ => None,
            })
            .collect()
    }

    pub fn things(&mut self, at: ExprRef) -> Things {
        if at.expr == ExprId::NONE {
            return Things::new();
        }
        match self.things.state(at) {
            State::Known((known, rests)) => {
                let known = known.clone();
                self.rests = self.rests.with(*rests);
                return known;
            }
            State::New if self.depth < MAX_DEPTH => {}
            State::Active | State::New => {
                self.cut();
                return Things::new();
            }
        }
        self.settle_receivers(at);
        let exprs = self.program.module(at.module).exprs.len();
        self.things.begin(at, exprs);
        self.depth += 1;
        let outer = std::mem::take(&mut self.rests);
        let mut found = self.evaluate(at);
        self.depth -= 1;
        dedup(&mut found);
        // Remembered even where a circle cut it short: asking again would take time without end.
        self.things.finish(at, exprs, found.clone(), self.rests);
        self.rests = self.rests.with(outer);
        found
    }

    /// Looks at the calls that a long chain starts with (`Router::new().route(…).route(…)`) from its start, so that its
    /// length takes no depth.
    fn settle_receivers(&mut self, at: ExprRef) {
        let module = self.program.module(at.module);
        let mut chain: Vec<ExprId> = Vec::new();
        let mut expr = at.expr;
        while let ExprKind::Call { callee, .. } = module.kind(expr)
            && let ExprKind::Member { object, .. } = module.kind(callee)
            && matches!(self.things.state(ExprRef { module: at.module, expr: object }), State::New)
        {
            chain.push(object);
            expr = object;
        }
        if chain.len() > SHORT_CHAIN {
            for expr in chain.into_iter().rev() {
                self.things(ExprRef { module: at.module, expr });
            }
        }
    }

    fn evaluate(&mut self, at: ExprRef) -> Things {
        let program = self.program;
        let module = program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Ident(symbol) => self.symbol(at.module, symbol),
            ExprKind::Global(atom) => {
                let root = self.paths.root(globals_of(module));
                one(Thing::Path { path: self.paths.member(root, module.str(atom)), site: None })
            }
            ExprKind::Function(function) => one(Thing::Function(FunctionRef { module: at.module, function })),
            ExprKind::Class(class) => one(Thing::Class(at.module, class)),
            ExprKind::Object(_) | ExprKind::Array(_) => one(Thing::Data(at)),
            ExprKind::Require(source) | ExprKind::Import(source) => self.source(at.module, source, Imported::Namespace),
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Spread(inner) => self.things(here(inner)),
            ExprKind::Assign { value, .. } => self.things(here(value)),
            ExprKind::Sequence(run) => {
                let last = module.list(run).last();
                last.map_or_else(Things::new, |last| self.things(here(last)))
            }
            ExprKind::Logical { op, left, right } => {
                let mut found = if op == LogicalOp::And { Things::new() } else { self.things(here(left)) };
                found.extend(self.things(here(right)));
                found
            }
            ExprKind::Conditional { test, branches } => {
                // `x === "asc" ? x : "desc"` is one of the texts, whatever `x` was.
                let is_open = |(index, branch): &(usize, ExprId)| !admits_known(module, test, *branch, *index == 0);
                let branches: SmallVec<[(usize, ExprId); 2]> =
                    module.list(branches).enumerate().filter(is_open).collect();
                branches.into_iter().flat_map(|(_, branch)| self.things(here(branch))).collect()
            }
            ExprKind::This => self.this(at),
            ExprKind::Member { object, name } => self.member_expr(at, object, module.str(name)),
            ExprKind::Index { object, index } => self.index_expr(at.module, object, index),
            ExprKind::Call { callee, args } => self.call_expr(at, callee, args, false),
            ExprKind::New { callee, args } => self.call_expr(at, callee, args, true),
            ExprKind::Tagged { tag, .. } => {
                let tags = self.things(here(tag));
                self.results(&tags, at, false)
            }
            _ => Things::new(),
        }
    }

    /// The constant text that an expression folds to.
    pub fn constant_text(&mut self, at: ExprRef) -> Option<String> {
        self.value(at).as_text().map(str::to_owned)
    }
}
