//! Many files changed as one: staged, then renamed under a journal that undoes a half-applied run.
//!
//! Everything new and everything that is replaced is first written below `.readycheck/run/`. Then the journal names
//! what is to happen, the files are renamed into place, and the folder is renamed to `.readycheck/finished/`. Whatever
//! stops the process, the next run finds no journal (nothing was touched), a journal (what was touched is put back) or
//! a finished folder.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::store::{FOLDER, hash_of};

const RUN: &str = ".readycheck/run";
const JOURNAL: &str = "journal.toml";
/// What [`RUN`] is called once every file is in place, and once every file is put back.
const FINISHED: &str = ".readycheck/finished";
const UNDONE: &str = ".readycheck/undone";

/// What a file is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Relative to the root, with `/`.
    pub path: String,
    /// What has to be there now; none if nothing may be.
    pub before: Option<Vec<u8>>,
    /// None to remove it.
    pub after: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    /// Folders that are made, outer ones first.
    #[serde(default)]
    folders: Vec<String>,
    /// Folders that go once the files are in place, inner ones first.
    #[serde(default)]
    gone: Vec<String>,
    #[serde(default, rename = "file")]
    files: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// What an interrupted run had left behind, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// It had not touched anything.
    Untouched,
    /// What it had done was undone; these files were changed since and kept.
    Undone { kept: Vec<String> },
    /// It was complete.
    Complete,
}

impl Recovered {
    pub fn message(&self) -> String {
        match self {
            Recovered::Untouched => {
                "An earlier run was interrupted before it changed a file: the tree is as before.".to_owned()
            }
            Recovered::Undone { kept } if kept.is_empty() => {
                "An earlier run was interrupted half-way: what it had changed was put back, the tree is as before."
                    .to_owned()
            }
            Recovered::Undone { kept } => format!(
                "An earlier run was interrupted half-way: what it had changed was put back, but for what was changed \
                 since: {}.",
                kept.join(", ")
            ),
            Recovered::Complete => "An earlier run was interrupted after its last change: it is complete.".to_owned(),
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{path} leads out of the project; nothing is written there")]
    Outside { path: String },
    #[error("{path} goes through a link or something that is no folder; nothing is written there")]
    Link { path: String },
    #[error("{path} is no longer what the plan saw; run it again")]
    Changed { path: String },
    #[error("{path} cannot be written ({reason}); nothing was changed")]
    Io { path: String, reason: String },
    #[error(
        "{path} cannot be written ({reason}), and what was changed before it could not be put back; run `readycheck \
         scaffold status` to try again"
    )]
    Stuck { path: String, reason: String },
}

/// Makes all changes or none.
pub fn commit(root: &Path, writes: &[Write], disk: &mut dyn Disk) -> Result<(), Failure> {
    commit_and_clear(root, writes, &[], disk)
}

/// Makes all changes or none, and then removes folders that have become empty (inner ones first).
pub fn commit_and_clear(root: &Path, writes: &[Write], gone: &[String], disk: &mut dyn Disk) -> Result<(), Failure> {
    for write in writes {
        check(root, write)?;
    }
    for folder in gone {
        inside(root, folder)?;
    }
    let journal = journal(root, writes, gone);
    if let Err((path, error)) = stage(root, writes, &journal, disk) {
        let _ = clean(&root.join(RUN), disk);
        if journal.folders.iter().any(|folder| folder == FOLDER) {
            let _ = disk.remove_folder(&root.join(FOLDER));
        }
        return Err(failed(path, &error));
    }
    match put_in_place(root, &journal, disk) {
        Ok(()) => {
            // What fails from here on is only left behind for the next run to clean.
            let _ = finish(root, &journal, disk);
            Ok(())
        }
        Err((path, error)) => match undo(root, &journal, disk) {
            Ok(_) => Err(failed(path, &error)),
            Err(_) => Err(Failure::Stuck { path, reason: told(&error) }),
        },
    }
}

/// After the last file is in place: folders that are empty now go, and so does what was staged.
fn finish(root: &Path, journal: &Journal, disk: &mut dyn Disk) -> io::Result<()> {
    disk.rename(&root.join(RUN), &root.join(FINISHED))?;
    leave(root, FINISHED, &journal.gone, disk)
}

/// Removes folders, what was staged, and at the very end our own folder if it is among them.
fn leave(root: &Path, staged: &str, gone: &[String], disk: &mut dyn Disk) -> io::Result<()> {
    for folder in gone.iter().filter(|folder| *folder != FOLDER && !staged.starts_with(&format!("{folder}/"))) {
        let _ = disk.remove_folder(&root.join(folder));
    }
    clean(&root.join(staged), disk)?;
    if gone.iter().any(|folder| folder == FOLDER) {
        let _ = disk.remove_folder(&root.join(FOLDER));
    }
    Ok(())
}

/// Whether an interrupted run has left something behind.
pub fn has_leftovers(root: &Path) -> bool {
    [RUN, FINISHED, UNDONE].iter().any(|folder| root.join(folder).symlink_metadata().is_ok())
}

fn read_journal(staged: &Path) -> Option<Journal> {
    fs::read_to_string(staged.join(JOURNAL)).ok().and_then(|text| toml::from_str(&text).ok())
}

/// Cleans up after a run that was interrupted.
pub fn recover(root: &Path, disk: &mut dyn Disk) -> Result<Option<Recovered>, Failure> {
    let is_folder = |path: &str| root.join(path).symlink_metadata().is_ok_and(|found| found.is_dir());
    if !is_folder(FOLDER) {
        return Ok(None);
    }
    let in_run = |error: io::Error| failed(RUN.to_owned(), &error);
    for (staged, outcome) in [(FINISHED, Recovered::Complete), (UNDONE, Recovered::Undone { kept: Vec::new() })] {
        if is_folder(staged) {
            let journal = read_journal(&root.join(staged)).filter(|journal| is_sound(root, journal));
            let journal = journal.unwrap_or_default();
            let gone = if staged == FINISHED { journal.gone } else { reversed(journal.folders) };
            leave(root, staged, &gone, disk).map_err(in_run)?;
            let _ = disk.remove_folder(&root.join(FOLDER));
            return Ok(Some(outcome));
        }
    }
    if !is_folder(RUN) {
        // Stopped between its first two steps, or before its last: fails unless the folder is empty.
        let _ = disk.remove_folder(&root.join(FOLDER));
        return Ok(None);
    }
    let Some(journal) = read_journal(&root.join(RUN)) else {
        clean(&root.join(RUN), disk).map_err(in_run)?;
        let _ = disk.remove_folder(&root.join(FOLDER));
        return Ok(Some(Recovered::Untouched));
    };
    if !is_sound(root, &journal) {
        return Err(Failure::Outside { path: format!("{RUN}/{JOURNAL}") });
    }
    if journal.files.iter().all(|entry| current(root, &entry.path) == entry.after) {
        finish(root, &journal, disk).map_err(in_run)?;
        return Ok(Some(Recovered::Complete));
    }
    let kept = undo(root, &journal, disk).map_err(in_run)?;
    Ok(Some(Recovered::Undone { kept }))
}

fn reversed(mut folders: Vec<String>) -> Vec<String> {
    folders.reverse();
    folders
}

/// Whether nothing that a journal names is outside the project: it may be a stranger's.
fn is_sound(root: &Path, journal: &Journal) -> bool {
    let files = journal.files.iter().map(|entry| &entry.path);
    files.chain(&journal.gone).chain(&journal.folders).all(|path| inside(root, path).is_ok())
}

fn told(error: &io::Error) -> String {
    error.kind().to_string()
}

fn failed(path: String, error: &io::Error) -> Failure {
    Failure::Io { path, reason: told(error) }
}

/// Where a path leads, if every folder on the way is one.
fn inside(root: &Path, path: &str) -> Result<PathBuf, Failure> {
    let relative = Path::new(path);
    let descends = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !descends || path.is_empty() || path.contains('\\') {
        return Err(Failure::Outside { path: path.to_owned() });
    }
    let mut at = root.to_path_buf();
    let parts: Vec<_> = relative.components().collect();
    for part in parts.iter().take(parts.len().saturating_sub(1)) {
        at.push(part);
        match at.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(Failure::Link { path: path.to_owned() }),
            Err(_) => break,
        }
    }
    Ok(root.join(relative))
}

fn check(root: &Path, write: &Write) -> Result<(), Failure> {
    let target = inside(root, &write.path)?;
    let changed = || Failure::Changed { path: write.path.clone() };
    match (target.symlink_metadata(), &write.before) {
        (Err(_), None) => Ok(()),
        (Ok(found), _) if !found.is_file() => Err(Failure::Link { path: write.path.clone() }),
        (Ok(found), Some(_)) if found.permissions().readonly() => {
            Err(Failure::Io { path: write.path.clone(), reason: "it is read-only".to_owned() })
        }
        (Ok(_), Some(before)) if fs::read(&target).is_ok_and(|now| now == *before) => Ok(()),
        _ => Err(changed()),
    }
}

fn current(root: &Path, path: &str) -> Option<String> {
    let target = inside(root, path).ok()?;
    target.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
    fs::read(target).ok().map(|bytes| hash_of(&bytes))
}

fn journal(root: &Path, writes: &[Write], gone: &[String]) -> Journal {
    let mut folders: Vec<String> = Vec::new();
    let paths = writes.iter().filter(|write| write.after.is_some()).map(|write| write.path.as_str());
    for path in [format!("{RUN}/x").as_str()].into_iter().chain(paths) {
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or_default().to_owned();
            if !folders.contains(&folder) && !root.join(&folder).is_dir() {
                folders.push(folder);
            }
        }
    }
    let hashed = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(hash_of);
    let entry =
        |write: &Write| Entry { path: write.path.clone(), before: hashed(&write.before), after: hashed(&write.after) };
    Journal { folders, gone: gone.to_vec(), files: writes.iter().map(entry).collect() }
}

type Step = Result<(), (String, io::Error)>;

fn stage(root: &Path, writes: &[Write], journal: &Journal, disk: &mut dyn Disk) -> Step {
    let run = root.join(RUN);
    let at = |path: &str| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    for folder in [FOLDER, RUN] {
        if !root.join(folder).is_dir() {
            disk.make_folder(&root.join(folder)).map_err(at(folder))?;
        }
    }
    for (index, write) in writes.iter().enumerate() {
        let target = root.join(&write.path);
        if let Some(before) = &write.before {
            let old = run.join(format!("old.{index}"));
            disk.write(&old, before).map_err(at(&write.path))?;
            disk.take_permissions(&old, &target).map_err(at(&write.path))?;
        }
        if let Some(after) = &write.after {
            let new = run.join(format!("new.{index}"));
            disk.write(&new, after).map_err(at(&write.path))?;
            if write.before.is_some() {
                disk.take_permissions(&new, &target).map_err(at(&write.path))?;
            }
        }
    }
    let text = toml::to_string(journal).map_err(|error| (RUN.to_owned(), io::Error::other(error.to_string())))?;
    let unfinished = run.join("journal.tmp");
    disk.write(&unfinished, text.as_bytes()).map_err(at(RUN))?;
    disk.rename(&unfinished, &run.join(JOURNAL)).map_err(at(RUN))
}

fn put_in_place(root: &Path, journal: &Journal, disk: &mut dyn Disk) -> Step {
    for folder in journal.folders.iter().filter(|folder| !root.join(folder).is_dir()) {
        disk.make_folder(&root.join(folder)).map_err(|error| (folder.clone(), error))?;
    }
    for (index, entry) in journal.files.iter().enumerate() {
        let target = root.join(&entry.path);
        let result = match entry.after {
            Some(_) => disk.rename(&root.join(RUN).join(format!("new.{index}")), &target),
            None => disk.remove(&target),
        };
        result.map_err(|error| (entry.path.clone(), error))?;
    }
    Ok(())
}

/// Puts back what was changed, last change first. Answers the files that somebody has changed since.
fn undo(root: &Path, journal: &Journal, disk: &mut dyn Disk) -> io::Result<Vec<String>> {
    let mut kept = Vec::new();
    for (index, entry) in journal.files.iter().enumerate().rev() {
        let now = current(root, &entry.path);
        if now == entry.before {
            continue;
        }
        if now != entry.after {
            kept.push(entry.path.clone());
            continue;
        }
        let target = root.join(&entry.path);
        match entry.before {
            Some(_) => disk.rename(&root.join(RUN).join(format!("old.{index}")), &target)?,
            None => disk.remove(&target)?,
        }
    }
    disk.rename(&root.join(RUN), &root.join(UNDONE))?;
    leave(root, UNDONE, &reversed(journal.folders.clone()), disk)?;
    kept.reverse();
    Ok(kept)
}

/// Removes what was staged; the journal last.
fn clean(staged: &Path, disk: &mut dyn Disk) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(staged) else { return Ok(()) };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort_by_key(|name| (name == JOURNAL, name.clone()));
    for name in names {
        disk.remove(&staged.join(name))?;
    }
    disk.remove_folder(staged)
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
