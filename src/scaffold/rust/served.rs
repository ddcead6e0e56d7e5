//! The application that a server is given (`axum::serve(listener, app)`): the expression that makes it, on which further
//! methods can be called.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ImplItemFn, ItemFn, Local, ReturnType, Type};

use super::outline::bound;
use crate::scaffold::edits::{indentation, line_start};
use crate::scaffold::outline::{Argument, Call};
use crate::scaffold::stack::Serves;
use crate::syntax::SyntaxError;
use crate::syntax::rust::with_file;

/// Names that lead to names are followed this far.
const MAX_NAMES: usize = 8;
/// What takes a result apart, in front of what is called on it.
const TAKEN: &[&str] = &["unwrap", "expect", "unwrap_or_else", "unwrap_or_default"];
/// One level, as the formatter of the language has it.
const LEVEL: &str = "    ";

/// Where methods can be called on the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Behind its expression.
    pub at: usize,
    /// Of a line that goes on with it.
    pub indent: String,
    /// What it is called.
    pub name: String,
}

/// The application of the call that is written in this range. `returns` tells whether a function of that name gives one.
pub fn served(
    text: &str,
    (start, end): (usize, usize),
    serves: &Serves,
    returns: &dyn Fn(&str) -> bool,
) -> Result<Served, String> {
    let found = with_file(text, |file| {
        let mut search = Search { start, end, found: None, function: None };
        search.visit_file(file);
        let (call, function) = search.found.ok_or("the call that serves it cannot be read")?;
        let argument = call.args.iter().nth(serves.argument).ok_or("the call is given no application")?;
        let mut argument = argument;
        while let Expr::MethodCall(it) = argument
            && serves.finished.contains(&it.method.to_string())
        {
            argument = &it.receiver;
        }
        let scope = Scope { text, function, before: start, serves };
        let name = named(argument);
        let made = match &name {
            Some(name) => scope.init(name)?,
            None => argument,
        };
        let maker = scope.maker(made, 0)?;
        let (at, indent) = (made.span().byte_range().end, continued(text, made));
        Ok::<_, String>((Served { at, indent, name: name.unwrap_or_else(|| "app".to_owned()) }, maker))
    });
    let (served, maker) = found.map_err(|_| "the file that serves it cannot be read".to_owned())??;
    match maker.filter(|maker| !returns(maker)) {
        Some(maker) => Err(format!("nobody can tell whether {maker}() gives a {}", serves.of)),
        None => Ok(served),
    }
}

/// The indentation of a line that goes on with an expression.
fn continued(text: &str, expr: &Expr) -> String {
    let range = expr.span().byte_range();
    let last = indentation(text, range.end);
    let goes_on = text.get(line_start(text, range.end)..range.end);
    match goes_on.is_some_and(|line| line.trim_start().starts_with('.')) {
        true => last.to_owned(),
        false => format!("{}{LEVEL}", indentation(text, range.start)),
    }
}

/// What is known around the call.
struct Scope<'a> {
    text: &'a str,
    function: Option<&'a syn::Block>,
    before: usize,
    serves: &'a Serves,
}

impl<'a> Scope<'a> {
    /// What a name was given last, before the call; nothing may be assigned to it afterwards.
    fn init(&self, name: &str) -> Result<&'a Expr, String> {
        let nothing = || format!("`{name}` is made elsewhere");
        let mut search = Bindings { name, before: self.before, init: None, assigned: 0 };
        search.visit_block(self.function.ok_or_else(nothing)?);
        let (at, init) = search.init.ok_or_else(nothing)?;
        match search.assigned > at {
            true => Err(format!("`{name}` is assigned again")),
            false => Ok(init),
        }
    }

    /// The function that makes the application, if it is not the one of its type. An expression that may be something
    /// else is an error.
    fn maker(&self, expr: &'a Expr, depth: usize) -> Result<Option<String>, String> {
        let shown = || {
            let line = self.text.get(expr.span().byte_range()).unwrap_or_default().lines().next().unwrap_or_default();
            format!("nobody can tell whether `{line}` gives a {}", self.serves.of)
        };
        let mut root = expr;
        loop {
            root = match root {
                Expr::MethodCall(it) => {
                    let method = it.method.to_string();
                    if !self.serves.methods.contains(&method) && !TAKEN.contains(&method.as_str()) {
                        return Err(shown());
                    }
                    &it.receiver
                }
                Expr::Try(it) => &it.expr,
                Expr::Await(it) => &it.base,
                _ => break,
            };
        }
        match root {
            Expr::Call(call) => self.called(call).ok_or_else(shown),
            other => match named(other) {
                Some(name) if depth < MAX_NAMES => self.maker(self.init(&name)?, depth + 1),
                _ => Err(shown()),
            },
        }
    }

    /// Nothing for `Router::new()`, else the function that is called.
    fn called(&self, call: &ExprCall) -> Option<Option<String>> {
        let Expr::Path(function) = &*call.func else { return None };
        let names: Vec<String> = function.path.segments.iter().map(|one| one.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names.as_slice() {
            [.., of, "new" | "default"] if *of == self.serves.of => Some(None),
            names => Some(Some((*names.last()?).to_owned())),
        }
    }
}

fn named(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(it) => it.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// Whether every function of that name in a file gives a type, by itself or as what a result holds.
pub fn gives(text: &str, function: &str, of: &str) -> Option<bool> {
    if !text.contains(function) {
        return None;
    }
    with_file(text, |file| {
        let mut search = Functions { name: function, of, found: None };
        search.visit_file(file);
        search.found
    })
    .ok()
    .flatten()
}

struct Functions<'n> {
    name: &'n str,
    of: &'n str,
    found: Option<bool>,
}

impl Functions<'_> {
    fn look(&mut self, signature: &syn::Signature) {
        if signature.ident == self.name {
            let is_it = matches!(&signature.output, ReturnType::Type(_, returned) if holds(returned, self.of));
            self.found = Some(self.found.unwrap_or(true) && is_it);
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, it: &'ast ItemFn) {
        self.look(&it.sig);
        visit::visit_item_fn(self, it);
    }

    fn visit_impl_item_fn(&mut self, it: &'ast ImplItemFn) {
        self.look(&it.sig);
        visit::visit_impl_item_fn(self, it);
    }
}

/// `Router`, `axum::Router<()>`, `Result<Router, Error>`.
fn holds(returned: &Type, of: &str) -> bool {
    let Type::Path(path) = returned else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    if last.ident == of {
        return true;
    }
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    let first = arguments.args.first();
    last.ident == "Result" && matches!(first, Some(syn::GenericArgument::Type(inner)) if holds(inner, of))
}

/// The last `let` of a name before a place, and the last assignment to it.
struct Bindings<'n, 'ast> {
    name: &'n str,
    before: usize,
    init: Option<(usize, &'ast Expr)>,
    assigned: usize,
}

impl<'ast> Visit<'ast> for Bindings<'_, 'ast> {
    fn visit_local(&mut self, local: &'ast Local) {
        let at = local.span().byte_range().start;
        if at < self.before
            && bound(&local.pat).as_deref() == Some(self.name)
            && let Some(init) = &local.init
        {
            self.init = Some((at, &init.expr));
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_assign(&mut self, it: &'ast syn::ExprAssign) {
        if named(&it.left).as_deref() == Some(self.name) {
            self.assigned = self.assigned.max(it.span().byte_range().start);
        }
        visit::visit_expr_assign(self, it);
    }
}

/// A call by its place, and the body of the function around it.
struct Search<'ast> {
    start: usize,
    end: usize,
    found: Option<(&'ast ExprCall, Option<&'ast syn::Block>)>,
    function: Option<&'ast syn::Block>,
}

impl<'ast> Visit<'ast> for Search<'ast> {
    fn visit_item_fn(&mut self, it: &'ast ItemFn) {
        let around = self.function.replace(&it.block);
        visit::visit_item_fn(self, it);
        self.function = around;
    }

    fn visit_impl_item_fn(&mut self, it: &'ast ImplItemFn) {
        let around = self.function.replace(&it.block);
        visit::visit_impl_item_fn(self, it);
        self.function = around;
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let range = call.span().byte_range();
        if range.start == self.start && range.end == self.end {
            self.found = Some((call, self.function));
        }
        visit::visit_expr_call(self, call);
    }
}

/// The call that is written in exactly this range.
pub fn call_at(text: &str, start: usize, end: usize) -> Result<Option<Call>, SyntaxError> {
    with_file(text, |file| {
        let mut search = Search { start, end, found: None, function: None };
        search.visit_file(file);
        search.found.map(|(call, _)| {
            let arguments = call.args.iter().map(|argument| {
                let range = argument.span().byte_range();
                Argument { name: None, is_spread: false, start: range.start, value: range.start, end: range.end }
            });
            let open = call.func.span().byte_range().end + 1;
            Call { open, close: end.saturating_sub(1), arguments: arguments.collect() }
        })
    })
}

/// What is called on a call, on lines of their own: `.await.unwrap()` in two of them.
pub fn on_lines(rest: &str, indent: &str, line_break: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0_usize);
    for letter in rest.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                out.push_str(line_break);
                out.push_str(indent);
            }
            _ => {}
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves() -> Serves {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        Serves {
            argument: 1,
            of: "Router".into(),
            methods: words("route layer with_state merge"),
            finished: words("into_make_service"),
        }
    }

    fn found(body: &str) -> Result<String, String> {
        let text = format!("async fn main() {{\n{body}\n}}\n");
        let start = text.find("serve(").unwrap();
        let end = start + text[start..].find(");").unwrap() + 1;
        let returns = |name: &str| name == "router";
        served(&text, (start, end), &serves(), &returns).map(|found| {
            let inserted = format!("{}\n{}.here()", &text[..found.at], found.indent);
            inserted.trim_start_matches("async fn main() {\n").to_owned()
        })
    }

    #[test]
    fn the_expression_of_the_application_is_found() {
        for (body, expected) in [
            (
                "    let app = Router::new()\n        .route(\"/\", get(a))\n        .with_state(s);\n    serve(l, app);",
                "    let app = Router::new()\n        .route(\"/\", get(a))\n        .with_state(s)\n        .here()",
            ),
            (
                "    let app = x::router(s).await?;\n    serve(l, app.into_make_service());",
                "    let app = x::router(s).await?\n        .here()",
            ),
            ("    serve(l, router(s));", "    serve(l, router(s)\n        .here()"),
            (
                "    let a = Router::new();\n    let b = a.merge(c);\n    serve(l, b);",
                "    let a = Router::new();\n    let b = a.merge(c)\n        .here()",
            ),
        ] {
            assert_eq!(found(body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_left_alone() {
        for body in [
            "    let mut app = Router::new();\n    app = app.route(\"/\", get(a));\n    serve(l, app);",
            "    let app = Normalize::trim().layer(Router::new());\n    serve(l, app);",
            "    let app = Router::new().into_make_service();\n    serve(l, app);",
            "    serve(l, app);",
            "    serve(l, other(s));",
        ] {
            assert!(found(body).is_err(), "{body}: {:?}", found(body));
        }
    }

    #[test]
    fn functions_are_known_by_what_they_return() {
        let text = "pub fn app() -> axum::Router { todo!() }\nasync fn make() -> anyhow::Result<Router> {}\nfn other() -> IntoMakeService<Router> {}\n";
        assert_eq!(gives(text, "app", "Router"), Some(true));
        assert_eq!(gives(text, "make", "Router"), Some(true));
        assert_eq!(gives(text, "other", "Router"), Some(false));
        assert_eq!(gives(text, "none", "Router"), None);
    }

    #[test]
    fn calls_and_what_is_called_on_them() {
        let text = "fn main() { serve(l, a.b(c)).await.expect(\"no. really\"); }";
        let end = text.find(").await").unwrap() + 1;
        let call = call_at(text, text.find("serve").unwrap(), end).unwrap().unwrap();
        let shown: Vec<&str> = call.arguments.iter().map(|one| &text[one.start..one.end]).collect();
        assert_eq!((shown.as_slice(), &text[call.open..call.close]), (&["l", "a.b(c)"][..], "l, a.b(c)"));
        assert_eq!(on_lines(".await.expect(\"no. really\")", "  ", "\n"), "\n  .await\n  .expect(\"no. really\")");
    }
}
