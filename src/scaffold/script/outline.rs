//! The outline of a JavaScript or TypeScript file.

use oxc_ast::ast::{
    Argument, AssignmentTarget, BindingPattern, BlockStatement, CallExpression, Declaration,
    ExportDefaultDeclarationKind, Expression, FunctionBody, ImportDeclarationSpecifier, ModuleExportName,
    ObjectPropertyKind, Program, PropertyKey, Statement as Syntax, StringLiteral,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan as _;

use crate::scaffold::edits::indentation;
use crate::scaffold::outline::{Block, Export, Habits, Import, Outline, Statement};
use crate::syntax::SyntaxError;
use crate::syntax::javascript::with_program;

/// Reads a file; its path tells the dialect.
pub fn outline(path: &str, text: &str) -> Result<Outline, SyntaxError> {
    with_program(path, text, |program| {
        let mut reader = Reader { text, outline: Outline::default() };
        reader.outline.start = reader.first_place(program);
        reader.visit_program(program);
        reader.outline.blocks.sort_by_key(|block| block.statements.first().map_or(usize::MAX, |first| first.start));
        reader.outline
    })
}

struct Reader<'t> {
    text: &'t str,
    outline: Outline,
}

impl Reader<'_> {
    fn first_place(&self, program: &Program<'_>) -> usize {
        let hashbang = program.hashbang.as_ref().map_or(0, |line| line.span.end as usize);
        let directives = program.directives.last().map_or(0, |last| last.span.end as usize);
        match hashbang.max(directives) {
            0 => 0,
            end => crate::scaffold::edits::line_end(self.text, end),
        }
    }

    fn statement(&mut self, syntax: &Syntax<'_>) -> Statement {
        let span = syntax.span();
        let mut found = Statement { start: span.start as usize, end: span.end as usize, ..Statement::default() };
        self.look_at_end(syntax, found.end);
        found.leaves = matches!(
            syntax,
            Syntax::ReturnStatement(_) | Syntax::ExportDefaultDeclaration(_) | Syntax::ExportNamedDeclaration(_)
        );
        match syntax {
            Syntax::ExpressionStatement(it) => {
                found.leaves = matches!(&it.expression, Expression::AssignmentExpression(_));
                describe(&it.expression, &mut found);
            }
            Syntax::ExportDefaultDeclaration(it) => {
                if let Some(expression) = it.declaration.as_expression() {
                    describe(expression, &mut found);
                }
            }
            Syntax::ExportDeclaration(it) => declare(&it.declaration, &mut found),
            _ => {
                if let Some(declaration) = syntax.as_declaration() {
                    declare(declaration, &mut found);
                }
            }
        }
        found
    }

    fn look_at_end(&mut self, syntax: &Syntax<'_>, end: usize) {
        let ends_with_semicolon = matches!(
            syntax,
            Syntax::ExpressionStatement(_)
                | Syntax::VariableDeclaration(_)
                | Syntax::ReturnStatement(_)
                | Syntax::ThrowStatement(_)
                | Syntax::ImportDeclaration(_)
        );
        if ends_with_semicolon {
            let habits = &mut self.outline.habits;
            match self.text.as_bytes().get(end.saturating_sub(1)) {
                Some(b';') => habits.semicolons += 1,
                _ => habits.no_semicolons += 1,
            }
        }
    }

    fn look_at_indent(&mut self, outer: u32, first: Option<&Syntax<'_>>) {
        let Some(first) = first else { return };
        let outer = indentation(self.text, outer as usize);
        let inner = indentation(self.text, first.span().start as usize);
        if let Some(more) = inner.strip_prefix(outer).filter(|more| !more.is_empty()) {
            *self.outline.habits.indents.entry(more.to_owned()).or_default() += 1;
        }
    }

    fn look_at_specifier(&mut self, specifier: &str) {
        if specifier.starts_with('.') {
            let name = specifier.rsplit('/').next().unwrap_or(specifier);
            let has_extension = [".js", ".ts", ".mjs", ".cjs", ".mts"].iter().any(|ending| name.ends_with(ending));
            let habits = &mut self.outline.habits;
            *(if has_extension { &mut habits.with_extension } else { &mut habits.without_extension }) += 1;
        }
    }

    /// Imports, `require`s and exports of the top level.
    fn module_parts(&mut self, syntax: &Syntax<'_>) {
        match syntax {
            Syntax::ImportDeclaration(it) => {
                let names = it.specifiers.iter().flatten().map(local_name).collect();
                self.import(it.span, &it.source, names, true);
            }
            Syntax::VariableDeclaration(it) => {
                if let [only] = it.declarations.as_slice()
                    && let Some(source) = only.init.as_ref().and_then(required)
                {
                    self.import(it.span, source, names_of(&only.id), false);
                }
            }
            Syntax::ExpressionStatement(it) => {
                if let Some(source) = required(&it.expression) {
                    self.import(it.span, source, Vec::new(), false);
                }
                self.assigned_exports(&it.expression);
            }
            _ => self.exports(syntax),
        }
    }

    fn import(&mut self, span: oxc_span::Span, source: &StringLiteral<'_>, names: Vec<String>, is_module_syntax: bool) {
        self.look_at_specifier(&source.value);
        let (start, end) = (span.start as usize, span.end as usize);
        let specifier = source.value.to_string();
        *(if is_module_syntax { &mut self.outline.habits.imports } else { &mut self.outline.habits.requires }) += 1;
        self.outline.imports.push(Import { start, end, specifier, names, is_module_syntax });
    }

    fn exports(&mut self, syntax: &Syntax<'_>) {
        match syntax {
            Syntax::ExportDeclaration(it) => {
                let mut declared = Statement::default();
                declare(&it.declaration, &mut declared);
                let exported = declared.binds.into_iter().map(|name| Export { local: name.clone(), name });
                self.outline.exports.extend(exported);
            }
            Syntax::ExportNamedDeclaration(it) => {
                let both = it.specifiers.iter().map(|one| (export_name(&one.exported), export_name(&one.local)));
                self.outline.exports.extend(both.map(|(name, local)| Export { name, local }));
            }
            Syntax::ExportDefaultDeclaration(it) => {
                let local = match &it.declaration {
                    ExportDefaultDeclarationKind::Identifier(name) => Some(name.name.to_string()),
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        function.id.as_ref().map(|id| id.name.to_string())
                    }
                    _ => None,
                };
                self.outline.exports.extend(local.map(|local| Export { name: "default".into(), local }));
            }
            _ => {}
        }
    }

    /// `module.exports = x`, `module.exports = { x, y: z }`, `exports.x = y`.
    fn assigned_exports(&mut self, expression: &Expression<'_>) {
        let Expression::AssignmentExpression(it) = expression else { return };
        let AssignmentTarget::StaticMemberExpression(member) = &it.left else { return };
        let property = member.property.name.as_str();
        let is_exports = |object: &Expression<'_>| match object {
            Expression::Identifier(name) => name.name == "exports",
            Expression::StaticMemberExpression(inner) => {
                inner.property.name == "exports"
                    && matches!(&inner.object, Expression::Identifier(name) if name.name == "module")
            }
            _ => false,
        };
        let whole =
            property == "exports" && matches!(&member.object, Expression::Identifier(name) if name.name == "module");
        match &it.right {
            Expression::Identifier(local) if whole => self.export("default", &local.name),
            Expression::ObjectExpression(object) if whole => {
                for entry in &object.properties {
                    if let ObjectPropertyKind::ObjectProperty(entry) = entry
                        && let (PropertyKey::StaticIdentifier(key), Expression::Identifier(local)) =
                            (&entry.key, &entry.value)
                    {
                        self.export(&key.name, &local.name);
                    }
                }
            }
            Expression::Identifier(local) if is_exports(&member.object) => self.export(property, &local.name),
            _ => {}
        }
    }

    fn export(&mut self, name: &str, local: &str) {
        self.outline.exports.push(Export { name: name.to_owned(), local: local.to_owned() });
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_program(&mut self, it: &Program<'a>) {
        for statement in &it.body {
            self.module_parts(statement);
        }
        walk::walk_program(self, it);
    }

    fn visit_statements(&mut self, it: &oxc_allocator::Vec<'a, Syntax<'a>>) {
        if !it.is_empty() {
            let statements = it.iter().map(|statement| self.statement(statement)).collect();
            self.outline.blocks.push(Block { statements });
        }
        walk::walk_statements(self, it);
    }

    fn visit_block_statement(&mut self, it: &BlockStatement<'a>) {
        self.look_at_indent(it.span.start, it.body.first());
        walk::walk_block_statement(self, it);
    }

    fn visit_function_body(&mut self, it: &FunctionBody<'a>) {
        self.look_at_indent(it.span.start, it.statements.first());
        walk::walk_function_body(self, it);
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        let habits: &mut Habits = &mut self.outline.habits;
        match self.text.as_bytes().get(it.span.start as usize) {
            Some(b'"') => habits.double_quotes += 1,
            Some(b'\'') => habits.single_quotes += 1,
            _ => {}
        }
    }
}

fn declare(declaration: &Declaration<'_>, found: &mut Statement) {
    match declaration {
        Declaration::VariableDeclaration(it) => {
            for declarator in &it.declarations {
                found.binds.extend(names_of(&declarator.id));
                if let Some(init) = &declarator.init {
                    describe(init, found);
                }
            }
        }
        Declaration::FunctionDeclaration(it) => found.binds.extend(it.id.iter().map(|id| id.name.to_string())),
        Declaration::ClassDeclaration(it) => found.binds.extend(it.id.iter().map(|id| id.name.to_string())),
        _ => {}
    }
}

/// What an expression starts with, and what it passes to the calls of its chain.
fn describe(expression: &Expression<'_>, found: &mut Statement) {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expression::CallExpression(it) => {
                found.passes.extend(it.arguments.iter().flat_map(passed));
                &it.callee
            }
            Expression::AwaitExpression(it) => &it.argument,
            Expression::ParenthesizedExpression(it) => &it.expression,
            Expression::StaticMemberExpression(it) => &it.object,
            Expression::ComputedMemberExpression(it) => &it.object,
            Expression::AssignmentExpression(it) => &it.right,
            Expression::Identifier(name) => {
                found.receiver = Some(name.name.to_string());
                return;
            }
            _ => return,
        };
    }
}

/// Names in an argument: itself, or what a call in it starts with and is given.
fn passed(argument: &Argument<'_>) -> Vec<String> {
    match argument {
        Argument::Identifier(name) => vec![name.name.to_string()],
        Argument::CallExpression(call) => {
            let inner = call.arguments.iter().filter_map(|argument| match argument {
                Argument::Identifier(name) => Some(name.name.to_string()),
                _ => None,
            });
            inner.chain(callee_name(call)).collect()
        }
        Argument::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(name) => vec![name.name.to_string()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn callee_name(call: &CallExpression<'_>) -> Option<String> {
    match &call.callee {
        Expression::Identifier(name) => Some(name.name.to_string()),
        _ => None,
    }
}

fn names_of(pattern: &BindingPattern<'_>) -> Vec<String> {
    pattern.get_binding_identifiers().iter().map(|id| id.name.to_string()).collect()
}

fn local_name(specifier: &ImportDeclarationSpecifier<'_>) -> String {
    specifier.local().name.to_string()
}

fn export_name(name: &ModuleExportName<'_>) -> String {
    name.name().to_string()
}

/// The specifier of `require("…")`, of a property of it or of a call of it.
fn required<'e, 'a>(expression: &'e Expression<'a>) -> Option<&'e StringLiteral<'a>> {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expression::CallExpression(call) => {
                if let (Expression::Identifier(callee), [Argument::StringLiteral(source)]) =
                    (&call.callee, call.arguments.as_slice())
                    && callee.name == "require"
                {
                    return Some(source);
                }
                &call.callee
            }
            Expression::StaticMemberExpression(member) => &member.object,
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = r#"#!/usr/bin/env node
"use strict";
import express, { Router as R } from "express";
import { db } from './db.js'

export function createApp(routes: R) {
  const app = express();
  app.use(express.json());
  routes(app);
  if (db) {
    app.get('/', () => {
      work()
    });
  }
  return app;
}

const server = createApp(x).listen(3000);
export default server;
"#;

    #[test]
    fn finds_imports_statements_and_what_they_start_with() {
        let outline = outline("app.ts", APP).unwrap();
        let imports: Vec<_> = outline.imports.iter().map(|i| (i.specifier.as_str(), i.names.join(","))).collect();
        assert_eq!(imports, [("express", "express,R".to_owned()), ("./db.js", "db".to_owned())]);
        assert_eq!(&APP[outline.start..outline.start + 6], "import");
        let at = APP.find("express();").unwrap();
        let (block, index) = outline.statement_at(at).unwrap();
        assert_eq!((index, block.statements.len()), (0, 5));
        assert_eq!(block.statements[0].binds, ["app"]);
        assert_eq!(block.statements[1].receiver.as_deref(), Some("app"));
        assert_eq!(block.statements[2].passes, ["app"]);
        let listen = outline.top_level().iter().find(|s| s.binds == ["server"]).unwrap();
        assert_eq!(listen.receiver.as_deref(), Some("createApp"));
    }

    #[test]
    fn finds_exports_of_either_module_system() {
        let exports = |text: &str| -> Vec<(String, String)> {
            outline("a.js", text).unwrap().exports.into_iter().map(|e| (e.name, e.local)).collect()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(exports("const a = 1; module.exports = a"), [pair("default", "a")]);
        assert_eq!(exports("module.exports = { a, b: c }"), [pair("a", "a"), pair("b", "c")]);
        assert_eq!(exports("exports.a = b; module.exports.c = d"), [pair("a", "b"), pair("c", "d")]);
        assert_eq!(
            exports("export const a = 1; export { b as c }; export default d"),
            [pair("a", "a"), pair("c", "b"), pair("default", "d")]
        );
    }

    #[test]
    fn counts_habits() {
        let habits = outline("app.ts", APP).unwrap().habits;
        assert_eq!((habits.double_quotes, habits.single_quotes), (2, 2));
        assert_eq!((habits.no_semicolons, habits.semicolons > 5), (2, true));
        assert_eq!(habits.indent(), Some("  "));
        assert_eq!((habits.imports, habits.with_extension), (2, 1));
        let old = outline("a.js", "const a = require('./a')\nrequire('dotenv').config()").unwrap();
        assert_eq!((old.habits.requires, old.habits.without_extension), (2, 1));
    }
}
