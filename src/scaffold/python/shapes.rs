//! Places inside of what a Python module holds: the elements of a list that a name stands for, the entries of a
//! dictionary, the end of the module. Where the code is not of a plain shape the error says so.

use ruff_python_ast::{Expr, Operator, Stmt};
use ruff_text_size::{Ranged as _, TextRange};

use crate::scaffold::edits::{indentation, line_end, line_start};
use crate::scaffold::script::Slot;
use crate::scaffold::spot::End;
use crate::syntax::python::with_module;

/// A list, a tuple or a dictionary, and the place for more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub slot: Slot,
    /// Its elements as they are written.
    pub parts: Vec<String>,
    /// Where its last element lacks the comma that another one needs.
    pub comma: Option<usize>,
}

/// What a name at the top of the module holds.
pub fn held(path: &str, text: &str, name: &str, end: End) -> Result<Held, String> {
    with_module(text, |module| {
        let values: Vec<&Expr> = module.body.iter().filter_map(|statement| assigned(statement, name)).collect();
        let value = match values.as_slice() {
            [only] => outermost(only, end),
            [] => return Err(format!("{path} does not assign {name}")),
            _ => return Err(format!("{path} assigns {name} several times")),
        };
        let parts = parts(value).ok_or_else(|| format!("{name} of {path} is no plain list"))?;
        place(text, value.range(), &parts, end).ok_or_else(|| format!("{name} of {path} is written on one line"))
    })
    .map_err(|_| format!("{path} cannot be read"))?
}

/// Behind everything, but before what ends the module with `from … import *`: that may say otherwise.
pub fn bottom(path: &str, text: &str) -> Result<usize, String> {
    with_module(text, |module| {
        let last = module.body.iter().rev().take_while(|statement| takes_all_over(statement)).last();
        last.map_or(text.len(), |first| line_start(text, first.range().start().to_usize()))
    })
    .map_err(|_| format!("{path} cannot be read"))
}

fn assigned<'a>(statement: &'a Stmt, name: &str) -> Option<&'a Expr> {
    let is_name = |target: &Expr| matches!(target, Expr::Name(found) if found.id.as_str() == name);
    match statement {
        Stmt::Assign(it) if it.targets.iter().any(is_name) => Some(&it.value),
        Stmt::AnnAssign(it) if is_name(&it.target) => it.value.as_deref(),
        _ => None,
    }
}

/// The first or the last of the lists that are put together with `+`.
fn outermost(value: &Expr, end: End) -> &Expr {
    match (value, end) {
        (Expr::BinOp(sum), End::Start) if sum.op == Operator::Add => outermost(&sum.left, end),
        (Expr::BinOp(sum), End::Finish) if sum.op == Operator::Add => outermost(&sum.right, end),
        _ => value,
    }
}

fn parts(value: &Expr) -> Option<Vec<TextRange>> {
    match value {
        Expr::List(list) => Some(list.elts.iter().map(Expr::range).collect()),
        Expr::Tuple(tuple) if tuple.parenthesized => Some(tuple.elts.iter().map(Expr::range).collect()),
        Expr::Dict(dict) => {
            let entry = |item: &ruff_python_ast::DictItem| {
                let key = item.key.as_ref().map_or(item.value.range(), Expr::range);
                TextRange::new(key.start(), item.value.range().end())
            };
            Some(dict.items.iter().map(entry).collect())
        }
        _ => None,
    }
}

/// The place at one end of the brackets; none where elements share a line with them.
fn place(text: &str, whole: TextRange, parts: &[TextRange], end: End) -> Option<Held> {
    let (open, close) = (whole.start().to_usize(), whole.end().to_usize().saturating_sub(1));
    let start_of = |part: &TextRange| part.start().to_usize();
    let end_of = |part: &TextRange| part.end().to_usize();
    let (first, last) = (parts.first().map_or(close, start_of), parts.last().map_or(open + 1, end_of));
    let breaks = |from: usize, to: usize| text.get(from..to).is_some_and(|between| between.contains('\n'));
    let is_empty = parts.is_empty() && !breaks(open, close);
    let has_lines = breaks(open, first) && breaks(last, close);
    if !has_lines && !is_empty {
        return None;
    }
    let comma = text.get(last..close).and_then(|rest| rest.find(',')).map(|at| last + at + 1);
    let at = match end {
        _ if is_empty => open + 1,
        End::Start => line_end(text, open),
        End::Finish => line_end(text, comma.unwrap_or(last)),
    };
    let lacks_comma = end == End::Finish && comma.is_none() && !parts.is_empty();
    let slot = Slot {
        at,
        outer: indentation(text, open).to_owned(),
        indent: parts.first().map(|part| indentation(text, start_of(part)).to_owned()),
        inline: is_empty,
        within: (open, last),
    };
    let written = |part: &TextRange| text.get(start_of(part)..end_of(part)).unwrap_or_default().to_owned();
    Some(Held { slot, parts: parts.iter().map(written).collect(), comma: lacks_comma.then_some(last) })
}

fn takes_all_over(statement: &Stmt) -> bool {
    let any = |body: &[Stmt]| body.iter().any(takes_all_over);
    match statement {
        Stmt::ImportFrom(it) => it.names.iter().any(|alias| alias.name.as_str() == "*"),
        Stmt::Try(it) => any(&it.body),
        Stmt::If(it) => any(&it.body) || it.elif_else_clauses.iter().any(|clause| any(&clause.body)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::{Edit, apply};

    fn with(text: &str, end: End) -> Result<String, String> {
        let held = held("s.py", text, "A", end)?;
        let comma = held.comma.map(|at| Edit::insert(at, ","));
        let edits: Vec<Edit> = comma.into_iter().chain([Edit::insert(held.slot.at, "    9,\n")]).collect();
        Ok(apply(text, &edits))
    }

    #[test]
    fn lists_tuples_and_dictionaries_have_two_ends() {
        let list = "A = [\n    # the first\n    1,\n    2\n]\n";
        assert_eq!(with(list, End::Start).unwrap(), "A = [\n    9,\n    # the first\n    1,\n    2\n]\n");
        assert_eq!(with(list, End::Finish).unwrap(), "A = [\n    # the first\n    1,\n    2,\n    9,\n]\n");
        let tuple = "A: tuple = (\n    1,  # one\n)\n";
        assert_eq!(with(tuple, End::Finish).unwrap(), "A: tuple = (\n    1,  # one\n    9,\n)\n");
        let dict = "A = {\n    'a': [\n        1,\n    ],\n}\n";
        assert_eq!(held("s.py", dict, "A", End::Start).unwrap().parts, ["'a': [\n        1,\n    ]"]);
        let sum = "A = [\n    1,\n] + b(2)\n";
        assert_eq!(with(sum, End::Start).unwrap(), "A = [\n    9,\n    1,\n] + b(2)\n");
        assert!(with(sum, End::Finish).is_err());
        let empty = held("s.py", "if B:\n    pass\nA = {}\n", "A", End::Start).unwrap();
        assert!(empty.slot.inline && empty.parts.is_empty());
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for text in ["A = [1, 2]\n", "A = make()\n", "A = [\n    1,\n]\nA = []\n", "B = []\n", "A = [\n    1, 2]\n"] {
            assert!(with(text, End::Finish).is_err(), "{text}");
        }
    }

    #[test]
    fn what_takes_everything_over_stays_last() {
        let text = "A = 1\n\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n";
        assert_eq!(bottom("s.py", text).unwrap(), 7);
        assert_eq!(bottom("s.py", "from .base import *\n\nA = 1\n").unwrap(), 27);
    }
}
