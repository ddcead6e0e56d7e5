//! The outline of a Python file.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, ModModule, Stmt};
use ruff_text_size::Ranged as _;

use crate::scaffold::edits::{indentation, line_end};
use crate::scaffold::outline::{Block, Export, Import, Outline, Statement};
use crate::syntax::SyntaxError;
use crate::syntax::python::with_module;

/// Reads a file.
pub fn outline(text: &str) -> Result<Outline, SyntaxError> {
    with_module(text, |module| {
        let mut reader = Reader { text, outline: Outline::default() };
        reader.outline.start = first_place(text, module);
        for statement in &module.body {
            reader.imports(statement);
        }
        reader.visit_body(&module.body);
        let names = reader.outline.top_level().iter().flat_map(|statement| statement.binds.clone());
        reader.outline.exports = names.map(|name| Export { local: name.clone(), name }).collect();
        reader.outline
    })
}

/// Behind a `#!` line, leading comments and the docstring.
fn first_place(text: &str, module: &ModModule) -> usize {
    let mut at = 0;
    while text.get(at..).is_some_and(|rest| rest.starts_with('#')) {
        at = line_end(text, at);
    }
    match module.body.first() {
        Some(Stmt::Expr(first)) if first.value.is_string_literal_expr() => {
            line_end(text, first.range().end().to_usize())
        }
        _ => at,
    }
}

struct Reader<'t> {
    text: &'t str,
    outline: Outline,
}

impl Reader<'_> {
    fn imports(&mut self, statement: &Stmt) {
        let (specifier, names) = match statement {
            Stmt::Import(it) => {
                let names = it.names.iter().map(|alias| alias.asname.as_ref().unwrap_or(&alias.name).to_string());
                (it.names.first().map(|alias| alias.name.to_string()).unwrap_or_default(), names.collect())
            }
            Stmt::ImportFrom(it) => {
                let dots = ".".repeat(it.level as usize);
                let module = it.module.as_ref().map(ToString::to_string).unwrap_or_default();
                let names = it.names.iter().map(|alias| alias.asname.as_ref().unwrap_or(&alias.name).to_string());
                (format!("{dots}{module}"), names.collect::<Vec<String>>())
            }
            _ => return,
        };
        let (start, end) = (statement.range().start().to_usize(), statement.range().end().to_usize());
        self.outline.habits.imports += 1;
        self.outline.imports.push(Import { start, end, specifier, names, is_module_syntax: true });
    }

    fn statement(&self, statement: &Stmt) -> Statement {
        let range = statement.range();
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        let mut found = Statement { start, end, ..Statement::default() };
        match statement {
            Stmt::Assign(it) => {
                found.binds = it.targets.iter().filter_map(name_of).collect();
                describe(&it.value, &mut found);
            }
            Stmt::AnnAssign(it) => {
                found.binds = name_of(&it.target).into_iter().collect();
                if let Some(value) = &it.value {
                    describe(value, &mut found);
                }
            }
            Stmt::Expr(it) => describe(&it.value, &mut found),
            Stmt::FunctionDef(it) => {
                found.binds.push(it.name.to_string());
                if let Some(first) = it.decorator_list.first() {
                    describe(&first.expression, &mut found);
                }
            }
            Stmt::ClassDef(it) => found.binds.push(it.name.to_string()),
            Stmt::Return(_) => found.leaves = true,
            Stmt::If(it) => found.leaves = is_main_guard(&it.test),
            _ => {}
        }
        found
    }

    fn look_at_indent(&mut self, body: &[Stmt]) {
        let Some(first) = body.first() else { return };
        let inner = indentation(self.text, first.range().start().to_usize());
        if !inner.is_empty() && self.outline.blocks.len() < 50 && !inner.contains('\t') && inner.len() <= 8 {
            *self.outline.habits.indents.entry(inner.to_owned()).or_default() += 1;
        }
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        if !body.is_empty() {
            self.look_at_indent(body);
            let statements = body.iter().map(|statement| self.statement(statement)).collect();
            self.outline.blocks.push(Block { statements });
        }
        visitor::walk_body(self, body);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::StringLiteral(literal) = expr {
            let habits = &mut self.outline.habits;
            match self.text.as_bytes().get(literal.range().start().to_usize()) {
                Some(b'"') => habits.double_quotes += 1,
                Some(b'\'') => habits.single_quotes += 1,
                _ => {}
            }
        }
        visitor::walk_expr(self, expr);
    }
}

fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        _ => None,
    }
}

/// `if __name__ == "__main__":`
fn is_main_guard(test: &Expr) -> bool {
    matches!(test, Expr::Compare(compare) if name_of(&compare.left).as_deref() == Some("__name__"))
}

/// What an expression starts with, and what it passes to the calls of its chain.
fn describe(expr: &Expr, found: &mut Statement) {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Call(call) => {
                found.passes.extend(passed(call));
                &call.func
            }
            Expr::Attribute(attribute) => &attribute.value,
            Expr::Subscript(subscript) => &subscript.value,
            Expr::Await(it) => &it.value,
            Expr::Name(name) => {
                found.receiver = Some(name.id.to_string());
                return;
            }
            _ => return,
        };
    }
}

/// Names in the arguments of a call: `users` of `f(users)` and of `f(users.router)`.
fn passed(call: &ExprCall) -> Vec<String> {
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    let all = call.arguments.args.iter().chain(keywords);
    all.filter_map(|argument| match argument {
        Expr::Attribute(attribute) => name_of(&attribute.value),
        other => name_of(other),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = r#"#!/usr/bin/env python
"""The shop."""
import os
from fastapi import FastAPI
from .routers import users, items as things

def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(users.router, prefix='/users')

    @app.get("/")
    async def root():
        return {}

    return app

app = create_app()

if __name__ == "__main__":
    import uvicorn
    uvicorn.run(app)
"#;

    #[test]
    fn finds_imports_statements_and_what_they_start_with() {
        let outline = outline(APP).unwrap();
        assert_eq!(&APP[outline.start..outline.start + 9], "import os");
        let imports: Vec<_> = outline.imports.iter().map(|i| (i.specifier.as_str(), i.names.join(","))).collect();
        assert_eq!(
            imports,
            [("os", "os".to_owned()), ("fastapi", "FastAPI".to_owned()), (".routers", "users,things".to_owned())]
        );
        let (block, index) = outline.statement_at(APP.find("FastAPI()\n").unwrap()).unwrap();
        assert_eq!((index, block.statements.len()), (0, 4));
        let [made, mounted, route, handed] = block.statements.as_slice() else { panic!("{block:?}") };
        assert_eq!((made.binds.as_slice(), mounted.receiver.as_deref()), (&["app".to_owned()][..], Some("app")));
        assert_eq!(mounted.passes, ["users"]);
        assert_eq!((route.receiver.as_deref(), handed.leaves), (Some("app"), true));
        assert!(outline.top_level().last().unwrap().leaves);
        assert!(outline.exports.iter().any(|export| export.name == "app"));
        assert_eq!(outline.habits.indent(), Some("    "));
    }
}
