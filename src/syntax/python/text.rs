//! Texts that are put together: f-strings, `%` and `str.format`, all as templates.

use ruff_python_ast::{
    Arguments, Expr, ExprCall, ExprFString, ExprTString, FStringPart, InterpolatedStringElement,
    InterpolatedStringElements,
};

use super::lower::Lower;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// The pieces of a template while it is built: constant texts around expressions.
#[derive(Default)]
struct Pieces {
    texts: Vec<String>,
    holes: Vec<ExprId>,
}

impl Pieces {
    fn text(&mut self, text: &str) {
        match self.texts.len() > self.holes.len() {
            true => self.texts.last_mut().into_iter().for_each(|last| last.push_str(text)),
            false => self.texts.push(text.to_owned()),
        }
    }

    fn hole(&mut self, hole: ExprId) {
        self.text("");
        self.holes.push(hole);
    }
}

/// One piece of a format: text, or the argument that stands there.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Next,
    Position(usize),
    Named(&'a str),
}

impl Lower<'_> {
    fn finish_template(&mut self, mut pieces: Pieces) -> ExprKind {
        pieces.text("");
        let quasis: Vec<Atom> = pieces.texts.iter().map(|text| self.atom(text)).collect();
        let quasis = self.atoms(&quasis);
        let exprs = self.list(&pieces.holes).start;
        ExprKind::Template { quasis, exprs }
    }

    pub(super) fn f_string(&mut self, it: &ExprFString) -> ExprKind {
        let mut pieces = Pieces::default();
        for part in it.value.as_slice() {
            match part {
                FStringPart::Literal(literal) => pieces.text(&literal.value),
                FStringPart::FString(part) => self.elements(&part.elements, &mut pieces),
            }
        }
        self.finish_template(pieces)
    }

    fn elements(&mut self, elements: &InterpolatedStringElements, pieces: &mut Pieces) {
        for element in elements.iter() {
            match element {
                InterpolatedStringElement::Literal(literal) => pieces.text(&literal.value),
                InterpolatedStringElement::Interpolation(it) => {
                    let hole = self.expr(&it.expression);
                    pieces.hole(hole);
                }
            }
        }
    }

    /// `t"…"` is no text: whoever takes it sees its parts.
    pub(super) fn t_string(&mut self, it: &ExprTString) -> ExprKind {
        let (tag, template) = (self.reserve(it.range), self.reserve(it.range));
        let kind = self.under(template, |l| {
            let mut pieces = Pieces::default();
            for part in it.value.iter() {
                l.elements(&part.elements, &mut pieces);
            }
            l.finish_template(pieces)
        });
        self.set(template, kind);
        ExprKind::Tagged { tag, template }
    }

    /// `"… %s …" % value`
    pub(super) fn percent_format(&mut self, left: &Expr, right: &Expr) -> Option<ExprKind> {
        let Expr::StringLiteral(format) = left else { return None };
        let values: Vec<ExprId> = match right {
            Expr::Tuple(it) => it.elts.iter().map(|value| self.expr(value)).collect(),
            one => vec![self.expr(one)],
        };
        Some(self.filled(&percent_pieces(format.value.to_str()), &values, &[]))
    }

    /// `"… {} …".format(value)`
    pub(super) fn str_format(&mut self, it: &ExprCall) -> Option<ExprKind> {
        let Expr::Attribute(callee) = &*it.func else { return None };
        let Expr::StringLiteral(format) = &*callee.value else { return None };
        if callee.attr.as_str() != "format" {
            return None;
        }
        let Arguments { args, keywords, .. } = &it.arguments;
        let values: Vec<ExprId> = args.iter().map(|value| self.expr(value)).collect();
        let named: Vec<(&str, ExprId)> = keywords
            .iter()
            .map(|keyword| (keyword.arg.as_ref().map_or("", |name| name.as_str()), self.expr(&keyword.value)))
            .collect();
        Some(self.filled(&brace_pieces(format.value.to_str()), &values, &named))
    }

    /// A hole whose argument cannot be told stands for the first one that is left over.
    fn filled(&mut self, format: &[Piece<'_>], values: &[ExprId], named: &[(&str, ExprId)]) -> ExprKind {
        let mut pieces = Pieces::default();
        let mut next = 0;
        for piece in format {
            let position = match piece {
                Piece::Text(text) => {
                    pieces.text(text);
                    continue;
                }
                Piece::Next => {
                    next += 1;
                    next - 1
                }
                Piece::Position(position) => *position,
                Piece::Named(_) => 0,
            };
            let by_name = named.iter().find(|(name, _)| *piece == Piece::Named(name)).map(|(_, value)| *value);
            let any = || values.first().copied().or(named.first().map(|(_, value)| *value));
            if let Some(hole) = by_name.or_else(|| values.get(position).copied()).or_else(any) {
                pieces.hole(hole);
            }
        }
        self.finish_template(pieces)
    }
}

/// `%s`, `%(name)s`, `%%`. https://docs.python.org/3/library/stdtypes.html#old-string-formatting
fn percent_pieces(format: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        pieces.push(Piece::Text(before));
        if let Some(after) = after.strip_prefix('%') {
            pieces.push(Piece::Text("%"));
            rest = after;
            continue;
        }
        let named = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        pieces.push(named.map_or(Piece::Next, |(name, _)| Piece::Named(name)));
        let after = named.map_or(after, |(_, after)| after);
        let flags = after.trim_start_matches(|c: char| c.is_ascii_digit() || "#-+ .*lhL".contains(c));
        let mut letters = flags.chars();
        letters.next();
        rest = letters.as_str();
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// `{}`, `{0}`, `{name.attribute!r:>10}`, `{{`. https://docs.python.org/3/library/string.html#format-string-syntax
fn brace_pieces(format: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        let doubled = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}"));
        if let Some(after_both) = doubled {
            pieces.push(Piece::Text(&after[..1]));
            rest = after_both;
            continue;
        }
        let Some((field, after)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            rest = &after[1..];
            continue;
        };
        let name = field.split(['.', '[', '!', ':']).next().unwrap_or_default();
        pieces.push(match (name, name.parse()) {
            ("", _) => Piece::Next,
            (_, Ok(position)) => Piece::Position(position),
            (name, _) => Piece::Named(name),
        });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn formats_come_apart() {
        let pieces = percent_pieces("a %s 100%% %(x)05.2f b%");
        let holes: Vec<_> = pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).collect();
        assert_eq!(holes, [&Piece::Next, &Piece::Named("x"), &Piece::Next]);
        let pieces = brace_pieces("{} {{x}} {1!r} {name.first:>10} }");
        let holes: Vec<_> = pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).collect();
        assert_eq!(holes, [&Piece::Next, &Piece::Position(1), &Piece::Named("name")]);
    }
}
