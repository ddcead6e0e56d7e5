//! From a finding to the edits that close it, or the reason why nobody but the owner can.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::change::{Changed, Source};
use super::imports::{bring, without_unused};
use super::pattern::{self, Hole, Match};
use super::plan::{open_findings, sites};
use super::share;
use super::spec::{Action, Certainty, Fix, Language, Shape};
use super::{change, schema};
use crate::facts::{Data, Fact, Value};
use crate::project::FileKind;
use crate::scaffold::compose::{Composer, Draft, Step};
use crate::scaffold::context::context_for;
use crate::scaffold::conventions::Conventions;
use crate::scaffold::edits::Edit;
use crate::scaffold::language;
use crate::scaffold::module::EnvSpec;
use crate::scaffold::outline::Outline;
use crate::scaffold::render::{Client, Renderer, specifier, without_extension};
use crate::scaffold::stack::Ecosystem;
use crate::scaffold::work::Work;
use crate::syntax::code;
use crate::syntax::hir::{ExprKind, Module};

/// Templates of fixes lie in this folder of the library.
pub const FOLDER: &str = "fixes";

/// The reason where no pattern matches: another fix's reason says more.
const UNKNOWN: &str = "it is written in a way that no fix knows";

/// A finding that a fix is written for.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    pub control: String,
    pub path: String,
    pub line: u32,
    pub message: String,
    pub fact: &'a Fact,
    /// Those that are about it; the first that knows how it is written is taken.
    pub fixes: Vec<&'a Fix>,
}

/// What was done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub certainty: Certainty,
    /// What the fix says that it does.
    pub title: String,
}

/// Why a finding is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// It could be fixed, once somebody has looked at it.
    ToReview,
    Because(String),
}

impl From<String> for Left {
    fn from(reason: String) -> Left {
        Left::Because(reason)
    }
}

impl From<&str> for Left {
    fn from(reason: &str) -> Left {
        Left::Because(reason.to_owned())
    }
}

/// The hand that a fix is written in.
pub(in crate::scaffold) struct Desk {
    renderer: Renderer,
    clients: Vec<Client>,
}

/// A file as it is, read once.
struct Sheet {
    text: String,
    /// None for a schema.
    code: Option<(Module, Outline)>,
}

/// One control's fixes at work.
struct Bench<'c, 'a> {
    composer: &'c mut Composer<'a>,
    sheets: HashMap<String, Result<Sheet, String>>,
    /// Names whose imports may fall out of use, by path.
    unused: BTreeMap<String, BTreeSet<String>>,
    steps: Vec<Step>,
}

/// What a site would have done to it.
struct Proposal {
    certainty: Certainty,
    edits: Vec<Edit>,
    /// Edits of imports, apart from those of code: several sites share them.
    imports: Vec<(String, Edit)>,
    env: Option<EnvSpec>,
    file: Option<(String, String)>,
    steps: Vec<String>,
}

impl Proposal {
    fn of(certainty: Certainty, edits: Vec<Edit>) -> Proposal {
        Proposal { certainty, edits, imports: Vec::new(), env: None, file: None, steps: Vec::new() }
    }
}

impl<'a> Composer<'a> {
    /// Fixes one control's sites on top of what was composed before. `review` takes those that somebody should look at.
    pub(super) fn fix(&mut self, id: String, sites: &[&Site<'a>], review: bool) -> (Draft, Vec<Result<Done, Left>>) {
        let before = self.texts();
        let (steps, fates) = self.edit_sites(sites, review);
        let changes = self.changes_since(&before);
        (Draft { module: id, changes, steps, ..Draft::default() }, fates)
    }

    /// The fixes that go with a module. What they leave is wiring for the user.
    pub(in crate::scaffold) fn fix_for(&mut self, work: &mut Work<'_>) {
        if work.variant.fixes.is_empty() {
            return;
        }
        let sites = sites(self.audit, self.library, self.service, &work.variant.fixes, &open_findings(self.audit));
        // The module has its own steps: it does what those of a fix alone ask for.
        let (_, fates) = self.edit_sites(&sites.iter().collect::<Vec<_>>(), true);
        let done = sites.iter().zip(&fates).filter(|(_, fate)| fate.is_ok()).map(|(site, _)| site);
        let (closed, unnamed) = self.closed(&done.collect::<Vec<_>>(), work.renderer.migrations());
        work.renderer.close(closed);
        for site in unnamed {
            let text =
                format!("Write the migration for {}:{}: its name or its place is not known", site.path, site.line);
            work.draft.wiring.push(Step { text, snippet: None });
        }
        for (site, fate) in sites.iter().zip(fates) {
            if let Err(Left::Because(reason)) = fate {
                let title = site.fixes.first().map(|fix| fix.title.as_str()).unwrap_or_default();
                let text = format!("{title} in {}:{} ({reason})", site.path, site.line);
                work.draft.wiring.push(Step { text, snippet: None });
            }
        }
    }

    fn edit_sites(&mut self, sites: &[&Site<'a>], review: bool) -> (Vec<Step>, Vec<Result<Done, Left>>) {
        let (sheets, unused, steps) = (HashMap::new(), BTreeMap::new(), Vec::new());
        let mut bench = Bench { composer: self, sheets, unused, steps };
        let fates = sites.iter().map(|site| bench.fix(site, review)).collect();
        bench.sweep();
        (bench.steps, fates)
    }
}

impl Bench<'_, '_> {
    fn fix(&mut self, site: &Site<'_>, review: bool) -> Result<Done, Left> {
        let mut left = Left::from(UNKNOWN);
        for fix in &site.fixes {
            match self.fix_by(site, fix, review) {
                Ok(done) => return Ok(done),
                Err(reason) if reason != Left::from(UNKNOWN) => left = reason,
                Err(_) => {}
            }
        }
        Err(left)
    }

    fn fix_by(&mut self, site: &Site<'_>, fix: &Fix, review: bool) -> Result<Done, Left> {
        let proposal = self.propose(site, fix)?;
        if proposal.certainty == Certainty::NeedsReview && !review {
            return Err(Left::ToReview);
        }
        let text = self.sheet(&site.path, fix.language)?.text.clone();
        if !self.composer.takes(&site.path, &proposal.edits) {
            return Err("another fix changes the same code; run this one again afterwards".into());
        }
        if let Some((path, text)) = proposal.file {
            self.write_helper(&path, text)?;
        }
        let imports = proposal.imports.into_iter().map(|(name, edit)| ((0, name), edit));
        let edits = proposal.edits.into_iter().map(|edit| ((usize::MAX, String::new()), edit));
        self.composer.edit_code(&site.path, &text, imports.chain(edits).collect());
        self.unused.entry(site.path.clone()).or_default().extend(fix.unused.iter().cloned());
        if let Some(variable) = proposal.env {
            self.composer.add_variables(&[variable], false);
        }
        for text in proposal.steps {
            let step = Step { text, snippet: None };
            if !self.steps.contains(&step) {
                self.steps.push(step);
            }
        }
        Ok(Done { certainty: proposal.certainty, title: fix.title.clone() })
    }

    /// Everything is as it should be, or nothing is written.
    fn write_helper(&mut self, path: &str, text: String) -> Result<(), Left> {
        match self.composer.text(path) {
            Some(present) if present == text => Ok(()),
            None if !self.composer.is_taken(path) => {
                self.composer.set(path, text);
                Ok(())
            }
            _ => Err(Left::Because(format!("{path} exists already and differs"))),
        }
    }

    fn sheet(&mut self, path: &str, language: Language) -> Result<&Sheet, String> {
        let composer = &*self.composer;
        let sheet = self.sheets.entry(path.to_owned()).or_insert_with(|| read(composer, path, language));
        sheet.as_ref().map_err(Clone::clone)
    }

    fn propose(&mut self, site: &Site<'_>, fix: &Fix) -> Result<Proposal, Left> {
        let language = fix.language;
        let desk = &*self.composer.desk(language)?;
        self.sheet(&site.path, language)?;
        if let Some(module) = fix.needs.as_ref().filter(|module| !self.composer.planned.contains(module)) {
            return Err(Left::Because(format!("it takes `readycheck scaffold {module}` first")));
        }
        let steps = steps(fix, desk)?;
        let sheet = self.sheets.get(&site.path).and_then(|sheet| sheet.as_ref().ok()).ok_or("it cannot be read")?;
        let proposal = match (&fix.action, &sheet.code) {
            (Action::Attribute(line), _) => {
                let made = self.composer.edits_of(&site.path);
                attribute(site, fix, sheet, line, desk.renderer.conventions().line_break(), &made)
            }
            (Action::Type { name, native }, _) => retype(site, fix, sheet, name, native),
            (_, Some((module, outline))) => {
                let conventions = desk.renderer.conventions();
                let source = Source {
                    path: &site.path,
                    kind: language.kind(),
                    text: &sheet.text,
                    module,
                    indent: &conventions.indent,
                    line_break: if sheet.text.contains("\r\n") { "\r\n" } else { "\n" },
                };
                let task = Task { site, fix, source, outline, desk };
                match &fix.action {
                    Action::Share { unless_used } => task.share(&self.composer.shared, unless_used),
                    _ => task.change(self.composer),
                }
            }
            (_, None) => Err("it is no code that can be edited".into()),
        };
        proposal.map(|proposal| Proposal { steps, ..proposal })
    }

    /// Takes out the imports that nothing uses any more.
    fn sweep(&mut self) {
        for (path, names) in std::mem::take(&mut self.unused) {
            let Some(Ok(Sheet { text, code: Some((_, outline)) })) = self.sheets.get(&path) else { continue };
            for name in names {
                let Some(after) = self.composer.text(&path) else { continue };
                let kept = self.composer.edits_of(&path);
                if let Some(edit) = without_unused(text, outline, &after, &name, &kept) {
                    self.composer.edit_code(&path, text, vec![((usize::MAX, String::new()), edit)]);
                }
            }
        }
    }
}

fn read(composer: &Composer<'_>, path: &str, language: Language) -> Result<Sheet, String> {
    let text = composer.on_disk(path).ok_or_else(|| format!("{path} cannot be read"))?;
    if text.starts_with('\u{feff}') {
        return Err("it starts with a byte order mark, which would move every place".to_owned());
    }
    if language == Language::Prisma {
        return Ok(Sheet { text, code: None });
    }
    let module = code::parse_alone(language.kind(), path, &text).and_then(Result::ok);
    let outline = language::outline(path, &text);
    let code = module.zip(outline).ok_or("it does not parse")?;
    Ok(Sheet { text, code: Some(code) })
}

impl Composer<'_> {
    /// The hand of the service in a language, made once.
    fn desk(&mut self, language: Language) -> Result<Arc<Desk>, String> {
        if let Some(desk) = self.desks.get(&language) {
            return Ok(Arc::clone(desk));
        }
        let desk = Arc::new(self.new_desk(language)?);
        self.desks.insert(language, Arc::clone(&desk));
        Ok(desk)
    }

    /// Its own stack's, else that of any service of the language.
    fn new_desk(&mut self, language: Language) -> Result<Desk, String> {
        let wanted = if language == Language::Python { Ecosystem::Pypi } else { Ecosystem::Npm };
        let service = self.audit.project.service(self.service);
        let fitting = self.library.stacks.iter().filter(|stack| stack.ecosystem == wanted);
        let stack = fitting
            .filter(|stack| stack.fits(service))
            .min_by_key(|stack| stack.stack.is_none())
            .ok_or("there is no stack for this language")?;
        let conventions = Conventions::of(&self.audit.project, self.service, stack, None);
        let (audit, service, planned) = (self.audit, self.service, self.planned.clone());
        let library = self.library;
        let wiring = self.wiring(stack);
        let context = context_for(audit, service, wiring, &conventions, stack, &planned, library);
        let clients = context.clients.clone();
        Ok(Desk { renderer: Renderer::new(context, conventions), clients })
    }
}

/// What is left to do, where anything is: a step that comes out empty does not concern the service.
fn steps(fix: &Fix, desk: &Desk) -> Result<Vec<String>, Left> {
    let render = |text: &String| desk.renderer.render(&fix.id, text, "");
    let steps: Vec<String> =
        fix.steps.iter().map(render).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    Ok(steps.into_iter().filter(|text| !text.trim().is_empty()).collect())
}

/// `@@index([…])` and the like.
fn attribute(
    site: &Site<'_>,
    fix: &Fix,
    sheet: &Sheet,
    line: &str,
    line_break: &str,
    made: &[Edit],
) -> Result<Proposal, Left> {
    let text = |field: &str| site.fact.get(field).and_then(Value::as_text).map(str::to_owned);
    let model = text("model").ok_or("its model is not known")?;
    let columns = texts(site.fact, "columns").ok_or("its columns are not known")?;
    let line = line.replace("{columns}", &columns.join(", "));
    let mut edit = schema::add_attribute(&sheet.text, &model, &line, line_break)?;
    if made.iter().any(|other| other.start == edit.start) {
        // The attribute before it has opened the group.
        edit.text = edit.text.trim_start_matches(['\r', '\n']).to_owned();
    }
    Ok(Proposal::of(fix.certainty, vec![edit]))
}

fn retype(site: &Site<'_>, fix: &Fix, sheet: &Sheet, name: &str, native: &str) -> Result<Proposal, Left> {
    let text = |field: &str| site.fact.get(field).and_then(Value::as_text).unwrap_or_default().to_owned();
    let edits = schema::retype(&sheet.text, &text("model"), &text("name"), name, native)?;
    Ok(Proposal::of(fix.certainty, edits))
}

pub(super) fn texts(fact: &Fact, field: &str) -> Option<Vec<String>> {
    let Data::List(list) = &fact.get(field)?.data else { return None };
    list.iter().map(|value| value.as_text().map(str::to_owned)).collect()
}

/// One site in a file of code.
struct Task<'t> {
    site: &'t Site<'t>,
    fix: &'t Fix,
    source: Source<'t>,
    outline: &'t Outline,
    desk: &'t Desk,
}

impl Task<'_> {
    fn change(&self, composer: &Composer<'_>) -> Result<Proposal, Left> {
        let fix = self.fix;
        let found = self.matched()?;
        let changed = self.changed(&found)?;
        let (mut edits, replaces) = (changed.edits, changed.replaces);
        let mut imports = Vec::new();
        for template in &fix.imports {
            let line = self.rendered(template, &self.site.path)?;
            let taken = |name: &str| self.is_bound(name);
            let brought = bring(&self.source, self.outline, line.trim_end(), &fix.unused, self.conventions(), &taken)?;
            for (name, written) in &brought.renamed {
                for edit in &mut edits {
                    edit.text = edit.text.replace(&format!("{name}("), &format!("{written}("));
                }
            }
            let specifier = language::import(self.source.path, line.trim_end());
            let specifier = specifier.map(|import| import.specifier).unwrap_or_default();
            imports.extend(brought.edits.into_iter().map(|edit| (specifier.clone(), edit)));
        }
        let certainty = if replaces { fix.replacing } else { fix.certainty };
        Ok(Proposal {
            imports,
            env: self.variable(&found)?,
            file: self.helper(composer)?,
            ..Proposal::of(certainty, edits)
        })
    }

    /// The expression that the fix is about: what matches around the finding, else the finding's own.
    fn matched(&self) -> Result<Match, Left> {
        let (fix, at) = (self.fix, self.site.fact.at);
        let places = pattern::at(self.source.module, at.start, at.end);
        let found = if fix.patterns.is_empty() {
            let call = places.iter().find(|id| self.source.module.call(**id).is_some());
            call.map(|&root| Match { root, holes: BTreeMap::new() })
        } else {
            let tried = places.iter().flat_map(|place| fix.patterns.iter().map(move |pattern| (place, pattern)));
            let all: Vec<Match> =
                tried.filter_map(|(place, pattern)| pattern.find(self.source.module, *place)).collect();
            // The widest: what is around a part has to be changed with it.
            all.into_iter().max_by_key(|found| {
                let (start, end) = self.source.span(found.root);
                end - start
            })
        };
        let found = found.ok_or(UNKNOWN)?;
        for (name, shapes) in &fix.conditions {
            if let Some(hole) = found.holes.get(name)
                && !shapes.iter().any(|shape| self.is_a(hole, *shape))
            {
                return Err(Left::Because(format!("`{}` is not simple enough", self.source.filled(hole))));
            }
        }
        Ok(found)
    }

    fn is_a(&self, hole: &Hole, shape: Shape) -> bool {
        let Hole::Expression(id) = hole else { return shape == Shape::Name };
        match shape {
            Shape::Number => matches!(self.source.module.kind(*id), ExprKind::Num(_)),
            Shape::Text => self.source.module.literal(*id).is_some(),
            Shape::Name => pattern::name_of(self.source.module, *id).is_some(),
        }
    }

    fn changed(&self, found: &Match) -> Result<Changed, Left> {
        let hand = |text: &String| in_quotes(text, self.outline, self.conventions());
        Ok(match &self.fix.action {
            Action::Replace { text, part: None } => self.source.replace(found, &hand(text))?,
            Action::Replace { text, part: Some(part) } => {
                let found = part.argument(self.source.module, found.root).ok_or(UNKNOWN)?;
                self.source.replace(&found, &hand(text))?
            }
            Action::Options { argument, set, drop } => {
                let set: Vec<_> = set.iter().map(|(key, value)| (key.clone(), hand(value))).collect();
                self.source.options(found.root, *argument, &set, drop)?
            }
            Action::Share { .. } | Action::Attribute(_) | Action::Type { .. } => change::Changed::default(),
        })
    }

    /// `const db = new Client()` becomes an import of the one that is shared.
    fn share(&self, planned: &[Client], unless_used: &[String]) -> Result<Proposal, Left> {
        let site = self.site;
        let found = self.matched()?;
        let candidates = planned.iter().chain(&self.desk.clients);
        let same: Vec<&Client> =
            candidates.filter(|client| client.api == *site.fact.api && client.file != site.path).collect();
        let client = match same.as_slice() {
            [only] => only,
            [] => return Err("the service exports no such client that could be imported instead".into()),
            several => {
                let files: Vec<&str> = several.iter().map(|client| client.file.as_str()).collect();
                return Err(Left::Because(format!("there are several to import: {}", files.join(", "))));
            }
        };
        let removed = share::remove(&self.source, self.outline, self.source.span(found.root), unless_used)?;
        let line = self.rendered(&import_line(client, &removed.name, &site.path, self.conventions()), &site.path)?;
        let gone = [removed.edit];
        let taken = |name: &str| share::is_taken(&self.source, self.outline, name, &gone);
        let brought = bring(&self.source, self.outline, line.trim_end(), &[], self.conventions(), &taken)?;
        let imports = brought.edits.into_iter().map(|edit| (client.file.clone(), edit)).collect();
        let [edit] = gone;
        Ok(Proposal { imports, ..Proposal::of(self.fix.certainty, vec![edit]) })
    }

    fn conventions(&self) -> &Conventions {
        self.desk.renderer.conventions()
    }

    fn rendered(&self, template: &str, path: &str) -> Result<String, Left> {
        let failed = |error: minijinja::Error| Left::Because(format!("its template failed: {error}"));
        let text = self.desk.renderer.render(&self.fix.id, template, path).map_err(failed)?;
        language::dress(path, &text, self.conventions())
            .map_err(|error| Left::Because(format!("its template does not parse: {error}")))
    }

    /// Whether a name stands for something of the file itself.
    fn is_bound(&self, name: &str) -> bool {
        let module = self.source.module;
        module.symbols.iter().any(|symbol| module.str(symbol.name) == name)
    }

    fn variable(&self, found: &Match) -> Result<Option<EnvSpec>, Left> {
        let Some((hole, about)) = &self.fix.env else { return Ok(None) };
        let hole = found.holes.get(hole).ok_or("the name of its variable is not known")?;
        let name = match hole {
            Hole::Name(name) => name.as_str(),
            Hole::Expression(id) => self.source.module.literal(*id).ok_or("the name of its variable is made up")?,
        };
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        Ok(is_plain.then(|| EnvSpec { name: name.to_owned(), value: String::new(), about: about.clone(), when: None }))
    }

    /// The file that the new code imports.
    fn helper(&self, composer: &Composer<'_>) -> Result<Option<(String, String)>, Left> {
        let Some((from, to)) = &self.fix.file else { return Ok(None) };
        let conventions = self.conventions();
        let path = conventions.path_of(to).ok_or("its folder is not known")?;
        let template = composer.library.template(FOLDER, from).ok_or("its template is missing")?;
        Ok(Some((path.clone(), self.rendered(template, &path)?)))
    }
}

/// The import of a client under a name of one's own.
fn import_line(client: &Client, local: &str, path: &str, conventions: &Conventions) -> String {
    let from = specifier(path, without_extension(&client.file), conventions);
    match (client.default, client.name == local) {
        (true, _) => format!("import {local} from \"{from}\";"),
        (false, true) => format!("import {{ {local} }} from \"{from}\";"),
        (false, false) => format!("import {{ {} as {local} }} from \"{from}\";", client.name),
    }
}

/// Code as it is written down, with the quotes of the file.
fn in_quotes(text: &str, outline: &Outline, conventions: &Conventions) -> String {
    let habits = &outline.habits;
    let double = match (habits.double_quotes, habits.single_quotes) {
        (0, 0) => conventions.double_quotes,
        (double, single) => double >= single,
    };
    if double || text.contains('\'') { text.to_owned() } else { text.replace('"', "'") }
}

/// Whether a file of that kind still reads after an edit.
pub fn still_reads(path: &str, text: &str) -> bool {
    match crate::project::kind_of(path) {
        FileKind::JavaScript | FileKind::Python => language::outline(path, text).is_some(),
        FileKind::Prisma => crate::syntax::prisma::parse(text).errors.is_empty(),
        _ => true,
    }
}
