//! A module as it is written into one service: its templates in the project's hand, and what is left to the user.

use super::anchors::{Outcome, Place, folder_of};
use super::compose::{Draft, Key, Step};
use super::edits::Edit;
use super::imports::add_imports;
use super::language;
use super::library::Library;
use super::module::{EditSpec, EnvSpec, Module, Variant};
use super::outline::{Import, Outline};
use super::render::Renderer;
use super::spots::at_start;
use super::stack::{Stack, joined};
use crate::project::{FileKind, kind_of};

/// One module at work.
pub(super) struct Work<'m> {
    pub(super) library: &'m Library,
    pub(super) module: &'m Module,
    pub(super) variant: &'m Variant,
    pub(super) stack: &'m Stack,
    pub(super) renderer: Renderer,
    pub(super) draft: Draft,
}

impl Work<'_> {
    pub(super) fn failed(&self, error: &minijinja::Error) -> String {
        let place = error.line().map_or_else(String::new, |line| format!(":{line}"));
        let name = error.name().unwrap_or("its text");
        format!("the template {name}{place} of `{}` failed: {error}", self.module.id)
    }

    pub(super) fn holds(&self, condition: Option<&str>) -> Result<bool, String> {
        condition.map_or(Ok(true), |condition| self.renderer.holds(condition)).map_err(|error| self.failed(&error))
    }

    /// The variables that the module's code reads.
    pub(super) fn variables(&self) -> Result<Vec<EnvSpec>, String> {
        let mut found = Vec::new();
        for spec in &self.variant.env {
            if self.holds(spec.when.as_deref())? {
                found.push(spec.clone());
            }
        }
        Ok(found)
    }

    pub(super) fn path_of(&self, to: &str) -> Result<String, String> {
        self.renderer.conventions().path_of(to).ok_or_else(|| format!("`{to}` names no folder of the layout"))
    }

    pub(super) fn render(&self, from: &str, path: &str) -> Result<String, String> {
        let name = format!("{}/{from}", self.module.id);
        let template = self.library.template(&self.module.id, from).ok_or_else(|| format!("{name} is missing"))?;
        let text = self.renderer.render(&name, template, path).map_err(|error| self.failed(&error))?;
        self.dressed(path, &text)
    }

    /// The code of an edit for a file.
    pub(super) fn code_for(&self, spec: &EditSpec, path: &str) -> Result<String, String> {
        Ok(self.code(&spec.insert, &at_start(path))?.trim_end().to_owned())
    }

    /// Code that stands between brackets: properties of an object, elements of a list.
    pub(super) fn part_for(&self, template: &str, path: &str, (open, close): (char, char)) -> Result<String, String> {
        let name = if kind_of(path) == FileKind::Python { "whole" } else { "const whole" };
        let whole = format!("{name} = {open}\n{}\n{close}\n", template.trim_end());
        let dressed = self.code(&whole, &at_start(path))?;
        let lines: Vec<&str> = dressed.trim_end().lines().collect();
        let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
        Ok(inner.join(self.renderer.conventions().line_break()))
    }

    pub(super) fn dressed(&self, path: &str, text: &str) -> Result<String, String> {
        language::dress(path, text, self.renderer.conventions())
            .map_err(|error| format!("{path} of `{}` does not parse: line {}: {error}", self.module.id, error.line))
    }

    /// The imports that an edit needs in a file.
    pub(super) fn imports_of(
        &self,
        spec: &EditSpec,
        place: &Place,
        text: &str,
        outline: &Outline,
    ) -> Result<Vec<(Key, Edit)>, String> {
        let lines: Vec<String> = spec.imports.iter().map(|line| self.code(line, place)).collect::<Result<_, _>>()?;
        Ok(self.import_edits(&place.path, text, outline, &lines))
    }

    /// Import lines, in their places in a file.
    pub(super) fn import_edits(&self, path: &str, text: &str, outline: &Outline, lines: &[String]) -> Vec<(Key, Edit)> {
        let conventions = self.renderer.conventions();
        let read = |line: &str| language::import(path, line);
        let is_local = |import: &Import| language::is_local(import, conventions);
        add_imports(text, outline, lines, conventions.line_break(), &read, &is_local)
            .into_iter()
            .map(|edit| {
                // The project's own come last.
                let order = |import: Import| format!("{}{}", u8::from(is_local(&import)), import.specifier);
                ((0, read(edit.text.trim()).map(order).unwrap_or_default()), edit)
            })
            .collect()
    }

    /// A part of an argument, with what the call passes.
    pub(super) fn argument(&self, template: &str, path: &str, passed: &str, first: &str) -> Result<String, String> {
        let rendered = self.renderer.render_for_call(&self.module.id, template, path, passed, first);
        rendered.map_err(|error| self.failed(&error))
    }

    /// A snippet of the module for a place.
    pub(super) fn code(&self, template: &str, place: &Place) -> Result<String, String> {
        let result = if let Outcome::Named(name) = &place.result { name } else { "" };
        let rendered = self.renderer.render_for_app(&self.module.id, template, &place.path, &place.app, result);
        let text = rendered.map_err(|error| self.failed(&error))?;
        self.dressed(&place.path, &text)
    }

    pub(super) fn by_hand(
        &self,
        spec: &EditSpec,
        path: Option<&str>,
        about: &str,
        reason: &str,
    ) -> Result<Step, String> {
        let conventions = self.renderer.conventions();
        let guess = joined(
            conventions.layout.get("src").map_or(".", String::as_str),
            &format!("app.{}", conventions.extension),
        );
        let path = path.unwrap_or(&guess);
        let result = spec.result.first().cloned().map_or(Outcome::Elsewhere, Outcome::Named);
        let place = Place { result, ..at_start(path) };
        let lines = spec.imports.iter().chain([&spec.insert]).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| self.code(line, &place)).collect::<Result<_, _>>()?;
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        let folder = folder_of(path);
        let shown = if folder.is_empty() { "the root".to_owned() } else { format!("{folder}/") };
        let result = spec.result.first().map_or_else(String::new, |name| format!("; `{name}` is what that gives"));
        let imports = match conventions.extension.as_str() {
            "rs" => format!("its paths are as in {path}"),
            _ => format!("its imports are as of a file in {shown}"),
        };
        Ok(Step {
            text: format!("Add this {about} ({reason}); {imports}{result}"),
            snippet: Some(lines.join(conventions.line_break())),
        })
    }

    pub(super) fn steps(&mut self) -> Result<(), String> {
        for step in self.variant.steps.iter().chain(&self.stack.steps) {
            if self.holds(step.when.as_deref())? {
                let path = self.renderer.conventions().layout.get("docs").cloned().unwrap_or_default();
                let text = self.renderer.render(&self.module.id, &step.text, &path);
                let text = text.map_err(|error| self.failed(&error))?;
                let list = if step.wiring { &mut self.draft.wiring } else { &mut self.draft.steps };
                list.push(Step { text, snippet: None });
            }
        }
        Ok(())
    }
}
