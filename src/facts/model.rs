//! A fact is a kind, a place, a few named fields and what the engine knows about it.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

pub use super::origins::Origins;
pub use super::vocabulary::VOCABULARY;
use crate::project::{Area, ServiceId, Span};

/// Index into [`FactStore::facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId(pub u32);

/// A function of any module of the project, numbered over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// A value after folding and flow: what it is as far as it is known, and where it comes from.
/// `:any` holds for everything but `Absent`; `:absent` for `Absent` alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Value {
    pub data: Data,
    pub origins: Origins,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Data {
    /// Not there, and known not to be there.
    #[default]
    Absent,
    /// There may be something, nobody can tell what.
    Unknown,
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    List(Arc<[Value]>),
    Record(Arc<Record>),
    Fact(FactId),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    pub fields: Vec<(Arc<str>, Value)>,
    /// A spread or computed key that could not be followed: a missing field is unknown, not absent.
    pub open: bool,
    /// Where what was spread into it comes from.
    pub rest: Origins,
}

impl Record {
    /// A record of which all fields are known.
    pub fn closed(fields: Vec<(Arc<str>, Value)>) -> Record {
        Record { fields, open: false, rest: Origins::default() }
    }
}

impl Value {
    pub const ABSENT: Value = Value { data: Data::Absent, origins: Origins(0) };
    pub const UNKNOWN: Value = Value { data: Data::Unknown, origins: Origins(0) };

    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value { data: Data::Text(text.into()), origins: Origins::LITERAL }
    }

    pub fn bool(value: bool) -> Value {
        Value { data: Data::Bool(value), origins: Origins::LITERAL }
    }

    pub fn number(value: f64) -> Value {
        Value { data: Data::Number(value), origins: Origins::LITERAL }
    }

    pub fn list(items: Vec<Value>) -> Value {
        Value { data: Data::List(items.into()), origins: Origins::default() }
    }

    pub fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
        Value::list(items.into_iter().map(|s| Value::text(s.as_ref())).collect())
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self.data, Data::Absent)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self.data, Data::Unknown)
    }

    /// A field of a record; absent in a closed one, unknown in an open one or in anything unknown.
    pub fn field(&self, name: &str) -> Value {
        match &self.data {
            Data::Record(record) => match record.fields.iter().find(|(n, _)| &**n == name) {
                Some((_, value)) => value.clone(),
                None if record.open => Value::UNKNOWN,
                None => Value::ABSENT,
            },
            Data::Unknown => Value::UNKNOWN,
            _ => Value::ABSENT,
        }
    }
}

/// When code runs, from the call graph. A function that runs in several phases has the most demanding one
/// (request over job over timer over startup over module).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Dead,
    Script,
    Module,
    Startup,
    Timer,
    Job,
    Request,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// What surrounds a fact in its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Within(pub u8);

impl Within {
    pub const LOOP: Within = Within(1);
    pub const TRANSACTION: Within = Within(2);
    pub const CATCH: Within = Within(4);
    pub const FINALLY: Within = Within(8);
    pub const TRY: Within = Within(16);
    /// The function around is asynchronous.
    pub const ASYNC: Within = Within(32);
    pub const NAMES: &'static [(&'static str, Within)] = &[
        ("loop", Self::LOOP),
        ("transaction", Self::TRANSACTION),
        ("catch", Self::CATCH),
        ("finally", Self::FINALLY),
        ("try", Self::TRY),
        ("async", Self::ASYNC),
    ];
}

/// Conditions on the environment under which a fact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guard(pub u8);

impl Guard {
    pub const DEV: Guard = Guard(1);
    pub const TEST: Guard = Guard(2);
    pub const PROD: Guard = Guard(4);
    pub const DEBUG: Guard = Guard(8);
    pub const NAMES: &'static [(&'static str, Guard)] =
        &[("dev", Self::DEV), ("test", Self::TEST), ("prod", Self::PROD), ("debug", Self::DEBUG)];
}

#[derive(Debug, Clone)]
pub struct Fact {
    pub kind: Arc<str>,
    pub at: Span,
    pub fields: Vec<(Arc<str>, Value)>,
    pub area: Area,
    pub service: ServiceId,
    /// The function whose body holds it; none at module level.
    pub function: Option<FunctionId>,
    /// Where `via = "reaches"` starts: a route's handler and chain, a hook's handler, else the function itself.
    pub roots: Vec<FunctionId>,
    /// How many of them, the first ones, come before other routes too: where `via = "handles"` does not start.
    pub shared_roots: usize,
    pub phase: Phase,
    /// Some entry point of the service imports the module that holds it.
    pub reached: bool,
    /// What it makes is mounted, called or otherwise used.
    pub used: bool,
    pub within: Within,
    pub guard: Guard,
    pub certain: Confidence,
    /// The resolved name of the thing (`express().use`), empty where there is none.
    pub api: Arc<str>,
    /// Which clause or shape made it (`stacks/express.toml fact.route[0]`).
    pub clause: Arc<str>,
    /// The name of the enclosing function or class member, for messages and fingerprints.
    pub symbol: Arc<str>,
    /// Why unused or unreached, in words (`lib/limit.ts is never imported`).
    pub because: Option<Arc<str>>,
}

impl Fact {
    /// A fact of a file that is not code, or the start of one that is: reached, used, certain, at module level.
    pub fn new(kind: &str, at: Span, clause: &str) -> Fact {
        Fact {
            kind: shared(kind),
            at,
            fields: Vec::new(),
            area: Area::Config,
            service: ServiceId(0),
            function: None,
            roots: Vec::new(),
            shared_roots: 0,
            phase: Phase::Module,
            reached: true,
            used: true,
            within: Within::default(),
            guard: Guard::default(),
            certain: Confidence::High,
            api: shared(""),
            clause: shared(clause),
            symbol: shared(""),
            because: None,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Fact {
        self.fields.push((shared(name), value));
        self
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.fields.iter_mut().find(|(n, _)| &**n == name) {
            Some(slot) => slot.1 = value,
            None => self.fields.push((shared(name), value)),
        }
    }
}

/// A name that facts have in common, kept once for all facts that a thread makes.
fn shared(name: &str) -> Arc<str> {
    thread_local! {
        static NAMES: RefCell<FxHashSet<Arc<str>>> = RefCell::default();
    }
    NAMES.with_borrow_mut(|names| {
        if let Some(known) = names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        if names.len() < MAX_SHARED {
            names.insert(Arc::clone(&new));
        }
        new
    })
}

/// There are far fewer kinds, fields and clauses.
const MAX_SHARED: usize = 10_000;

/// All facts of a project and the graph that joins them. Order is deterministic: by file path, then place, then kind.
#[derive(Debug, Default)]
pub struct FactStore {
    /// Sorted by place.
    pub facts: Vec<Fact>,
    /// Callees (and functions written inside) of every function.
    pub calls: Vec<Vec<FunctionId>>,
    /// Kinds of fact that may be incomplete, by service, with the reason (`a migration did not parse`).
    pub incomplete: Vec<(ServiceId, Arc<str>, Arc<str>)>,
}

impl FactStore {
    /// Puts facts in their order and points facts that name each other (by their index in `facts`) to where they
    /// went.
    pub fn new(facts: Vec<Fact>, calls: Vec<Vec<FunctionId>>) -> FactStore {
        let mut order: Vec<usize> = (0..facts.len()).collect();
        order.sort_by_key(|&index| {
            let fact = &facts[index];
            (fact.at, &*fact.kind, &*fact.clause, index)
        });
        let mut moved = vec![0_u32; facts.len()];
        for (new, &old) in order.iter().enumerate() {
            moved[old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let mut slots: Vec<Option<Fact>> = facts.into_iter().map(Some).collect();
        let mut sorted: Vec<Fact> = order.iter().filter_map(|&old| slots[old].take()).collect();
        for (_, value) in sorted.iter_mut().flat_map(|fact| &mut fact.fields) {
            if let Data::Fact(id) = &mut value.data
                && let Some(&new) = moved.get(id.0 as usize)
            {
                *id = FactId(new);
            }
        }
        FactStore { facts: sorted, calls, incomplete: Vec::new() }
    }

    pub fn get(&self, id: FactId) -> &Fact {
        &self.facts[id.0 as usize]
    }

    /// The facts of exactly this place.
    pub fn facts_at(&self, at: Span) -> &[Fact] {
        let start = self.facts.partition_point(|fact| fact.at < at);
        let rest = &self.facts[start..];
        &rest[..rest.partition_point(|fact| fact.at == at)]
    }
}
