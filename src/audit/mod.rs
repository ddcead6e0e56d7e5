//! One audit, from a tree to a report.

mod collect;
mod history;
mod places;
mod read;
mod routes;
mod unread;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Context as _, IntoDiagnostic, miette};

use crate::config::{self, Config, Date};
use crate::facts::FactStore;
use crate::facts::stacks::{StackError, Stacks};
use crate::project::{
    Diagnostic, History, Project, ReadProblem, SOURCE_LIMIT, ServiceId, Tree, WalkOptions, decode, discover, find_root,
};
use crate::report::{Counts, Report};
use crate::rules::{
    ControlInfo, Evaluation, ExampleReport, Mutant, RuleSet, SyntaxScanner, TextScanner, evaluate, find_mutants,
    run_examples,
};
use crate::score::{Input, assemble, harden};
use crate::syntax::javascript;

use places::Sources;
use read::{Contents, Scanners, read_all};

/// Pins controls, weights and enforcement.
pub const EPOCH: &str = "2026.1";

/// What one audit looks at, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder to audit.
    pub path: PathBuf,
    /// `--config FILE`; else `readycheck.toml` at the project's root.
    pub config: Option<PathBuf>,
    /// Read no configuration and no user rules from the audited tree.
    pub no_config: bool,
    pub only: Vec<String>,
    pub skip: Vec<String>,
    pub categories: Vec<String>,
    pub service: Option<String>,
    pub as_service: Option<String>,
    pub no_waivers: bool,
    /// Worker threads; 0 for one per core.
    pub jobs: usize,
    /// `YYYY-MM-DD`; decides expiry.
    pub now: Option<String>,
    /// Look for secrets in everything that was ever committed.
    pub history: bool,
    /// The commit that is released: only migrations that it does not have can still be changed.
    pub base: Option<String>,
    /// Contents that stand for what is on the disk, by path: what scaffolding would write.
    pub overlay: HashMap<String, Arc<[u8]>>,
}

/// What an audit found, with the layers under it for `facts`, `routes` and `rules why`.
pub struct Audit {
    pub project: Project,
    pub facts: FactStore,
    pub report: Report,
    /// What [`Evaluation::control`] counts in.
    pub controls: Vec<ControlInfo>,
    pub evaluations: Vec<Evaluation>,
}

/// What an audit is doing, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Walking the tree.
    Files,
    /// Reading and parsing.
    Facts,
    /// Evaluating the rules.
    Rules,
    Score,
}

/// Audits a folder. Errors are of use, configuration or rules: whatever is wrong with the audited files themselves is
/// a diagnostic of the report.
pub fn run(options: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
    in_pool(options.jobs, || run_here(options, progress))?
}

/// Runs the examples of rules, and names the conditions that none of them needs if `mutants` is asked for.
pub fn test_rules(rules: &RuleSet, mutants: bool) -> miette::Result<(ExampleReport, Vec<Mutant>)> {
    let scanners = scanners(rules)?;
    let stacks = stacks()?;
    let understand = |_: &RuleSet, tree: Tree| {
        let mut project = discover(tree, &WalkOptions::default()).unwrap_or_default();
        let mut contents = read_all(&mut project, &scanners);
        let facts = collect::collect(&mut project, &mut contents, &stacks);
        (project, facts)
    };
    in_pool(0, || {
        let report = run_examples(rules, &understand);
        let needless = if mutants { find_mutants(rules, &understand) } else { Vec::new() };
        (report, needless)
    })
}

/// The facts of files that are given as (path, text), for tests of the layers below.
#[cfg(test)]
pub(crate) fn facts_of(files: &[(&str, &str)]) -> FactStore {
    let overlay =
        files.iter().map(|(path, text)| ((*path).to_owned(), std::sync::Arc::from(text.as_bytes()))).collect();
    let tree = Tree { root: PathBuf::from("."), overlay, virtual_only: true };
    let rules = RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}"));
    let (scanners, stacks) = (scanners(&rules).unwrap(), stacks().unwrap());
    let mut project = discover(tree, &WalkOptions::default()).unwrap();
    let mut contents = read_all(&mut project, &scanners);
    collect::collect(&mut project, &mut contents, &stacks)
}

/// Runs on a pool whose threads have the stack that parsers need.
fn in_pool<T: Send>(jobs: usize, work: impl FnOnce() -> T + Send) -> miette::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(javascript::STACK).build();
    let pool = pool.into_diagnostic().wrap_err("the worker threads could not be started")?;
    Ok(pool.install(work))
}

fn run_here(options: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
    let (root, scope) = find_root(&options.path).into_diagnostic()?;
    let (rules, stacks) = rayon::join(|| rules(options, &root), stacks);
    let (rules, stacks) = (rules?, stacks?);
    let config = load_config(options, &root, &rules)?;
    let task = Task { options, root: &root, scope, stacks: &stacks };
    let mut audit = task.run(&rules, &config, progress)?;
    if rules.is_changed() {
        let unchanged = RuleSet::embedded_for_audit()?.with_further_rules(&root.join(USER_RULES))?;
        let strictly = Options { no_waivers: true, ..options.clone() };
        let task = Task { options: &strictly, ..task };
        harden(&mut audit.report, &task.run(&unchanged, &without_leniency(config), progress)?.report);
    }
    Ok(audit)
}

/// The configuration without what makes a score better.
fn without_leniency(config: Config) -> Config {
    Config { controls: BTreeMap::new(), waivers: Vec::new(), ..config }
}

/// One tree to be audited, under whichever rules.
struct Task<'a> {
    options: &'a Options,
    root: &'a Path,
    scope: Option<String>,
    stacks: &'a Stacks,
}

impl Task<'_> {
    fn run(&self, rules: &RuleSet, config: &Config, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
        progress(Stage::Files);
        let exclude = config.audit.exclude.clone();
        let walk = WalkOptions { scope: self.scope.clone(), exclude, jobs: self.options.jobs };
        let tree = Tree { overlay: self.options.overlay.clone(), ..Tree::on_disk(self.root) };
        let mut project = discover(tree, &walk).into_diagnostic()?;
        progress(Stage::Facts);
        let scanners = scanners(rules)?;
        let mut contents = read_all(&mut project, &scanners);
        contents.released = released(self.options, self.root)?;
        if self.options.history {
            history::add(&mut project, &mut contents, &scanners.text);
        }
        let facts = collect::collect(&mut project, &mut contents, self.stacks);
        progress(Stage::Rules);
        let (evaluations, report) = judge(self.options, &project, rules, config, &facts, contents, progress)?;
        let controls = rules.controls.iter().map(|control| control.info.clone()).collect();
        Ok(Audit { project, facts, report, controls, evaluations })
    }
}

/// The paths that the commit of `--base` has.
fn released(options: &Options, root: &Path) -> miette::Result<Option<BTreeSet<String>>> {
    let Some(base) = &options.base else { return Ok(None) };
    let paths = History::open(root).and_then(|mut history| history.paths_of(base));
    paths.map(Some).map_err(|reason| miette!("--base {base}: {reason}"))
}

const USER_RULES: &str = ".readycheck/rules";

/// The rules in force: the binary's, and the user's unless strangers are audited.
pub fn rules(options: &Options, root: &Path) -> miette::Result<RuleSet> {
    let rules = RuleSet::embedded_for_audit()?;
    if options.no_config {
        return Ok(rules);
    }
    let folder = root.join(USER_RULES);
    let found = rules.with_user_rules(&folder).map_err(miette::Report::from);
    found.wrap_err_with(|| format!("the rules in {} cannot be used", folder.display()))
}

fn scanners(rules: &RuleSet) -> miette::Result<Scanners> {
    Ok(Scanners { text: TextScanner::new(rules)?, syntax: SyntaxScanner::new(rules)? })
}

fn stacks() -> miette::Result<Stacks> {
    Stacks::embedded()
        .map_err(|StackError { file, start, message, .. }| miette!("stacks/{file}, byte {start}: {message}"))
}

/// The configuration that an audit of `root` uses.
pub fn load_config(options: &Options, root: &Path, rules: &RuleSet) -> miette::Result<Config> {
    let path = match &options.config {
        Some(path) => path.clone(),
        None if options.no_config => return Ok(Config::default()),
        None => root.join(config::FILE_NAME),
    };
    let text = match &options.config {
        Some(path) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
        None => match Tree::on_disk(root).read(config::FILE_NAME, SOURCE_LIMIT) {
            Err(ReadProblem::Missing) => return Ok(Config::default()),
            Ok(bytes) => decode(&bytes).map(str::to_owned).map_err(|problem| problem.to_string()),
            Err(problem) => Err(problem.to_string()),
        },
    };
    let text = text.map_err(|problem| miette!("{} cannot be read: {problem}", path.display()))?;
    let controls: Vec<&str> = rules.controls.iter().map(|c| c.info.id.as_str()).collect();
    let ids: Vec<&str> = rules.rules().map(|(_, rule)| rule.id.as_str()).collect();
    let categories: Vec<&str> = rules.controls.iter().map(|c| c.info.category.as_str()).collect();
    let known = config::Known { controls: &controls, rules: &ids, categories: &categories };
    Ok(config::parse(&path.to_string_lossy(), &text, &known).map_err(|error| *error)?)
}

fn judge(
    options: &Options,
    project: &Project,
    rules: &RuleSet,
    config: &Config,
    facts: &FactStore,
    contents: Contents,
    progress: &dyn Fn(Stage),
) -> miette::Result<(Vec<Evaluation>, Report)> {
    let sources = Sources::new(project);
    let mut evaluated = evaluate(rules, project, facts, &|span| sources.snippet(span));
    history::tell(project, &mut evaluated.evaluations);
    progress(Stage::Score);
    let controls: Vec<ControlInfo> = rules.controls.iter().map(|control| control.info.clone()).collect();
    let routes = routes::matrix(project, facts, &controls, &evaluated.evaluations, &sources);
    let ids: Vec<String> = rules.rules().map(|(_, rule)| rule.id.clone()).collect();
    let mut diagnostics = contents.diagnostics;
    diagnostics.extend(evaluated.diagnostics.iter().cloned());
    let counts = counts(&contents.audited, project.diagnostics.iter().chain(&diagnostics));
    let chosen = ChosenServices::of(options, config, project)?;
    let report = assemble(Input {
        controls: &controls,
        rules: &ids,
        evaluations: &evaluated.evaluations,
        project,
        config,
        allows: &contents.allows,
        locate: &|span| sources.place(span),
        today: today(options)?,
        now: options.now.clone(),
        epoch: config.epoch.as_deref().unwrap_or(EPOCH),
        lines: contents.lines,
        counts,
        routes,
        diagnostics,
        notices: Vec::new(),
        no_waivers: options.no_waivers,
        selected: selected(options, &controls),
        services: chosen.services,
        as_services: chosen.forced,
        not_assessable: unread::unread(project, facts),
    });
    Ok((evaluated.evaluations, report))
}

fn today(options: &Options) -> miette::Result<Date> {
    match &options.now {
        Some(text) => text.parse().map_err(|_| miette!("`{text}` is no date; write it as 2026-03-31")),
        None => Ok(Date::today()),
    }
}

fn counts<'a>(audited: &u64, diagnostics: impl Iterator<Item = &'a Diagnostic>) -> Counts {
    const SKIPPED: &[&str] = &["too-large", "unreadable", "not-utf8", "parse-error", "too-deep", "binary"];
    let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
    for kind in ["too-large", "unreadable", "not-utf8", "parse-error"] {
        skipped.insert(kind.to_owned(), 0);
    }
    for diagnostic in diagnostics.filter(|d| SKIPPED.contains(&d.kind.as_str())) {
        *skipped.entry(diagnostic.kind.clone()).or_default() += 1;
    }
    Counts { audited: *audited, skipped }
}

/// The controls that `--only`, `--skip` and `--category` leave; none for all.
fn selected(options: &Options, controls: &[ControlInfo]) -> Option<BTreeSet<usize>> {
    if options.only.is_empty() && options.skip.is_empty() && options.categories.is_empty() {
        return None;
    }
    let wanted = |info: &ControlInfo| {
        (options.only.is_empty() || options.only.contains(&info.id))
            && (options.categories.is_empty() || options.categories.contains(&info.category))
            && !options.skip.contains(&info.id)
    };
    Some(controls.iter().enumerate().filter(|(_, info)| wanted(info)).map(|(index, _)| index).collect())
}

/// Which services are looked at, and which are scored whatever they seem to be.
struct ChosenServices {
    services: Option<BTreeSet<ServiceId>>,
    forced: BTreeSet<ServiceId>,
}

impl ChosenServices {
    /// `--service` goes before `[audit] services`, and both before the folder that is asked about; what either of
    /// `[audit] services` and `--as-service` names is a service because it says so.
    fn of(options: &Options, config: &Config, project: &Project) -> miette::Result<ChosenServices> {
        let by = |option: &str| format!("`{option}`");
        let narrowed = options.service.iter().map(|path| service(project, path, &by("--service")));
        let forced = options.as_service.iter().map(|path| service(project, path, &by("--as-service")));
        let key = format!("`[audit] services` of {}", config_name(options));
        let listed = config.audit.services.iter().map(|path| service(project, path, &key));
        let narrowed: BTreeSet<ServiceId> = narrowed.collect::<miette::Result<_>>()?;
        let listed: BTreeSet<ServiceId> = listed.collect::<miette::Result<_>>()?;
        let forced: BTreeSet<ServiceId> = forced.collect::<miette::Result<_>>()?;
        let services = [narrowed, listed.clone()].into_iter().find(|chosen| !chosen.is_empty());
        let services = services.or_else(|| project.scope.as_deref().map(|scope| around(project, scope)));
        Ok(ChosenServices { services, forced: &forced | &listed })
    }
}

/// The services in a folder; the one that the folder is part of where there are none.
fn around(project: &Project, scope: &str) -> BTreeSet<ServiceId> {
    let services = || (0..).map(ServiceId).zip(&project.services);
    let is_below = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let inside: BTreeSet<ServiceId> =
        services().filter(|(_, service)| is_below(&service.path, scope)).map(|(id, _)| id).collect();
    if !inside.is_empty() {
        return inside;
    }
    let holding = services().filter(|(_, service)| service.path == "." || is_below(scope, &service.path));
    holding.max_by_key(|(_, service)| service.path.len()).map(|(id, _)| id).into_iter().collect()
}

fn config_name(options: &Options) -> String {
    options.config.as_ref().map_or_else(|| config::FILE_NAME.to_owned(), |path| path.display().to_string())
}

/// The service at a path that `source` names.
fn service(project: &Project, path: &str, source: &str) -> miette::Result<ServiceId> {
    let wanted = path.trim_start_matches("./").trim_end_matches('/');
    let wanted = if wanted.is_empty() { "." } else { wanted };
    let found = project.services.iter().position(|service| service.path == wanted);
    if let Some(index) = found.and_then(|index| u16::try_from(index).ok()) {
        return Ok(ServiceId(index));
    }
    let known: Vec<&str> = project.services.iter().map(|service| service.path.as_str()).collect();
    let (shown, rest) = known.split_at(known.len().min(20));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let help = format!("a service is a folder with a manifest of its own: {}{more}", shown.join(", "));
    Err(miette!(help = help, "no service lies at `{path}`, which {source} names"))
}
