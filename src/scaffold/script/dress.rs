//! Templates are written in TypeScript with modules, double quotes, semicolons and two blanks; this turns what comes of
//! one into what the project writes.

use oxc_ast::ast::{PropertyDefinition, Statement, StringLiteral};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan as _;

use super::requires::to_requires;
use super::untype::untype;
use crate::scaffold::conventions::Conventions;
use crate::scaffold::edits::{Edit, apply};
use crate::syntax::SyntaxError;
use crate::syntax::javascript::with_program;

const TEMPLATE_INDENT: &str = "  ";
/// In front of the names of modules of Node.js.
const BUILTIN: &str = "node:";

/// A rendered template in the project's own hand.
pub fn dress(path: &str, text: &str, conventions: &Conventions) -> Result<String, SyntaxError> {
    let is_hidden = conventions.outdated_runner && path.contains(".test.") && text.contains(" fetch(");
    let mut text = if is_hidden { with_fetch(text) } else { text.to_owned() };
    let template = if path.ends_with('x') { "template.tsx" } else { "template.ts" };
    if !conventions.typescript {
        text = untype(template, &text)?;
    }
    // What is called `.mjs` is a module whatever the package says.
    if !conventions.modules && !path.ends_with(".mjs") {
        text = to_requires(&text)?;
    }
    let text = punctuate(template, &text, conventions)?;
    let text = reindent(&text, &conventions.indent);
    Ok(if conventions.crlf { text.replace('\n', "\r\n") } else { text })
}

/// A test whose runner hides `fetch` from what it runs.
fn with_fetch(text: &str) -> String {
    const IMPORT: &str = "import { runInThisContext } from \"node:vm\";\n";
    const HIDDEN: &str = "\n// The sandbox of this test runner hides what Node.js has.\n";
    const FETCH: &str = "const fetch = runInThisContext(\"fetch\") as typeof globalThis.fetch;\n";
    let behind = |mark: &str| {
        let at = text.rfind(mark)? + 1;
        Some(text.get(at..)?.find('\n').map_or(text.len(), |end| at + end + 1))
    };
    let builtins = behind(" from \"node:").unwrap_or(0);
    let imports = behind("\nimport ").max(behind("\n} from ")).unwrap_or(builtins).max(builtins);
    apply(text, &[Edit::insert(builtins, IMPORT), Edit::insert(imports, format!("{HIDDEN}{FETCH}"))])
}

/// Quotes and semicolons.
fn punctuate(template: &str, text: &str, conventions: &Conventions) -> Result<String, SyntaxError> {
    if conventions.double_quotes && conventions.semicolons && !conventions.outdated_runner {
        return Ok(text.to_owned());
    }
    let path = if conventions.typescript { template } else { "template.mjs" };
    let edits = with_program(path, text, |program| {
        let mut pen = Pen { text, conventions, edits: Vec::new() };
        pen.visit_program(program);
        pen.edits
    })?;
    Ok(apply(text, &edits))
}

struct Pen<'t> {
    text: &'t str,
    conventions: &'t Conventions,
    edits: Vec<Edit>,
}

impl Pen<'_> {
    /// Drops the semicolon that ends at a place, unless what follows would then continue the statement.
    fn drop_semicolon(&mut self, end: usize) {
        let before = end.saturating_sub(1);
        if self.conventions.semicolons || self.text.as_bytes().get(before) != Some(&b';') {
            return;
        }
        let rest = self.text.get(end..).unwrap_or_default();
        let ends_line = rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']) || rest.trim().is_empty();
        let next = rest.trim_start();
        let continues =
            next.starts_with(['(', '[', '`', '+', '-', '/', '*']) && !next.starts_with("//") && !next.starts_with("/*");
        if ends_line && !continues {
            self.edits.push(Edit::remove(before, end));
        }
    }
}

impl<'a> Visit<'a> for Pen<'_> {
    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        let (start, end) = (it.span.start as usize, it.span.end as usize);
        let Some(inside) = self.text.get(start + 1..end.saturating_sub(1)) else { return };
        if self.conventions.outdated_runner && inside.starts_with(BUILTIN) && inside != "node:test" {
            self.edits.push(Edit::remove(start + 1, start + 1 + BUILTIN.len()));
        }
        // What escapes nothing but double quotes needs no escapes between single ones.
        let bare = inside.replace("\\\"", "\"");
        let is_double = self.text.as_bytes().get(start) == Some(&b'"');
        if self.conventions.double_quotes || !is_double || bare.contains(['\'', '\\']) {
            return;
        }
        if bare == inside {
            self.edits.push(Edit::replace(start, start + 1, "'"));
            self.edits.push(Edit::replace(end - 1, end, "'"));
        } else {
            self.edits.push(Edit::replace(start, end, format!("'{bare}'")));
        }
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        let ends_with_semicolon =
            !matches!(it, Statement::ForStatement(_) | Statement::WhileStatement(_) | Statement::EmptyStatement(_));
        if ends_with_semicolon {
            self.drop_semicolon(it.span().end as usize);
        }
        walk::walk_statement(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.drop_semicolon(it.span.end as usize);
        walk::walk_property_definition(self, it);
    }

    fn visit_ts_property_signature(&mut self, it: &oxc_ast::ast::TSPropertySignature<'a>) {
        self.drop_semicolon(it.span.end as usize);
        walk::walk_ts_property_signature(self, it);
    }
}

fn reindent(text: &str, indent: &str) -> String {
    if indent == TEMPLATE_INDENT {
        return text.to_owned();
    }
    let line = |line: &str| {
        let content = line.trim_start_matches(' ');
        let blanks = line.len() - content.len();
        // The star of a block comment stands one further in.
        let (levels, rest) = (blanks / TEMPLATE_INDENT.len(), blanks % TEMPLATE_INDENT.len());
        format!("{}{}{content}", indent.repeat(levels), " ".repeat(rest))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conventions(typescript: bool, modules: bool) -> Conventions {
        Conventions {
            typescript,
            modules,
            double_quotes: false,
            semicolons: false,
            indent: "\t".to_owned(),
            ..Conventions::default()
        }
    }

    const TEMPLATE: &str = r#"import helmet from "helmet";

/**
 * Headers.
 */
export const headers: Headers = helmet({
  name: "it's",
});

export function f() {
  const a = "x";
  for (const b of [a]) {
    call(b);
  }
  [1].map(f);
}
"#;

    #[test]
    fn follows_quotes_semicolons_and_indentation() {
        assert_eq!(
            dress("a.ts", TEMPLATE, &conventions(true, true)).unwrap(),
            "import helmet from 'helmet'\n\n/**\n * Headers.\n */\nexport const headers: Headers = helmet({\n\tname: \"it's\",\n})\n\nexport function f() {\n\tconst a = 'x'\n\tfor (const b of [a]) {\n\t\tcall(b)\n\t}\n\t[1].map(f)\n}\n"
        );
    }

    #[test]
    fn becomes_javascript_with_requires() {
        let text = dress("a.ts", TEMPLATE, &conventions(false, false)).unwrap();
        assert!(text.starts_with("const helmet = require('helmet')\n"), "{text}");
        assert!(text.contains("\nconst headers = helmet({\n"), "{text}");
        assert!(text.ends_with("\nmodule.exports = { headers, f }\n"), "{text}");
    }

    #[test]
    fn a_runner_that_hides_fetch_is_passed_by() {
        let text = "import assert from \"node:assert/strict\";\nimport {\n  a,\n} from \"./a\";\n\nawait fetch(a);\n";
        let old = Conventions { outdated_runner: true, ..conventions(false, false) };
        let dressed = dress("tests/a.test.js", text, &old).unwrap();
        let head = "const assert = require('assert/strict')\nconst { runInThisContext } = require('vm')\n";
        assert!(dressed.starts_with(head), "{dressed}");
        let made = "\n// The sandbox of this test runner hides what Node.js has.\nconst fetch = runInThisContext('fetch')\n\nawait";
        assert!(dressed.contains(made), "{dressed}");
        assert!(!dress("a.js", text, &old).unwrap().contains("runInThisContext"));
    }

    #[test]
    fn types_follow_quotes_too() {
        let text =
            dress("a.ts", "interface A {\n  is: \"up\" | \"down\";\n  all: B<\"c\">;\n}\n", &conventions(true, true))
                .unwrap();
        assert_eq!(text, "interface A {\n\tis: 'up' | 'down'\n\tall: B<'c'>\n}\n");
    }

    #[test]
    fn a_statement_that_the_next_line_would_continue_keeps_its_semicolon() {
        let text = dress("a.ts", "a();\n(b)();\n", &conventions(true, true)).unwrap();
        assert_eq!(text, "a();\n(b)()\n");
    }
}
