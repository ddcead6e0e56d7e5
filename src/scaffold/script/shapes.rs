//! Places inside of what a JavaScript or TypeScript file exports: the body of a function, the properties of an object,
//! the elements of a list, a handler to wrap. Where the code is not of a plain shape the error says so.

use oxc_ast::ast::{
    ArrayExpression, ArrowFunctionBody, Declaration, ExportDefaultDeclarationKind, Expression, Function, FunctionBody,
    ObjectExpression, ObjectProperty, ObjectPropertyKind, Program, Statement, VariableDeclarator,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan as _, Span};

use crate::scaffold::edits::{Edit, indentation, line_end, line_start};
use crate::scaffold::spot::{Constant, End};
use crate::syntax::javascript::with_program;

/// Calls around the exported object that are followed: `withSentry(withAnalyzer(config))`.
const MAX_CALLS: usize = 8;

/// Where whole lines, or the parts of a line, can be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub at: usize,
    /// Of the line that holds what is around it.
    pub outer: String,
    /// Of what stands there already.
    pub indent: Option<String>,
    /// What is around it is written on one line.
    pub inline: bool,
    /// From the first to the last of what stands there.
    pub within: (usize, usize),
}

/// A list that a function of an object returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    Elements(Slot),
    /// There is no such function: it becomes a property here.
    Absent(Slot),
}

/// What becomes of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapping {
    Wrapped(Vec<Edit>),
    /// It is left to the user, for this reason.
    Left(String),
    /// The file exports no such name.
    NotThere,
}

fn read<T: Send>(
    path: &str,
    text: &str,
    work: impl FnOnce(&Program<'_>) -> Result<T, String> + Send,
) -> Result<T, String> {
    with_program(path, text, work).map_err(|_| format!("{path} cannot be read"))?
}

/// In the body of an exported function.
pub fn body(path: &str, text: &str, function: &str, end: End) -> Result<Slot, String> {
    read(path, text, |program| {
        let body =
            exported_body(program, function).ok_or_else(|| format!("{path} exports no function {function}()"))?;
        let (open, close) = (body.span.start as usize, (body.span.end as usize).saturating_sub(1));
        let spans: Vec<Span> = body.statements.iter().map(|statement| statement.span()).collect();
        let slot = between(text, open, close, &spans);
        if slot.inline {
            return Err(format!("{function}() of {path} is written on one line"));
        }
        let returns = matches!(body.statements.last(), Some(Statement::ReturnStatement(_)));
        Ok(match (end, spans.last()) {
            (End::Finish, Some(last)) if returns => Slot { at: line_start(text, last.start as usize), ..slot },
            (End::Finish, Some(last)) => Slot { at: line_end(text, last.end as usize), ..slot },
            _ => slot,
        })
    })
}

/// Above the statement that makes what the file exports as its default.
pub fn above(path: &str, text: &str) -> Result<Slot, String> {
    read(path, text, |program| {
        let exported = default_object(program).ok_or_else(|| no_object(path))?.span;
        let holds = |statement: &&Statement<'_>| statement.span().contains_inclusive(exported);
        let statement = program.body.iter().find(holds).ok_or_else(|| no_object(path))?;
        let at = line_start(text, statement.span().start as usize);
        Ok(Slot { at, outer: String::new(), indent: None, inline: false, within: (0, text.len()) })
    })
}

/// Among the properties of the exported object; none if it has one of that name.
pub fn property(path: &str, text: &str, name: &str) -> Result<Option<Slot>, String> {
    read(path, text, |program| {
        let object = default_object(program).ok_or_else(|| no_object(path))?;
        Ok(property_of(object, name).is_none().then(|| inside_object(text, object)))
    })
}

/// In the list that a function of the exported object returns.
pub fn list(path: &str, text: &str, name: &str) -> Result<List, String> {
    read(path, text, |program| {
        let object = default_object(program).ok_or_else(|| no_object(path))?;
        let Some(property) = property_of(object, name) else {
            let spreads = object.properties.iter().any(|one| matches!(one, ObjectPropertyKind::SpreadProperty(_)));
            return match spreads {
                true => Err(format!("what the configuration of {path} spreads may have {name}() of its own")),
                false => Ok(List::Absent(inside_object(text, object))),
            };
        };
        let list = returned_list(&property.value).ok_or_else(|| format!("{name}() of {path} returns no plain list"))?;
        let spans: Vec<Span> = list.elements.iter().map(|element| element.span()).collect();
        let close = (list.span.end as usize).saturating_sub(1);
        Ok(List::Elements(between(text, list.span.start as usize, close, &spans)))
    })
}

/// The edits that put a wrapper around an exported handler.
pub fn wrap(path: &str, text: &str, name: &str, wrapper: &str, semicolon: &str, unless: &[Constant]) -> Wrapping {
    let work = |program: &Program<'_>| {
        let Some(declaration) = exported(program, name) else { return Ok(Wrapping::NotThere) };
        if let Some(constant) = unless.iter().find(|constant| exports_constant(program, text, constant)) {
            return Ok(Wrapping::Left(constant.because.clone()));
        }
        Ok(match declaration {
            Exported::Function { whole, function } => {
                let at = function.span.start;
                if function.generator || function.body.is_none() || is_named_before(program, name, at) {
                    return Ok(Wrapping::Left("it is used above where it is declared".to_owned()));
                }
                let head = format!("export const {name} = {wrapper}(");
                let tail = format!("){semicolon}");
                let edits =
                    [Edit::replace(whole.start as usize, at as usize, head), Edit::insert(whole.end as usize, tail)];
                Wrapping::Wrapped(edits.to_vec())
            }
            Exported::Variable(declarator) => match &declarator.init {
                Some(Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
                    if declarator.type_annotation.is_none() =>
                {
                    let span = declarator.init.as_ref().map_or(declarator.span, |init| init.span());
                    let edits = [
                        Edit::insert(span.start as usize, format!("{wrapper}(")),
                        Edit::insert(span.end as usize, ")"),
                    ];
                    Wrapping::Wrapped(edits.to_vec())
                }
                Some(Expression::CallExpression(_)) => Wrapping::Left("a call makes it".to_owned()),
                _ => Wrapping::Left("it is no plain function".to_owned()),
            },
            Exported::Elsewhere => Wrapping::Left("it is declared elsewhere".to_owned()),
        })
    };
    read(path, text, work).unwrap_or_else(Wrapping::Left)
}

fn no_object(path: &str) -> String {
    format!("{path} exports no plain object")
}

/// What is declared under an exported name.
enum Exported<'p, 'a> {
    Function {
        whole: Span,
        function: &'p Function<'a>,
    },
    Variable(&'p VariableDeclarator<'a>),
    /// In another file, or in parts.
    Elsewhere,
}

fn exported<'p, 'a>(program: &'p Program<'a>, name: &str) -> Option<Exported<'p, 'a>> {
    program.body.iter().find_map(|statement| match statement {
        Statement::ExportDeclaration(it) => match &it.declaration {
            Declaration::FunctionDeclaration(function) => {
                (function.id.as_ref()?.name == name).then_some(Exported::Function { whole: it.span, function })
            }
            Declaration::VariableDeclaration(variable) => variable.declarations.iter().find_map(|declarator| {
                let mut names = declarator.id.get_binding_identifiers().into_iter();
                let is_plain = declarator.id.get_identifier_name().is_some_and(|found| found == name);
                let is_named = names.any(|found| found.name == name);
                match (is_plain, is_named) {
                    (true, _) => Some(Exported::Variable(declarator)),
                    (false, true) => Some(Exported::Elsewhere),
                    _ => None,
                }
            }),
            _ => None,
        },
        Statement::ExportNamedDeclaration(it) => {
            it.specifiers.iter().any(|one| one.exported.name() == name).then_some(Exported::Elsewhere)
        }
        Statement::ExportFromDeclaration(it) => {
            it.specifiers.iter().any(|one| one.exported.name() == name).then_some(Exported::Elsewhere)
        }
        _ => None,
    })
}

fn exports_constant(program: &Program<'_>, text: &str, constant: &Constant) -> bool {
    let Some(Exported::Variable(declarator)) = exported(program, &constant.name) else { return false };
    let Some(wanted) = &constant.value else { return true };
    let span = declarator.init.as_ref().map(|init| init.span());
    let value = span.and_then(|span| text.get(span.start as usize..span.end as usize));
    value.is_some_and(|value| value.trim_matches(['"', '\'', '`']) == wanted)
}

/// Whether a name is used before a place: a function is there from the start, what wraps it is not.
fn is_named_before(program: &Program<'_>, name: &str, at: u32) -> bool {
    struct Reader<'n> {
        name: &'n str,
        at: u32,
        found: bool,
    }
    impl<'a> Visit<'a> for Reader<'_> {
        fn visit_identifier_reference(&mut self, it: &oxc_ast::ast::IdentifierReference<'a>) {
            self.found |= it.name == self.name && it.span.start < self.at;
        }
    }
    let mut reader = Reader { name, at, found: false };
    reader.visit_program(program);
    reader.found
}

fn exported_body<'p, 'a>(program: &'p Program<'a>, name: &str) -> Option<&'p FunctionBody<'a>> {
    match exported(program, name)? {
        Exported::Function { function, .. } => function.body.as_deref(),
        Exported::Variable(declarator) => match declarator.init.as_ref()? {
            Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(body) => Some(body),
                _ => None,
            },
            Expression::FunctionExpression(function) => function.body.as_deref(),
            _ => None,
        },
        Exported::Elsewhere => None,
    }
}

/// The object that a file exports as its default, also from inside of calls that are given it first.
fn default_object<'p, 'a>(program: &'p Program<'a>) -> Option<&'p ObjectExpression<'a>> {
    let mut found = program.body.iter().filter_map(|statement| match statement {
        Statement::ExportDefaultDeclaration(it) => match &it.declaration {
            ExportDefaultDeclarationKind::ObjectExpression(object) => Some(Some(&**object)),
            declaration => Some(declaration.as_expression().and_then(|it| object_of(program, it, 0))),
        },
        Statement::ExpressionStatement(it) => assigned_module(&it.expression).map(|value| object_of(program, value, 0)),
        _ => None,
    });
    match (found.next(), found.next()) {
        (Some(only), None) => only,
        _ => None,
    }
}

/// `value` of `module.exports = value`.
fn assigned_module<'p, 'a>(expression: &'p Expression<'a>) -> Option<&'p Expression<'a>> {
    let Expression::AssignmentExpression(it) = expression else { return None };
    let oxc_ast::ast::AssignmentTarget::StaticMemberExpression(member) = &it.left else { return None };
    let is_module = matches!(&member.object, Expression::Identifier(name) if name.name == "module");
    (is_module && member.property.name == "exports").then_some(&it.right)
}

fn object_of<'p, 'a>(
    program: &'p Program<'a>,
    expression: &'p Expression<'a>,
    calls: usize,
) -> Option<&'p ObjectExpression<'a>> {
    match expression {
        Expression::ObjectExpression(object) => Some(object),
        Expression::ParenthesizedExpression(it) => object_of(program, &it.expression, calls),
        Expression::TSAsExpression(it) => object_of(program, &it.expression, calls),
        Expression::TSSatisfiesExpression(it) => object_of(program, &it.expression, calls),
        Expression::CallExpression(call) if calls < MAX_CALLS => {
            object_of(program, call.arguments.first()?.as_expression()?, calls + 1)
        }
        Expression::Identifier(name) if calls < MAX_CALLS => {
            let mut made = program.body.iter().filter_map(variables).flatten();
            let declarator = made.find(|one| one.id.get_identifier_name().is_some_and(|found| found == name.name))?;
            object_of(program, declarator.init.as_ref()?, calls + 1)
        }
        _ => None,
    }
}

fn variables<'p, 'a>(statement: &'p Statement<'a>) -> Option<&'p [VariableDeclarator<'a>]> {
    match statement {
        Statement::VariableDeclaration(it) => Some(&it.declarations),
        Statement::ExportDeclaration(it) => match &it.declaration {
            Declaration::VariableDeclaration(it) => Some(&it.declarations),
            _ => None,
        },
        _ => None,
    }
}

fn property_of<'p, 'a>(object: &'p ObjectExpression<'a>, name: &str) -> Option<&'p ObjectProperty<'a>> {
    object.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(it) if it.key.static_name().is_some_and(|key| key == name) => Some(&**it),
        _ => None,
    })
}

/// The only list that a function returns.
fn returned_list<'p, 'a>(value: &'p Expression<'a>) -> Option<&'p ArrayExpression<'a>> {
    let body: &FunctionBody<'a> = match value {
        Expression::FunctionExpression(function) => function.body.as_deref()?,
        Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
            ArrowFunctionBody::FunctionBody(body) => body,
            body => return plain_list(body.as_expression()?),
        },
        _ => return None,
    };
    match body.statements.as_slice() {
        [Statement::ReturnStatement(it)] => plain_list(it.argument.as_ref()?),
        _ => None,
    }
}

fn plain_list<'p, 'a>(expression: &'p Expression<'a>) -> Option<&'p ArrayExpression<'a>> {
    match expression {
        Expression::ArrayExpression(list) => Some(list),
        Expression::ParenthesizedExpression(it) => plain_list(&it.expression),
        _ => None,
    }
}

fn inside_object(text: &str, object: &ObjectExpression<'_>) -> Slot {
    let spans: Vec<Span> = object.properties.iter().map(|property| property.span()).collect();
    let close = (object.span.end as usize).saturating_sub(1);
    between(text, object.span.start as usize, close, &spans)
}

/// The first place between two brackets.
fn between(text: &str, open: usize, close: usize, parts: &[Span]) -> Slot {
    let first = parts.first().map_or(close, |first| first.start as usize);
    let inline = !text.get(open..first).is_some_and(|between| between.contains('\n'));
    let at = if inline { open + 1 } else { line_end(text, open) };
    let indent = parts.first().filter(|_| !inline).map(|first| indentation(text, first.start as usize).to_owned());
    let last = parts.last().map_or(close, |last| last.end as usize);
    Slot { at, outer: indentation(text, open).to_owned(), indent, inline, within: (open, last) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;

    fn inserted(text: &str, slot: &Slot, code: &str) -> String {
        apply(text, &[Edit::insert(slot.at, code)])
    }

    #[test]
    fn bodies_of_exported_functions_have_a_start_and_an_end() {
        let text = "export async function register() {\n  // first\n  await a();\n  return b;\n}\n";
        let start = body("i.ts", text, "register", End::Start).unwrap();
        assert!(inserted(text, &start, "  x();\n").starts_with("export async function register() {\n  x();\n"));
        let end = body("i.ts", text, "register", End::Finish).unwrap();
        assert!(inserted(text, &end, "  x();\n").contains("  await a();\n  x();\n  return b;\n"));
        let arrow = "export const register = () => {\n};\n";
        let slot = body("i.ts", arrow, "register", End::Finish).unwrap();
        assert_eq!(inserted(arrow, &slot, "  x();\n"), "export const register = () => {\n  x();\n};\n");
        for refused in
            ["export function register() { a(); }", "function register() {\n}\n", "export { register } from './a'"]
        {
            assert!(body("i.ts", refused, "register", End::Start).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_exported_object_is_found_by_name_by_assignment_and_inside_of_calls() {
        for text in [
            "export default {\n  a: 1,\n};\n",
            "const config: Config = {\n  a: 1,\n};\n\nexport default config;\n",
            "const config = {\n  a: 1,\n};\nmodule.exports = withA({ b: 2 })(withB(config, {}));\n",
            "export default wrap({\n  a: 1,\n} satisfies Config);\n",
        ] {
            let slot = property("next.config.ts", text, "b").unwrap().unwrap();
            assert!(inserted(text, &slot, "  b: 2,\n").contains("{\n  b: 2,\n  a: 1,\n"), "{text}");
            assert_eq!(property("next.config.ts", text, "a").unwrap(), None, "{text}");
        }
        for refused in ["export default (phase) => ({ a: 1 });\n", "export default make();\n", "const a = {};\n"] {
            assert!(property("next.config.ts", refused, "b").is_err(), "{refused}");
        }
        let inline = "module.exports = { a: 1 };\n";
        let slot = property("next.config.js", inline, "b").unwrap().unwrap();
        assert!(slot.inline);
        assert_eq!(inserted(inline, &slot, " b: 2,"), "module.exports = { b: 2, a: 1 };\n");
    }

    #[test]
    fn lists_that_functions_return_take_more_or_are_absent() {
        let with = |headers: &str| format!("export default {{\n  {headers},\n}};\n");
        for headers in
            ["async headers() {\n    return [\n      a,\n    ];\n  }", "headers: async () => [\n      a,\n    ]"]
        {
            let text = with(headers);
            let List::Elements(slot) = list("c.ts", &text, "headers").unwrap() else { panic!("{text}") };
            assert!(inserted(&text, &slot, "      x,\n").contains("[\n      x,\n      a,\n"), "{text}");
        }
        assert!(matches!(list("c.ts", &with("a: 1"), "headers"), Ok(List::Absent(_))));
        for refused in ["...other", "headers: make", "headers() {\n    if (a) return [];\n    return [b];\n  }"] {
            assert!(list("c.ts", &with(refused), "headers").is_err(), "{refused}");
        }
    }

    #[test]
    fn handlers_of_a_plain_shape_are_wrapped_and_others_left() {
        let edge = Constant { name: "runtime".into(), value: Some("edge".into()), because: "edge".into() };
        let wrapped = |text: &str| match wrap("route.ts", text, "GET", "w", ";", std::slice::from_ref(&edge)) {
            Wrapping::Wrapped(edits) => apply(text, &edits),
            Wrapping::Left(_) => "left".to_owned(),
            Wrapping::NotThere => "not there".to_owned(),
        };
        for (text, expected) in [
            ("export async function GET(a: A) {\n}\n", "export const GET = w(async function GET(a: A) {\n});\n"),
            ("export const GET = async () => b;\n", "export const GET = w(async () => b);\n"),
            (
                "export const runtime = 'nodejs';\nexport function GET() {}",
                "export const runtime = 'nodejs';\nexport const GET = w(function GET() {});",
            ),
            ("export const runtime = 'edge';\nexport function GET() {}", "left"),
            ("export const GET = w(handler);\n", "left"),
            ("export const { GET, POST } = handlers;\n", "left"),
            ("export { GET } from './other';\n", "left"),
            ("const HEAD = GET;\nexport function GET() {}\n", "left"),
            ("export function POST() {}\n", "not there"),
        ] {
            assert_eq!(wrapped(text), expected, "{text}");
        }
    }
}
