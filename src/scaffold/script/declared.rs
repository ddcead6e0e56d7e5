//! The object that declares the variables of an environment: `z.object({ PORT: z.coerce.number() })`.

use oxc_ast::ast::{Expression, ObjectExpression, ObjectPropertyKind};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan as _;

use super::outline::outline;
use crate::scaffold::edits::{Edit, indentation, line_end};
use crate::syntax::javascript::with_program;

/// Where variables are declared, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The package whose functions declare them.
    pub package: String,
    /// What stands before the name of such a function: `z.`, nothing where functions are imported by their names.
    pub of: String,
    /// The names that are imported from the package.
    pub names: Vec<String>,
    last: usize,
    /// Behind the comma of the last declaration, if it has one.
    comma: Option<usize>,
    /// Where whole lines go, and how far they stand in; none for an object on one line.
    line: Option<(usize, String)>,
}

/// The only object of a file that declares most of these variables.
pub fn declared(path: &str, text: &str, variables: &[&str]) -> Option<Declared> {
    let found = with_program(path, text, |program| {
        let mut search = Search { text, variables, found: Vec::new() };
        search.visit_program(program);
        search.found
    });
    let found = found.ok()?;
    let most = found.iter().map(|(count, _)| *count).max()?;
    let mut best = found.into_iter().filter(|(count, _)| *count == most);
    let (Some((_, (root, mut only))), None) = (best.next(), best.next()) else { return None };
    let imports = outline(path, text).ok()?.imports;
    let import = imports.into_iter().find(|import| import.names.contains(&root))?;
    only.package = import.specifier;
    only.names = import.names;
    Some(only)
}

impl Declared {
    /// The edits that declare more.
    pub fn with(&self, declarations: &[String], line_break: &str) -> Vec<Edit> {
        let Some((at, indent)) = &self.line else {
            let more: String = declarations.iter().map(|one| format!(", {one}")).collect();
            return vec![Edit::insert(self.last, more)];
        };
        let lines: String = declarations.iter().map(|one| format!("{indent}{one},{line_break}")).collect();
        let comma = self.comma.is_none().then(|| Edit::insert(self.last, ","));
        comma.into_iter().chain([Edit::insert(*at, lines)]).collect()
    }
}

struct Search<'t> {
    text: &'t str,
    variables: &'t [&'t str],
    /// How many variables an object declares, and the name that its functions hang on.
    found: Vec<(usize, (String, Declared))>,
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_object_expression(&mut self, it: &ObjectExpression<'a>) {
        self.found.extend(self.read(it));
        walk::walk_object_expression(self, it);
    }
}

impl Search<'_> {
    fn read(&self, object: &ObjectExpression<'_>) -> Option<(usize, (String, Declared))> {
        let mut count = 0;
        let mut root = None;
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else { continue };
            let is_ours = property.key.static_name().is_some_and(|key| self.variables.contains(&key.as_ref()));
            if is_ours && let Some(found) = root_of(&property.value) {
                count += 1;
                root.get_or_insert(found);
            }
        }
        let (root, direct) = root?;
        let of = if direct { String::new() } else { format!("{root}.") };
        let last = object.properties.last()?.span().end as usize;
        let close = (object.span.end as usize).checked_sub(1)?;
        let rest = self.text.get(last..close)?;
        let comma = comma_in(rest).map(|at| last + at);
        let line = rest.contains('\n').then(|| {
            let first = object.properties.first().map_or(last, |first| first.span().start as usize);
            (line_end(self.text, comma.unwrap_or(last)), indentation(self.text, first).to_owned())
        });
        let found = Declared { package: String::new(), of, names: Vec::new(), last, comma, line };
        Some((count, (root, found)))
    }
}

/// Behind the comma that ends a property: what comes before it can only be a comment.
fn comma_in(rest: &str) -> Option<usize> {
    let trimmed = rest.trim_start();
    trimmed.starts_with(',').then(|| rest.len() - trimmed.len() + 1)
}

/// The name that a chain of calls starts with, and whether it is called itself.
fn root_of(value: &Expression<'_>) -> Option<(String, bool)> {
    let mut now = value;
    let mut direct = false;
    loop {
        now = match now {
            Expression::CallExpression(call) => {
                direct = matches!(call.callee, Expression::Identifier(_));
                &call.callee
            }
            Expression::StaticMemberExpression(member) => {
                direct = false;
                &member.object
            }
            Expression::Identifier(name) if !std::ptr::eq(now, value) => {
                return Some((name.name.to_string(), direct));
            }
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;

    fn with(text: &str, declaration: &str) -> Option<String> {
        let found = declared("env.ts", text, &["PORT", "URL"])?;
        Some(apply(text, &found.with(&[declaration.to_owned()], "\n")))
    }

    #[test]
    fn what_is_declared_goes_behind_the_others_whatever_ends_them() {
        let head = "import { z } from \"zod\";\nexport const schema = z.object({\n";
        for (last, expected) in [
            ("  PORT: z.string(), // mine\n", "  PORT: z.string(), // mine\n  A: z.b(),\n"),
            ("  PORT: z.string() // mine\n", "  PORT: z.string(), // mine\n  A: z.b(),\n"),
            ("  PORT: z\n    .string(),\n", "  PORT: z\n    .string(),\n  A: z.b(),\n"),
        ] {
            let found = with(&format!("{head}{last}}});\n"), "A: z.b()");
            assert_eq!(found, Some(format!("{head}{expected}}});\n")));
        }
        let inline = "const { str } = require('envalid');\ncleanEnv(process.env, { PORT: str(), URL: str() });\n";
        let found = declared("env.js", inline, &["PORT"]).unwrap();
        assert_eq!((found.of.as_str(), found.package.as_str(), found.names), ("", "envalid", vec!["str".to_owned()]));
        assert!(with(inline, "A: str()").unwrap().contains("{ PORT: str(), URL: str(), A: str() }"));
    }

    #[test]
    fn the_object_with_most_variables_is_meant_and_two_of_them_are_none() {
        let one = "import Joi from 'joi';\nconst a = Joi.object({ PORT: Joi.number(), URL: Joi.string() });\nconst b = { PORT: Joi.any() };\n";
        assert!(with(one, "A: 1").unwrap().contains("URL: Joi.string(), A: 1 })"));
        let two = "import Joi from 'joi';\nconst a = { PORT: Joi.number() };\nconst b = { PORT: Joi.any() };\n";
        assert_eq!(with(two, "A: 1"), None);
        assert_eq!(with("import Joi from 'joi';\nconst a = { PORT: 1, URL: Joi };\n", "A: 1"), None);
        assert_eq!(with("const a = { PORT: Joi.number() };\n", "A: 1"), None);
    }
}
