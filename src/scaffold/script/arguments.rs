//! The options of a JavaScript call: `new Pool({ connectionString })`.

use oxc_ast::ast::{Argument as Syntax, Expression, NewExpression, ObjectExpression, ObjectPropertyKind};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan as _, Span};

use crate::scaffold::outline::{Argument, Call};
use crate::syntax::SyntaxError;
use crate::syntax::javascript::with_program;

/// The only object that is passed to the call in exactly this range, its properties as arguments; none if there is no
/// such object.
pub fn options_at(path: &str, text: &str, start: usize, end: usize) -> Result<Option<Call>, SyntaxError> {
    with_program(path, text, |program| {
        let mut search = Search { start, end, found: None };
        search.visit_program(program);
        search.found
    })
}

struct Search {
    start: usize,
    end: usize,
    found: Option<Call>,
}

impl Search {
    fn look(&mut self, span: Span, arguments: &[Syntax<'_>]) {
        if (span.start as usize, span.end as usize) != (self.start, self.end) {
            return;
        }
        let mut objects = arguments.iter().filter_map(|argument| match argument.as_expression() {
            Some(Expression::ObjectExpression(object)) => Some(object),
            _ => None,
        });
        if let (Some(only), None) = (objects.next(), objects.next()) {
            self.found = Some(read(only));
        }
    }
}

impl<'a> Visit<'a> for Search {
    fn visit_call_expression(&mut self, it: &oxc_ast::ast::CallExpression<'a>) {
        self.look(it.span, &it.arguments);
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        self.look(it.span, &it.arguments);
        walk::walk_new_expression(self, it);
    }
}

fn read(object: &ObjectExpression<'_>) -> Call {
    let arguments = object.properties.iter().map(|property| {
        let span = property.span();
        let (start, end) = (span.start as usize, span.end as usize);
        match property {
            ObjectPropertyKind::ObjectProperty(it) => Argument {
                name: it.key.static_name().map(|name| name.to_string()),
                is_spread: it.computed,
                start,
                value: it.value.span().start as usize,
                end,
            },
            ObjectPropertyKind::SpreadProperty(it) => {
                Argument { name: None, is_spread: true, start, value: it.argument.span().start as usize, end }
            }
        }
    });
    let (open, close) = (object.span.start as usize + 1, (object.span.end as usize).saturating_sub(1));
    Call { open, close, arguments: arguments.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Shown = (String, Vec<(Option<String>, bool)>);

    fn shown(text: &str, call: &str) -> Option<Shown> {
        let start = text.find(call).unwrap();
        let found = options_at("a.ts", text, start, start + call.len()).unwrap()?;
        let arguments = found.arguments.iter().map(|one| (one.name.clone(), one.is_spread)).collect();
        Some((text[found.open..found.close].to_owned(), arguments))
    }

    #[test]
    fn properties_of_the_only_object_are_the_arguments() {
        let text =
            "const pool = new Pool({ url: u, ...more });\nconnect(url, { max: 1 });\nmake(url);\nboth({}, {});\n";
        let pool = shown(text, "new Pool({ url: u, ...more })").unwrap();
        assert_eq!(pool, (" url: u, ...more ".to_owned(), vec![(Some("url".to_owned()), false), (None, true)]));
        assert_eq!(shown(text, "connect(url, { max: 1 })").unwrap().1, vec![(Some("max".to_owned()), false)]);
        assert_eq!(shown(text, "make(url)"), None);
        assert_eq!(shown(text, "both({}, {})"), None);
    }
}
