//! What names tell: identifiers in log calls, comparisons, literals that are given a telling name, functions that
//! can only succeed.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::extract::Raw;
use super::shown::{is_shown_as_example, keys_beside};
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Data, Value};
use crate::facts::program::{ExprRef, FunctionRef, ModuleId, Program};
use crate::facts::resolve::Evaluator;
use crate::project::{ServiceId, Span};
use crate::syntax::hir::{
    BinaryOp, ContextKind, Definition, Expr, ExprId, ExprKind, FunctionIdx, Language, MemberKind, Module, PropKind, Use,
};

/// Literals under names without any of these are no secrets; the lexicons of the rules decide about the rest.
const TELLING: &[&str] = &["secret", "passw", "pwd", "token", "key", "credential", "auth", "salt", "dsn", "pepper"];
const COMPARED: &[&str] =
    &["passw", "pwd", "secret", "token", "signature", "hash", "hmac", "digest", "apikey", "api_key"];
/// Properties that say how many, not what. https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects
const COUNTS: &[&str] = &["length", "size", "byteLength"];
const MIN_LITERAL: usize = 6;
/// Passwords are short.
const MIN_PASSWORD: usize = 4;
/// Functions that only look at the password that they are handed.
const CHECKING: &[&str] = &["verif", "check", "compare", "validate", "authenticate"];
const PASSWORD_NAMES: &[&str] = &["passw", "pwd", "passphrase", "passcode"];

/// Adds `names` to every log fact: the identifiers, properties and keys that its arguments show.
pub fn name_logs(evaluator: &Evaluator<'_>, raws: &mut [Raw]) {
    // A logger that is made with a list of what to leave out serves the whole service.
    let redacting: Vec<ServiceId> = raws
        .iter()
        .filter(|raw| raw.text("name") == Some("structured-logger"))
        .filter(|raw| raw.get("opts").is_some_and(|opts| !opts.field("redact").is_absent()))
        .map(|raw| evaluator.program.project.file(raw.span.file).service)
        .collect();
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "log") {
        let module = evaluator.program.module(raw.at.module);
        let Some((_, args)) = module.call(raw.at.expr) else { continue };
        let mut names = Vec::new();
        for argument in module.list(args) {
            mentioned(module, argument, &mut names, 0);
        }
        names.sort();
        names.dedup();
        raw.set("names", Value::texts(&names));
        let service = evaluator.program.project.file(raw.span.file).service;
        if raw.text("library") != Some("console") && redacting.contains(&service) {
            raw.set("redacted", Value::bool(true));
        }
    }
}

/// The names whose values an expression shows. A property stands for itself, not for its object; what is counted,
/// negated or handed to another function is not shown.
fn mentioned(module: &Module, expr: ExprId, out: &mut Vec<String>, depth: u8) {
    if depth > 8 || out.len() > 64 {
        return;
    }
    match module.kind(expr) {
        ExprKind::Ident(symbol) => out.push(module.str(module.symbol(symbol).name).to_owned()),
        ExprKind::Member { object, name } => {
            let text = module.str(name);
            if let ExprKind::Ident(_) | ExprKind::Member { .. } = module.kind(object)
                && matches!(text, "body" | "headers" | "env" | "query" | "cookies" | "session")
            {
                out.push(format!("{}.{text}", last_name(module, object)));
            }
            out.push(text.to_owned());
        }
        ExprKind::Template { quasis, exprs } => {
            for hole in module.holes(quasis, exprs) {
                mentioned(module, hole, out, depth + 1);
            }
        }
        ExprKind::Object(run) => {
            for prop in module.object(run) {
                let shown = !matches!(
                    module.kind(prop.value),
                    ExprKind::Call { .. }
                        | ExprKind::Index { .. }
                        | ExprKind::Not(_)
                        | ExprKind::Bool(_)
                        | ExprKind::Str(_)
                        | ExprKind::Num(_)
                        | ExprKind::Unary(_)
                ) && !is_count(module, prop.value);
                if shown && let (Some(key), PropKind::Value) = (prop.key, prop.kind) {
                    out.push(module.str(key).to_owned());
                }
                mentioned(module, prop.value, out, depth + 1);
            }
        }
        ExprKind::Array(run) => {
            for item in module.list(run) {
                mentioned(module, item, out, depth + 1);
            }
        }
        ExprKind::Binary { op: BinaryOp::Add, left, right } | ExprKind::Logical { left, right, .. } => {
            mentioned(module, left, out, depth + 1);
            mentioned(module, right, out, depth + 1);
        }
        ExprKind::Conditional { branches, .. } => {
            for branch in module.list(branches) {
                mentioned(module, branch, out, depth + 1);
            }
        }
        ExprKind::Call { callee, args } if passes_through(module, callee) => {
            for argument in module.list(args) {
                mentioned(module, argument, out, depth + 1);
            }
        }
        ExprKind::Spread(inner) | ExprKind::Await(inner) => mentioned(module, inner, out, depth + 1),
        _ => {}
    }
}

/// `tokens.length` says how many there are.
fn is_count(module: &Module, expr: ExprId) -> bool {
    match module.kind(expr) {
        ExprKind::Member { name, .. } => COUNTS.contains(&module.str(name)),
        ExprKind::Logical { left, .. } => is_count(module, left),
        _ => false,
    }
}

fn passes_through(module: &Module, callee: ExprId) -> bool {
    match module.kind(callee) {
        ExprKind::Member { name, .. } => matches!(module.str(name), "stringify" | "inspect" | "format"),
        ExprKind::Global(name) => module.str(name) == "String",
        _ => false,
    }
}

/// The last name of an expression: its property or variable.
pub fn last_name(module: &Module, expr: ExprId) -> &str {
    match module.kind(expr) {
        ExprKind::Ident(symbol) => module.str(module.symbol(symbol).name),
        ExprKind::Member { name, .. } => module.str(name),
        ExprKind::Global(name) => module.str(name),
        ExprKind::Await(inner) => last_name(module, inner),
        ExprKind::Call { callee, .. } => last_name(module, callee),
        _ => "",
    }
}

/// Facts of the shapes `literal`, `compare` and `function`.
pub fn name_shapes(evaluator: &mut Evaluator<'_>, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    for module in program.ids() {
        if !is_audited(program.project.file(program.loaded(module).file).area) {
            continue;
        }
        let hir = program.module(module);
        let declared = declared(hir);
        for (index, expr) in hir.exprs.iter().enumerate() {
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            match expr.kind {
                ExprKind::Str(_) | ExprKind::Template { .. } => {
                    out.extend(literal(program, module, &declared, id, expr));
                }
                ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NotEqual, left, right } => {
                    out.extend(comparison(evaluator, module, id, left, right));
                }
                _ => {}
            }
        }
        for index in 1..hir.functions.len() {
            let function = FunctionIdx(u32::try_from(index).unwrap_or(u32::MAX));
            out.extend(function_that_succeeds(program, FunctionRef { module, function }));
            literals_for_parameters(evaluator, FunctionRef { module, function }, out);
        }
    }
}

pub fn shape(program: &Program<'_>, kind: &str, at: ExprRef, fields: Vec<(&str, Value)>) -> Raw {
    let loaded = program.loaded(at.module);
    let expr = loaded.module.expr(at.expr);
    let function = loaded.module.function_of(at.expr);
    Raw {
        kind: kind.into(),
        clause: format!("shape {kind}").into(),
        stack: None,
        at,
        span: Span { file: loaded.file, start: expr.start, end: expr.end },
        fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        refs: Vec::new(),
        functions: Vec::new(),
        function: (function.0 != 0).then_some(FunctionRef { module: at.module, function }),
        api: "".into(),
        certain: Confidence::High,
        within: None,
        view: None,
    }
}

fn literal(program: &Program<'_>, module: ModuleId, declared: &Declared<'_>, id: ExprId, expr: &Expr) -> Option<Raw> {
    let hir = program.module(module);
    let text = hir.literal(id)?;
    if text.len() < MIN_PASSWORD || text.len() > 512 {
        return None;
    }
    let (name, context) = given_name(hir, declared, id, expr).filter(|_| !is_shown_as_example(hir, id))?;
    let lower = name.to_ascii_lowercase();
    let is_password = PASSWORD_NAMES.iter().any(|part| lower.contains(part)) || lower == "pass";
    let is_telling = is_password || text.len() >= MIN_LITERAL && TELLING.iter().any(|part| lower.contains(part));
    is_telling.then(|| {
        let mut raw = literal_named(program, ExprRef { module, expr: id }, name, text, context);
        raw.set("beside", Value::texts(keys_beside(hir, expr)));
        raw
    })
}

fn literal_named(program: &Program<'_>, at: ExprRef, name: &str, text: &str, context: &str) -> Raw {
    let fields = vec![
        ("name", Value::text(name)),
        ("value", Value::text(text)),
        ("entropy", Value::number(entropy(text))),
        ("length", Value::number(text.chars().count() as f64)),
        ("context", Value::text(context)),
        ("reads_as", Value::text(reads_as(name, text))),
    ];
    shape(program, "literal", at, fields)
}

/// `register("kim", "pass1")`: literals that stand for a parameter that is called a password.
fn literals_for_parameters(evaluator: &Evaluator<'_>, at: FunctionRef, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    let hir = program.module(at.module);
    let function = hir.function(at.function).name.map_or("", |name| hir.str(name)).to_ascii_lowercase();
    if CHECKING.iter().any(|word| function.contains(word)) {
        return;
    }
    for (index, parameter) in hir.function(at.function).parameters.iter().enumerate() {
        let Some(name) = parameter.symbol.some().map(|symbol| hir.str(hir.symbol(symbol).name)) else { continue };
        let lower = name.to_ascii_lowercase();
        if !PASSWORD_NAMES.iter().any(|part| lower.contains(part)) {
            continue;
        }
        let callers = evaluator.links.callers.get(program.number(at).0 as usize).into_iter().flatten();
        for &call in callers {
            let caller = program.loaded(call.module);
            let is_read = is_audited(program.project.file(caller.file).area);
            let Some(given) = evaluator.argument(call, index).filter(|_| is_read) else { continue };
            if let Some(text) = caller.module.literal(given.expr).filter(|text| text.len() >= MIN_PASSWORD) {
                out.push(literal_named(program, given, name, text, "argument"));
            }
        }
    }
}

/// What a literal looks like: its own name over again (`RESET_TOKEN = "reset-token"`), a sentence, an address (a path, a
/// URL, a key of messages), a few words, or else a value.
fn reads_as(name: &str, text: &str) -> &'static str {
    let is_word = |part: &str| part.len() <= 14 && part.chars().all(|c| c.is_ascii_alphabetic());
    let words = words(text);
    if !words.is_empty() && words.iter().all(|word| self::words(name).contains(word)) {
        return "name";
    }
    if text.trim().contains(char::is_whitespace) {
        return "sentence";
    }
    let parts: Vec<&str> = text.split(['/', '.', ':']).collect();
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.parse::<u8>().is_ok());
    let is_path = parts.iter().all(|part| is_version(part) || self::words(part).iter().all(|word| is_word(word)));
    if text.contains("://") || parts.len() > 1 && is_path {
        return "address";
    }
    if words.iter().all(|word| is_word(word)) { "words" } else { "value" }
}

/// The words of a name or of a text in the style of one (`resetToken`, `RESET_TOKEN`, `reset-tokens`), without plural s.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    each_word(text, &mut String::new(), |word| words.push(word.to_owned()));
    words
}

/// Hands over the [`words`] of a text one by one. They are put together in `buffer`, which may be used again.
pub(super) fn each_word(text: &str, buffer: &mut String, mut take: impl FnMut(&str)) {
    let mut hand_over = |word: &mut String| {
        if !word.is_empty() {
            take(word.strip_suffix('s').unwrap_or(word));
            word.clear();
        }
    };
    buffer.clear();
    let mut before = ' ';
    for character in text.chars() {
        if character.is_alphanumeric() {
            if !before.is_alphanumeric() || before.is_lowercase() && character.is_uppercase() {
                hand_over(buffer);
            }
            match character.is_ascii() {
                true => buffer.push(character.to_ascii_lowercase()),
                false => buffer.extend(character.to_lowercase()),
            }
        }
        before = character;
    }
    hand_over(buffer);
}

/// The names that declarations give to the expressions that they stand with, and how.
type Declared<'m> = FxHashMap<ExprId, (&'m str, &'static str)>;

fn declared(module: &Module) -> Declared<'_> {
    let mut found = Declared::default();
    for symbol in &module.symbols {
        let name = module.str(symbol.name);
        let (init, default) = match &symbol.definition {
            Definition::Variable { init, steps, default, .. } if steps.is_empty() => (*init, *default),
            Definition::Variable { default, .. } | Definition::Parameter { default, .. } => (ExprId::NONE, *default),
            _ => continue,
        };
        if init != ExprId::NONE {
            found.entry(init).or_insert((name, "assignment"));
        }
        if default != ExprId::NONE {
            found.entry(default).or_insert((name, "default"));
        }
    }
    for member in module.classes.iter().flat_map(|class| &class.members) {
        if let MemberKind::Field(value) = member.kind
            && value != ExprId::NONE
        {
            found.entry(value).or_insert((module.str(member.name), "assignment"));
        }
    }
    found
}

/// The name that a literal is bound to, and how: as the `assignment` of a variable or member, the `default` of a
/// parameter, a `keyword` of a call, a `property` of an object.
fn given_name<'m>(
    module: &'m Module,
    declared: &Declared<'m>,
    id: ExprId,
    expr: &Expr,
) -> Option<(&'m str, &'static str)> {
    let Some(parent) = expr.parent.some() else { return declared.get(&id).copied() };
    match module.kind(parent) {
        ExprKind::Object(run) => {
            let key = module.object(run).iter().find(|p| p.value == id).and_then(|p| p.key)?;
            let is_keyword = module.expr(parent).role == Use::Keywords;
            Some((module.str(key), if is_keyword { "keyword" } else { "property" }))
        }
        ExprKind::Assign { target, value, .. } if value == id => Some((last_name(module, target), "assignment")),
        _ => None,
    }
}

/// Shannon entropy in bits a character.
pub fn entropy(text: &str) -> f64 {
    let mut counts: SmallVec<[(char, u32); 64]> = SmallVec::new();
    let mut total = 0.0;
    for character in text.chars() {
        total += 1.0;
        match counts.iter_mut().find(|(c, _)| *c == character) {
            Some(slot) => slot.1 += 1,
            None => counts.push((character, 1)),
        }
    }
    counts.iter().map(|&(_, n)| f64::from(n) / total).map(|p| -p * p.log2()).sum()
}

fn comparison(evaluator: &mut Evaluator<'_>, module: ModuleId, id: ExprId, left: ExprId, right: ExprId) -> Option<Raw> {
    let program = evaluator.program;
    let hir = program.module(module);
    let names = [last_name(hir, left), last_name(hir, right)];
    if hir.language == Language::Rust && names.iter().any(|name| is_variant(name)) {
        return None;
    }
    let telling = names.iter().any(|name| {
        let lower = name.to_ascii_lowercase();
        COMPARED.iter().any(|part| lower.contains(part))
    });
    if !telling && !compares_parameters_of_password_check(hir, id, left, right) {
        return None;
    }
    let values = (evaluator.value(ExprRef { module, expr: left }), evaluator.value(ExprRef { module, expr: right }));
    let constant = |value: &Value| matches!(value.data, Data::Absent | Data::Null | Data::Bool(_) | Data::Number(_));
    if constant(&values.0) || constant(&values.1) {
        return None;
    }
    let names = Value::texts(names.iter().filter(|name| !name.is_empty()));
    Some(shape(
        program,
        "compare",
        ExprRef { module, expr: id },
        vec![("left", values.0), ("right", values.1), ("names", names)],
    ))
}

/// `AccountType::Password` says of what kind something is.
fn is_variant(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

/// `const comparePassword = (stored, given) => stored === given`
fn compares_parameters_of_password_check(hir: &Module, id: ExprId, left: ExprId, right: ExprId) -> bool {
    let function = hir.function_of(id);
    let is_own = |side: ExprId| match hir.kind(side) {
        ExprKind::Ident(symbol) => {
            matches!(hir.symbol(symbol).definition, Definition::Parameter { function: of, .. } if of == function)
        }
        _ => false,
    };
    let name = hir.function(function).name.map_or("", |name| hir.str(name));
    name.to_ascii_lowercase().contains("passw") && is_own(left) && is_own(right)
}

/// A named function without any way to refuse: no branch, no throw, no call but of what it was handed.
fn function_that_succeeds(program: &Program<'_>, at: FunctionRef) -> Option<Raw> {
    let hir = program.module(at.module);
    let entry = hir.function(at.function);
    let name = entry.name.map(|name| hir.str(name))?;
    if entry.statements == 0 || !entry.throws.is_empty() || entry.statements > 12 {
        return None;
    }
    let inside = |expr: &Expr| hir.contexts[expr.context.0 as usize].function == at.function;
    let branches = hir.contexts.iter().any(|c| {
        c.function == at.function && matches!(c.kind, ContextKind::Then(_) | ContextKind::Case | ContextKind::Catch)
    });
    if branches || hir.functions.iter().any(|f| f.parent == at.function) {
        return None;
    }
    let mut hands_on = false;
    for expr in hir.exprs.iter().filter(|e| inside(e)) {
        match expr.kind {
            ExprKind::Conditional { .. }
            | ExprKind::Logical { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Not(_)
            | ExprKind::Await(_)
            | ExprKind::New { .. } => return None,
            ExprKind::Call { callee, args } => {
                let handed = matches!(hir.kind(callee), ExprKind::Ident(symbol)
                    if matches!(hir.symbol(symbol).definition, Definition::Parameter { .. }));
                // `next(error)` refuses.
                if !handed || args.len > 0 {
                    return None;
                }
                hands_on = true;
            }
            _ => {}
        }
    }
    let says_yes = entry.returns.iter().any(|&r| matches!(hir.kind(r), ExprKind::Bool(true) | ExprKind::Object(_)));
    let refuses = entry.returns.iter().any(|&r| matches!(hir.kind(r), ExprKind::Bool(false) | ExprKind::Null));
    if refuses || !(hands_on || says_yes) {
        return None;
    }
    let stub = hir.comments.iter().any(|c| c.start >= entry.start && c.end <= entry.end);
    let class = entry.class.some().and_then(|class| hir.class(class).name).map(|name| hir.str(name));
    let file = program.loaded(at.module).file;
    Some(Raw {
        kind: "function".into(),
        clause: "shape function".into(),
        stack: None,
        at: ExprRef { module: at.module, expr: ExprId::NONE },
        span: Span { file, start: entry.start, end: entry.start + 1 },
        fields: vec![
            ("name".into(), Value::text(name)),
            ("always_succeeds".into(), Value::bool(true)),
            ("stub".into(), Value::bool(stub)),
            ("params".into(), Value::number(entry.parameters.len() as f64)),
            ("class".into(), class.map_or(Value::ABSENT, Value::text)),
        ],
        refs: Vec::new(),
        functions: Vec::new(),
        function: Some(at),
        api: "".into(),
        certain: Confidence::High,
        within: None,
        view: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{entropy, reads_as};

    #[test]
    fn literals_that_repeat_their_name_are_told_from_words_and_values() {
        assert_eq!(reads_as("UPDATE_API_TOKEN", "update-api-tokens"), "name");
        assert_eq!(reads_as("cookieSecret", "session_cookie_secret_key_here"), "words");
        assert_eq!(reads_as("get_secret", "/api/v1/account/secret/get"), "address");
        assert_eq!(reads_as("invalidPassword", "errors.auth.invalid-password"), "address");
        assert_eq!(reads_as("invalidPassword", "Please choose a longer password"), "sentence");
        assert_eq!(reads_as("apiKey", "v9dn0balpqas1pcc281tn5ood1"), "value");
    }

    #[test]
    fn entropy_is_in_bits_a_character() {
        assert!((entropy("aaaa")).abs() < 1e-9);
        assert!((entropy("abcd") - 2.0).abs() < 1e-9);
        assert!(entropy("k3jq8f0a9sd7f6g5h4j3") > 3.5);
    }
}
