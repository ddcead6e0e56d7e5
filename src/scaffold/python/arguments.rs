//! The arguments of a Python call.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged as _, TextRange, TextSize};

use crate::scaffold::outline::{Argument, Call};
use crate::syntax::SyntaxError;
use crate::syntax::python::with_module;

/// The call that is written in exactly this range.
pub fn call_at(text: &str, start: usize, end: usize) -> Result<Option<Call>, SyntaxError> {
    with_module(text, |module| {
        let mut search = Search { start, end, found: None };
        search.visit_body(&module.body);
        search.found
    })
}

struct Search {
    start: usize,
    end: usize,
    found: Option<Call>,
}

impl<'a> Visitor<'a> for Search {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_it = |range: TextRange| range.start().to_usize() == self.start && range.end().to_usize() == self.end;
        match expr {
            Expr::Call(call) if is_it(call.range()) => self.found = Some(read(call)),
            _ => visitor::walk_expr(self, expr),
        }
    }
}

fn read(call: &ExprCall) -> Call {
    let range = call.arguments.range();
    let mut arguments: Vec<Argument> = call
        .arguments
        .args
        .iter()
        .map(|value| Argument { is_spread: value.is_starred_expr(), ..argument(None, value.range(), value.range()) })
        .chain(call.arguments.keywords.iter().map(|keyword| {
            let name = keyword.arg.as_ref().map(ToString::to_string);
            let is_spread = name.is_none();
            Argument { is_spread, ..argument(name, keyword.range(), keyword.value.range()) }
        }))
        .collect();
    arguments.sort_by_key(|argument| argument.start);
    let inner = TextSize::from(1);
    Call { open: (range.start() + inner).to_usize(), close: (range.end() - inner).to_usize(), arguments }
}

fn argument(name: Option<String>, whole: TextRange, value: TextRange) -> Argument {
    let (start, end) = (whole.start().to_usize(), whole.end().to_usize());
    Argument { name, is_spread: false, start, value: value.start().to_usize(), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_spreads_and_values_are_told_apart() {
        let text = "app = make(1, *rest, title='x', **more)\n";
        let call = call_at(text, 6, text.len() - 1).unwrap().unwrap();
        assert_eq!((&text[call.open..call.close], call.arguments.len()), ("1, *rest, title='x', **more", 4));
        let shown = |at: usize| call.arguments.get(at).map(|one| (&text[one.value..one.end], one.is_spread)).unwrap();
        assert_eq!([shown(0), shown(1), shown(2)], [("1", false), ("*rest", true), ("'x'", false)]);
        assert_eq!((shown(3).1, call.arguments[2].name.as_deref()), (true, Some("title")));
        assert_eq!(call_at(text, 0, 3).unwrap(), None);
    }
}
