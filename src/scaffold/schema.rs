//! A service that checks its environment with a schema of its own has the variables of modules declared there: a second
//! schema beside it would compete, and variables that are in none are not checked.

use std::collections::BTreeSet;

use super::compose::{Composer, Step};
use super::context::{served, text};
use super::edits::Edit;
use super::module::EnvSpec;
use super::script::{Declared, declared};
use super::work::Work;
use crate::facts::{Data, Value};
use crate::rules::Problem;
use crate::rules::document::{only_keys, text_of, texts_of};
use crate::syntax::Node;

/// `[[env_schema]]` of a stack: how the packages that check environments declare a variable. `{of}` is what stands
/// before the names of their functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvSchema {
    packages: Vec<String>,
    /// What has to be set.
    required: String,
    /// What need not be set: any text, a number, `true` or `false`.
    text: String,
    number: String,
    flag: String,
    /// Each variable is checked as it is read: there is nothing to declare it in.
    on_read: bool,
}

impl EnvSchema {
    pub fn read(node: &Node) -> Result<EnvSchema, Problem> {
        only_keys(node, "a schema", &["packages", "required", "text", "number", "flag", "on_read"])?;
        let text = |key: &str| Ok::<_, Problem>(text_of(node, key)?.unwrap_or_default());
        Ok(EnvSchema {
            packages: texts_of(node, "packages")?,
            required: text("required")?,
            text: text("text")?,
            number: text("number")?,
            flag: text("flag")?,
            on_read: node.get("on_read").and_then(Node::as_bool).unwrap_or(false),
        })
    }

    fn is_of(&self, package: &str) -> bool {
        self.packages.iter().any(|known| known == package)
    }

    /// The declaration of a variable; none if it takes functions that the file does not import.
    fn declare(&self, variable: &Variable, found: &Declared) -> Option<String> {
        let exact = match variable.kind {
            Kind::Required => &self.required,
            Kind::Number => &self.number,
            Kind::Flag => &self.flag,
            Kind::Text => &self.text,
        };
        let plain = if variable.kind == Kind::Required { &self.required } else { &self.text };
        let usable = [exact, plain].into_iter().find(|form| is_at_hand(form, found))?;
        Some(format!("{}: {}", variable.name, usable.replace("{of}", &found.of)))
    }
}

/// Functions that are imported one by one are only at hand if they are imported.
fn is_at_hand(form: &str, found: &Declared) -> bool {
    let called = form.strip_prefix("{of}").and_then(|rest| rest.split('(').next()).unwrap_or_default();
    !form.is_empty() && (!found.of.is_empty() || found.names.iter().any(|name| name == called))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Required,
    Text,
    Number,
    Flag,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    kind: Kind,
}

impl Variable {
    /// What the code of a module reads has a default there.
    fn of_module(spec: &EnvSpec) -> Variable {
        let kind = match spec.value.as_str() {
            "true" | "false" => Kind::Flag,
            value if value.parse::<f64>().is_ok() => Kind::Number,
            _ => Kind::Text,
        };
        Variable { name: spec.name.clone(), kind }
    }
}

/// The check of a service's own.
struct OwnSchema {
    path: String,
    fields: Vec<String>,
}

fn names_in(value: &Value) -> Vec<String> {
    let Data::List(items) = &value.data else { return Vec::new() };
    items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect()
}

impl Composer<'_> {
    /// Whether the service checks its environment with a schema already.
    pub(super) fn has_own_schema(&self) -> bool {
        self.own_schema().is_some()
    }

    fn own_schema(&self) -> Option<OwnSchema> {
        let mut found = served(self.audit, self.service, "schema")
            .filter(|fact| text(fact, "what").as_deref() == Some("env") && !self.checks_on_read(&fact.api))
            .map(|fact| {
                let fields = fact.get("fields").map(names_in).unwrap_or_default();
                OwnSchema { path: self.audit.project.file(fact.at.file).path.to_string(), fields }
            });
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    fn checks_on_read(&self, api: &str) -> bool {
        let package = api.split('.').next().unwrap_or_default();
        let mut forms = self.library.stacks.iter().flat_map(|stack| &stack.env_schemas);
        forms.any(|form| form.on_read && form.is_of(package))
    }

    /// Declares the variables of a module's code in the service's own schema; what cannot be edited becomes a step.
    pub(super) fn declare_variables(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        let Some(schema) = self.own_schema() else { return Ok(()) };
        let wanted = self.undeclared(work, &schema);
        if wanted.is_empty() {
            return Ok(());
        }
        match self.declarations(work, &schema, &wanted)? {
            Some((text, edits)) => {
                let rank = work.stack.rank(&work.module.id) + 1;
                let keyed = edits.into_iter().map(|edit| ((rank, String::new()), edit)).collect();
                self.edit_code(&schema.path, &text, keyed);
                self.declared.extend(wanted.into_iter().map(|variable| variable.name));
            }
            None => {
                let names: Vec<&str> = wanted.iter().map(|variable| variable.name.as_str()).collect();
                let (names, path) = (names.join(", "), &schema.path);
                let text = format!("Declare {names} in the schema that {path} checks the environment with");
                work.draft.steps.push(Step { text, snippet: None });
            }
        }
        Ok(())
    }

    fn undeclared(&self, work: &Work<'_>, schema: &OwnSchema) -> Vec<Variable> {
        let is_new = |name: &str| !self.declared.contains(name) && !schema.fields.iter().any(|field| field == name);
        let mut wanted: Vec<Variable> = work.variables().unwrap_or_default().iter().map(Variable::of_module).collect();
        if work.variant.own_schema {
            let read = work.renderer.read_variables().iter().map(|read| Variable {
                name: read.name.clone(),
                kind: if read.optional { Kind::Text } else { Kind::Required },
            });
            wanted.extend(read);
        }
        let mut seen = BTreeSet::new();
        wanted.retain(|variable| is_new(&variable.name) && seen.insert(variable.name.clone()));
        wanted
    }

    /// The text of the schema's file and the edits that declare the variables in it.
    fn declarations(
        &self,
        work: &Work<'_>,
        schema: &OwnSchema,
        wanted: &[Variable],
    ) -> Result<Option<(String, Vec<Edit>)>, String> {
        let Some(text) = self.original(&schema.path) else { return Ok(None) };
        let fields: Vec<&str> = schema.fields.iter().map(String::as_str).collect();
        let forms = work.library.stacks.iter().flat_map(|stack| &stack.env_schemas);
        let Some(found) = declared(&schema.path, &text, &fields) else { return Ok(None) };
        let Some(form) = forms.into_iter().find(|form| form.is_of(&found.package)) else { return Ok(None) };
        let lines: Option<Vec<String>> = wanted.iter().map(|variable| form.declare(variable, &found)).collect();
        let Some(lines) = lines else { return Ok(None) };
        let code = work.part_for(&format!("{},", lines.join(",\n")), &schema.path, ('{', '}'))?;
        let dressed: Vec<String> = code.lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect();
        let edits = found.with(&dressed, work.renderer.conventions().line_break());
        Ok(self.takes(&schema.path, &edits).then_some((text, edits)))
    }
}
