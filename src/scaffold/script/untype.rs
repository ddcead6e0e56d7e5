//! TypeScript without its types: what a JavaScript project gets of a template.
//!
//! Types are cut out where they stand, so comments and layout stay. Templates use what can be cut: annotations,
//! interfaces, aliases, type imports, generics, `as`, `satisfies`, `!`, optional parameters, field modifiers. What has
//! a meaning at run time (enums, parameter properties, namespaces) is not for templates.

use oxc_ast::AstKind;
use oxc_ast::ast::{Declaration, Expression, ImportDeclarationSpecifier, Program, PropertyDefinition, Statement};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan as _, Span};

use crate::scaffold::edits::{Edit, apply, line_end, line_start};
use crate::syntax::SyntaxError;
use crate::syntax::javascript::with_program;

/// The same program in JavaScript; the name of the template tells whether it holds markup.
pub fn untype(template: &str, text: &str) -> Result<String, SyntaxError> {
    let edits = with_program(template, text, |program| {
        let mut cutter = Cutter { text, edits: Vec::new() };
        cutter.whole_statements(program);
        cutter.visit_program(program);
        cutter.edits
    })?;
    Ok(without_gaps(&apply(text, &edits)))
}

struct Cutter<'t> {
    text: &'t str,
    edits: Vec<Edit>,
}

impl Cutter<'_> {
    fn cut(&mut self, start: usize, end: usize) {
        self.edits.push(Edit::remove(start, end));
    }

    fn cut_span(&mut self, span: Span) {
        self.cut(span.start as usize, span.end as usize);
    }

    /// Statements that are types alone go with their comments and their line.
    fn whole_statements(&mut self, program: &Program<'_>) {
        for statement in &program.body {
            if !is_type_only(statement) {
                continue;
            }
            let span = statement.span();
            let mut start = span.start as usize;
            for comment in program.comments.iter().rev().filter(|comment| comment.span.end <= span.start) {
                let between = self.text.get(comment.span.end as usize..start).unwrap_or("x");
                if !between.trim().is_empty() || between.matches('\n').count() > 1 {
                    break;
                }
                start = comment.span.start as usize;
            }
            self.cut(line_start(self.text, start), line_end(self.text, span.end as usize));
        }
    }

    /// From the end of what is kept to the end of the whole.
    fn cut_after(&mut self, kept: Span, whole: Span) {
        self.cut(kept.end as usize, whole.end as usize);
    }

    /// The `?` or `!` in front of an annotation or behind a name.
    fn cut_mark(&mut self, from: usize, until: usize, mark: char) {
        if let Some(found) = self.text.get(from..until).and_then(|between| between.find(mark)) {
            self.cut(from + found, from + found + 1);
        }
    }

    fn cut_type_specifiers(&mut self, specifiers: &[ImportDeclarationSpecifier<'_>]) {
        for specifier in specifiers {
            if let ImportDeclarationSpecifier::ImportSpecifier(named) = specifier
                && named.import_kind.is_type()
            {
                let (start, end) = (named.span.start as usize, named.span.end as usize);
                let before = self.text.get(..start).unwrap_or_default();
                let rest = self.text.get(end..).unwrap_or_default();
                match rest.strip_prefix(',') {
                    Some(rest) => self.cut(start, end + 1 + rest.len() - rest.trim_start().len()),
                    // The last one goes with the comma in front of it, if that is there still.
                    None => {
                        let comma = before.trim_end().strip_suffix(',').map_or(start, str::len);
                        let is_cut = self.edits.iter().any(|edit| edit.start <= comma && comma < edit.end);
                        self.cut(if is_cut { start } else { comma }, end);
                    }
                }
            }
        }
    }

    /// A value whose brackets were there for its type alone: `(await x) as T`.
    fn bare(&mut self, value: Option<&Expression<'_>>) {
        if let Some(Expression::TSAsExpression(cast)) = value
            && let Expression::ParenthesizedExpression(inner) = &cast.expression
            && matches!(inner.expression, Expression::AwaitExpression(_))
        {
            self.cut(inner.span.start as usize, inner.span.start as usize + 1);
            self.cut(inner.span.end as usize - 1, inner.span.end as usize);
        }
    }

    fn field(&mut self, it: &PropertyDefinition<'_>) {
        let modifiers = it.span.start as usize..it.key.span().start as usize;
        let Some(text) = self.text.get(modifiers.clone()) else { return };
        for word in ["private ", "protected ", "public ", "readonly ", "override "] {
            if let Some(found) = text.find(word) {
                self.cut(modifiers.start + found, modifiers.start + found + word.len());
            }
        }
        if it.optional || it.definite {
            let mark = if it.optional { '?' } else { '!' };
            let until = it.type_annotation.as_ref().map_or(it.span.end, |annotation| annotation.span.start + 1);
            self.cut_mark(it.key.span().end as usize, until as usize, mark);
        }
    }
}

impl<'a> Visit<'a> for Cutter<'_> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::TSTypeAnnotation(it) => self.cut_span(it.span),
            AstKind::TSTypeParameterDeclaration(it) => self.cut_span(it.span),
            AstKind::TSTypeParameterInstantiation(it) => self.cut_span(it.span),
            AstKind::TSAsExpression(it) => self.cut_after(it.expression.span(), it.span),
            AstKind::VariableDeclarator(it) => self.bare(it.init.as_ref()),
            AstKind::TSSatisfiesExpression(it) => self.cut_after(it.expression.span(), it.span),
            AstKind::TSNonNullExpression(it) => self.cut_after(it.expression.span(), it.span),
            AstKind::FormalParameter(it) if it.optional => {
                let end = it.pattern.span().end as usize;
                self.cut_mark(end, it.span.end as usize, '?');
            }
            AstKind::PropertyDefinition(it) => self.field(it),
            AstKind::ImportDeclaration(it) if !it.import_kind.is_type() => {
                self.cut_type_specifiers(it.specifiers.as_ref().map_or(&[], |all| all.as_slice()));
            }
            _ => {}
        }
    }
}

fn is_type_only(statement: &Statement<'_>) -> bool {
    let is_type = |declaration: &Declaration<'_>| match declaration {
        Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSGlobalDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_) => true,
        Declaration::FunctionDeclaration(function) => function.body.is_none(),
        Declaration::VariableDeclaration(variable) => variable.declare,
        _ => false,
    };
    match statement {
        Statement::ImportDeclaration(it) => {
            it.import_kind.is_type() || it.specifiers.as_ref().is_some_and(|all| !all.is_empty() && only_types(all))
        }
        Statement::ExportNamedDeclaration(it) => it.export_kind.is_type(),
        Statement::ExportDeclaration(it) => is_type(&it.declaration),
        _ => statement.as_declaration().is_some_and(is_type),
    }
}

fn only_types(specifiers: &[ImportDeclarationSpecifier<'_>]) -> bool {
    let is_type = |specifier: &ImportDeclarationSpecifier<'_>| matches!(specifier, ImportDeclarationSpecifier::ImportSpecifier(named) if named.import_kind.is_type());
    specifiers.iter().all(is_type)
}

/// At most one empty line in a row, none at the start.
fn without_gaps(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split_inclusive('\n') {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 && !(out.is_empty() && empty == 1) {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_cut_and_the_rest_stays() {
        let text = r#"import type { Request } from "express";
import { type Response, Router } from "express";
import { codes, type Code } from "./codes";
import { kept, type One, type Two } from "./both";

/** What a check answers. */
export interface Check {
  name: string;
}

/** Runs checks. */
export async function run<T>(checks: Check[], limit?: number, ...rest: string[]): Promise<T | undefined> {
  const found = new Map<string, Check>();
  const all = checks as unknown as T[]; // all of them
  const body = (await all[0]) as unknown;
  return all[0]!;
}

class Store {
  private readonly items: string[] = [];
  name?: string;
}
"#;
        assert_eq!(
            untype("a.ts", text).unwrap(),
            r#"import { Router } from "express";
import { codes } from "./codes";
import { kept,  } from "./both";

/** Runs checks. */
export async function run(checks, limit, ...rest) {
  const found = new Map();
  const all = checks; // all of them
  const body = await all[0];
  return all[0];
}

class Store {
  items = [];
  name;
}
"#
        );
    }

    #[test]
    fn augmentations_go_as_a_whole() {
        let text = "declare global {\n  namespace Express {\n    interface Request {\n      id: string;\n    }\n  }\n}\n\nexport const a = 1;\n";
        assert_eq!(untype("a.ts", text).unwrap(), "export const a = 1;\n");
    }
}
