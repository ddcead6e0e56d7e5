//! Wiring into files of a known name (`instrumentation.ts`, `next.config.ts`) and around exported handlers.

use std::collections::{BTreeMap, BTreeSet};

use super::anchors::{Outcome, Place, above_comments, matches};
use super::compose::{Composer, Step};
use super::edits::{Edit, indent};
use super::language;
use super::module::EditSpec;
use super::outline::Outline;
use super::script::{List, Slot, Wrapping, shapes};
use super::spot::{Handlers, Named, Spot};
use super::stack::{Anchor, Side, placed};
use super::work::Work;
use crate::facts::Value;
use crate::project::{Area, FileKind, kind_of};

const ENDINGS: &[&str] = &["ts", "tsx", "mts", "js", "jsx", "mjs", "cjs", "py", "rs"];
/// What stands in a holder for the code of the module.
const INSERTED: &str = "{{ inserted }}";

impl Composer<'_> {
    /// Puts the code of an edit at a spot, or leaves a step for the user.
    pub(super) fn wire_spot(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        anchor: &Anchor,
        spot: &Spot,
    ) -> Result<(), String> {
        let Some(named) = spot.file() else {
            return match spot {
                Spot::Handlers(handlers) => self.wrap_handlers(work, spec, anchor, handlers),
                _ => Ok(()),
            };
        };
        let base = placed(&named.file, &self.service_path(), &work.renderer.conventions().layout);
        let opened = match &named.told {
            Some(told) => self.told_file(work, told),
            None => self.open(work, named, &base)?,
        };
        if let Spot::Value { name, at, .. } = spot {
            return self.wire_value(work, spec, anchor, (name, *at), opened);
        }
        let found = opened.and_then(|path| self.slot(work, spec, spot, &path).map(|found| (path, found)));
        match found {
            Ok((path, Some((slot, code)))) => self.put(work, spec, spot, &path, &slot, code),
            Ok((_, None)) => Ok(()),
            Err(reason) if named.told.is_some() => self.leave_to_user(work, spec, &anchor.about, &reason),
            Err(reason) => {
                let step = work.by_hand(
                    spec,
                    Some(&format!("{base}.{}", work.renderer.conventions().extension)),
                    &anchor.about,
                    &reason,
                )?;
                work.draft.wiring.push(step);
                Ok(())
            }
        }
    }

    fn service_path(&self) -> String {
        self.audit.project.service(self.service).path.clone()
    }

    /// The path of a named file; one that is not there is made if it is known how. The inner error is for the user.
    fn open(&mut self, work: &Work<'_>, named: &Named, base: &str) -> Result<Result<String, String>, String> {
        let is_whole = kind_of(base) == FileKind::JavaScript;
        let candidates = match is_whole {
            true => vec![base.to_owned()],
            false => ENDINGS.iter().map(|ending| format!("{base}.{ending}")).collect(),
        };
        let there: Vec<String> = candidates.into_iter().filter(|path| self.text(path).is_some()).collect();
        match (there.as_slice(), &named.create) {
            ([only], _) => Ok(Ok(only.clone())),
            ([], Some(skeleton)) => {
                let conventions = work.renderer.conventions();
                let ending = named.extension.as_ref().unwrap_or(&conventions.extension);
                let path = format!("{base}.{ending}");
                let text = work.dressed(&path, skeleton)?;
                self.create_code(&path, text);
                Ok(Ok(path))
            }
            ([], None) => Ok(Err(format!("there is no {base}"))),
            (several, _) => Ok(Err(format!("there are several: {}", several.join(", ")))),
        }
    }

    /// Where the code goes and what it is there; none if it is there already.
    fn slot(
        &mut self,
        work: &Work<'_>,
        spec: &EditSpec,
        spot: &Spot,
        path: &str,
    ) -> Result<Option<(Slot, String)>, String> {
        let text = self.original(path).ok_or_else(|| format!("{path} cannot be read"))?;
        match spot {
            Spot::Body { function, at, behind, .. } => {
                Ok(Some((language::body(path, &text, function, *at, behind)?, work.code_for(spec, path)?)))
            }
            Spot::Above { .. } => {
                let code = work.code_for(spec, path)?;
                free_names(path, &text, &code)?;
                let slot = shapes::above(path, &text)?;
                Ok(Some((Slot { at: above_comments(&text, slot.at), ..slot }, code)))
            }
            Spot::Bottom { .. } => {
                let code = work.code_for(spec, path)?;
                new_names(path, &text, &code)?;
                let (at, outer) = (language::bottom(path, &text)?, String::new());
                Ok(Some((Slot { at, outer, indent: None, inline: false, within: (0, at) }, code)))
            }
            Spot::Property { .. } => {
                let code = work.part_for(&spec.insert, path, ('{', '}'))?;
                let name: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                Ok(shapes::property(path, &text, &name)?.map(|slot| (slot, code)))
            }
            Spot::List { list, holder, .. } => match shapes::list(path, &text, list)? {
                List::Elements(slot) => Ok(Some((slot, work.part_for(&spec.insert, path, ('[', ']'))?))),
                List::Absent(slot) => {
                    if !self.held.insert((path.to_owned(), list.clone())) {
                        return Err(format!("another module makes {list}() of {path}"));
                    }
                    let whole = holding(holder, spec.insert.trim_end());
                    Ok(Some((slot, work.part_for(&whole, path, ('{', '}'))?)))
                }
            },
            Spot::Value { .. } | Spot::Handlers(_) => Ok(None),
        }
    }

    fn put(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        spot: &Spot,
        path: &str,
        slot: &Slot,
        code: String,
    ) -> Result<(), String> {
        let (text, outline) = self.read_code(path)?;
        let is_above = matches!(spot, Spot::Above { .. });
        let is_bottom = matches!(spot, Spot::Bottom { .. });
        let deeper = || format!("{}{}", slot.outer, work.renderer.conventions().indent);
        let inner = if is_above || is_bottom { String::new() } else { slot.indent.clone().unwrap_or_else(deeper) };
        let place = Place {
            path: path.to_owned(),
            at: slot.at,
            indent: inner.clone(),
            gap_before: is_bottom && slot.at == text.len(),
            gap_after: usize::from(is_above || slot.at < text.len() && is_bottom),
            app: String::new(),
            result: Outcome::Elsewhere,
            within: slot.within,
            side: Side::After,
            apart: is_bottom,
            is_chained: false,
        };
        if !slot.inline {
            return self.insert_code(work, spec, &place, &text, &outline, code);
        }
        let line_break = work.renderer.conventions().line_break().to_owned();
        let piece = match code.contains('\n') {
            true => format!("{line_break}{}{line_break}{inner}", indent(&code, &inner)),
            false => format!(" {code}"),
        };
        let mut edits = work.imports_of(spec, &place, &text, &outline)?;
        edits.push(((work.stack.rank(&work.draft.module) + 1, String::new()), Edit::insert(slot.at, piece)));
        self.edit_code(path, &text, edits);
        Ok(())
    }

    pub(super) fn read_code(&self, path: &str) -> Result<(String, Outline), String> {
        let text = self.original(path).ok_or_else(|| format!("{path} cannot be read"))?;
        let outline = language::outline(path, &text).ok_or_else(|| format!("{path} does not parse"))?;
        Ok((text, outline))
    }

    /// Puts a wrapper around every handler of a plain shape; the others are listed for the user.
    fn wrap_handlers(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        anchor: &Anchor,
        handlers: &Handlers,
    ) -> Result<(), String> {
        let (mut left, mut wrapped) = (Vec::new(), 0);
        for (path, names) in self.handlers(handlers) {
            let Ok((text, outline)) = self.read_code(&path) else { continue };
            let place = at_start(&path);
            let wrapper = spec.insert.trim();
            let semicolon = if work.renderer.conventions().semicolons { ";" } else { "" };
            let mut edits = Vec::new();
            for name in &names {
                match shapes::wrap(&path, &text, name, wrapper, semicolon, &handlers.unless) {
                    Wrapping::Wrapped(found) => edits.extend(found),
                    Wrapping::Left(reason) => left.push(format!("{name} of {path} ({reason})")),
                    Wrapping::NotThere => {}
                }
            }
            if edits.is_empty() {
                continue;
            }
            wrapped += 1;
            let rank = work.stack.rank(&work.draft.module) + 1;
            let mut keyed = work.imports_of(spec, &place, &text, &outline)?;
            keyed.extend(edits.into_iter().map(|edit| ((rank, String::new()), edit)));
            self.edit_code(&path, &text, keyed);
        }
        if !left.is_empty() {
            let text = format!("Look at {}; left as they are: {}", anchor.about, left.join(", "));
            let step = Step { text, snippet: None };
            let list = if wrapped == 0 { &mut work.draft.wiring } else { &mut work.draft.steps };
            list.push(step);
        }
        Ok(())
    }

    /// The names of exported handlers by file.
    fn handlers(&self, handlers: &Handlers) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for fact in &self.audit.facts.facts {
            let file = self.audit.project.file(fact.at.file);
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let is_wanted = fact.service == self.service
                && fact.reached
                && fact.area == Area::Server
                && name.split('.').next() == Some(handlers.stem.as_str())
                && matches(&handlers.facts, fact);
            let export = fact.get(&handlers.named).and_then(Value::as_text);
            if let Some(export) = export.filter(|_| is_wanted) {
                found.entry(file.path.to_string()).or_default().insert(export.to_owned());
            }
        }
        found
    }
}

/// A holder with the code in it, each line as far in as the first.
fn holding(holder: &str, code: &str) -> String {
    let line = holder.lines().find(|line| line.contains(INSERTED)).unwrap_or_default();
    let blanks = line.split(INSERTED).next().unwrap_or_default();
    holder.trim_end().replace(&format!("{blanks}{INSERTED}"), &indent(code, blanks))
}

/// The names that code declares for its whole file.
fn declared(path: &str, code: &str) -> Vec<String> {
    let outline = language::outline(path, code).unwrap_or_default();
    outline.top_level().iter().flat_map(|statement| statement.binds.clone()).collect()
}

/// Names that code declares have to be free in a file.
fn free_names(path: &str, text: &str, code: &str) -> Result<(), String> {
    let taken = declared(path, text);
    match declared(path, code).into_iter().find(|name| taken.contains(name)) {
        Some(name) => Err(format!("`{name}` is declared in {path} already")),
        None => Ok(()),
    }
}

/// What code exports must not stand in a file at all: it may be handed on from elsewhere (`export { x } from "y"`).
fn new_names(path: &str, text: &str, code: &str) -> Result<(), String> {
    match declared(path, code).into_iter().find(|name| text.contains(name)) {
        Some(name) => Err(format!("`{name}` is in {path} already")),
        None => Ok(()),
    }
}

/// Where only imports matter.
pub(super) fn at_start(path: &str) -> Place {
    Place {
        path: path.to_owned(),
        at: 0,
        indent: String::new(),
        gap_before: false,
        gap_after: 0,
        app: "app".to_owned(),
        result: Outcome::Elsewhere,
        within: (0, 0),
        side: Side::After,
        apart: false,
        is_chained: false,
    }
}
