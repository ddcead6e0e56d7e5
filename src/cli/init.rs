//! `readycheck init`

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use miette::miette;

use super::exit::Exit;
use super::folder;
use super::session::Session;
use crate::report::text;

const FILE: &str = "readycheck.toml";

/// Write a commented readycheck.toml; nothing is overwritten
///
/// An audit needs no configuration. The file is for what the code cannot say (where it runs, who may call it), for the
/// gate, and for waivers with their reasons.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write it to: the project's root
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    folder::check(&args.path)?;
    let path = args.path.join(FILE);
    let shown = path.display().to_string();
    let shown = text::terminal(&shown);
    let template = session.engine.config_template();
    match OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut f| f.write_all(template.as_bytes()))
    {
        Ok(()) => {
            session.console.print(&format!("wrote {shown}; every line of it is optional\n"))?;
            Ok(Exit::Passed)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(miette!(help = "edit it, or move it away first", "`{shown}` is there already"))
        }
        Err(error) => Err(miette!("cannot write `{shown}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, Ran, readycheck};
    use super::*;

    #[test]
    fn writes_the_template_once() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().display().to_string();
        assert_eq!(readycheck(&Fake::ready(), &["init", &path]).exit, Exit::Passed);
        let written = folder.path().join(FILE);
        std::fs::write(&written, "# mine\n").expect("writes");
        let Ran { exit, err, .. } = readycheck(&Fake::ready(), &["init", &path]);
        assert_eq!(exit, Exit::Error);
        assert!(err.contains("is there already"), "{err}");
        assert_eq!(std::fs::read_to_string(written).expect("reads"), "# mine\n");
    }
}
