//! One audit, from a tree to a report.

mod collect;
mod places;
mod read;
mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use miette::{Context as _, IntoDiagnostic, miette};

use crate::config::{self, Config, Date};
use crate::facts::FactStore;
use crate::facts::stacks::{StackError, Stacks};
use crate::project::{
    Diagnostic, Project, ReadProblem, SOURCE_LIMIT, ServiceId, Tree, WalkOptions, decode, discover, find_root,
};
use crate::report::{Counts, Report};
use crate::rules::{
    ControlInfo, Evaluation, ExampleReport, Mutant, RuleSet, SyntaxScanner, TextScanner, evaluate, find_mutants,
    run_examples,
};
use crate::score::{Input, assemble};
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

/// Runs on a pool whose threads have the stack that parsers need.
fn in_pool<T: Send>(jobs: usize, work: impl FnOnce() -> T + Send) -> miette::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(javascript::STACK).build();
    let pool = pool.into_diagnostic().wrap_err("the worker threads could not be started")?;
    Ok(pool.install(work))
}

fn run_here(options: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit> {
    let (root, scope) = find_root(&options.path).into_diagnostic()?;
    let rules = rules(options, &root)?;
    let config = load_config(options, &root, &rules)?;
    progress(Stage::Files);
    let walk = WalkOptions { scope, exclude: config.audit.exclude.clone(), jobs: options.jobs };
    let mut project = discover(Tree::on_disk(root), &walk).into_diagnostic()?;
    progress(Stage::Facts);
    let scanners = scanners(&rules)?;
    let stacks = stacks()?;
    let mut contents = read_all(&mut project, &scanners);
    let facts = collect::collect(&mut project, &mut contents, &stacks);
    progress(Stage::Rules);
    let (evaluations, report) = judge(options, &project, &rules, &config, &facts, contents, progress)?;
    let controls = rules.controls.iter().map(|control| control.info.clone()).collect();
    Ok(Audit { project, facts, report, controls, evaluations })
}

/// The rules in force: the binary's, and the user's unless strangers are audited.
pub fn rules(options: &Options, root: &Path) -> miette::Result<RuleSet> {
    let rules = RuleSet::embedded()?;
    if options.no_config {
        return Ok(rules);
    }
    Ok(rules.with_user_rules(&root.join(".readycheck/rules"))?)
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
    let evaluated = evaluate(rules, project, facts, &|span| sources.snippet(span));
    progress(Stage::Score);
    let controls: Vec<ControlInfo> = rules.controls.iter().map(|control| control.info.clone()).collect();
    let routes = routes::matrix(project, facts, &controls, &evaluated.evaluations, &sources);
    let ids: Vec<String> = rules.rules().map(|(_, rule)| rule.id.clone()).collect();
    let mut diagnostics = contents.diagnostics;
    diagnostics.extend(evaluated.diagnostics.iter().cloned());
    let counts = counts(&contents.audited, project.diagnostics.iter().chain(&diagnostics));
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
        service: service(project, options.service.as_deref())?,
        as_service: service(project, options.as_service.as_deref())?,
        not_assessable: unsupported(project),
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

fn service(project: &Project, path: Option<&str>) -> miette::Result<Option<ServiceId>> {
    let Some(path) = path else { return Ok(None) };
    let wanted = path.trim_start_matches("./").trim_end_matches('/');
    let wanted = if wanted.is_empty() { "." } else { wanted };
    let found = project.services.iter().position(|service| service.path == wanted);
    match found.and_then(|index| u16::try_from(index).ok()) {
        Some(index) => Ok(Some(ServiceId(index))),
        None => {
            let known: Vec<&str> = project.services.iter().map(|service| service.path.as_str()).collect();
            Err(miette!("no service lies at `{path}`; there are: {}", known.join(", ")))
        }
    }
}

/// Services whose code is in no language that is read yet.
fn unsupported(project: &Project) -> BTreeMap<ServiceId, String> {
    let supported = |language: &String| matches!(language.as_str(), "typescript" | "javascript");
    let mut found = BTreeMap::new();
    for (index, service) in project.services.iter().enumerate() {
        if !service.languages.is_empty() && !service.languages.iter().any(supported) {
            let id = ServiceId(u16::try_from(index).unwrap_or(u16::MAX));
            found.insert(id, format!("{} is not read yet", service.languages.join(", ")));
        }
    }
    found
}
