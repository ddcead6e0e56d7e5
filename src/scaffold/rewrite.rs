//! Changing what was generated: taking modules back, bringing them up to date, letting go of them. A rewrite is a
//! value that is shown before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::apply::write_of_lock;
use super::disk::RealDisk;
use super::history::{Change, History, histories, on_disk};
use super::library::Library;
use super::store::{Inserted, Lock, LockedFile, base_path, hash_of};
use super::transaction::{self, Write};
use crate::project::Tree;

/// What is to happen to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It returns to what it was.
    Restored,
    Removed,
    /// It is brought up to date.
    Updated,
    /// The newer text is put beside it, as FILE.readycheck-new, because both sides changed the same lines.
    Beside,
    /// It holds both texts between conflict markers.
    Marked,
    /// It is left as it is: somebody has changed it.
    Kept,
}

impl Fate {
    pub fn word(self) -> &'static str {
        match self {
            Fate::Restored => "restored",
            Fate::Removed => "removed",
            Fate::Updated => "updated",
            Fate::Beside => "beside",
            Fate::Marked => "marked",
            Fate::Kept => "kept",
        }
    }
}

/// A file of a rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    pub path: String,
    pub fate: Fate,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What would be written, and the lock that goes with it.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// Modules that are taken back, updated or let go.
    pub modules: Vec<String>,
    pub files: Vec<Rewritten>,
    pub lock: Lock,
    texts: BTreeMap<String, String>,
}

/// Both sides changed the same lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    #[default]
    Beside,
    Inline,
}

impl Rewrite {
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Something was left as it is, or needs the user's eyes.
    pub fn is_partial(&self) -> bool {
        self.files.iter().any(|file| matches!(file.fate, Fate::Kept | Fate::Beside | Fate::Marked))
    }

    /// Makes all of it happen, or nothing.
    pub fn apply(&self, root: &Path) -> miette::Result<()> {
        let tree = Tree::on_disk(root);
        let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
        let changed = self.files.iter().filter(|file| file.fate != Fate::Kept && file.before != file.after);
        let mut writes: Vec<Write> = changed
            .map(|file| Write { path: file.path.clone(), before: bytes(&file.before), after: bytes(&file.after) })
            .collect();
        let needed = self.lock.hashes();
        for (hash, text) in &self.texts {
            let path = base_path(hash);
            let before = tree.is_file(&path).then(|| text.clone().into_bytes());
            let after = needed.contains(hash.as_str()).then(|| text.clone().into_bytes());
            if before != after {
                writes.push(Write { path, before, after });
            }
        }
        let mut lock = self.lock.clone();
        let gone = empty_folders(root, &lock.folders, &writes, lock.modules.is_empty());
        lock.folders.retain(|folder| !gone.contains(folder));
        writes.extend(write_of_lock(&tree, &lock)?);
        transaction::commit_and_clear(root, &writes, &gone, &mut RealDisk)
            .map_err(|failure| miette::miette!("{failure}"))?;
        Ok(())
    }
}

/// Folders of the lock that hold nothing once the writes are made, inner ones first.
fn empty_folders(root: &Path, folders: &[String], writes: &[Write], lock_goes: bool) -> Vec<String> {
    let mut gone: BTreeSet<String> =
        writes.iter().filter(|write| write.after.is_none()).map(|write| write.path.clone()).collect();
    if lock_goes {
        gone.insert(super::store::LOCK.to_owned());
    }
    let mut empty = Vec::new();
    for folder in folders.iter().rev() {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        let path = |name: std::ffi::OsString| format!("{folder}/{}", name.to_string_lossy());
        if entries.flatten().all(|entry| gone.contains(&path(entry.file_name()))) {
            gone.insert(folder.clone());
            empty.push(folder.clone());
        }
    }
    empty
}

/// The lock's modules of these ids; all without any. An id that is not there is an error.
fn chosen(lock: &Lock, ids: &[String]) -> Result<BTreeSet<usize>, String> {
    if let Some(missing) = ids.iter().find(|id| !lock.modules.iter().any(|module| module.id == **id)) {
        return Err(format!("`{missing}` is not applied here; `readycheck scaffold status` lists what is"));
    }
    let is_chosen = |id: &String| ids.is_empty() || ids.contains(id);
    Ok(lock.modules.iter().enumerate().filter(|(_, module)| is_chosen(&module.id)).map(|(index, _)| index).collect())
}

/// Takes modules back: files still as generated return to their exact earlier bytes.
pub fn undo(tree: &Tree, library: &Library, ids: &[String]) -> Result<Rewrite, String> {
    let lock = Lock::read(tree)?;
    let chosen = chosen(&lock, ids)?;
    check_dependants(&lock, library, &chosen)?;
    let histories = histories(tree, &lock)?;
    let out: BTreeMap<usize, Option<String>> = chosen.iter().map(|&index| (index, None)).collect();
    let mut files = Vec::new();
    let mut left: BTreeMap<String, History> = BTreeMap::new();
    for (path, history) in &histories {
        let touched = history.changes.iter().any(|change| chosen.contains(&change.module));
        let now = on_disk(tree, path)?;
        let without = history.with(&out);
        match (touched, now, without) {
            (false, ..) => {
                left.insert(path.clone(), history.clone());
            }
            (true, Some(now), Ok((rest, after))) if history.end() == Some(now.as_str()) => {
                let fate = if after.is_some() { Fate::Restored } else { Fate::Removed };
                files.push(Rewritten { path: path.clone(), fate, before: Some(now), after });
                left.insert(path.clone(), rest);
            }
            (true, None, Ok((rest, _))) => {
                left.insert(path.clone(), rest);
            }
            (true, now, _) => {
                files.push(kept(path, now));
                left.insert(path.clone(), history.clone());
            }
        }
    }
    let modules = chosen.iter().filter_map(|&index| lock.modules.get(index)).map(|module| module.id.clone()).collect();
    Ok(Rewrite { modules, files, texts: texts(&histories, &left), lock: relocked(&lock, &left) })
}

/// A module that others need stays until they go.
fn check_dependants(lock: &Lock, library: &Library, chosen: &BTreeSet<usize>) -> Result<(), String> {
    let going = |id: &String, service: &String| {
        lock.modules
            .iter()
            .enumerate()
            .any(|(index, module)| chosen.contains(&index) && module.id == *id && module.service == *service)
    };
    for (_, module) in lock.modules.iter().enumerate().filter(|(index, _)| !chosen.contains(index)) {
        let needs = library.module(&module.id).into_iter().flat_map(|found| found.needs_on(&module.stack));
        if let Some(need) = needs.into_iter().find(|need| going(need, &module.service)) {
            return Err(format!("`{}` needs `{need}`; undo it as well", module.id));
        }
    }
    Ok(())
}

/// Lets go of modules: their files stay, nothing remembers where they came from.
pub fn eject(tree: &Tree, ids: &[String]) -> Result<Rewrite, String> {
    let lock = Lock::read(tree)?;
    let chosen = chosen(&lock, ids)?;
    let histories = histories(tree, &lock)?;
    let mut left = histories.clone();
    for history in left.values_mut() {
        history.changes.retain(|change| !chosen.contains(&change.module));
    }
    let modules = chosen.iter().filter_map(|&index| lock.modules.get(index)).map(|module| module.id.clone()).collect();
    let mut lock = relocked(&lock, &left);
    if lock.modules.is_empty() {
        // The folders of files that stay are nobody's to remove.
        lock.folders.retain(|folder| folder.starts_with(super::store::FOLDER));
    }
    Ok(Rewrite { modules, files: Vec::new(), texts: texts(&histories, &left), lock })
}

/// The texts that the lock named or will name, by hash.
fn texts(before: &BTreeMap<String, History>, after: &BTreeMap<String, History>) -> BTreeMap<String, String> {
    let changes = before.values().chain(after.values()).flat_map(|history| &history.changes);
    let all = changes.flat_map(|change| change.before.iter().chain([&change.after]));
    all.map(|text| (hash_of(text.as_bytes()), text.clone())).collect()
}

/// The lock with the files that the histories still tell; a module of which nothing is left goes.
fn relocked(lock: &Lock, left: &BTreeMap<String, History>) -> Lock {
    let mut lock = lock.clone();
    for (index, module) in lock.modules.iter_mut().enumerate() {
        module.files = left
            .iter()
            .flat_map(|(path, history)| history.changes.iter().map(move |change| (path, change)))
            .filter(|(_, change)| change.module == index)
            .map(|(path, change)| LockedFile {
                path: path.clone(),
                before: change.before.as_ref().map(|text| hash_of(text.as_bytes())),
                after: hash_of(change.after.as_bytes()),
            })
            .collect();
    }
    lock.modules.retain(|module| !module.files.is_empty());
    lock
}

/// What a module would write today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regenerated {
    pub fingerprint: String,
    pub inserted: Vec<Inserted>,
    /// By path.
    pub texts: BTreeMap<String, String>,
}

/// Brings modules up to date: three-way between what was generated, what is there and what would be generated now.
/// `regenerated` is by the module's index in the lock.
pub fn update(
    tree: &Tree,
    lock: &Lock,
    regenerated: &BTreeMap<usize, Regenerated>,
    on_conflict: OnConflict,
) -> Result<Rewrite, String> {
    let histories = histories(tree, lock)?;
    let mut left = histories.clone();
    let mut files = Vec::new();
    for (path, history) in &histories {
        let newer = newer_texts(path, history, regenerated);
        if newer.is_empty() {
            continue;
        }
        let now = on_disk(tree, path)?;
        match (now, history.with(&newer)) {
            (Some(now), Ok((replaced, Some(wanted)))) => {
                files.push(merged(path, history.end().unwrap_or_default(), now, &wanted, on_conflict));
                left.insert(path.clone(), replaced);
            }
            (now, _) => files.push(kept(path, now)),
        }
    }
    for (&module, one) in regenerated {
        for (path, text) in one.texts.iter().filter(|(path, _)| !histories.contains_key(*path)) {
            let is_free = on_disk(tree, path)?.is_none();
            let (fate, to) =
                if is_free { (Fate::Updated, path.clone()) } else { (Fate::Beside, format!("{path}.readycheck-new")) };
            if is_free {
                let change = Change { module, before: None, after: text.clone() };
                left.entry(path.clone()).or_default().changes.push(change);
            }
            files.push(Rewritten { path: to, fate, before: None, after: Some(text.clone()) });
        }
    }
    let texts = texts(&histories, &left);
    let mut lock = lock.clone();
    let mut modules = Vec::new();
    for (index, one) in regenerated {
        if let Some(module) = lock.modules.get_mut(*index) {
            module.template.clone_from(&one.fingerprint);
            module.inserted.clone_from(&one.inserted);
            modules.push(module.id.clone());
        }
    }
    Ok(Rewrite { modules, files, lock: relocked(&lock, &left), texts })
}

/// What changes of a file, by module.
fn newer_texts(
    path: &str,
    history: &History,
    regenerated: &BTreeMap<usize, Regenerated>,
) -> BTreeMap<usize, Option<String>> {
    let differs = |change: &&Change| {
        let text = regenerated.get(&change.module).and_then(|one| one.texts.get(path));
        text.is_some_and(|text| *text != change.after)
    };
    let changes = history.changes.iter().filter(differs);
    changes
        .filter_map(|change| Some((change.module, Some(regenerated.get(&change.module)?.texts.get(path)?.clone()))))
        .collect()
}

fn kept(path: &str, now: Option<String>) -> Rewritten {
    Rewritten { path: path.to_owned(), fate: Fate::Kept, before: now.clone(), after: now }
}

fn merged(path: &str, base: &str, now: String, wanted: &str, on_conflict: OnConflict) -> Rewritten {
    let file = |fate, path: String, before, after| Rewritten { path, fate, before, after: Some(after) };
    match (diffy::merge(base, &now, wanted), on_conflict) {
        (Ok(text), _) => file(Fate::Updated, path.to_owned(), Some(now), text),
        (Err(marked), OnConflict::Inline) => file(Fate::Marked, path.to_owned(), Some(now), marked),
        (Err(_), OnConflict::Beside) => file(Fate::Beside, format!("{path}.readycheck-new"), None, wanted.to_owned()),
    }
}
