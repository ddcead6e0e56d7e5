//! `readycheck scaffold`

mod diff;
mod fixes;
mod life;
mod offers;
mod output;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use miette::miette;

use super::exit::Exit;
use super::facts::Format;
use super::session::Session;
use super::{folder, suggest};
use crate::audit::{Audit, Options};
use crate::project::find_root;
use crate::scaffold::git::{Cleanliness, cleanliness};
use crate::scaffold::{self, Effect, Guard, Library, Plan, Request};

/// Write what is missing, wired in and checked by an audit first
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Modules to write; without any, what there is to write is listed
    #[arg(value_name = "MODULE")]
    modules: Vec<String>,
    #[command(flatten)]
    options: PlanOptions,
    /// Modules of a folder laid out like templates/, instead of the binary's
    #[arg(long, value_name = "DIR", global = true)]
    templates: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List every module, what it closes and for which stacks it is written
    Modules(ModulesArgs),
    /// How what was generated stands today
    Status(life::StatusArgs),
    /// Bring modules up to date: three-way between what was generated, what is there and what is new
    Update(life::UpdateArgs),
    /// Take modules back, to the byte
    Undo(life::UndoArgs),
    /// Let go of modules: their files stay, readycheck forgets them
    Eject(life::EjectArgs),
}

#[derive(Debug, clap::Args)]
struct ModulesArgs {
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct PlanOptions {
    /// Every additive module that closes something open
    #[arg(long)]
    all: bool,
    /// Fix findings in place, of these controls or of all: what is certain is edited, the rest listed with the reason
    #[arg(long, value_name = "CONTROL", num_args = 0.., conflicts_with_all = ["modules", "all", "control", "inputs"])]
    fix: Option<Vec<String>>,
    /// With --all: modules that change answers (behavioural) or migrate data (data), too. With --fix: fixes that
    /// somebody should look at (needs-review), too
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_possible_values = true)]
    include: Vec<Inclusion>,
    /// Modules that close this control
    #[arg(long = "for", value_name = "CONTROL")]
    control: Option<String>,
    /// Write the files; without it, the diff is shown
    #[arg(long)]
    apply: bool,
    /// Write although git holds changes that are not committed
    #[arg(long)]
    allow_dirty: bool,
    /// A value that a module's templates use: NAME=VALUE (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_input)]
    inputs: Vec<(String, String)>,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, clap::Args)]
struct TargetOptions {
    /// The folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    target: PathBuf,
    /// The service of a monorepo
    #[arg(long, value_name = "PATH")]
    service: Option<String>,
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
    /// Read no configuration and no rules from the tree
    #[arg(long)]
    no_config: bool,
}

const AFTER_HELP: &str = "\
Examples:
  readycheck scaffold                         what could be written, and what it closes
  readycheck scaffold health                  the diff of one module
  readycheck scaffold health --apply          write it
  readycheck scaffold --all --apply           every module that changes nothing that works
  readycheck scaffold --all --include behavioural
  readycheck scaffold --fix                   the diff of every fix in place that is safe
  readycheck scaffold --fix outbound-timeout --apply
  readycheck scaffold --fix --include needs-review

Nothing is written without --apply, nothing is overwritten, and git has to be clean unless --allow-dirty is given.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Inclusion {
    Behavioural,
    Data,
    NeedsReview,
}

impl Inclusion {
    /// The modules that it is about, if it is about modules.
    fn effect(self) -> Option<Effect> {
        match self {
            Inclusion::Behavioural => Some(Effect::Behavioural),
            Inclusion::Data => Some(Effect::Data),
            Inclusion::NeedsReview => None,
        }
    }
}

fn parse_input(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c));
    match (name.is_empty(), plain) {
        (false, true) => Ok((name.to_owned(), value.to_owned())),
        (true, _) => Err("write it as NAME=VALUE".to_owned()),
        (_, false) => Err("a value consists of letters, digits and - _ . / :".to_owned()),
    }
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let library = match &args.templates {
        Some(folder) => Library::from_folder(folder)?,
        None => Library::embedded()?,
    };
    match &args.command {
        Some(Command::Modules(args)) => {
            let text = offers::all(&library, args.format, session.console.width())?;
            session.console.print(&text).map(|()| Exit::Passed)
        }
        Some(Command::Status(args)) => life::status(args, &library, session),
        Some(Command::Update(args)) => life::update(args, &library, session),
        Some(Command::Undo(args)) => life::undo(args, &library, session),
        Some(Command::Eject(args)) => life::eject(args, session),
        None => match &args.options.fix {
            Some(controls) => fixes::plan_or_apply(controls, &args.options, &library, session),
            None => plan_or_apply(args, &library, session),
        },
    }
}

/// A project to scaffold in: its root, and the audit of what is there.
struct Target {
    root: PathBuf,
    options: Options,
    audit: Audit,
    /// Held if files are going to be changed.
    guard: Option<Guard>,
}

impl Target {
    fn open(asked: &TargetOptions, writes: bool, session: &mut Session) -> miette::Result<Target> {
        folder::check(&asked.target)?;
        let (root, _) = find_root(&asked.target).map_err(|error| miette!("{error}"))?;
        let guard = clean_up(&root, writes, session)?;
        let options = Options { path: asked.target.clone(), no_config: asked.no_config, ..Options::default() };
        let audit = session.audit(&options, asked.format == Format::Json)?;
        Ok(Target { root, options, audit, guard })
    }
}

/// Takes the project for this run alone, and finishes what an interrupted run has left.
fn clean_up(root: &Path, writes: bool, session: &mut Session) -> miette::Result<Option<Guard>> {
    if !writes && !scaffold::has_leftovers(root) {
        return Ok(None);
    }
    let guard = Guard::take(root)?;
    if let Some(recovered) = scaffold::recover(root, &guard)? {
        session.console.eprint(&format!("{}\n", recovered.message()));
    }
    Ok(Some(guard))
}

fn plan_or_apply(args: &Args, library: &Library, session: &mut Session) -> miette::Result<Exit> {
    let known = library.modules.iter().map(|module| module.id.as_str());
    suggest::check("module", &args.modules, known, "`readycheck scaffold modules` lists them")?;
    let asked = &args.options;
    let mut modules = args.modules.clone();
    modules.extend(modules_for(asked.control.as_deref(), library, session)?);
    let lists = modules.is_empty() && !asked.all;
    if lists && asked.apply {
        return Err(miette!(help = "name some, or add --all", "--apply needs modules to write"));
    }
    let target = Target::open(&asked.target, asked.apply, session)?;
    let inputs: BTreeMap<String, String> = asked.inputs.iter().cloned().collect();
    if lists {
        let text = offers::open(
            &target.audit,
            library,
            asked.target.service.as_deref(),
            asked.target.format,
            session.console.width(),
        )?;
        return session.console.print(&text).map(|()| Exit::Passed);
    }
    let request = Request {
        modules,
        all: asked.all,
        include: asked.include.iter().filter_map(|inclusion| inclusion.effect()).collect(),
        service: asked.target.service.clone(),
        inputs: inputs.clone(),
    };
    let plan = {
        let session = &*session;
        let reaudit = |overlay: &HashMap<String, Arc<[u8]>>| {
            session.audit(&Options { overlay: overlay.clone(), ..target.options.clone() }, true)
        };
        scaffold::plan(&target.audit, library, &request, &reaudit)?
    };
    let writes = asked.apply && !plan.is_empty() && !plan.is_refused();
    if writes && let Some(guard) = &target.guard {
        require_clean(&target.root, asked.allow_dirty)?;
        scaffold::apply(&target.root, &plan, library, &inputs, guard)?;
    }
    let width = session.console.width();
    let color = session.console.out_color();
    let text = match asked.target.format {
        Format::Json => output::json(&plan, writes)?,
        Format::Terminal => output::terminal(&plan, asked.apply, width, color),
    };
    session.console.print(&text)?;
    Ok(exit_of(&plan))
}

fn exit_of(plan: &Plan) -> Exit {
    if plan.is_refused() { Exit::Failed } else { Exit::Passed }
}

/// The modules that close a control.
fn modules_for(control: Option<&str>, library: &Library, session: &Session) -> miette::Result<Vec<String>> {
    let Some(control) = control else { return Ok(Vec::new()) };
    let rules = session.engine.rules(&Options { path: ".".into(), no_config: true, ..Options::default() })?;
    let known = rules.iter().map(|rule| rule.info.id.as_str());
    suggest::check("control", &[control.to_owned()], known, "`readycheck rules list` shows them all")?;
    let closing = |module: &&scaffold::Module| module.closes.iter().any(|closed| closed == control);
    let found: Vec<String> = library.modules.iter().filter(closing).map(|module| module.id.clone()).collect();
    if found.is_empty() {
        let help = format!("`readycheck rules show {control}` tells how to fix it");
        return Err(miette!(help = help, "no module closes `{control}`"));
    }
    Ok(found)
}

/// What is written must be told apart from what was there.
fn require_clean(root: &Path, allow_dirty: bool) -> miette::Result<()> {
    let help = "commit or stash first, or add --allow-dirty";
    match cleanliness(root) {
        _ if allow_dirty => Ok(()),
        Cleanliness::Clean => Ok(()),
        Cleanliness::Dirty(paths) => {
            let paths = crate::report::text::terminal(&paths.join(", ")).into_owned();
            Err(miette!(help = help, "git holds changes that are not committed: {paths}"))
        }
        Cleanliness::NoRepository => {
            let help = "add --allow-dirty to write all the same; `readycheck scaffold undo` takes it back";
            Err(miette!(help = help, "{} is in no git repository, so changes could not be told apart", root.display()))
        }
        Cleanliness::Unknown(reason) => {
            Err(miette!(help = help, "git does not say whether everything is committed: {reason}"))
        }
    }
}
