//! Wiring into what a name at the top of a Python module holds: more elements of a list, more entries of a dictionary.

use super::compose::{Composer, Step};
use super::edits::{Edit, indent};
use super::module::EditSpec;
use super::python::shapes::{Held, held};
use super::spot::{End, Told};
use super::spots::at_start;
use super::stack::{Anchor, joined};
use super::work::Work;
use crate::facts::Value;
use crate::project::{FileKind, kind_of};

impl Composer<'_> {
    /// The path of a file that a fact tells.
    pub(super) fn told_file(&self, work: &Work<'_>, told: &Told) -> Result<String, String> {
        let wiring = self.wirings.get(&work.stack.id).ok_or("the stack has no wiring")?;
        let pattern = match told {
            Told::Holding(pattern) => return Ok(wiring.told(pattern)?.0),
            Told::Naming(pattern) => pattern,
        };
        let (_, fact) = wiring.told(pattern)?;
        let name = fact.get("value").and_then(Value::as_text).ok_or("which module it is is not known")?;
        let stem = joined(&work.renderer.conventions().import_root, &name.replace('.', "/"));
        let candidates = [format!("{stem}.py"), format!("{stem}/__init__.py")];
        candidates.into_iter().find(|path| self.text(path).is_some()).ok_or_else(|| format!("there is no {stem}.py"))
    }

    /// Puts what an edit inserts into the list or dictionary of a name, unless it is there; else it is a step.
    pub(super) fn wire_value(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        anchor: &Anchor,
        (name, end): (&str, End),
        opened: Result<String, String>,
    ) -> Result<(), String> {
        let found = opened.and_then(|path| {
            let text = self.original(&path).filter(|_| kind_of(&path) == FileKind::Python);
            let text = text.ok_or_else(|| format!("{path} cannot be read"))?;
            Ok((held(&path, &text, name, end)?, path))
        });
        match found {
            Ok((held, path)) => self.put_value(work, spec, &path, &held),
            Err(reason) => {
                let code = elements(work, spec, "settings.py")?;
                let imports = spec.imports.iter().map(|line| work.code(line, &at_start("settings.py")));
                let imports: Vec<String> = imports.collect::<Result<_, _>>()?;
                let lines: Vec<&str> = imports.iter().map(|line| line.trim_end()).chain([code.as_str()]).collect();
                let snippet = Some(lines.join(work.renderer.conventions().line_break()));
                work.draft.wiring.push(Step { text: format!("Add this {} ({reason})", anchor.about), snippet });
                Ok(())
            }
        }
    }

    fn put_value(&mut self, work: &mut Work<'_>, spec: &EditSpec, path: &str, held: &Held) -> Result<(), String> {
        let code = elements(work, spec, path)?;
        let is_new = |line: &&str| !held.parts.iter().any(|part| part == line.trim().trim_end_matches(','));
        let line_break = work.renderer.conventions().line_break();
        let lines: Vec<&str> = code.lines().filter(is_new).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let (text, outline) = self.read_code(path)?;
        let deeper = || format!("{}{}", held.slot.outer, work.renderer.conventions().indent);
        let inner = held.slot.indent.clone().unwrap_or_else(deeper);
        let place = super::anchors::Place {
            at: held.slot.at,
            indent: inner.clone(),
            within: held.slot.within,
            ..at_start(path)
        };
        let code = lines.join(line_break);
        if held.slot.inline {
            let mut edits = work.imports_of(spec, &place, &text, &outline)?;
            let piece = format!("{line_break}{}{line_break}{}", indent(&code, &inner), held.slot.outer);
            edits.push(((work.stack.rank(&work.draft.module) + 1, String::new()), Edit::insert(place.at, piece)));
            self.edit_code(path, &text, edits);
            return Ok(());
        }
        let comma = held.comma.map(|at| ((0, String::new()), Edit::insert(at, ",")));
        self.edit_code(path, &text, comma.into_iter().collect());
        self.insert_code(work, spec, &place, &text, &outline, code)
    }
}

/// What an edit inserts between brackets, in the project's hand: elements, or entries of a dictionary.
fn elements(work: &Work<'_>, spec: &EditSpec, path: &str) -> Result<String, String> {
    let as_list = work.part_for(&spec.insert, path, ('[', ']'));
    as_list.or_else(|_| work.part_for(&spec.insert, path, ('{', '}')))
}
