//! What a journal is told of (`told`): `audit("login.failed", user)`, `logger.warn("wrong password for %s", name)`,
//! `eventStore.save({ type: USER_LOGIN })`, `log_event(EventType::UserLoggedIn)`.
//!
//! In go the words of the stacks, for what is told and for who is told; out come facts that say no more than that a
//! call whose name has the one is handed something with the other.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::asked_words::AskedWords;
use super::extract::Raw;
use super::names::shape;
use super::written::{MAX_AROUND, expressions, written};
use crate::facts::model::Value;
use crate::facts::program::{ExprRef, ModuleId, Program};
use crate::syntax::hir::{Atom, ExprId, ExprKind, Module};

/// Facts of the kind `told`.
pub(super) fn told_shapes(program: &Program<'_>, asked: &[(ModuleId, AskedWords)], out: &mut Vec<Raw>) {
    let found: Vec<Vec<Raw>> = asked.par_iter().map(|(module, asked)| told(program, *module, asked)).collect();
    out.extend(found.into_iter().flatten());
}

fn told(program: &Program<'_>, module: ModuleId, asked: &AskedWords) -> Vec<Raw> {
    let hir = program.module(module);
    let (news, listeners) = (&asked.told, &asked.told_to);
    if listeners.is_empty() || news.is_empty() {
        return Vec::new();
    }
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for id in expressions(hir) {
        for atom in written(hir, id).into_iter().filter(|atom| news.contains(atom) && says(hir, id, *atom)) {
            let Some((call, to)) = listener(hir, id, listeners) else { continue };
            if seen.insert((call, atom)) {
                let fields = vec![("name", Value::text(hir.str(atom))), ("to", Value::text(to))];
                found.push(shape(program, "told", ExprRef { module, expr: id }, fields));
            }
        }
    }
    found
}

/// A text or the name of a constant says what happened; that of a variable, what is handed over.
fn says(hir: &Module, id: ExprId, atom: Atom) -> bool {
    matches!(hir.kind(id), ExprKind::Str(_) | ExprKind::Template { .. })
        || hir.str(atom).starts_with(char::is_uppercase)
}

/// The innermost call around an expression whose name, or that of what it is called on, has a word of a listener.
fn listener(hir: &Module, id: ExprId, listeners: &FxHashSet<Atom>) -> Option<(ExprId, String)> {
    let mut child = id;
    for _ in 0..MAX_AROUND {
        let parent = hir.expr(child).parent.some()?;
        match hir.kind(parent) {
            ExprKind::Function(_) => return None,
            ExprKind::Call { callee, .. } if callee != child && listens(hir, callee, listeners) => {
                return Some((parent, called(hir, callee)));
            }
            _ => child = parent,
        }
    }
    None
}

fn listens(hir: &Module, callee: ExprId, listeners: &FxHashSet<Atom>) -> bool {
    chain(hir, callee).any(|name| listeners.contains(&name))
}

/// `auditLog.record`
fn called(hir: &Module, callee: ExprId) -> String {
    let mut names: Vec<&str> = chain(hir, callee).map(|name| hir.str(name)).collect();
    names.reverse();
    names.join(".")
}

/// Links of a chain of names that are looked at.
const MAX_LINKS: usize = 4;

/// The names of a callee and of what it is called on, the last one first.
fn chain(hir: &Module, callee: ExprId) -> impl Iterator<Item = Atom> + '_ {
    let mut next = Some(callee);
    let links = std::iter::from_fn(move || {
        let (name, before) = link(hir, next?);
        next = before;
        Some(name)
    });
    links.take(MAX_LINKS).flatten()
}

/// One name of a chain, and what it is a member of.
fn link(hir: &Module, expr: ExprId) -> (Option<Atom>, Option<ExprId>) {
    match hir.kind(expr) {
        ExprKind::Ident(symbol) => (Some(hir.symbol(symbol).name), None),
        ExprKind::Global(name) => (Some(name), None),
        ExprKind::Member { object, name } => (Some(name), Some(object)),
        ExprKind::Await(inner) | ExprKind::Call { callee: inner, .. } => (None, Some(inner)),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Value;

    #[test]
    fn what_a_journal_is_told_is_found_with_its_name() {
        let script = "export function login(user) {\n  auditLog.record({ action: 'user.login', user })\n\
            this.events.store(new Entry(USER_LOGIN, password))\n  render('login')\n  logger.info('started')\n\
            logger.info(() => 'login')\n}\n";
        let told = facts_of(&[("src/server.ts", script)]).facts;
        let told: Vec<_> = told
            .iter()
            .filter(|fact| &*fact.kind == "told")
            .map(|fact| {
                ["name", "to"].map(|field| fact.get(field).and_then(Value::as_text).unwrap_or_default().to_owned())
            })
            .collect();
        assert_eq!(
            told,
            [["user.login", "auditLog.record"], ["USER_LOGIN", "events.store"]].map(|pair| pair.map(str::to_owned))
        );
    }
}
