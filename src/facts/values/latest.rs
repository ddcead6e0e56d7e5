//! Which of the values that a variable is given may still be in it at a place.
//!
//! In go a read and the symbol, out come the assignments since the one that surely ran last before it.

use crate::syntax::hir::{AssignOp, ContextKind, ExprId, ExprKind, Module, Symbol, Use};

/// What may be in the variable where it is read: none stands for all that it is ever given.
pub(super) fn still_there(module: &Module, symbol: &Symbol, read: ExprId) -> Option<Vec<ExprId>> {
    let last = symbol.assigned.iter().copied().filter(|&value| surely_before(module, value, read));
    let last = last.max_by_key(|&value| module.expr(value).start)?;
    let since = module.expr(last).start;
    let is_repeated = module.contexts_of(read).any(|(_, context)| matches!(context.kind, ContextKind::Loop { .. }));
    let may_follow = |value: ExprId| {
        let start = module.expr(value).start;
        start >= since && (start < module.expr(read).start || is_repeated || !same_function(module, value, read))
    };
    Some(symbol.assigned.iter().copied().filter(|&value| may_follow(value)).collect())
}

/// Does an assignment stand before the read, in its block or in one around it?
fn surely_before(module: &Module, value: ExprId, read: ExprId) -> bool {
    let context = module.expr(value).context;
    module.expr(value).end < module.expr(read).start
        && same_function(module, value, read)
        && replaces(module, value)
        && (context == module.expr(read).context || module.contexts_of(read).any(|(id, _)| id == context))
}

/// Is the value all that is in the variable afterwards? What is added to it (`+=`) is not.
fn replaces(module: &Module, value: ExprId) -> bool {
    let expr = module.expr(value);
    match expr.parent.some().map(|parent| module.kind(parent)) {
        Some(ExprKind::Assign { value: given, op, .. }) => given == value && op == AssignOp::Plain,
        Some(_) => false,
        None => expr.role == Use::Init && !matches!(expr.kind, ExprKind::Other),
    }
}

fn same_function(module: &Module, a: ExprId, b: ExprId) -> bool {
    module.function_of(a) == module.function_of(b)
}

#[cfg(test)]
mod tests {
    use crate::audit::facts_of;
    use crate::facts::Origins;

    /// Whether each answer's body may hold what the request brought.
    fn from_requests(body: &str) -> Vec<bool> {
        let text = format!(
            "from flask import Flask, jsonify, request\napp = Flask(__name__)\n@app.post('/a')\ndef a():\n{body}"
        );
        let store = facts_of(&[("requirements.txt", "flask\n"), ("app.py", &text)]);
        let answers = store.facts.iter().filter(|fact| &*fact.kind == "response");
        answers.map(|fact| fact.get("body").is_some_and(|body| body.origins.has(Origins::REQUEST))).collect()
    }

    #[test]
    fn what_was_replaced_is_gone() {
        let body = "    text = request.args['a']\n    text = 'plain'\n    return jsonify(text)\n";
        assert_eq!(from_requests(body), [false]);
        let later = "    text = 'plain'\n    if text:\n        text = 'other'\n        return jsonify(text)\n    text = request.args['a']\n    return jsonify(text)\n";
        assert_eq!(from_requests(later), [false, true]);
    }

    #[test]
    fn what_may_not_have_run_or_only_adds_replaces_nothing() {
        let branch = "    text = ''\n    text = request.args['a']\n    if text == 'x':\n        text = 'plain'\n    return jsonify(text)\n";
        assert_eq!(from_requests(branch), [true]);
        let added = "    text = ''\n    text = request.args['a']\n    text += 'plain'\n    return jsonify(text)\n";
        assert_eq!(from_requests(added), [true]);
        let repeated = "    text = ''\n    text = 'plain'\n    while True:\n        jsonify(text)\n        text = request.args['a']\n";
        assert_eq!(from_requests(repeated), [true]);
    }
}
