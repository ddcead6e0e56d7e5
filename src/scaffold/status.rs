//! How what was generated stands today.

use serde::Serialize;

use super::history::{histories, on_disk};
use super::library::Library;
use super::store::Lock;
use crate::project::Tree;

/// How a generated or edited file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStatus {
    /// As the modules left it.
    Pristine,
    /// One of the project's own files that was edited, and has changed since.
    Drifted,
    /// A generated file that somebody has changed.
    Modified,
    Deleted,
}

impl FileStatus {
    pub fn word(self) -> &'static str {
        match self {
            FileStatus::Pristine => "pristine",
            FileStatus::Drifted => "drifted",
            FileStatus::Modified => "modified",
            FileStatus::Deleted => "deleted",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleStatus {
    pub id: String,
    pub service: String,
    pub status: FileStatus,
    /// This readycheck would write it otherwise: `update` brings it up to date.
    pub superseded: bool,
    pub files: Vec<(String, FileStatus)>,
}

/// The state of every module of the lock.
pub fn status(tree: &Tree, lock: &Lock, library: &Library) -> Result<Vec<ModuleStatus>, String> {
    let histories = histories(tree, lock)?;
    let mut found = Vec::new();
    for module in &lock.modules {
        let mut files = Vec::new();
        for file in &module.files {
            let history = histories.get(&file.path);
            let now = on_disk(tree, &file.path)?;
            let created = history.is_none_or(|history| history.start().is_none());
            let state = match now {
                None => FileStatus::Deleted,
                Some(now) if history.and_then(|history| history.end()) == Some(&now) => FileStatus::Pristine,
                Some(_) if created => FileStatus::Modified,
                Some(_) => FileStatus::Drifted,
            };
            files.push((file.path.clone(), state));
        }
        found.push(ModuleStatus {
            id: module.id.clone(),
            service: module.service.clone(),
            status: files.iter().map(|(_, state)| *state).max().unwrap_or(FileStatus::Pristine),
            superseded: library.module(&module.id).is_some() && library.fingerprint(&module.id) != module.template,
            files,
        });
    }
    Ok(found)
}
