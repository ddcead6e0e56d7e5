//! The vocabulary of facts. A fact is a kind, a place, a few named fields and what the engine knows about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::project::{Area, ServiceId, Span};

/// Index into [`FactStore::facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId(pub u32);

/// A function of any module of the project, numbered over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// Every kind of fact with the fields that clauses, rules and shapes may use: the closed list that the loader checks.
pub const VOCABULARY: &[(&str, &[&str])] = &[
    ("router", &["prefix", "parent", "idle"]),
    (
        "mount",
        &[
            "scope", "path", "except", "order", "off", "strength", "chain", "roles", "slot", "methods", "routes",
            "list", "names", "replaces",
        ],
    ),
    ("role", &["role", "on", "fails", "strength", "opts", "enforced", "idle"]),
    (
        "route",
        &[
            "router",
            "method",
            "path",
            "handler",
            "chain",
            "roles",
            "public",
            "mutates",
            "inputs",
            "unvalidated",
            "signs_in",
            "framework",
            "list",
            "document",
            "answers",
            "parameters",
        ],
    ),
    ("input", &["part", "state", "declared", "raw", "type"]),
    ("response", &["status", "statuses", "body", "error", "any_error", "by_environment"]),
    ("cookie", &["name", "value", "http_only", "secure", "same_site", "clears", "session"]),
    ("header", &["name", "value", "path"]),
    ("cors", &["origin", "credentials", "path", "decides"]),
    ("client", &["store", "shared", "target", "timeout", "pool", "library"]),
    (
        "query",
        &["op", "model", "filter", "order", "limit", "args", "text", "batch", "joined", "many", "data", "select"],
    ),
    ("stop", &["what"]),
    (
        "model",
        &["name", "table", "provider", "shape", "abstract", "parts", "fields", "uniques", "indexes", "row_security"],
    ),
    (
        "column",
        &[
            "model",
            "name",
            "type",
            "primary",
            "unique",
            "nullable",
            "default",
            "annotation",
            "zoned",
            "indexed",
            "references",
        ],
    ),
    ("index", &["model", "columns", "unique", "partial", "of", "primary"]),
    ("relation", &["model", "columns", "target", "auto_index", "on_delete", "provider"]),
    ("relationship", &["lazy", "back", "target"]),
    ("check", &["model", "text"]),
    ("datasource", &["provider", "url", "source"]),
    ("env", &["name", "default", "checked", "refused", "converted", "switch"]),
    ("env-entry", &["name", "value", "template", "tracked", "placeholder", "scheme"]),
    ("setting", &["format", "key", "name", "value"]),
    ("schema", &["what", "exits", "fields"]),
    ("state", &["type", "bounded", "weak"]),
    ("change", &["state", "effect", "key"]),
    ("hook", &["on", "signals", "handler"]),
    ("outbound", &["url", "timeout", "target"]),
    ("hmac", &["over", "compare"]),
    ("sink", &["what", "value", "shell", "safe", "program"]),
    ("digest", &["algorithm", "over", "security", "flows"]),
    ("cipher", &["algorithm", "iv", "key"]),
    ("tls", &["verify", "target"]),
    ("debug", &["what", "value"]),
    ("blocking", &["what"]),
    ("token", &["op", "expires", "algorithms", "audience", "secret", "key", "ignore_expiration", "payload"]),
    ("random", &["flows", "source"]),
    ("log", &["level", "args", "names", "library", "redacted"]),
    ("compare", &["left", "right", "names"]),
    ("stored", &["field", "value", "model", "hashed_on_write"]),
    ("literal", &["name", "value", "entropy", "length", "context", "reads_as"]),
    ("capability", &["name", "opts"]),
    ("resource", &["what", "released"]),
    ("service", &["entry", "kind", "serverless", "platform"]),
    ("module", &["path", "capability", "imported_by", "dynamic", "lines"]),
    ("function", &["name", "kind", "always_succeeds", "stub", "comment", "params"]),
    ("call", &["name", "args"]),
    ("probe", &["path"]),
    ("dependency", &["name", "version", "dev", "loose", "ecosystem"]),
    ("file", &["path", "name"]),
    ("test", &["runner", "cases", "assertions", "imports", "kind"]),
    (
        "image",
        &[
            "path",
            "stages",
            "user",
            "base",
            "healthcheck",
            "command",
            "copies_source_before_install",
            "build_tools",
            "ignores",
            "install",
            "root_user",
            "role",
        ],
    ),
    ("instruction", &["path", "name", "value", "stage", "final", "pin"]),
    ("build-variable", &["path", "name", "value", "by", "stage", "final", "used"]),
    ("action", &["uses", "owner", "pin", "triggers", "reference", "credentials", "secrets", "inputs"]),
    ("job", &["name", "runs_on", "permissions", "triggers", "secrets", "uses"]),
    ("workflow-script", &["text", "injects", "triggers"]),
    ("workflow", &["permissions", "triggers", "jobs_permissions", "jobs", "releases"]),
    (
        "container",
        &[
            "name",
            "image",
            "role",
            "healthcheck",
            "probes",
            "workload",
            "main",
            "user",
            "rights",
            "keeps",
            "requests",
            "mounts",
            "binds",
            "labels",
            "replicas",
            "update",
            "logging",
            "network",
            "ports",
            "depends_without_condition",
            "source",
            "build",
            "one_shot",
            "restart",
            "pin",
            "memory",
            "environment",
            "build_args",
            "published",
            "production",
            "command",
        ],
    ),
    (
        "manifest",
        &[
            "kind",
            "name",
            "version",
            "annotations",
            "spec",
            "data",
            "plain",
            "verbs",
            "resources",
            "grants",
            "subjects",
            "labels",
            "selects",
            "role",
            "ready",
            "rights",
        ],
    ),
    ("secret-entry", &["name", "placeholder", "length", "holder"]),
    (
        "proxy",
        &[
            "software",
            "name",
            "tls",
            "renewal",
            "protocols",
            "redirects",
            "headers",
            "rate_limit",
            "body_limit",
            "timeout",
            "compresses",
            "hides_version",
            "serves",
            "behind",
            "upstreams",
            "balanced",
            "checks",
            "outer",
            "wired",
            "published",
            "production",
        ],
    ),
    ("directive", &["path", "name", "value", "block", "of"]),
    ("cloud-resource", &["block", "type", "name", "values"]),
    ("alert", &["what", "name", "expression"]),
    ("dashboard", &["name", "panels"]),
    ("ci", &["triggers", "tests", "lint", "build", "swallowed", "provider", "commands"]),
    ("lock", &["manager", "path", "manifest", "state", "ecosystem"]),
    ("migration", &["tool", "path", "count", "lock"]),
    (
        "schema-change",
        &[
            "op",
            "table",
            "name",
            "columns",
            "type",
            "zoned",
            "nullable",
            "default",
            "unique",
            "partial",
            "target",
            "on_delete",
            "to",
            "text",
            "concurrently",
            "parts",
        ],
    ),
    ("migration-step", &["op", "table", "column", "safe", "fresh", "newest", "alters", "limited", "tool", "provider"]),
    ("openapi", &["path", "version", "operations", "paths"]),
    ("match", &["rule", "text", "path", "label"]),
    ("comment", &["text"]),
    ("entry", &[]),
];

/// Where a value comes from: the sets that rules name `:literal`, `:env`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Origins(pub u64);

macro_rules! origins {
    ($($constant:ident = $bit:expr, $name:literal;)*) => {
        impl Origins {
            $(pub const $constant: Origins = Origins(1 << $bit);)*
            /// All origins by the name that rules use (after the colon).
            pub const NAMES: &'static [(&'static str, Origins)] = &[$(($name, Origins::$constant)),*];
        }
    };
}

origins! {
    LITERAL = 0, "literal";
    ENV = 1, "env";
    PROD = 2, "prod";
    REQUEST = 3, "request";
    PARAMETER = 4, "parameter";
    CONSTANT = 5, "constant";
    BUILT = 6, "built";
    DYNAMIC = 7, "dynamic";
    RANDOM = 8, "random";
    CAUGHT_ERROR = 9, "caught-error";
    ERROR_STACK = 10, "error-stack";
    OWN_ERROR = 11, "own-error";
    LOOP_VARIABLE = 12, "loop-variable";
    ALLOW_LISTED = 13, "allow-listed";
    SERIALISED = 14, "serialised";
    REFLECTED = 15, "reflected";
    LOOSE_REGEX = 16, "loose-regex";
    OWN_ORIGIN = 17, "own-origin";
    HASHED = 18, "hashed";
    MASKED = 19, "masked";
    GIVEN = 20, "given";
    NUMERIC = 21, "numeric";
    DIGEST = 22, "digest";
    ANY_ERROR = 23, "any-error";
    TEXT = 24, "text";
    PARSED = 25, "parsed";
    TRANSACTION = 26, "transaction";
    LEADING = 27, "leading";
}

/// Parameters of a function that are told apart; the bits from here on have no name that rules could use.
const PARAMETERS: usize = 5;
const PARAMETER_BITS: usize = 50;
const SPREAD_BITS: usize = PARAMETER_BITS + PARAMETERS;
const PARAMETER_MASK: u64 = 0b11111 << PARAMETER_BITS;

impl Origins {
    /// What a value looks like, which says nothing of where it comes from.
    pub const SHAPE: Origins = Origins(Origins::TEXT.0 | Origins::PARSED.0);

    pub fn has(self, other: Origins) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub fn with(self, other: Origins) -> Origins {
        Origins(self.0 | other.0)
    }

    /// While a function is looked at on its own: what its parameter of that index holds.
    pub fn of_parameter(index: usize) -> Origins {
        Origins(if index < PARAMETERS { 1 << (PARAMETER_BITS + index) } else { 0 })
    }

    /// The same, of what is spread into an object (`{ ...error }` copies no message and no stack).
    pub fn of_spread_parameter(index: usize) -> Origins {
        Origins(if index < PARAMETERS { 1 << (SPREAD_BITS + index) } else { 0 })
    }

    /// What the first letters of a text tell: `/api/x` has no host of its own.
    pub fn of_start(text: &str) -> Origins {
        if text.starts_with('/') && !text.starts_with("//") { Origins::OWN_ORIGIN } else { Origins::default() }
    }

    /// What a text has by its first letters and the value that follows them: a request that comes first, or behind no more
    /// than a scheme, decides the host.
    pub fn of_begun(text: &str, first: Origins) -> Origins {
        let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_open = text.is_empty() || text.strip_suffix("//").is_some_and(|t| is_scheme(t.trim_end_matches(':')));
        let is_told = first.has(Origins::LEADING) || first.has(Origins::REQUEST) && !first.has(Origins::BUILT);
        if is_open && is_told { Origins::LEADING } else { Origins::of_start(text) }
    }

    #[must_use]
    pub fn without(self, other: Origins) -> Origins {
        Origins(self.0 & !other.0)
    }

    /// Parameters that become spread ones.
    #[must_use]
    pub fn spread(self) -> Origins {
        let whole = self.0 & PARAMETER_MASK;
        Origins(self.0 & !PARAMETER_MASK | whole << PARAMETERS)
    }

    /// Without what only counts while a function is looked at on its own.
    #[must_use]
    pub fn settled(self) -> Origins {
        Origins(self.0 & !(PARAMETER_MASK | PARAMETER_MASK << PARAMETERS | Self::PASSED_ERROR.0))
    }

    /// A parameter to which some caller passes a caught error.
    pub const PASSED_ERROR: Origins = Origins(1 << 60);

    /// The origins of a value that is joined from two: one part that nothing checked leaves the whole unchecked.
    #[must_use]
    pub fn joined(self, other: Origins) -> Origins {
        let checked = Origins::ALLOW_LISTED.with(Origins::NUMERIC);
        let outside = Origins::REQUEST.with(Origins::GIVEN).with(Origins(PARAMETER_MASK));
        let is_open = |part: Origins, shield: Origins| part.has(outside) && !part.has(shield);
        let settled = |part: Origins| if part.has(checked) { part.without(Origins::GIVEN) } else { part };
        let mut all = settled(self).with(settled(other).without(Origins::LEADING));
        for shield in [checked, Origins::TEXT, Origins::PARSED] {
            if is_open(self, shield) || is_open(other, shield) {
                all = all.without(shield);
            }
        }
        all
    }

    pub fn parse(name: &str) -> Option<Origins> {
        Self::NAMES.iter().find(|(n, _)| *n == name).map(|(_, o)| *o)
    }
}

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
            kind: kind.into(),
            at,
            fields: Vec::new(),
            area: Area::Config,
            service: ServiceId(0),
            function: None,
            roots: Vec::new(),
            phase: Phase::Module,
            reached: true,
            used: true,
            within: Within::default(),
            guard: Guard::default(),
            certain: Confidence::High,
            api: "".into(),
            clause: clause.into(),
            symbol: "".into(),
            because: None,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Fact {
        self.fields.push((name.into(), value));
        self
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.fields.iter_mut().find(|(n, _)| &**n == name) {
            Some(slot) => slot.1 = value,
            None => self.fields.push((name.into(), value)),
        }
    }
}

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
