//! What is written by name, wherever it stands: words that stacks ask for (`mention`), and the values that go with
//! keys that a protocol fixes (`pair`): `{ grant_type: "refresh_token" }`, `form.append("grant_type", kind)`,
//! `("grant_type", kind)`, `params["grant_type"] = kind`, `…?grant_type=refresh_token`.
//!
//! In go the words and keys of the stacks; out come facts that say no more than that something stands there.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

use super::asked_words::AskedWords;
use super::extract::Raw;
use super::names::{last_name, shape};
use crate::facts::model::Value;
use crate::facts::program::{ExprRef, ModuleId, Program};
use crate::facts::resolve::Evaluator;
use crate::syntax::hir::{Atom, Definition, ExprId, ExprKind, Module, Prop, Run, Type, TypeRoot, Use};

/// Longer texts are prose.
const MAX_TEXT: usize = 400;
/// Expressions around a mention that are looked at.
pub(super) const MAX_AROUND: usize = 8;

/// Facts of the kinds `mention` and `pair`.
pub(super) fn written_shapes(evaluator: &mut Evaluator<'_>, asked: &[(ModuleId, AskedWords)], out: &mut Vec<Raw>) {
    let program = evaluator.program;
    let of_module = |(module, asked): &(ModuleId, AskedWords)| mentions(program, *module, &asked.mentions);
    let found: Vec<Vec<Raw>> = asked.par_iter().map(of_module).collect();
    out.extend(found.into_iter().flatten());
    for (module, _) in asked {
        pairs(evaluator, *module, out);
    }
}

/// Each name or text with an asked word, once for each function and way of writing it.
fn mentions(program: &Program<'_>, module: ModuleId, asked: &FxHashSet<Atom>) -> Vec<Raw> {
    let hir = program.module(module);
    let mut found = Vec::new();
    if asked.is_empty() {
        return found;
    }
    let mut seen = FxHashSet::default();
    for id in expressions(hir) {
        for atom in written(hir, id).into_iter().filter(|atom| asked.contains(atom)) {
            let mention = Mention::of(hir, id);
            if !seen.insert((hir.function_of(id), atom, mention.clone())) {
                continue;
            }
            let mut fields = vec![("name", Value::text(hir.str(atom))), ("tested", Value::bool(mention.tested))];
            fields.push(("given", Value::texts(&mention.given)));
            let texts = [("of", mention.of), ("type", mention.declared)];
            fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name, Value::text(text?)))));
            found.push(shape(program, "mention", ExprRef { module, expr: id }, fields));
        }
    }
    found
}

/// How something is written: what a property is read of, the type that a parameter is declared with, whether a branch
/// depends on it, and the functions that it is handed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mention<'m> {
    of: Option<&'m str>,
    declared: Option<&'m str>,
    tested: bool,
    given: SmallVec<[&'m str; 2]>,
}

impl<'m> Mention<'m> {
    fn of(hir: &'m Module, id: ExprId) -> Mention<'m> {
        Mention {
            of: holder(hir, id),
            declared: declared_type(hir, id),
            tested: is_tested(hir, id),
            given: receivers(hir, id),
        }
    }
}

/// Does a branch depend on it, by itself, compared, or as what a call is told?
fn is_tested(hir: &Module, id: ExprId) -> bool {
    let mut child = id;
    for _ in 0..MAX_AROUND {
        let Some(parent) = hir.expr(child).parent.some() else { return hir.expr(child).role == Use::Test };
        match hir.kind(parent) {
            ExprKind::Conditional { test, .. } => return test == child,
            ExprKind::Function(_) | ExprKind::Assign { .. } => return false,
            _ => child = parent,
        }
    }
    false
}

/// The names of the calls that it is an argument of, innermost first, also inside a record.
fn receivers(hir: &Module, id: ExprId) -> SmallVec<[&str; 2]> {
    let mut child = id;
    let mut names = SmallVec::new();
    for _ in 0..MAX_AROUND {
        let Some(parent) = hir.expr(child).parent.some() else { break };
        match hir.kind(parent) {
            ExprKind::Function(_) | ExprKind::Assign { .. } => break,
            ExprKind::Call { callee, .. } if callee != child => names.push(last_name(hir, callee)),
            _ => {}
        }
        child = parent;
    }
    names
}

pub(super) fn expressions(hir: &Module) -> impl Iterator<Item = ExprId> + use<> {
    (0..u32::try_from(hir.exprs.len()).unwrap_or(u32::MAX)).map(ExprId)
}

/// The names and texts that stand right in an expression.
pub(super) fn written(hir: &Module, id: ExprId) -> SmallVec<[Atom; 2]> {
    match hir.kind(id) {
        ExprKind::Ident(symbol) => smallvec![hir.symbol(symbol).name],
        ExprKind::Str(atom) | ExprKind::Global(atom) | ExprKind::Member { name: atom, .. } => smallvec![atom],
        ExprKind::Template { quasis, .. } => parts(hir, quasis).collect(),
        ExprKind::Object(run) => hir.object(run).iter().filter_map(|prop| prop.key).collect(),
        _ => SmallVec::new(),
    }
}

fn parts(hir: &Module, quasis: Run) -> impl Iterator<Item = Atom> + '_ {
    hir.lists[quasis.start as usize..(quasis.start + quasis.len) as usize].iter().map(|&atom| Atom(atom))
}

/// What a property is read of.
fn holder(hir: &Module, id: ExprId) -> Option<&str> {
    match hir.kind(id) {
        ExprKind::Member { object, .. } => Some(last_name(hir, object)).filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// The name of the type that a parameter is declared with, also where the name is a part of its pattern.
fn declared_type(hir: &Module, id: ExprId) -> Option<&str> {
    let ExprKind::Ident(symbol) = hir.kind(id) else { return None };
    let Definition::Parameter { annotation, .. } = hir.symbol(symbol).definition else { return None };
    let Type::Reference { root, path, .. } = hir.ty(annotation)? else { return None };
    match (path.last(), root) {
        (Some(&last), _) | (None, &TypeRoot::Global(last)) => Some(hir.str(last)),
        (None, &TypeRoot::Symbol(symbol)) => Some(hir.str(hir.symbol(symbol).name)),
        (None, TypeRoot::Source(_)) => None,
    }
}

/// A key with its value, and the keys that stand beside it (nothing, where nobody can tell).
struct Pair<'m> {
    at: ExprId,
    key: &'m str,
    value: Value,
    beside: Value,
}

fn pairs(evaluator: &mut Evaluator<'_>, module: ModuleId, out: &mut Vec<Raw>) {
    let program = evaluator.program;
    let hir = program.module(module);
    let asked = &evaluator.stacks.pairs;
    let names_one = |text: &str| text.len() <= MAX_TEXT && asked.iter().any(|key| text.contains(key.as_str()));
    if !hir.strings.iter().any(|(_, text)| names_one(text)) {
        return;
    }
    for id in expressions(hir) {
        for pair in pairs_at(evaluator, hir, ExprRef { module, expr: id }) {
            let fields = vec![("name", Value::text(pair.key)), ("value", pair.value), ("beside", pair.beside)];
            out.push(shape(program, "pair", ExprRef { module, expr: pair.at }, fields));
        }
    }
}

fn pairs_at<'m>(evaluator: &mut Evaluator<'_>, hir: &'m Module, at: ExprRef) -> Vec<Pair<'m>> {
    match hir.kind(at.expr) {
        ExprKind::Object(run) => of_record(evaluator, hir, at, hir.object(run)),
        ExprKind::Array(run) | ExprKind::Call { args: run, .. } => {
            of_list(evaluator, hir, at, run).into_iter().collect()
        }
        ExprKind::Assign { target, value, .. } => {
            of_assignment(evaluator, hir, at, target, value).into_iter().collect()
        }
        ExprKind::Str(atom) => of_text(evaluator, at, vec![hir.str(atom)], &[]),
        ExprKind::Template { quasis, exprs } => {
            let texts = parts(hir, quasis).map(|atom| hir.str(atom)).collect();
            let holes: Vec<ExprId> = hir.holes(quasis, exprs).collect();
            of_text(evaluator, at, texts, &holes)
        }
        _ => Vec::new(),
    }
}

fn of_record<'m>(evaluator: &mut Evaluator<'_>, hir: &'m Module, at: ExprRef, props: &'m [Prop]) -> Vec<Pair<'m>> {
    let keys = || props.iter().filter_map(|prop| prop.key).map(|key| hir.str(key));
    let is_closed = props.iter().all(|prop| prop.key.is_some());
    let asked: Vec<(&str, ExprId)> = props
        .iter()
        .filter_map(|prop| Some((hir.str(prop.key?), prop.value)))
        .filter(|(key, _)| evaluator.stacks.pairs.contains(*key))
        .collect();
    let beside = if is_closed { Value::texts(keys()) } else { Value::UNKNOWN };
    let pair = |(key, value): (&'m str, ExprId)| Pair {
        at: value,
        key,
        value: evaluator.value(ExprRef { expr: value, ..at }),
        beside: beside.clone(),
    };
    asked.into_iter().map(pair).collect()
}

/// `append("grant_type", kind)`, `("grant_type", kind)`: the first item is the key, the second its value.
fn of_list<'m>(evaluator: &mut Evaluator<'_>, hir: &'m Module, at: ExprRef, run: Run) -> Option<Pair<'m>> {
    let mut items = hir.list(run);
    let (first, second) = (items.next()?, items.next()?);
    let key = hir.literal(first).filter(|key| evaluator.stacks.pairs.contains(*key))?;
    let value = evaluator.value(ExprRef { expr: second, ..at });
    Some(Pair { at: at.expr, key, value, beside: keys_beside(hir, at.expr) })
}

/// The keys of the list of pairs that a pair is an item of.
fn keys_beside(hir: &Module, pair: ExprId) -> Value {
    let Some(ExprKind::Array(run)) = hir.expr(pair).parent.some().map(|parent| hir.kind(parent)) else {
        return Value::UNKNOWN;
    };
    let key = |item: ExprId| match hir.kind(item) {
        ExprKind::Array(run) => hir.literal(hir.list(run).next()?),
        _ => None,
    };
    let keys: Option<Vec<&str>> = hir.list(run).map(key).collect();
    keys.map_or(Value::UNKNOWN, Value::texts)
}

fn of_assignment<'m>(
    evaluator: &mut Evaluator<'_>,
    hir: &'m Module,
    at: ExprRef,
    target: ExprId,
    value: ExprId,
) -> Option<Pair<'m>> {
    let key = match hir.kind(target) {
        ExprKind::Index { index, .. } => hir.literal(index)?,
        ExprKind::Member { name, .. } => hir.str(name),
        _ => return None,
    };
    let value = ExprRef { expr: value, ..at };
    evaluator.stacks.pairs.contains(key).then(|| evaluator.value(value)).map(|value| Pair {
        at: at.expr,
        key,
        value,
        beside: Value::UNKNOWN,
    })
}

/// `grant_type=refresh_token&client_id=${id}`: keys stand behind the beginning, `?` or `&`, in front of `=`.
fn of_text<'m>(evaluator: &mut Evaluator<'_>, at: ExprRef, texts: Vec<&'m str>, holes: &[ExprId]) -> Vec<Pair<'m>> {
    let is_asked =
        |text: &&str| text.contains('=') && evaluator.stacks.pairs.iter().any(|key| text.contains(key.as_str()));
    if !texts.iter().any(is_asked) {
        return Vec::new();
    }
    let mut entries: FxHashMap<&'m str, (usize, &'m str)> = FxHashMap::default();
    let mut order = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        for entry in text.split(['?', '&']) {
            if let Some((key, rest)) = entry.split_once('=') {
                order.push(key);
                entries.entry(key).or_insert((index, rest));
            }
        }
    }
    let beside = Value::texts(&order);
    let mut found = Vec::new();
    for key in order.into_iter().filter(|key| evaluator.stacks.pairs.contains(*key)) {
        let Some(&(index, rest)) = entries.get(key) else { continue };
        let hole = holes.get(index).filter(|_| rest.is_empty());
        let value = match hole {
            Some(&hole) => evaluator.value(ExprRef { expr: hole, ..at }),
            None => Value::text(rest),
        };
        found.push(Pair { at: at.expr, key, value, beside: beside.clone() });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::{Fact, Value};

    fn facts(kind: &str, files: &[(&str, &str)]) -> Vec<Fact> {
        facts_of(files).facts.iter().filter(|fact| &*fact.kind == kind).cloned().collect()
    }

    fn text(fact: &Fact, field: &str) -> Option<String> {
        fact.get(field).and_then(Value::as_text).map(str::to_owned)
    }

    #[test]
    fn a_pair_is_found_however_it_is_written() {
        let python = "import requests\nkind = 'refresh_token'\n\
            requests.post('https://id.test', data={'grant_type': kind, 'code': 1})\n\
            requests.post('https://id.test', data=[('grant_type', 'refresh_token'), ('code', '1')])\n\
            form = {}\nform['grant_type'] = 'refresh_token'\n\
            requests.post('https://id.test?grant_type=refresh_token&code=1')\n";
        let found = facts("pair", &[("app.py", python)]);
        let values: Vec<_> = found.iter().filter_map(|fact| text(fact, "value")).collect();
        assert_eq!(values, ["refresh_token"; 4]);
        let beside = Value::texts(["grant_type", "code"]);
        assert_eq!(found.iter().filter(|fact| fact.get("beside") == Some(&beside)).count(), 3);
    }

    #[test]
    fn a_pair_in_a_text_may_have_its_value_behind_it() {
        let script = "const kind = 'refresh_token'\nawait fetch(`https://id.test?a=1&grant_type=${kind}&b=${2}`)\n\
            const form = new URLSearchParams()\nform.append('grant_type', kind)\nconst other = { grant: kind }\n";
        let found = facts("pair", &[("src/server.ts", script)]);
        let values: Vec<_> = found.iter().filter_map(|fact| text(fact, "value")).collect();
        assert_eq!(values, ["refresh_token"; 2]);
    }

    #[test]
    fn a_mention_says_whether_a_branch_depends_on_it_and_who_gets_it() {
        let script = "export function check(req, saved) {\n  if (req.query.state !== saved.state) throw new Error('no')\n\
            consume(read({ key: req.query.state }))\n  return req.query.stateful\n}\n";
        let found = facts("mention", &[("src/server.ts", script)]);
        let shown: Vec<_> = found
            .iter()
            .map(|fact| (text(fact, "of"), fact.get("tested").cloned(), fact.get("given").cloned()))
            .collect();
        let (yes, no) = (Some(Value::bool(true)), Some(Value::bool(false)));
        let given = |names: &[&str]| Some(Value::texts(names));
        assert_eq!(
            shown,
            [
                (Some("query".into()), yes.clone(), given(&[])),
                (Some("saved".into()), yes, given(&[])),
                (Some("query".into()), no, given(&["read", "consume"])),
            ]
        );
    }
}
