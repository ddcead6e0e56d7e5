//! Where a module's code goes: the application object of a service, and the places around what is done with it.
//!
//! Facts tell which statements matter; the outline of the file tells where they start and end. Where there is not
//! exactly one answer there is none, and the user gets the snippet to place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::edits::{indentation, line_end, line_start};
use super::language;
use super::outline::{Block, Outline, Statement};
use super::rust;
use super::stack::{Anchor, FactPattern, HANDOVER, ROUTER, Serves, Side, Stack, Which};
use crate::audit::Audit;
use crate::facts::{Data, Fact, Value};
use crate::project::{Area, FileId, FileKind, Project, SOURCE_LIMIT, ServiceId, decode};
use crate::syntax::line_at;

/// A place in a file where statements can be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub at: usize,
    /// Of the statements around it.
    pub indent: String,
    /// Whether an empty line in front sets it apart, and how many behind.
    pub gap_before: bool,
    pub gap_after: usize,
    /// What the application object is called there.
    pub app: String,
    /// The list of statements, as a range: where statements of other modules are looked for.
    pub within: (usize, usize),
    pub side: Side,
    pub result: Outcome,
    /// What several modules insert there are paragraphs of their own.
    pub apart: bool,
    /// Methods are called there on the expression in front; `indent` is of a line that goes on with it.
    pub is_chained: bool,
}

/// What the statement of an anchor does with what its call gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It goes somewhere else, or nobody can tell.
    #[default]
    Elsewhere,
    /// It has this name.
    Named(String),
    /// Nothing: the statement is the call, and starts here.
    Dropped(usize),
}

/// A call that a fact was found at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub path: String,
    pub start: usize,
    pub end: usize,
}

/// The source files of a service that edits look at, read once.
pub struct Sources<'a> {
    project: &'a Project,
    files: HashMap<FileId, Option<(String, Outline)>>,
}

impl<'a> Sources<'a> {
    pub fn new(project: &'a Project) -> Sources<'a> {
        Sources { project, files: HashMap::new() }
    }

    fn get(&mut self, file: FileId) -> Option<&(String, Outline)> {
        let project = self.project;
        let read = || {
            let entry = project.file(file);
            let bytes = project.tree.read(&entry.path, SOURCE_LIMIT).ok()?;
            let text = decode(&bytes).ok()?.to_owned();
            let outline = language::outline(&entry.path, &text)?;
            // A byte order mark would move every place.
            (text.len() == bytes.len()).then_some((text, outline))
        };
        self.files.entry(file).or_insert_with(read).as_ref()
    }

    pub fn of_path(&mut self, path: &str) -> Option<&(String, Outline)> {
        self.get(self.project.find(path)?)
    }
}

/// The wiring of one service.
pub struct Wiring<'a> {
    audit: &'a Audit,
    service: ServiceId,
    stack: &'a Stack,
    sources: Sources<'a>,
    app: Result<App, String>,
}

/// The statement that makes the application.
#[derive(Debug, Clone)]
struct App {
    file: FileId,
    at: usize,
    /// Of the call that serves it, where that is what tells it.
    end: usize,
    name: String,
    /// Behind the expression that makes it, with the indentation of a line that goes on with it; or why that is not clear.
    expression: Result<(usize, String), String>,
}

impl<'a> Wiring<'a> {
    pub fn new(audit: &'a Audit, service: ServiceId, stack: &'a Stack) -> Wiring<'a> {
        let mut wiring = Wiring {
            audit,
            service,
            stack,
            sources: Sources::new(&audit.project),
            app: Err("this stack has no application object".to_owned()),
        };
        if let Some(pattern) = &stack.app {
            wiring.app = wiring.find_app(pattern);
        }
        wiring
    }

    /// What the application object is called where it is made.
    pub fn app_name(&self) -> Option<&str> {
        self.app.as_ref().ok().map(|app| app.name.as_str())
    }

    /// The file that makes the application.
    pub fn app_path(&self) -> Option<&str> {
        self.app.as_ref().ok().map(|app| &*self.audit.project.file(app.file).path)
    }

    pub fn source(&mut self, path: &str) -> Option<&(String, Outline)> {
        self.sources.of_path(path)
    }

    /// The place of an anchor, or why there is none.
    pub fn place(&mut self, anchor: &Anchor) -> Result<Place, String> {
        let app = self.app.clone()?;
        let found = match anchor.which {
            Which::Made => self.made(&app, anchor.side),
            Which::First | Which::Last => self.marked(&app, anchor),
            Which::Only => return self.only(&app, anchor),
            Which::Expression => return self.chained(&app, app.expression.clone()?),
            Which::Call => return self.on_call(&app),
        };
        match (found, &anchor.otherwise) {
            (Some(place), _) => Ok(place),
            (None, Some(name)) => self.otherwise(&app, name),
            (None, None) => Err(format!("{} has nothing that tells the place", self.audit.project.file(app.file).path)),
        }
    }

    fn facts(&self, pattern: &FactPattern) -> Vec<&'a Fact> {
        let of_service = |fact: &&Fact| {
            fact.service == self.service && fact.reached && fact.area == Area::Server && matches(pattern, fact)
        };
        self.audit.facts.facts.iter().filter(of_service).collect()
    }

    fn find_app(&mut self, pattern: &FactPattern) -> Result<App, String> {
        let facts = self.facts(pattern);
        let [made] = facts.as_slice() else {
            let places: Vec<String> = facts.iter().map(|fact| self.shown(fact)).collect();
            return Err(match places.is_empty() {
                true => format!("nothing that makes a {} application was found", self.stack.title),
                false => format!("{} applications are made: {}", places.len(), places.join(", ")),
            });
        };
        let place = self.shown(made);
        let (file, at, end) = (made.at.file, made.at.start as usize, made.at.end as usize);
        if let Some(serves) = &self.stack.serves {
            return self.find_served(serves, file, (at, end));
        }
        let unreadable = || format!("{place} cannot be edited");
        let (_, outline) = self.sources.get(file).ok_or_else(unreadable)?;
        let (block, index) = outline.statement_at(at).ok_or_else(unreadable)?;
        match block.statements.get(index).map(|statement| statement.binds.as_slice()) {
            Some([name]) => {
                let expression = Err("methods are called on its name".to_owned());
                Ok(App { file, at, end, name: name.clone(), expression })
            }
            _ => Err(format!("the application of {place} has no name of its own")),
        }
    }

    /// The application that a call serves.
    fn find_served(&mut self, serves: &Serves, file: FileId, (at, end): (usize, usize)) -> Result<App, String> {
        let (project, service) = (&self.audit.project, self.service);
        let returns = |name: &str| {
            let sources = project.files.iter().filter(|file| file.service == service && file.kind == FileKind::Rust);
            let told = sources.filter_map(|file| {
                let bytes = project.tree.read(&file.path, SOURCE_LIMIT).ok()?;
                rust::gives(decode(&bytes).ok()?, name, &serves.of)
            });
            told.reduce(|all, one| all && one).unwrap_or(false)
        };
        let path = &project.file(file).path;
        let (text, _) = self.sources.get(file).ok_or_else(|| format!("{path} cannot be edited"))?;
        let served = rust::served(text, (at, end), serves, &returns);
        let name = served.as_ref().map_or_else(|_| "app".to_owned(), |served| served.name.clone());
        let expression = served.map(|served| (served.at, served.indent)).map_err(|reason| format!("{path}: {reason}"));
        Ok(App { file, at, end, name, expression })
    }

    /// Methods that are called on an expression of the file that serves the application.
    fn chained(&mut self, app: &App, (at, indent): (usize, String)) -> Result<Place, String> {
        let path = self.audit.project.file(app.file).path.to_string();
        let (text, _) = self.sources.get(app.file).ok_or_else(|| format!("{path} cannot be edited"))?;
        Ok(Place {
            path,
            at,
            indent,
            gap_before: false,
            gap_after: 0,
            app: app.name.clone(),
            within: (0, text.len()),
            side: Side::Before,
            result: Outcome::Elsewhere,
            is_chained: true,
            apart: false,
        })
    }

    /// Methods that are called on what the call that serves the application gives.
    fn on_call(&mut self, app: &App) -> Result<Place, String> {
        let path = self.audit.project.file(app.file).path.to_string();
        let (text, _) = self.sources.get(app.file).ok_or_else(|| format!("{path} cannot be edited"))?;
        let rest = text.get(app.end..).unwrap_or_default();
        let next = rest.trim_start();
        let indent = match next.starts_with('.') && next.len() < rest.len() {
            true => indentation(text, text.len() - next.len()).to_owned(),
            false => format!("{}    ", indentation(text, app.at)),
        };
        self.chained(app, (app.end, indent))
    }

    /// Why the expression of the application is not clear, if that is what is looked for and it is not.
    pub fn unclear(&self) -> Option<String> {
        self.stack.serves.as_ref()?;
        self.app.as_ref().map_or_else(|reason| Some(reason.clone()), |app| app.expression.clone().err())
    }

    /// Where the service has what the marks of a stack tell, by mark.
    pub fn places(&self, stack: &Stack) -> BTreeMap<String, Vec<String>> {
        let of = |pattern| self.facts(pattern).into_iter().map(|fact| self.shown(fact)).collect::<BTreeSet<_>>();
        stack.marks.iter().map(|(mark, pattern)| (mark.clone(), of(pattern).into_iter().collect())).collect()
    }

    fn shown(&self, fact: &Fact) -> String {
        let path = &self.audit.project.file(fact.at.file).path;
        let bytes = self.audit.project.tree.read(path, SOURCE_LIMIT).unwrap_or_default();
        let line = decode(&bytes).map_or(1, |text| line_at(text, fact.at.start as usize));
        format!("{path}:{line}")
    }

    /// The facts of a kind, if they all stand in one file: its path, and the first of them.
    pub fn told(&self, pattern: &FactPattern) -> Result<(String, &'a Fact), String> {
        let facts = self.facts(pattern);
        let path_of = |fact: &&'a Fact| self.audit.project.file(fact.at.file).path.to_string();
        let paths: BTreeSet<String> = facts.iter().map(path_of).collect();
        match (facts.first(), paths.len()) {
            (Some(first), 1) => Ok((path_of(first), first)),
            (None, _) => Err("nothing tells the file".to_owned()),
            _ => Err(format!("there are several: {}", paths.into_iter().collect::<Vec<_>>().join(", "))),
        }
    }

    /// The one call of a kind in the service, or why there is none.
    pub fn call(&self, pattern: &FactPattern) -> Result<Made, String> {
        let facts = self.facts(pattern);
        match facts.as_slice() {
            [fact] => Ok(Made {
                path: self.audit.project.file(fact.at.file).path.to_string(),
                start: fact.at.start as usize,
                end: fact.at.end as usize,
            }),
            [] => Err("no such call was found".to_owned()),
            several => {
                let places: Vec<String> = several.iter().map(|fact| self.shown(fact)).collect();
                Err(format!("there are {} such calls: {}", several.len(), places.join(", ")))
            }
        }
    }

    fn made(&mut self, app: &App, side: Side) -> Option<Place> {
        let path = self.audit.project.file(app.file).path.to_string();
        let (text, outline) = self.sources.get(app.file)?;
        let (block, index) = outline.statement_at(app.at)?;
        let made = block.statements.get(index)?;
        let next = block.statements.get(index + 1).filter(|next| next.receiver.as_ref() == Some(&app.name));
        let base = Place { path, app: app.name.clone(), ..around(text, block, made) };
        if side == Side::Before {
            return Some(beside(side, base, text, made));
        }
        Some(match next {
            Some(next) => Place {
                at: line_start(text, next.start).max(line_end(text, made.end).min(next.start)),
                gap_before: false,
                gap_after: 0,
                side: Side::After,
                ..base
            },
            None => Place { at: line_end(text, made.end), gap_before: true, side: Side::After, ..base },
        })
    }

    fn marked(&mut self, app: &App, anchor: &Anchor) -> Option<Place> {
        let marks = self.marks(app.file, &anchor.of);
        let routers = if anchor.of.iter().any(|mark| mark == ROUTER) { self.routers(app.file) } else { Vec::new() };
        let takes_handover = anchor.of.iter().any(|mark| mark == HANDOVER);
        let listens = self.marks(app.file, &self.otherwise_marks(anchor));
        let path = self.audit.project.file(app.file).path.to_string();
        let (text, outline) = self.sources.get(app.file)?;
        let (block, index) = outline.statement_at(app.at)?;
        let is_wanted = |statement: &&Statement| {
            let inside = |places: &[usize]| places.iter().any(|at| (statement.start..statement.end).contains(at));
            let own = statement.receiver.as_ref().is_none_or(|receiver| *receiver == app.name);
            let mounts_router = own && statement.passes.iter().any(|name| routers.contains(name));
            let hands_over = takes_handover
                && statement.binds.is_empty()
                && !statement.leaves
                && statement.receiver.as_ref() != Some(&app.name)
                && statement.passes.contains(&app.name)
                && !inside(&listens);
            (own && inside(&marks)) || mounts_router || hands_over
        };
        let mut later = block.statements.iter().skip(index + 1).filter(is_wanted);
        let found = if anchor.which == Which::First { later.next() } else { later.next_back() }?;
        Some(beside(anchor.side, Place { path, app: app.name.clone(), ..around(text, block, found) }, text, found))
    }

    /// Places of the facts of some marks in a file.
    fn marks(&self, file: FileId, names: &[String]) -> Vec<usize> {
        let patterns = self.stack.marks.iter().filter(|(name, _)| names.contains(name));
        let facts = patterns.flat_map(|(_, pattern)| self.facts(pattern));
        facts.filter(|fact| fact.at.file == file).map(|fact| fact.at.start as usize).collect()
    }

    fn otherwise_marks(&self, anchor: &Anchor) -> Vec<String> {
        let other = anchor.otherwise.as_ref().and_then(|name| self.stack.anchor(name));
        other.map(|other| other.of.clone()).unwrap_or_default()
    }

    /// Names of a file that stand for routers: made there, or imported from a file that makes some.
    fn routers(&mut self, file: FileId) -> Vec<String> {
        let makers: Vec<(FileId, usize)> = self
            .audit
            .facts
            .facts
            .iter()
            .filter(|fact| &*fact.kind == "router" && fact.service == self.service)
            .map(|fact| (fact.at.file, fact.at.start as usize))
            .collect();
        let project = &self.audit.project;
        let folder = folder_of(&project.file(file).path).to_owned();
        let Some((_, outline)) = self.sources.get(file) else { return Vec::new() };
        let imported = outline.imports.iter().filter(|import| {
            let target = resolved(project, &folder, &import.specifier);
            target.is_some_and(|target| target != file && makers.iter().any(|(maker, _)| *maker == target))
        });
        let made = outline.top_level().iter().filter(|statement| {
            makers.iter().any(|(maker, at)| *maker == file && (statement.start..statement.end).contains(at))
        });
        imported.flat_map(|import| import.names.clone()).chain(made.flat_map(|one| one.binds.clone())).collect()
    }

    /// The one place of a mark in the whole service.
    fn only(&mut self, app: &App, anchor: &Anchor) -> Result<Place, String> {
        let patterns = self.stack.marks.iter().filter(|(name, _)| anchor.of.contains(name));
        let facts: Vec<&Fact> = patterns.flat_map(|(_, pattern)| self.facts(pattern)).collect();
        let [fact] = facts.as_slice() else {
            let places: Vec<String> = facts.iter().map(|fact| self.shown(fact)).collect();
            return Err(match places.is_empty() {
                true => "no such place was found".to_owned(),
                false => format!("there are {} such places: {}", places.len(), places.join(", ")),
            });
        };
        let (file, at) = (fact.at.file, fact.at.start as usize);
        let path = self.audit.project.file(file).path.to_string();
        let unreadable = || format!("{path} cannot be edited");
        if anchor.beside && file != app.file {
            return Err(format!("it is made in {path}"));
        }
        let name = self.app_name_in(file, app).ok_or_else(|| format!("{path} has no name for the application"))?;
        let (text, outline) = self.sources.get(file).ok_or_else(unreadable)?;
        let (block, index) = outline.statement_at(at).ok_or_else(unreadable)?;
        let statement = block.statements.get(index).ok_or_else(unreadable)?;
        let is_beside = block.statements.iter().skip(index + 1).any(|one| (one.start..one.end).contains(&app.at));
        if anchor.beside && !is_beside {
            return Err(format!("it is made in another function of {path}"));
        }
        let result = match language::is_taken(&path, text, fact.at.end as usize, statement.end) {
            true => outcome(text, statement, at),
            false => Outcome::Elsewhere,
        };
        let place = Place { path: path.clone(), app: name, result, ..around(text, block, statement) };
        Ok(beside(anchor.side, place, text, statement))
    }

    /// What the application is called in a file: its own name, or that of an import from where it is made.
    fn app_name_in(&mut self, file: FileId, app: &App) -> Option<String> {
        if file == app.file {
            return Some(app.name.clone());
        }
        let project = &self.audit.project;
        let folder = folder_of(&project.file(file).path).to_owned();
        let (_, outline) = self.sources.get(file)?;
        let leads_there = |specifier: &str| resolved(project, &folder, specifier) == Some(app.file);
        let mut imports = outline.imports.iter().filter(|import| leads_there(&import.specifier));
        match (imports.next()?.names.as_slice(), imports.next()) {
            ([name], None) => Some(name.clone()),
            _ => None,
        }
    }

    /// Where nothing marks the place: before another anchor if that is beside the application, else before what hands
    /// the application out, else at the end of its statements.
    fn otherwise(&mut self, app: &App, name: &str) -> Result<Place, String> {
        let anchor = self.stack.anchor(name).cloned();
        let starts = anchor.map(|anchor| self.marks(app.file, &anchor.of)).unwrap_or_default();
        let path = self.audit.project.file(app.file).path.to_string();
        let unreadable = || format!("{path} cannot be edited");
        let (text, outline) = self.sources.get(app.file).ok_or_else(unreadable)?;
        let (block, index) = outline.statement_at(app.at).ok_or_else(unreadable)?;
        let ends = |statement: &&Statement| {
            statement.leaves || starts.iter().any(|at| (statement.start..statement.end).contains(at))
        };
        let base = |statement: &Statement| Place {
            path: path.clone(),
            app: app.name.clone(),
            ..around(text, block, statement)
        };
        match block.statements.iter().skip(index + 1).find(ends) {
            Some(found) => Ok(beside(Side::Before, base(found), text, found)),
            None => {
                let last = block.statements.last().ok_or_else(unreadable)?;
                Ok(beside(Side::After, base(last), text, last))
            }
        }
    }
}

pub fn matches(pattern: &FactPattern, fact: &Fact) -> bool {
    let holds = |(name, wanted): &(String, String)| match (fact.get(name).unwrap_or(&Value::ABSENT), wanted.as_str()) {
        (value, ":absent") => value.is_absent(),
        (value, ":any") => !value.is_absent() && !value.is_unknown(),
        (Value { data: Data::Bool(value), .. }, wanted) => value.to_string() == wanted,
        (value, wanted) => value.as_text() == Some(wanted),
    };
    let of_phase = pattern.phase.is_none_or(|phase| fact.phase == phase);
    let of_api = pattern.api.as_ref().is_none_or(|api| *fact.api == **api);
    of_api && of_phase && *fact.kind == *pattern.kind && pattern.fields.iter().all(holds)
}

/// A place in the neighbourhood of a statement; where exactly is for the caller to say.
fn around(text: &str, block: &Block, statement: &Statement) -> Place {
    let start = block.statements.first().map_or(0, |first| first.start);
    let end = block.statements.last().map_or(text.len(), |last| last.end);
    Place {
        path: String::new(),
        at: statement.start,
        indent: indentation(text, statement.start).to_owned(),
        gap_before: false,
        gap_after: 0,
        app: String::new(),
        within: (start, end),
        side: Side::Before,
        result: Outcome::Elsewhere,
        apart: false,
        is_chained: false,
    }
}

/// What becomes of a call that starts at a place of a statement: `const server = ` in front of it, or nothing.
fn outcome(text: &str, statement: &Statement, call: usize) -> Outcome {
    let before = text.get(statement.start..call).unwrap_or("?").trim_end();
    match statement.binds.as_slice() {
        [] if before.is_empty() && !statement.leaves => Outcome::Dropped(statement.start),
        [name] if before.ends_with('=') && !before.contains("=>") => Outcome::Named(name.clone()),
        [] => assigned(before).map_or(Outcome::Elsewhere, Outcome::Named),
        _ => Outcome::Elsewhere,
    }
}

/// The name of `server = `, which was declared before.
fn assigned(before: &str) -> Option<String> {
    let name = before.strip_suffix('=')?.trim_end();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    is_name.then(|| name.to_owned())
}

/// In front of a statement and the comments on top of it, or behind it; a paragraph stays one.
fn beside(side: Side, place: Place, text: &str, statement: &Statement) -> Place {
    match side {
        Side::Before => {
            let at = above_comments(text, line_start(text, statement.start));
            let before = text.get(..at).unwrap_or_default();
            let gap_after = if before.is_empty() { 1 } else { empty_lines_at_end(before).min(2) };
            Place { at, gap_after, side, ..place }
        }
        Side::After => {
            let at = line_end(text, statement.end);
            let closes = text.get(at..).is_none_or(|rest| rest.starts_with(['\n', '\r']) || rest.is_empty());
            Place { at, gap_before: closes, side, ..place }
        }
    }
}

fn empty_lines_at_end(text: &str) -> usize {
    text.lines().rev().take_while(|line| line.trim().is_empty()).count()
}

/// The start of the comment lines right above a line.
pub fn above_comments(text: &str, mut at: usize) -> usize {
    while at > 0 {
        let start = line_start(text, at - 1);
        let line = text.get(start..at).unwrap_or_default().trim();
        let is_comment = ["//", "#", "/*", "*"].iter().any(|mark| line.starts_with(mark)) || line.ends_with("*/");
        if !is_comment {
            break;
        }
        at = start;
    }
    at
}

pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

const ENDINGS: &[&str] =
    &["", ".ts", ".js", ".mts", ".mjs", ".cjs", ".tsx", "/index.ts", "/index.js", ".py", "/__init__.py"];

/// The file that a relative import leads to.
fn resolved(project: &Project, folder: &str, specifier: &str) -> Option<FileId> {
    if !specifier.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in specifier.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let source = path.strip_suffix(".js").or(path.strip_suffix(".mjs")).unwrap_or(&path);
    let candidates = ENDINGS.iter().flat_map(|ending| [format!("{path}{ending}"), format!("{source}{ending}")]);
    candidates.into_iter().find_map(|path| project.find(&path))
}
