//! `readycheck rules new`

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use miette::miette;

use crate::cli::exit::Exit;
use crate::cli::folder;
use crate::cli::session::Session;

/// Start a rule of your own in .readycheck/rules, with examples that pass
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id: lower case words joined by dashes
    #[arg(value_parser = parse_id)]
    id: String,
    /// The project's root
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    folder::check(&args.path)?;
    if super::controls(session)?.iter().any(|rule| rule.info.id == args.id) {
        return Err(miette!(help = "choose another id", "there is a control `{}` already", args.id));
    }
    let rules = args.path.join(".readycheck").join("rules");
    let path = rules.join(format!("{}.toml", args.id));
    fs::create_dir_all(&rules)
        .and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path))
        .and_then(|mut file| file.write_all(skeleton(&args.id).as_bytes()))
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => miette!("`{}` is there already", path.display()),
            _ => miette!("cannot write `{}`: {error}", path.display()),
        })?;
    session.console.print(&format!(
        "wrote {}\n\n→ readycheck rules test   run its examples\n\
         → readycheck facts        what there is to write rules about\n",
        path.display()
    ))?;
    Ok(Exit::Passed)
}

fn skeleton(id: &str) -> String {
    include_str!("skeleton.toml").replace("{{id}}", id)
}

fn parse_id(text: &str) -> Result<String, String> {
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
    if text.len() <= 60 && starts_well && text.split('-').all(word) {
        Ok(text.to_owned())
    } else {
        Err("an id is lower case words joined by dashes, like no-legacy-client".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Fake, Ran, readycheck};

    #[test]
    fn writes_a_skeleton_once() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().display().to_string();
        let args = ["rules", "new", "no-legacy-client", &path];
        assert_eq!(readycheck(&Fake::ready(), &args).exit, Exit::Passed);
        let file = folder.path().join(".readycheck/rules/no-legacy-client.toml");
        let text = fs::read_to_string(file).expect("written");
        let table: toml::Table = text.parse().expect("TOML");
        assert_eq!(table["id"].as_str(), Some("no-legacy-client"));
        let Ran { exit, err, .. } = readycheck(&Fake::ready(), &args);
        assert_eq!(exit, Exit::Error);
        assert!(err.contains("is there already"), "{err}");
    }

    #[test]
    fn ids_cannot_leave_the_folder_nor_take_a_name() {
        for id in ["../x", "A", "a--b", "-a", "a/b", "", "a.b"] {
            assert!(parse_id(id).is_err(), "{id}");
        }
        assert_eq!(readycheck(&Fake::ready(), &["rules", "new", "sql-injection"]).exit, Exit::Error);
    }
}
