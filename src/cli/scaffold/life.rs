//! `readycheck scaffold status`, `undo`, `update` and `eject`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use super::{clean_up, diff, require_clean};
use crate::audit::Options;
use crate::cli::exit::Exit;
use crate::cli::facts::Format;
use crate::cli::folder;
use crate::cli::session::Session;
use crate::project::{Tree, find_root};
use crate::report::text;
use crate::scaffold::{self, Fate, FileStatus, Library, Lock, ModuleStatus, OnConflict, Rewrite};

const STATUS: &str = "readycheck/scaffold-status/1";
const REWRITE: &str = "readycheck/scaffold-rewrite/1";

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    /// Modules to take back
    #[arg(value_name = "MODULE", required_unless_present = "all")]
    modules: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "modules")]
    all: bool,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
pub struct UpdateArgs {
    /// Modules to bring up to date; all without any
    #[arg(value_name = "MODULE")]
    modules: Vec<String>,
    /// Where both sides changed the same lines: beside (FILE.readycheck-new) or inline (conflict markers)
    #[arg(long, value_enum, value_name = "WHERE", default_value = "beside", hide_possible_values = true)]
    conflict: Conflict,
    /// Write although git holds changes that are not committed
    #[arg(long)]
    allow_dirty: bool,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
pub struct EjectArgs {
    /// Modules to let go of; all without any
    #[arg(value_name = "MODULE")]
    modules: Vec<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Write it; without it, what would happen is shown
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    target: PathBuf,
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Conflict {
    Beside,
    Inline,
}

/// A project whose lock is looked at.
struct Opened {
    root: PathBuf,
    tree: Tree,
    lock: Lock,
    _guard: Option<scaffold::Guard>,
}

fn open(place: &Place, writes: bool, session: &mut Session) -> miette::Result<Opened> {
    folder::check(&place.target)?;
    let (root, _) = find_root(&place.target).map_err(|error| miette!("{error}"))?;
    let guard = clean_up(&root, writes, session)?;
    let tree = Tree::on_disk(&root);
    let lock = Lock::read(&tree).map_err(|problem| miette!("{problem}"))?;
    Ok(Opened { root, tree, lock, _guard: guard })
}

pub fn status(args: &StatusArgs, library: &Library, session: &mut Session) -> miette::Result<Exit> {
    let opened = open(&args.place, false, session)?;
    let found = scaffold::status(&opened.tree, &opened.lock, library).map_err(|problem| miette!("{problem}"))?;
    let text = match args.place.format {
        Format::Json => printed(&json!({ "schema": STATUS, "modules": found }))?,
        Format::Terminal => status_text(&found),
    };
    session.console.print(&text).map(|()| Exit::Passed)
}

fn printed(value: &serde_json::Value) -> miette::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value).into_diagnostic()?))
}

fn status_text(found: &[ModuleStatus]) -> String {
    if found.is_empty() {
        return "No module is applied here.\n".to_owned();
    }
    let mut out = String::new();
    for module in found {
        let superseded = if module.superseded { "  superseded: `update` brings the newer one" } else { "" };
        let service = if module.service == "." { String::new() } else { format!("  in {}", module.service) };
        let name = text::pad(&module.id, 24);
        out.push_str(&format!("{name}{}{}{superseded}\n", module.status.word(), text::terminal(&service)));
        for (path, state) in module.files.iter().filter(|(_, state)| *state != FileStatus::Pristine) {
            out.push_str(&format!("  {}{}\n", text::pad(state.word(), 10), text::terminal(path)));
        }
    }
    out
}

pub fn undo(args: &UndoArgs, library: &Library, session: &mut Session) -> miette::Result<Exit> {
    let opened = open(&args.change.place, args.change.apply, session)?;
    let rewrite = scaffold::undo(&opened.tree, library, &args.modules).map_err(|problem| miette!("{problem}"))?;
    conclude(&rewrite, &args.change, &opened, "taken back", session)
}

pub fn eject(args: &EjectArgs, session: &mut Session) -> miette::Result<Exit> {
    let opened = open(&args.change.place, args.change.apply, session)?;
    let rewrite = scaffold::eject(&opened.tree, &args.modules).map_err(|problem| miette!("{problem}"))?;
    conclude(&rewrite, &args.change, &opened, "yours alone now; its files stay", session)
}

pub fn update(args: &UpdateArgs, library: &Library, session: &mut Session) -> miette::Result<Exit> {
    let opened = open(&args.change.place, args.change.apply, session)?;
    let known: Vec<&str> = opened.lock.modules.iter().map(|module| module.id.as_str()).collect();
    crate::cli::suggest::check("applied module", &args.modules, known, "`readycheck scaffold status` lists them")?;
    let options = Options { path: args.change.place.target.clone(), ..Options::default() };
    let mut regenerated = BTreeMap::new();
    for (index, module) in opened.lock.modules.iter().enumerate() {
        let is_asked = args.modules.is_empty() || args.modules.contains(&module.id);
        if !is_asked || library.fingerprint(&module.id) == module.template {
            continue;
        }
        let session = &*session;
        let reaudit = |overlay: &HashMap<String, Arc<[u8]>>| {
            session.audit(&Options { overlay: overlay.clone(), ..options.clone() }, true)
        };
        let found = scaffold::regenerate(&opened.tree, library, &opened.lock, index, &reaudit)?;
        regenerated.insert(index, found);
    }
    let on_conflict = match args.conflict {
        Conflict::Beside => OnConflict::Beside,
        Conflict::Inline => OnConflict::Inline,
    };
    let rewrite = scaffold::update(&opened.tree, &opened.lock, &regenerated, on_conflict);
    let rewrite = rewrite.map_err(|problem| miette!("{problem}"))?;
    if args.change.apply && !rewrite.is_empty() {
        require_clean(&opened.root, args.allow_dirty)?;
    }
    conclude(&rewrite, &args.change, &opened, "up to date", session)
}

/// Writes if that is asked for, and shows what happened or would.
fn conclude(
    rewrite: &Rewrite,
    change: &Change,
    opened: &Opened,
    done: &str,
    session: &mut Session,
) -> miette::Result<Exit> {
    if change.apply && !rewrite.is_empty() {
        rewrite.apply(&opened.root)?;
    }
    let color = session.console.out_color();
    let text = match change.place.format {
        Format::Json => rewrite_json(rewrite, change.apply)?,
        Format::Terminal => rewrite_text(rewrite, change.apply, done, color),
    };
    session.console.print(&text)?;
    Ok(if rewrite.is_partial() { Exit::Failed } else { Exit::Passed })
}

fn rewrite_json(rewrite: &Rewrite, applied: bool) -> miette::Result<String> {
    let files = rewrite.files.iter().map(|file| {
        let diff = diff::of(&file.path, file.before.as_deref(), file.after.as_deref(), false);
        json!({ "path": file.path, "is": file.fate, "diff": diff })
    });
    let files: Vec<_> = files.collect();
    printed(&json!({ "schema": REWRITE, "applied": applied, "modules": rewrite.modules, "files": files }))
}

fn rewrite_text(rewrite: &Rewrite, applied: bool, done: &str, color: bool) -> String {
    if rewrite.is_empty() {
        return "There is nothing to do.\n".to_owned();
    }
    let mut out = String::new();
    if !applied {
        for file in rewrite.files.iter().filter(|file| file.fate != Fate::Kept) {
            out.push_str(&diff::of(&file.path, file.before.as_deref(), file.after.as_deref(), color));
        }
        out.push('\n');
    }
    for file in &rewrite.files {
        let note = match file.fate {
            Fate::Kept => "  changed since: left as it is",
            Fate::Beside => "  both sides changed the same lines: take over what you want, then remove it",
            Fate::Marked => "  both sides changed the same lines: resolve the markers",
            _ => "",
        };
        out.push_str(&format!("  {}{}{note}\n", text::pad(file.fate.word(), 10), text::terminal(&file.path)));
    }
    let verb = if applied { "is" } else { "would be" };
    for module in &rewrite.modules {
        out.push_str(&format!("{module} {verb} {done}\n"));
    }
    if !applied {
        out.push_str("\n→ the same with --apply writes this\n");
    }
    out
}
