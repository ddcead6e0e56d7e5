//! From open controls to what would be written, and the proof that it closes them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use miette::miette;
use serde::Serialize;

use super::compose::{Composer, Draft, Step};
use super::library::Library;
use super::module::{Effect, Module};
use super::stack::joined;
use super::store::Lock;
use super::verify::{self, Promise, Turn};
use crate::audit::Audit;
use crate::project::{ProcessKind, SOURCE_LIMIT, Service, ServiceId, decode};
use crate::report::{Score, State, view};
use crate::syntax::{Node, SyntaxError, json, toml_file};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// By id; their needs come along.
    pub modules: Vec<String>,
    /// Every module that closes something open.
    pub all: bool,
    /// Effects that `all` takes besides additive ones.
    pub include: Vec<Effect>,
    pub service: Option<String>,
    pub inputs: BTreeMap<String, String>,
}

/// Audits the tree with some files replaced.
pub type Reaudit<'a> = &'a dyn Fn(&HashMap<String, Arc<[u8]>>) -> miette::Result<Audit>;

/// What would be written, checked.
#[derive(Debug)]
pub struct Plan {
    pub service: String,
    pub drafts: Vec<Planned>,
    /// Asked for, or closing something open, and not part of it.
    pub left_out: Vec<LeftOut>,
    pub before: Score,
    /// None if nothing is written.
    pub after: Option<Score>,
    /// Controls whose state changes.
    pub turns: Vec<Turn>,
    pub steps: Vec<Step>,
}

/// A module of the plan.
#[derive(Debug, Clone)]
pub struct Planned {
    pub draft: Draft,
    pub title: String,
    pub effect: Effect,
    /// What became of each control that it closes.
    pub promises: Vec<(String, Promise)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub module: String,
    pub reason: String,
    /// The user named it.
    pub asked: bool,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// A module that was named cannot be written: nothing is.
    pub fn is_refused(&self) -> bool {
        self.left_out.iter().any(|one| one.asked)
    }

    /// Every file before the first and after the last module.
    pub fn files(&self) -> BTreeMap<String, (Option<String>, String)> {
        let mut files: BTreeMap<String, (Option<String>, String)> = BTreeMap::new();
        for change in self.drafts.iter().flat_map(|planned| &planned.draft.changes) {
            files
                .entry(change.path.clone())
                .and_modify(|(_, after)| after.clone_from(&change.after))
                .or_insert_with(|| (change.before.clone(), change.after.clone()));
        }
        files
    }
}

/// The service that is meant: the one named, or the only one in the folder that can be.
pub fn service_of(audit: &Audit, library: &Library, asked: Option<&str>) -> miette::Result<ServiceId> {
    let ids = || (0..audit.project.services.len()).filter_map(|index| u16::try_from(index).ok()).map(ServiceId);
    let path = |id: ServiceId| audit.project.service(id).path.as_str();
    if let Some(asked) = asked {
        let wanted = asked.trim_start_matches("./").trim_end_matches('/');
        let wanted = if wanted.is_empty() { "." } else { wanted };
        let known: Vec<&str> = ids().map(path).collect();
        return ids()
            .find(|&id| path(id) == wanted)
            .ok_or_else(|| miette!(help = format!("services: {}", known.join(", ")), "no service lies at `{asked}`"));
    }
    let scope = audit.project.scope.as_deref();
    let in_scope =
        |id: &ServiceId| scope.is_none_or(|scope| path(*id) == scope || path(*id).starts_with(&format!("{scope}/")));
    let found: Vec<ServiceId> = ids().filter(in_scope).filter(|&id| is_served(audit.project.service(id))).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(miette!(
            help = format!("name the folder of a backend; modules are written for {}", library.frameworks().join(", ")),
            "there is no service here that modules could be written for"
        )),
        several => {
            let paths: Vec<&str> = several.iter().map(|&id| path(id)).collect();
            let help = format!("name one with --service: {}", paths.join(", "));
            Err(miette!(help = help, "there are {} services here", several.len()))
        }
    }
}

fn is_served(service: &Service) -> bool {
    let deployable = |kind: &ProcessKind| !matches!(kind, ProcessKind::Library | ProcessKind::Cli);
    service.kinds.iter().any(deployable)
}

/// Refuses a service whose manifest cannot be read: most of what modules have to know of it stands there.
pub(super) fn readable_manifests(audit: &Audit, service: ServiceId) -> miette::Result<()> {
    type Parse = fn(&str) -> Result<Node, SyntaxError>;
    const MANIFESTS: [(&str, Parse); 3] =
        [("package.json", json::parse), ("pyproject.toml", toml_file::parse), ("Cargo.toml", toml_file::parse)];
    for (name, parse) in MANIFESTS {
        let path = joined(&audit.project.service(service).path, name);
        let Ok(bytes) = audit.project.tree.read(&path, SOURCE_LIMIT) else { continue };
        if let Ok(Err(error)) = decode(&bytes).map(parse) {
            return Err(miette!("{path}:{}: {}; repair it first", error.line, error.message));
        }
    }
    Ok(())
}

/// Plans, renders, audits the result, and drops what does not hold.
pub fn plan(audit: &Audit, library: &Library, request: &Request, reaudit: Reaudit<'_>) -> miette::Result<Plan> {
    let service = service_of(audit, library, request.service.as_deref())?;
    readable_manifests(audit, service)?;
    let lock = Lock::read(&audit.project.tree).map_err(|problem| miette!("{problem}"))?;
    let selection = Selection { audit, library, service, lock: &lock, request };
    let mut left_out = Vec::new();
    let mut chosen = selection.choose(&mut left_out);
    loop {
        let attempt = attempt(&selection, &chosen, reaudit)?;
        if attempt.refused.is_empty() {
            if selection.follow(&attempt.turns, &mut chosen, &mut left_out) {
                continue;
            }
            let service = audit.project.service(service).path.clone();
            return Ok(attempt.into_plan(audit, service, left_out));
        }
        for (id, reason) in attempt.refused {
            chosen.retain(|module| module.id != id && !selection.needs(module, &id));
            left_out.push(LeftOut { asked: request.modules.contains(&id), module: id, reason });
        }
    }
}

struct Selection<'a> {
    audit: &'a Audit,
    library: &'a Library,
    service: ServiceId,
    lock: &'a Lock,
    request: &'a Request,
}

impl<'a> Selection<'a> {
    /// The modules to write, each after those that it needs.
    fn choose(&self, left_out: &mut Vec<LeftOut>) -> Vec<&'a Module> {
        let mut chosen = Vec::new();
        for id in &self.request.modules {
            if let Some(module) = self.library.module(id)
                && let Err(reason) = self.take(module, true, &mut chosen)
            {
                left_out.push(LeftOut { module: id.clone(), reason, asked: true });
            }
        }
        if self.request.all {
            for module in &self.library.modules {
                if !self.closes_something(module) || chosen.iter().any(|other: &&Module| other.id == module.id) {
                    continue;
                }
                if let Err(reason) = self.take(module, false, &mut chosen) {
                    left_out.push(LeftOut { module: module.id.clone(), reason, asked: false });
                }
            }
        }
        chosen
    }

    /// Adds the modules for what the others have opened (they read variables, say, that nothing validates); whether
    /// there are any.
    fn follow(&self, turns: &[Turn], chosen: &mut Vec<&'a Module>, left_out: &mut Vec<LeftOut>) -> bool {
        if !self.request.all {
            return false;
        }
        let opened = |control: &String| {
            let open = |turn: &&Turn| turn.worse && matches!(turn.after, State::Fail | State::Partial);
            turns.iter().filter(open).any(|turn| turn.control == *control)
        };
        let before = chosen.len();
        for module in self.library.modules.iter().filter(|module| self.closes_of(module).iter().any(opened)) {
            let is_known = left_out.iter().any(|one| one.module == module.id);
            if !is_known && let Err(reason) = self.take(module, false, chosen) {
                left_out.push(LeftOut { module: module.id.clone(), reason, asked: false });
            }
        }
        chosen.len() > before
    }

    /// Adds a module and what it needs. One that is there already adds nothing.
    fn take(&self, module: &'a Module, asked: bool, chosen: &mut Vec<&'a Module>) -> Result<(), String> {
        let path = &self.audit.project.service(self.service).path;
        if chosen.iter().any(|other| other.id == module.id) || self.lock.module(&module.id, path).is_some() {
            return Ok(());
        }
        if !asked && module.effect != Effect::Additive && !self.request.include.contains(&module.effect) {
            let word = module.effect.word();
            return Err(format!("it is {word}; name it, or add --include {word}"));
        }
        let Some((_, stack)) = self.library.variant(module, self.audit.project.service(self.service)) else {
            let known: Vec<&str> = module.variants.iter().map(|variant| variant.stack.as_str()).collect();
            return Err(format!("it is not written for this kind of service yet, only for {}", known.join(", ")));
        };
        if let Some(reason) = stack.unfit(&self.audit.project, self.audit.project.service(self.service)) {
            return Err(reason.to_owned());
        }
        let mut with_needs = chosen.clone();
        for id in module.needs_on(&stack.id) {
            let Some(need) = self.library.module(id) else { continue };
            if !self.is_met(need) {
                self.take(need, asked, &mut with_needs).map_err(|reason| format!("it needs `{id}`: {reason}"))?;
            }
        }
        with_needs.push(module);
        *chosen = with_needs;
        Ok(())
    }

    fn needs(&self, module: &Module, id: &str) -> bool {
        let found = self.library.variant(module, self.audit.project.service(self.service));
        let stack = found.map_or("", |(_, stack)| stack.id.as_str());
        module.needs_on(stack).any(|need| need == id)
    }

    /// Whether the project has what a module would give already.
    fn is_met(&self, module: &Module) -> bool {
        let closes = self.closes_of(module);
        !closes.is_empty()
            && closes.iter().all(|control| matches!(self.state(control), Some(State::Pass | State::Attested)))
    }

    fn closes_of<'m>(&self, module: &'m Module) -> &'m [String] {
        match self.library.variant(module, self.audit.project.service(self.service)) {
            Some((_, stack)) => module.closes_on(&stack.id),
            None => &module.closes,
        }
    }

    fn closes_something(&self, module: &Module) -> bool {
        let is_open = |control: &String| {
            verify::state_of(self.audit, self.service, control).is_some_and(|found| match found.state {
                State::Fail | State::Partial => true,
                // What may live elsewhere does not live here.
                State::Unknown => found.reason == view::MAY_BE_ELSEWHERE,
                _ => false,
            })
        };
        self.closes_of(module).iter().any(is_open)
    }

    fn state(&self, control: &str) -> Option<State> {
        verify::state_of(self.audit, self.service, control).map(|found| found.state)
    }

    fn planned_ids(&self, chosen: &[&Module]) -> Vec<String> {
        let path = &self.audit.project.service(self.service).path;
        let applied = self.lock.modules.iter().filter(|module| module.service == *path);
        let ids: BTreeSet<String> =
            applied.map(|module| module.id.clone()).chain(chosen.iter().map(|module| module.id.clone())).collect();
        ids.into_iter().collect()
    }
}

/// One try: what is written, and which modules do not hold.
struct Attempt {
    drafts: Vec<Planned>,
    after: Option<Score>,
    turns: Vec<Turn>,
    steps: Vec<Step>,
    refused: Vec<(String, String)>,
}

fn attempt(selection: &Selection<'_>, chosen: &[&Module], reaudit: Reaudit<'_>) -> miette::Result<Attempt> {
    let Selection { audit, library, service, lock, request } = selection;
    let planned = selection.planned_ids(chosen);
    let mut composer = Composer::new(audit, library, *service, lock, planned, request.inputs.clone());
    if request.all {
        composer = composer.naming(request.modules.clone());
    }
    let mut attempt =
        Attempt { drafts: Vec::new(), after: None, turns: Vec::new(), steps: Vec::new(), refused: Vec::new() };
    for module in chosen {
        // A module that is composed in part would leave its part behind: the next try is without it.
        match composer.add(library.module(&module.id).unwrap_or(module)) {
            Ok(draft) => attempt.drafts.push(Planned {
                draft,
                title: module.title.clone(),
                effect: module.effect,
                promises: Vec::new(),
            }),
            Err(reason) => {
                attempt.refused.push((module.id.clone(), reason));
                return Ok(attempt);
            }
        }
    }
    attempt.drafts.retain(|planned| !planned.draft.changes.is_empty() || !planned.draft.wiring.is_empty());
    if attempt.drafts.is_empty() {
        return Ok(attempt);
    }
    let overlay = overlay(&attempt.drafts);
    let after = reaudit(&overlay)?;
    for planned in &mut attempt.drafts {
        let Some(module) = library.module(&planned.draft.module) else { continue };
        let closes = module.closes_on(&planned.draft.stack);
        planned.promises = verify::promises(audit, &after, *service, closes, !planned.draft.wiring.is_empty());
        if let Some(reason) = verify::broken(&planned.promises) {
            attempt.refused.push((module.id.clone(), reason));
        }
    }
    for (path, reason) in verify::new_findings(audit, &after, &overlay) {
        let owner = attempt.drafts.iter().find(|one| one.draft.changes.iter().any(|change| change.path == path));
        if owner.is_some_and(|one| !one.draft.wiring.is_empty()) {
            // Until the user has wired it in, nothing imports it.
            continue;
        }
        let id = owner.map_or_else(String::new, |one| one.draft.module.clone());
        if !attempt.refused.iter().any(|(refused, _)| *refused == id) {
            attempt.refused.push((id, reason));
        }
    }
    attempt.turns = verify::turns(audit, &after, *service);
    attempt.after = verify::score_of(&after, *service);
    attempt.steps = steps(&attempt.drafts, audit, *service, library);
    Ok(attempt)
}

fn overlay(drafts: &[Planned]) -> HashMap<String, Arc<[u8]>> {
    let changes = drafts.iter().flat_map(|planned| &planned.draft.changes);
    changes.map(|change| (change.path.clone(), Arc::from(change.after.as_bytes()))).collect()
}

/// Everything that is left to do by hand: wiring first, then installing, then the rest; each once.
fn steps(drafts: &[Planned], audit: &Audit, service: ServiceId, library: &Library) -> Vec<Step> {
    let mut steps: Vec<Step> = drafts.iter().flat_map(|planned| planned.draft.wiring.clone()).collect();
    if let Some(first) = drafts.iter().find(|planned| planned.draft.installs)
        && let Some(stack) = library.stack(&first.draft.stack)
    {
        let path = &audit.project.service(service).path;
        let install = stack.manager(&audit.project, service).install;
        let place = if path == "." { String::new() } else { format!(" in {path}") };
        steps.push(Step { text: format!("Run `{install}`{place}, and commit the lock file"), snippet: None });
    }
    for step in drafts.iter().flat_map(|planned| &planned.draft.steps) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    steps
}

impl Attempt {
    fn into_plan(self, audit: &Audit, service: String, left_out: Vec<LeftOut>) -> Plan {
        let before = audit.report.project.services.iter().find(|one| one.path == service);
        let before = before.map_or_else(|| audit.report.score.clone(), |one| one.score.clone());
        let Attempt { drafts, after, turns, steps, .. } = self;
        Plan { service, drafts, left_out, before, after, turns, steps }
    }
}
