//! What modules write, without writing it: every file before and after each module.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::anchors::{Place, Wiring};
use super::context::context_for;
use super::conventions::Conventions;
use super::edits::{Edit, apply, indent};
use super::fix::{Desk, Language};
use super::library::Library;
use super::manifest;
use super::module::{EditSpec, EnvSpec, FileSpec, Module};
use super::outline::Outline;
use super::render::{Client, Context, Renderer};
use super::result::name_result;
use super::revisions::{self, Revision};
use super::stack::{Ecosystem, Side, Stack, joined};
use super::store::{Inserted, Lock};
use super::work::Work;
use crate::audit::Audit;
use crate::project::{FileKind, SOURCE_LIMIT, ServiceId, kind_of};

/// A file that a module creates or edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    /// None if there was no such file.
    pub before: Option<String>,
    pub after: String,
}

/// What one module writes, and what it leaves to the user.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub module: String,
    pub stack: String,
    pub changes: Vec<Change>,
    pub inserted: Vec<Inserted>,
    /// Wiring that the user has to do.
    pub wiring: Vec<Step>,
    /// What else there is to do.
    pub steps: Vec<Step>,
    /// The manifest's dependencies change.
    pub installs: bool,
}

/// Something to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub text: String,
    /// The exact code, where there is some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

/// Composes modules one after the other, each on top of those before.
pub struct Composer<'a> {
    pub(super) audit: &'a Audit,
    pub(super) library: &'a Library,
    pub(super) service: ServiceId,
    pub(super) lock: &'a Lock,
    /// All modules that are there in the end.
    pub(super) planned: Vec<String>,
    inputs: BTreeMap<String, String>,
    /// The modules that were named, where the others are there because all are meant.
    named: Option<Vec<String>>,
    pub(super) wirings: HashMap<String, Wiring<'a>>,
    /// What fixes are written with.
    pub(super) desks: HashMap<Language, Arc<Desk>>,
    files: BTreeMap<String, FileState>,
    /// Files that count as not there: they are generated anew.
    replaced: BTreeSet<String>,
    /// Functions of a configuration that were made for a list, by their file.
    pub(super) held: BTreeSet<(String, String)>,
    /// Variables that modules of this plan declare in the service's own schema.
    pub(super) declared: BTreeSet<String>,
    /// Clients that modules of this plan make and that others can import.
    pub(super) shared: Vec<Client>,
}

/// A file as it becomes.
enum FileState {
    /// Code: all places are those of the text as it was. What is inserted at one place stands in the order of its key.
    Code {
        original: String,
        edits: Vec<(Key, Edit)>,
    },
    Text {
        now: Option<String>,
    },
}

/// What is inserted at one place stands in the order of these: the module's rank, and a name among what it inserts.
pub(super) type Key = (usize, String);

/// The name of what stays a paragraph of its own.
const APART: &str = "apart";

/// The first rank of methods that are called on an expression: they are parts of a line, and no paragraph.
pub(super) const CHAINED: usize = 1 << 20;

impl FileState {
    fn text(&self) -> Option<String> {
        match self {
            FileState::Code { original, edits } => {
                let mut ordered = edits.clone();
                ordered.sort_by(|a, b| a.0.cmp(&b.0));
                one_gap(&mut ordered);
                one_paragraph(&mut ordered);
                let edits: Vec<Edit> = ordered.into_iter().map(|(_, edit)| edit).collect();
                Some(apply(original, &edits))
            }
            FileState::Text { now } => now.clone(),
        }
    }
}

/// Imports that open a group stand apart from what is above, but not from each other.
fn one_gap(ordered: &mut [(Key, Edit)]) {
    let mut opened: BTreeSet<usize> = BTreeSet::new();
    for ((_, _), edit) in ordered.iter_mut().filter(|((rank, _), _)| *rank == 0) {
        if edit.text.starts_with(['\r', '\n']) && !opened.insert(edit.start) {
            edit.text = edit.text.trim_start().to_owned();
        }
    }
}

/// What several modules insert at one place stands together: apart from what is around it, but not from each other.
fn one_paragraph(ordered: &mut [(Key, Edit)]) {
    let is_code =
        |(rank, name): &Key, edit: &Edit| *rank > 0 && *rank < CHAINED && name != APART && edit.start == edit.end;
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (_, edit)) in ordered.iter().enumerate().filter(|(_, (key, edit))| is_code(key, edit)) {
        places.entry(edit.start).or_default().push(index);
    }
    for indices in places.values() {
        let opens = |text: &str| text.starts_with(['\r', '\n']);
        for pair in indices.windows(2) {
            let [first, second] = *pair else { continue };
            if opens(&ordered[first].1.text) && opens(&ordered[second].1.text) {
                let text = &mut ordered[second].1.text;
                *text = text.trim_start_matches(['\r', '\n']).to_owned();
            }
        }
        let mut widest = String::new();
        for index in indices {
            let text = &mut ordered[*index].1.text;
            let end = text.trim_end().len() + if text.ends_with("\r\n") { 2 } else { 1 };
            let gap = text.split_off(end.min(text.len()));
            widest = if gap.len() > widest.len() { gap } else { widest };
        }
        if let Some(last) = indices.last() {
            ordered[*last].1.text.push_str(&widest);
        }
    }
}

/// A line that a text which amends another one no longer has. What a line says may be continued, and `FROM` changes.
fn lost_line<'t>(before: &'t str, after: &str) -> Option<&'t str> {
    let kept = |line: &str| after.lines().any(|new| new.trim().starts_with(line));
    before.lines().map(str::trim).find(|line| !line.to_ascii_uppercase().starts_with("FROM ") && !kept(line))
}

impl<'a> Composer<'a> {
    pub fn new(
        audit: &'a Audit,
        library: &'a Library,
        service: ServiceId,
        lock: &'a Lock,
        planned: Vec<String>,
        inputs: BTreeMap<String, String>,
    ) -> Composer<'a> {
        let (wirings, desks, files, shared) = (HashMap::new(), HashMap::new(), BTreeMap::new(), Vec::new());
        let (replaced, held, declared) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Composer {
            audit,
            library,
            service,
            lock,
            planned,
            inputs,
            named: None,
            wirings,
            desks,
            files,
            replaced,
            held,
            declared,
            shared,
        }
    }

    /// All modules are meant, and these were named besides.
    #[must_use]
    pub fn naming(mut self, modules: Vec<String>) -> Composer<'a> {
        self.named = Some(modules);
        self
    }

    /// Regards some files as not there.
    #[must_use]
    pub fn replacing(mut self, paths: BTreeSet<String>) -> Composer<'a> {
        self.replaced = paths;
        self
    }

    /// What the module adds; the error says why it cannot be written.
    pub fn add(&mut self, module: &'a Module) -> Result<Draft, String> {
        let service = self.audit.project.service(self.service);
        let (variant, stack) = self
            .library
            .variant(module, service)
            .ok_or_else(|| format!("`{}` is not written for this kind of service yet", module.id))?;
        let (audit, id, planned) = (self.audit, self.service, self.planned.clone());
        let library = self.library;
        let wiring = self.wiring(stack);
        let mut conventions = Conventions::of(&audit.project, id, stack, wiring.app_path());
        if let Some(revision) = revisions::next(audit, id) {
            conventions.layout.insert("migrations".to_owned(), revision.folder);
        }
        let mut context = context_for(audit, id, wiring, &conventions, stack, &planned, library);
        self.continue_migrations(&mut context);
        context.code = self.code_files();
        Arc::make_mut(&mut context.paths).retain(|path| !self.replaced.contains(&**path));
        context.asked = self.named.as_ref().is_none_or(|named| named.contains(&module.id));
        context.input = module.inputs.iter().cloned().chain(self.inputs.clone()).collect();
        let draft = Draft { module: module.id.clone(), stack: stack.id.clone(), ..Draft::default() };
        let mut work = Work { library, module, variant, stack, renderer: Renderer::new(context, conventions), draft };
        if let Some((condition, reason)) = &variant.unless
            && work.holds(Some(condition))?
        {
            return Err(work.renderer.render(&module.id, reason, "").map_err(|error| work.failed(&error))?);
        }
        let before = self.texts();
        if variant.own_schema && self.has_own_schema() {
            self.declare_variables(&mut work)?;
            work.draft.changes = self.changes_since(&before);
            return Ok(work.draft);
        }
        self.share_client(&work)?;
        self.fix_for(&mut work);
        self.write_files(&mut work)?;
        self.add_dependencies(&mut work)?;
        let mut wanted = work.variables()?;
        if work.variant.variables {
            wanted.extend(work.renderer.variables());
        }
        self.add_variables(&wanted, true);
        if stack.app.is_some() || stack.ecosystem != Ecosystem::None {
            self.declare_variables(&mut work)?;
        }
        self.complete_containers(&mut work);
        self.start_directly(&mut work)?;
        self.wire(&mut work)?;
        self.pass_arguments(&mut work)?;
        work.steps()?;
        work.draft.changes = self.changes_since(&before);
        Ok(work.draft)
    }

    /// Migrations that earlier modules of the plan write come before those of the next one.
    fn continue_migrations(&self, context: &mut Context) {
        let Some(folder) = context.layout.get("migrations") else { return };
        let made = self.files.keys().filter(|path| self.on_disk(path).is_none());
        let names: BTreeSet<&str> =
            made.filter_map(|path| path.strip_prefix(folder.as_str())?.strip_prefix('/')?.split('/').next()).collect();
        for _ in &names {
            context.revision = context.revision.take().map(Revision::then);
        }
        context.migrations.extend(names.into_iter().map(str::to_owned));
        context.migrations.sort();
    }

    /// Source files that are there, by their paths without extension.
    fn code_files(&self) -> BTreeMap<String, String> {
        let on_disk =
            self.audit.project.files.iter().map(|file| &*file.path).filter(|path| !self.replaced.contains(*path));
        let all = on_disk.chain(self.files.keys().map(String::as_str));
        let code = all.filter(|path| matches!(kind_of(path), FileKind::JavaScript | FileKind::Python | FileKind::Rust));
        code.filter_map(|path| Some((path.rsplit_once('.')?.0.to_owned(), path.to_owned()))).collect()
    }

    pub(super) fn wiring(&mut self, stack: &'a Stack) -> &mut Wiring<'a> {
        self.wirings.entry(stack.id.clone()).or_insert_with(|| Wiring::new(self.audit, self.service, stack))
    }

    /// Every file that was touched, as it is now.
    pub(super) fn texts(&self) -> BTreeMap<String, Option<String>> {
        self.files.iter().map(|(path, state)| (path.clone(), state.text())).collect()
    }

    pub(super) fn changes_since(&self, before: &BTreeMap<String, Option<String>>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, state) in &self.files {
            let was = match before.get(path) {
                Some(was) => was.clone(),
                None => self.on_disk(path),
            };
            if let Some(after) = state.text().filter(|after| was.as_ref() != Some(after)) {
                changes.push(Change { path: path.clone(), before: was, after });
            }
        }
        changes
    }

    pub(super) fn on_disk(&self, path: &str) -> Option<String> {
        if self.replaced.contains(path) {
            return None;
        }
        let bytes = self.audit.project.tree.read(path, SOURCE_LIMIT).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// The text of a file as it is now, with what earlier modules did.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        match self.files.get(path) {
            Some(state) => state.text(),
            None => self.on_disk(path),
        }
    }

    pub(super) fn set(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), FileState::Text { now: Some(text) });
    }

    /// What the module makes can be imported by what comes after it.
    fn share_client(&mut self, work: &Work<'_>) -> Result<(), String> {
        let Some(spec) = &work.variant.client else { return Ok(()) };
        if !work.holds(spec.when.as_deref())? {
            return Ok(());
        }
        let (library, store, api) = (spec.library.clone(), spec.store.clone(), spec.api.clone());
        let (name, file) = (spec.name.clone(), work.path_of(&spec.file)?);
        self.shared.push(Client { library, store, api, name, default: false, file });
        Ok(())
    }

    fn write_files(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        for spec in &work.variant.files {
            if !work.holds(spec.when.as_deref())? {
                continue;
            }
            if !spec.each {
                self.write_file(work, spec)?;
                continue;
            }
            for index in 0..work.renderer.closed() {
                work.renderer.turn_to(index);
                self.write_file(work, spec)?;
            }
        }
        Ok(())
    }

    fn write_file(&mut self, work: &mut Work<'_>, spec: &FileSpec) -> Result<(), String> {
        let to = work.renderer.render(&work.module.id, &spec.to, "").map_err(|error| work.failed(&error))?;
        let path = work.path_of(&to)?;
        let text = work.render(&spec.from, &path)?;
        self.make_packages(work, &path);
        self.declare_module(work, &path);
        self.create(&path, text, spec.amends)
    }

    /// A new file; one that is there already has to be the same.
    fn create(&mut self, path: &str, text: String, amends: bool) -> Result<(), String> {
        match self.text(path) {
            Some(present) if present == text => {}
            Some(present) if amends => match lost_line(&present, &text) {
                None => self.set(path, text),
                Some(line) => return Err(format!("{path} would lose a line: {line}")),
            },
            Some(_) => return Err(format!("{path} exists already and differs; move it, or wire what it does by hand")),
            None if self.is_taken(path) => return Err(format!("{path} exists already and is no text file; move it")),
            None => self.set(path, text),
        }
        Ok(())
    }

    pub(super) fn is_taken(&self, path: &str) -> bool {
        !self.replaced.contains(path) && self.audit.project.tree.root.join(path).symlink_metadata().is_ok()
    }

    /// Adds variables to the service's example of an environment; without `create` only if it has one.
    pub(super) fn add_variables(&mut self, variables: &[EnvSpec], create: bool) {
        if variables.is_empty() {
            return;
        }
        let service = &self.audit.project.service(self.service).path;
        let known = [".env.example", ".env.sample", ".env.template"].map(|name| joined(service, name));
        let present = known.iter().find(|path| self.text(path).is_some());
        let Some(path) = present.or(known.first().filter(|_| create)) else { return };
        let text = self.text(path).unwrap_or_default();
        if let Some(text) = manifest::add_variables(&text, variables) {
            self.set(path, text);
        }
    }

    fn wire(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        for spec in &work.variant.edits {
            if !work.holds(spec.when.as_deref())? {
                continue;
            }
            let Some(anchor) = work.stack.anchor(&spec.anchor) else { continue };
            if let Some(spot) = &anchor.spot {
                self.wire_spot(work, spec, anchor, spot)?;
                continue;
            }
            let wiring = self.wirings.get_mut(&work.stack.id).ok_or("the stack has no wiring")?;
            let reason = match wiring.place(anchor) {
                Ok(place) if place.is_chained => {
                    self.chain(work, spec, &place)?;
                    continue;
                }
                Ok(mut place) => {
                    let source = wiring.source(&place.path).cloned();
                    let (text, outline) = source.ok_or_else(|| format!("{} cannot be read", place.path))?;
                    match name_result(&mut place, spec, &outline) {
                        Ok(named) => {
                            self.insert(work, spec, &place, &text, &outline)?;
                            let last = (usize::MAX, String::new());
                            self.edit_code(&place.path, &text, named.map(|edit| (last, edit)).into_iter().collect());
                            continue;
                        }
                        Err(reason) => reason,
                    }
                }
                Err(reason) => reason,
            };
            self.leave_to_user(work, spec, &anchor.about, &reason)?;
        }
        Ok(())
    }

    pub(super) fn leave_to_user(
        &self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        about: &str,
        reason: &str,
    ) -> Result<(), String> {
        let path = self.wirings.get(&work.stack.id).and_then(|wiring| wiring.app_path());
        let step = work.by_hand(spec, path, about, reason)?;
        work.draft.wiring.push(step);
        Ok(())
    }

    fn insert(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        place: &Place,
        text: &str,
        outline: &Outline,
    ) -> Result<(), String> {
        let code = work.code(&spec.insert, place)?.trim_end().to_owned();
        self.insert_code(work, spec, place, text, outline, code)
    }

    /// Puts code (already in the project's hand) and its imports at a place.
    pub(super) fn insert_code(
        &mut self,
        work: &mut Work<'_>,
        spec: &EditSpec,
        place: &Place,
        text: &str,
        outline: &Outline,
        code: String,
    ) -> Result<(), String> {
        let line_break = work.renderer.conventions().line_break();
        let mut edits = work.imports_of(spec, place, text, outline)?;
        if !code.is_empty() {
            let at = self.among_others(work, spec, place, text);
            let mut inserted = format!("{}{line_break}", indent(&code, &place.indent));
            if place.gap_before && at == place.at {
                inserted.insert_str(0, line_break);
            }
            if at == place.at {
                inserted.push_str(&line_break.repeat(place.gap_after));
            }
            if at == text.len() && !text.ends_with('\n') {
                inserted.insert_str(0, line_break);
            }
            let rank = work.stack.rank(&work.module.id) + 1;
            work.draft.inserted.push(Inserted { path: place.path.clone(), anchor: spec.anchor.clone(), text: code });
            let name = if place.apart { APART } else { "" };
            edits.push(((rank, name.to_owned()), Edit::insert(at, inserted)));
        }
        self.edit_code(&place.path, text, edits);
        Ok(())
    }

    /// Modules that were applied before stand in their order, too: behind those that come earlier, before those that
    /// come later.
    fn among_others(&self, work: &Work<'_>, spec: &EditSpec, place: &Place, text: &str) -> usize {
        let rank = work.stack.rank(&work.module.id);
        let mut at = place.at;
        for module in &self.lock.modules {
            let other = work.stack.rank(&module.id);
            for inserted in &module.inserted {
                let moved = indent(&inserted.text, &place.indent);
                let is_here = inserted.path == place.path && inserted.anchor == spec.anchor;
                let Some(found) = text.find(&moved).filter(|_| is_here) else { continue };
                let inside = place.within.0 <= found && found <= place.within.1;
                match place.side {
                    Side::After if inside && other < rank => {
                        at = at.max(super::edits::line_end(text, found + moved.len()));
                    }
                    Side::Before if inside && other > rank => at = at.min(found),
                    _ => {}
                }
            }
        }
        at
    }

    /// The text that the places of code are of: as it was before any module edited it.
    pub(super) fn original(&self, path: &str) -> Option<String> {
        match self.files.get(path) {
            Some(FileState::Code { original, .. }) => Some(original.clone()),
            Some(FileState::Text { now }) => now.clone(),
            None => self.on_disk(path),
        }
    }

    /// A file that is not there yet, for code to be put in.
    pub(super) fn create_code(&mut self, path: &str, original: String) {
        self.files.insert(path.to_owned(), FileState::Code { original, edits: Vec::new() });
    }

    /// The edits of a file of code so far.
    pub(super) fn edits_of(&self, path: &str) -> Vec<Edit> {
        match self.files.get(path) {
            Some(FileState::Code { edits, .. }) => edits.iter().map(|(_, edit)| edit.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether edits of a file are apart from those that it has already.
    pub(super) fn takes(&self, path: &str, new: &[Edit]) -> bool {
        let is_code = !matches!(self.files.get(path), Some(FileState::Text { .. }));
        let made = self.edits_of(path);
        is_code && new.iter().all(|edit| made.iter().all(|other| other == edit || !edit.overlaps(other)))
    }

    pub(super) fn edit_code(&mut self, path: &str, text: &str, new: Vec<(Key, Edit)>) {
        if let Some(FileState::Text { now: Some(now) }) = self.files.get(path) {
            // A module of this plan has made it.
            self.create_code(path, now.clone());
        }
        let state = self
            .files
            .entry(path.to_owned())
            .or_insert_with(|| FileState::Code { original: text.to_owned(), edits: Vec::new() });
        if let FileState::Code { edits, .. } = state {
            for (key, edit) in new {
                if !edits.iter().any(|(_, present)| *present == edit) {
                    edits.push((key, edit));
                }
            }
        }
    }
}
