//! `readycheck rules`

mod list;
mod new;
mod schema;
mod show;
mod test;
mod why;

use clap::Subcommand;
use miette::miette;

use super::engine::RuleFile;
use super::exit::Exit;
use super::session::Session;
use super::suggest;
use crate::audit::Options;

/// What is looked at: list, show, test and write controls and their rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  readycheck rules list --category security  what is looked at there
  readycheck rules show sql-injection        what it looks for, how to fix it
  readycheck rules why rate-limit-coverage   why it came out as it did, here
  readycheck rules new no-legacy-client      start a rule of your own
  readycheck rules test                      run the examples of your rules")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Why(why::Args),
    New(new::Args),
    Test(test::Args),
    Schema(schema::Args),
}

pub fn run(args: Args, session: &mut Session) -> miette::Result<Exit> {
    match args.command {
        Command::List(args) => list::run(&args, session),
        Command::Show(args) => show::run(&args, session),
        Command::Why(args) => why::run(&args, session),
        Command::New(args) => new::run(&args, session),
        Command::Test(args) => test::run(&args, session),
        Command::Schema(args) => schema::run(&args, session),
    }
}

/// Every control that applies in this folder, its own rules included.
fn controls(session: &Session) -> miette::Result<Vec<RuleFile>> {
    session.engine.rules(&Options { path: ".".into(), ..Options::default() })
}

/// The control of that id; the error names its nearest neighbour.
fn find(rules: Vec<RuleFile>, id: &str) -> miette::Result<RuleFile> {
    let ids = rules.iter().map(|rule| rule.info.id.as_str());
    suggest::check("control", &[id.to_owned()], ids, "`readycheck rules list` shows them all")?;
    rules.into_iter().find(|rule| rule.info.id == id).ok_or_else(|| miette!("there is no control `{id}`"))
}
