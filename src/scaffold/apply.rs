//! Writing a plan: one run at a time, all files or none, remembered in the lock.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::Path;

use miette::miette;

use super::disk::RealDisk;
use super::library::Library;
use super::plan::Plan;
use super::store::{LOCK, Lock, LockedFile, LockedModule, base_path, hash_of};
use super::transaction::{self, Recovered, Write};
use crate::project::{DATA_LIMIT, ReadProblem, Tree};

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    pub created: Vec<String>,
    pub edited: Vec<String>,
}

/// Held while a run changes the tree; a second run is refused meanwhile.
pub struct Guard {
    _held: Option<File>,
}

impl Guard {
    pub fn take(root: &Path) -> miette::Result<Guard> {
        let held = File::open(root).or_else(|_| {
            // Folders cannot be opened everywhere: a file of the root's name stands for it then.
            let name = format!("readycheck-{}.lock", hash_of(root.to_string_lossy().as_bytes()));
            File::options().write(true).create(true).truncate(false).open(std::env::temp_dir().join(name))
        });
        let Ok(file) = held else { return Ok(Guard { _held: None }) };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(miette!(
                help = "wait until it has finished",
                "another readycheck is changing {} at the moment",
                root.display()
            )),
            // A file system without locks cannot refuse a second run.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Guard { _held: Some(file) }),
        }
    }
}

/// Whether an interrupted run has left something behind.
pub fn has_leftovers(root: &Path) -> bool {
    transaction::has_leftovers(root)
}

/// Cleans up after an interrupted run; tells what it found.
pub fn recover(root: &Path, _guard: &Guard) -> miette::Result<Option<Recovered>> {
    transaction::recover(root, &mut RealDisk).map_err(|failure| miette!("{failure}"))
}

/// Writes what is planned, and the lock with it.
pub fn apply(
    root: &Path,
    plan: &Plan,
    library: &Library,
    inputs: &BTreeMap<String, String>,
    _guard: &Guard,
) -> miette::Result<Applied> {
    let tree = Tree::on_disk(root);
    let mut lock = Lock::read(&tree).map_err(|problem| miette!("{problem}"))?;
    let mut applied = Applied::default();
    let mut writes = Vec::new();
    for (path, (before, after)) in plan.files() {
        let list = if before.is_some() { &mut applied.edited } else { &mut applied.created };
        list.push(path.clone());
        writes.push(Write { path, before: before.map(String::into_bytes), after: Some(after.into_bytes()) });
    }
    for planned in &plan.drafts {
        let draft = &planned.draft;
        let files = draft.changes.iter().map(|change| LockedFile {
            path: change.path.clone(),
            before: change.before.as_ref().map(|text| hash_of(text.as_bytes())),
            after: hash_of(change.after.as_bytes()),
        });
        lock.modules.push(LockedModule {
            id: draft.module.clone(),
            service: plan.service.clone(),
            stack: draft.stack.clone(),
            template: library.fingerprint(&draft.module),
            inputs: inputs.clone(),
            files: files.collect(),
            inserted: draft.inserted.clone(),
        });
        let texts = draft.changes.iter().flat_map(|change| change.before.iter().chain([&change.after]));
        keep_texts(&tree, texts, &mut writes);
    }
    remember_folders(root, &mut lock, &writes);
    writes.extend(write_of_lock(&tree, &lock)?);
    transaction::commit(root, &writes, &mut RealDisk).map_err(|failure| miette!("{failure}"))?;
    Ok(applied)
}

/// Writes of the texts that the lock names and that are not kept yet.
fn keep_texts<'t>(tree: &Tree, texts: impl Iterator<Item = &'t String>, writes: &mut Vec<Write>) {
    for text in texts {
        let path = base_path(&hash_of(text.as_bytes()));
        if !tree.is_file(&path) && !writes.iter().any(|write| write.path == path) {
            writes.push(Write { path, before: None, after: Some(text.clone().into_bytes()) });
        }
    }
}

/// Folders that the writes make go into the lock, so that undo takes them away.
fn remember_folders(root: &Path, lock: &mut Lock, writes: &[Write]) {
    for write in writes.iter().filter(|write| write.before.is_none()) {
        for (at, _) in write.path.match_indices('/') {
            let folder = write.path.get(..at).unwrap_or_default().to_owned();
            if !lock.folders.contains(&folder) && !root.join(&folder).is_dir() {
                lock.folders.push(folder);
            }
        }
    }
    lock.folders.sort();
}

/// The write of the lock's new text, if it differs.
pub fn write_of_lock(tree: &Tree, lock: &Lock) -> miette::Result<Option<Write>> {
    let before = match tree.read(LOCK, DATA_LIMIT) {
        Ok(bytes) => Some(bytes),
        Err(ReadProblem::Missing) => None,
        Err(problem) => return Err(miette!("{LOCK} cannot be read: {problem}")),
    };
    let after = lock.text().map(String::into_bytes);
    Ok((before != after).then(|| Write { path: LOCK.to_owned(), before, after }))
}
