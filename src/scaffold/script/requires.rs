//! Module syntax as CommonJS: what a project that uses `require` gets of a template.

use oxc_ast::ast::{
    Declaration, ExportDefaultDeclarationKind, ImportDeclaration, ImportDeclarationSpecifier, Program, Statement,
};
use oxc_span::GetSpan as _;

use crate::scaffold::edits::{Edit, apply};
use crate::syntax::SyntaxError;
use crate::syntax::javascript::with_program;

/// The same program with `require` and `module.exports`. Exports are gathered at the end.
pub fn to_requires(text: &str) -> Result<String, SyntaxError> {
    let (edits, exports) = with_program("template.mjs", text, |program| convert(text, program))?;
    let mut out = apply(text, &edits);
    if !exports.is_empty() {
        out.push_str(&format!("\n{}\n", exports.assignment()));
    }
    Ok(out)
}

#[derive(Default)]
struct Exports {
    names: Vec<String>,
    default: Option<String>,
}

impl Exports {
    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.default.is_none()
    }

    fn assignment(&self) -> String {
        match &self.default {
            Some(default) => format!("module.exports = {default};"),
            None => format!("module.exports = {{ {} }};", self.names.join(", ")),
        }
    }
}

fn convert(text: &str, program: &Program<'_>) -> (Vec<Edit>, Exports) {
    let (mut edits, mut exports) = (Vec::new(), Exports::default());
    for statement in &program.body {
        let span = statement.span();
        let (start, end) = (span.start as usize, span.end as usize);
        match statement {
            Statement::ImportDeclaration(it) => edits.push(Edit::replace(start, end, require(it))),
            Statement::ExportDeclaration(it) => {
                exports.names.extend(declared(&it.declaration));
                edits.push(Edit::remove(start, it.declaration.span().start as usize));
            }
            Statement::ExportNamedDeclaration(it) => {
                let both = it.specifiers.iter().map(|one| (one.exported.name(), one.local.name()));
                let entries =
                    both.map(|(name, local)| if name == local { name.to_string() } else { format!("{name}: {local}") });
                exports.names.extend(entries);
                edits.push(Edit::remove(start, crate::scaffold::edits::line_end(text, end)));
            }
            Statement::ExportDefaultDeclaration(it) => match &it.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    exports.default = function.id.as_ref().map(|id| id.name.to_string());
                    edits.push(Edit::remove(start, it.declaration.span().start as usize));
                }
                _ => edits.push(Edit::replace(start, it.declaration.span().start as usize, "module.exports = ")),
            },
            _ => {}
        }
    }
    (edits, exports)
}

fn require(it: &ImportDeclaration<'_>) -> String {
    let call = format!("require(\"{}\");", it.source.value);
    let Some(specifiers) = it.specifiers.as_ref().filter(|all| !all.is_empty()) else { return call };
    let mut whole = None;
    let mut named = Vec::new();
    for specifier in specifiers {
        match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) => {
                let (imported, local) = (one.imported.name(), one.local.name.as_str());
                named.push(if imported == local { local.to_owned() } else { format!("{imported}: {local}") });
            }
            ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => whole = Some(one.local.name.to_string()),
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => whole = Some(one.local.name.to_string()),
        }
    }
    match (whole, named.is_empty()) {
        (Some(name), true) => format!("const {name} = {call}"),
        (Some(name), false) => format!("const {name} = {call}\nconst {{ {} }} = {name};", named.join(", ")),
        (None, _) => format!("const {{ {} }} = {call}", named.join(", ")),
    }
}

fn declared(declaration: &Declaration<'_>) -> Vec<String> {
    match declaration {
        Declaration::VariableDeclaration(it) => {
            let ids = it.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
            ids.map(|id| id.name.to_string()).collect()
        }
        Declaration::FunctionDeclaration(it) => it.id.iter().map(|id| id.name.to_string()).collect(),
        Declaration::ClassDeclaration(it) => it.id.iter().map(|id| id.name.to_string()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_and_exports_are_turned() {
        let text = r#"import express, { Router as R } from "express";
import * as path from "node:path";
import { a, b as c } from "./a.js";
import "./side.js";

export const one = 1;
export function two() {}
const three = 3;
export { three as drei };
"#;
        assert_eq!(
            to_requires(text).unwrap(),
            r#"const express = require("express");
const { Router: R } = express;
const path = require("node:path");
const { a, b: c } = require("./a.js");
require("./side.js");

const one = 1;
function two() {}
const three = 3;

module.exports = { one, two, drei: three };
"#
        );
        assert_eq!(
            to_requires("export default function f() {}\n").unwrap(),
            "function f() {}\n\nmodule.exports = f;\n"
        );
    }
}
