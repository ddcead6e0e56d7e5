//! Where reports go: `--format`, `-o FILE` and `-o FORMAT=FILE`, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use miette::miette;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Terminal,
    Json,
    Markdown,
}

/// One `-o`, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputArgument {
    pub format: Option<Format>,
    pub path: PathBuf,
}

/// `FORMAT=FILE` or `FILE`; a word before `=` that is no format is an error, not a file name.
pub fn parse_output(text: &str) -> Result<OutputArgument, String> {
    let plain = |path: &str| OutputArgument { format: None, path: path.into() };
    let Some((word, path)) = text.split_once('=') else { return Ok(plain(text)) };
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphabetic()) {
        return Ok(plain(text));
    }
    let format = Format::from_str(word, true)
        .map_err(|_| format!("there is no format `{word}` (there are terminal, json and markdown)"))?;
    if path.is_empty() {
        return Err("the file's name is missing after `=`".into());
    }
    Ok(OutputArgument { format: Some(format), path: path.into() })
}

/// What goes to standard output and what to which file.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    pub stdout: Option<Format>,
    pub files: Vec<(Format, PathBuf)>,
}

/// A format goes to standard output unless an `-o` takes it; only one can. `-o FILE` takes the format that
/// `--format` names, else the one that its ending says.
pub fn plan(formats: &[Format], outputs: &[OutputArgument]) -> miette::Result<Plan> {
    let mut files: Vec<(Format, PathBuf)> = Vec::new();
    for output in outputs {
        let format = output.format.or(single(formats)).or_else(|| by_ending(&output.path)).ok_or_else(|| {
            let path = output.path.display();
            miette!(help = "write `-o json=FILE`, or name the file *.json or *.md", "which format is `{path}` to have?")
        })?;
        if files.iter().any(|(_, path)| path == &output.path) {
            return Err(miette!("`{}` is named twice", output.path.display()));
        }
        files.push((format, output.path.clone()));
    }
    let mut left: Vec<Format> = formats.to_vec();
    left.dedup();
    left.retain(|format| !files.iter().any(|(taken, _)| taken == format));
    match left.as_slice() {
        [] => Ok(Plan { stdout: formats.is_empty().then_some(Format::Terminal), files }),
        [format] => Ok(Plan { stdout: Some(*format), files }),
        _ => {
            Err(miette!(help = "send the others to files: `-o markdown=FILE`", "only one format fits standard output"))
        }
    }
}

fn single(formats: &[Format]) -> Option<Format> {
    match formats {
        [format] => Some(*format),
        _ => None,
    }
}

fn by_ending(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "json" => Some(Format::Json),
        "md" | "markdown" => Some(Format::Markdown),
        _ => None,
    }
}

/// Writes a file so that readers see the old contents or the new ones, never a part. What is no regular file (a
/// device, a named pipe) is written to directly; a link is refused, since replacing it is seldom what is meant.
pub fn write(path: &Path, contents: &str) -> miette::Result<()> {
    write_file(path, contents.as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            miette!(help = "create its folder first", "cannot write `{}`: {error}", path.display())
        }
        _ => miette!("cannot write `{}`: {error}", path.display()),
    })
}

fn write_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::Error::other("it is a folder")),
        Ok(found) if !found.is_file() => return OpenOptions::new().write(true).open(path)?.write_all(contents),
        _ => {}
    }
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link; name the file that it leads to"));
    }
    let (mut file, temporary) = temporary_beside(path)?;
    let written = file.write_all(contents).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// A new file in the same folder, so that renaming stays on one file system.
fn temporary_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?.to_string_lossy();
    let mut attempt = 0;
    loop {
        let temporary = path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            result => return result.map(|file| (file, temporary)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> OutputArgument {
        parse_output(text).expect("parses")
    }

    #[test]
    fn formats_and_files_find_each_other() {
        use Format::*;
        let file = |format, path: &str| vec![(format, PathBuf::from(path))];
        let plan = |formats: &[Format], outputs: &[&str]| {
            super::plan(formats, &outputs.iter().map(|text| output(text)).collect::<Vec<_>>()).ok()
        };
        assert_eq!(plan(&[], &[]), Some(Plan { stdout: Some(Terminal), files: vec![] }));
        assert_eq!(plan(&[Json], &[]), Some(Plan { stdout: Some(Json), files: vec![] }));
        assert_eq!(plan(&[Json], &["out"]), Some(Plan { stdout: None, files: file(Json, "out") }));
        assert_eq!(plan(&[], &["a.md"]), Some(Plan { stdout: Some(Terminal), files: file(Markdown, "a.md") }));
        assert_eq!(plan(&[], &["json=x"]), Some(Plan { stdout: Some(Terminal), files: file(Json, "x") }));
        assert_eq!(plan(&[Json, Terminal], &["json=x"]), Some(Plan { stdout: Some(Terminal), files: file(Json, "x") }));
        assert_eq!(plan(&[Json, Markdown], &[]), None);
        assert_eq!(plan(&[], &["out"]), None);
        assert_eq!(plan(&[], &["json=x", "markdown=x"]), None);
    }

    #[test]
    fn an_unknown_format_is_not_a_file_name() {
        assert!(parse_output("xml=report").is_err());
        assert!(parse_output("json=").is_err());
        assert_eq!(output("a/b=c.json"), OutputArgument { format: None, path: "a/b=c.json".into() });
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("report.json");
        write(&path, "one").expect("writes");
        write(&path, "two").expect("writes again");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "two");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
        assert!(write(folder.path(), "x").is_err());
        let missing = write(&folder.path().join("no/such/file"), "x").expect_err("fails");
        assert!(missing.help().is_some_and(|help| help.to_string().contains("folder")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_written_through() {
        let folder = tempfile::tempdir().expect("folder");
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "kept").expect("writes");
        std::os::unix::fs::symlink(&target, &link).expect("links");
        assert!(write(&link, "x").is_err());
        assert_eq!(fs::read_to_string(&target).expect("reads"), "kept");
    }
}
