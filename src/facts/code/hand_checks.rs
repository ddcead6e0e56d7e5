//! Checks of a request's body that are written by hand: `if (typeof body.name !== "string") return res.status(400).end()`.
//!
//! In go the facts so far, out come half roles of validation: something wrong is refused, but nothing says that all is.

use rustc_hash::FxHashSet;

use super::assemble::input_part;
use super::extract::Raw;
use super::names::{last_name, shape};
use crate::facts::model::{Data, Value};
use crate::facts::program::{ExprRef, ModuleId, Program};
use crate::syntax::hir::{BinaryOp, ContextId, ContextKind, ExprId, ExprKind, Language, Module, Use};

/// Reads of a variable that are looked at.
const MAX_READS: usize = 32;

/// Variables that a value goes through.
const MAX_VARIABLES: u8 = 3;

/// Answers that say that what came in is wrong.
const WRONG_INPUT: &[u16] = &[400, 406, 413, 415, 422];

/// Functions that ask something of their argument, or read it as something else.
const ASKING: &[&str] = &[
    "isinstance",
    "type",
    "len",
    "all",
    "any",
    "str",
    "int",
    "float",
    "bool",
    "set",
    "list",
    "String",
    "Number",
    "Boolean",
    "parseInt",
    "parseFloat",
    "keys",
    "values",
    "entries",
    "test",
    "match",
    "fullmatch",
    "search",
];

/// How the names of others begin that do.
const ASKING_PREFIXES: &[&str] =
    &["is", "has", "valid", "check", "parse", "decode", "normal", "sanit", "clean", "trim"];

pub fn hand_checks(program: &Program<'_>, raws: &mut Vec<Raw>) {
    let refusing = Refusing::of(program, raws);
    let is_read = |raw: &&Raw| {
        &*raw.kind == "input"
            && !raw.is_declared_input()
            && raw.at.expr != ExprId::NONE
            && raw.text("part").map(input_part) == Some("body")
    };
    let reads: FxHashSet<ExprRef> = raws.iter().filter(is_read).map(|raw| raw.at).collect();
    let mut reads: Vec<ExprRef> = reads.into_iter().collect();
    reads.sort_unstable();
    for at in reads {
        let module = program.module(at.module);
        if tests_of(module, at.expr).into_iter().any(|test| refusing.follows(module, at.module, test)) {
            let text = |value: &str| Value::text(value);
            let fields = vec![("role", text("validate")), ("strength", text("half")), ("fails", text("always"))];
            raws.push(shape(program, "role", at, fields));
        }
    }
}

/// The blocks in which wrong input is refused, and whether that by itself leaves the function.
struct Refusing(FxHashSet<(ModuleId, ContextId, bool)>);

impl Refusing {
    fn of(program: &Program<'_>, raws: &[Raw]) -> Refusing {
        let mut found = FxHashSet::default();
        let mut add = |at: ExprRef| {
            let module = program.module(at.module);
            let leaves = leaves_by_itself(module, at.expr);
            found.extend(module.contexts_of(at.expr).map(|(context, _)| (at.module, context, leaves)));
        };
        // What is thrown may say a status of its own, or refuse for another reason.
        let mut spoken_for: Vec<ExprRef> = Vec::new();
        for raw in raws.iter().filter(|raw| raw.at.expr != ExprId::NONE) {
            match &*raw.kind {
                "response" => match raw.get("status").map(|status| &status.data) {
                    Some(Data::Number(status)) if is_wrong_input(*status) => add(raw.at),
                    Some(Data::Number(_)) => spoken_for.push(raw.at),
                    _ => {}
                },
                "role" => spoken_for.push(raw.at),
                _ => {}
            }
        }
        let spoken_for: FxHashSet<ExprRef> = spoken_for.into_iter().collect();
        for id in program.ids() {
            let module = program.module(id);
            for &thrown in module.functions.iter().flat_map(|function| &function.throws) {
                let at = ExprRef { module: id, expr: thrown };
                let made = module.call(thrown).map_or(at, |(callee, _)| ExprRef { module: id, expr: callee });
                if !spoken_for.contains(&at) && !spoken_for.contains(&made) {
                    add(at);
                }
            }
        }
        Refusing(found)
    }

    /// Is there a branch of the test that refuses and goes no further?
    fn follows(&self, module: &Module, id: ModuleId, test: ExprId) -> bool {
        (0..).map(ContextId).zip(&module.contexts).any(|(context, entry)| {
            let is_branch = matches!(entry.kind, ContextKind::Then(of) | ContextKind::Else(of) if of == test);
            let refuses = |leaves: bool| self.0.contains(&(id, context, leaves));
            is_branch && (refuses(true) || entry.exits && refuses(false))
        })
    }
}

/// In Python an answer that nobody returns is one that is thrown: `abort(400)`.
fn leaves_by_itself(module: &Module, answer: ExprId) -> bool {
    module.language == Language::Python && module.expr(answer).role == Use::Statement
}

fn is_wrong_input(status: f64) -> bool {
    WRONG_INPUT.iter().any(|&known| f64::from(known) == status)
}

/// The tests of branches that ask something of a value, of its parts or of a variable that holds one. Of JavaScript,
/// where a value may be an object of the caller's making, it counts only that somebody asks what sort it is.
fn tests_of(module: &Module, value: ExprId) -> Vec<ExprId> {
    let mut found = Vec::new();
    let mut level = vec![(value, module.language != Language::JavaScript)];
    let mut seen = FxHashSet::default();
    for _ in 0..=MAX_VARIABLES {
        let mut next = Vec::new();
        for (at, known) in level {
            let Some(end) = end_of(module, at, known) else { continue };
            match module.expr(end.outermost).role {
                Use::Test if end.asked => found.push(end.outermost),
                Use::Init => {
                    let symbols = module.variables_of(end.outermost).into_iter().filter(|&symbol| seen.insert(symbol));
                    let reads = symbols.flat_map(|symbol| module.symbol(symbol).reads.iter().take(MAX_READS));
                    next.extend(reads.map(|&read| (read, end.asked)));
                }
                _ => {}
            }
        }
        level = next;
    }
    found
}

/// Where a value ends up.
struct End {
    /// The outermost expression that it decides.
    outermost: ExprId,
    /// Was it asked on the way what it is, rather than whether it is there?
    asked: bool,
}

fn end_of(module: &Module, value: ExprId, known: bool) -> Option<End> {
    let mut child = value;
    let mut asked = known;
    while let Some(parent) = module.expr(child).parent.some() {
        let goes_on = match module.kind(parent) {
            ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => object == child,
            ExprKind::Call { callee, .. } | ExprKind::New { callee, .. } => callee == child || asks(module, callee),
            ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, left, right } => {
                is_fixed(module, if left == child { right } else { left })
            }
            ExprKind::Binary { op: BinaryOp::Compare | BinaryOp::Instanceof | BinaryOp::In, .. } => true,
            ExprKind::Conditional { .. } | ExprKind::Logical { .. } | ExprKind::Not(_) | ExprKind::Unary(_) => true,
            ExprKind::Await(_) => !matches!(module.kind(child), ExprKind::Call { callee, .. } if asks(module, callee)),
            _ => false,
        };
        if !goes_on {
            return None;
        }
        asked |= tells_sort(module, parent, child);
        child = parent;
    }
    Some(End { outermost: child, asked })
}

/// `typeof x`, `x instanceof Y`, `LIST.includes(x)`, `x === "ios"`
fn tells_sort(module: &Module, asking: ExprId, value: ExprId) -> bool {
    match module.kind(asking) {
        ExprKind::Unary(_) | ExprKind::Binary { op: BinaryOp::Instanceof | BinaryOp::In, .. } => true,
        ExprKind::Call { callee, .. } => callee != value || last_name(module, callee) == "match",
        ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, left, right } => {
            let other = if left == value { right } else { left };
            module.literal(other).is_some_and(|text| !text.is_empty())
        }
        _ => false,
    }
}

fn asks(module: &Module, callee: ExprId) -> bool {
    let name = last_name(module, callee);
    ASKING.contains(&name) || ASKING_PREFIXES.iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix))
}

/// A value that stands in the source, or a constant: to be compared with it says what something is.
fn is_fixed(module: &Module, expr: ExprId) -> bool {
    match module.kind(expr) {
        ExprKind::Str(_) | ExprKind::Num(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Undefined => true,
        ExprKind::Array(_) | ExprKind::Template { .. } => true,
        ExprKind::Ident(_) | ExprKind::Member { .. } | ExprKind::Global(_) => {
            let name = last_name(module, expr);
            name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
                || matches!(name, "str" | "int" | "dict" | "list" | "float" | "bool")
        }
        _ => false,
    }
}
