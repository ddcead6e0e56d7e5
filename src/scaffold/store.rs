//! What was generated: `.readycheck/lock.toml`, and the texts that it names in `.readycheck/base/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::project::{DATA_LIMIT, ReadProblem, Tree, decode};

pub const FOLDER: &str = ".readycheck";
pub const LOCK: &str = ".readycheck/lock.toml";
const BASE: &str = ".readycheck/base";
const HEADER: &str = "\
# Written by `readycheck scaffold`. Commit it together with base/: status, update and undo need both.
";
const VERSION: u32 = 1;

/// Every module that was applied, in that order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub version: u32,
    /// Folders that were made and go when they are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    #[serde(default, rename = "module")]
    pub modules: Vec<LockedModule>,
}

impl Default for Lock {
    fn default() -> Lock {
        Lock { version: VERSION, folders: Vec::new(), modules: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedModule {
    pub id: String,
    pub service: String,
    pub stack: String,
    /// The fingerprint of the templates that it came from.
    pub template: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    #[serde(default, rename = "file")]
    pub files: Vec<LockedFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inserted: Vec<Inserted>,
}

/// A file before and after a module, by the hashes of its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    pub path: String,
    /// None if the module created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    pub after: String,
}

/// Statements that a module put at an anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inserted {
    pub path: String,
    pub anchor: String,
    pub text: String,
}

impl Lock {
    /// The lock of a tree; an empty one where there is none.
    pub fn read(tree: &Tree) -> Result<Lock, String> {
        let bytes = match tree.read(LOCK, DATA_LIMIT) {
            Ok(bytes) => bytes,
            Err(ReadProblem::Missing) => return Ok(Lock::default()),
            Err(problem) => return Err(format!("{LOCK} cannot be read: {problem}")),
        };
        let text = decode(&bytes).map_err(|problem| format!("{LOCK} cannot be read: {problem}"))?;
        let lock: Lock = toml::from_str(text)
            .map_err(|error| format!("{LOCK} is damaged; restore it from git: {}", error.message()))?;
        match lock.version {
            VERSION => Ok(lock),
            other => Err(format!("{LOCK} has version {other}; a newer readycheck wrote it")),
        }
    }

    /// The text of the lock; none if it is empty, so that the file goes.
    pub fn text(&self) -> Option<String> {
        if self.modules.is_empty() {
            return None;
        }
        toml::to_string(self).ok().map(|text| format!("{HEADER}{text}"))
    }

    pub fn module(&self, id: &str, service: &str) -> Option<&LockedModule> {
        self.modules.iter().find(|module| module.id == id && module.service == service)
    }

    /// The hashes that are still needed.
    pub fn hashes(&self) -> std::collections::BTreeSet<&str> {
        let files = self.modules.iter().flat_map(|module| &module.files);
        files.flat_map(|file| file.before.iter().chain([&file.after])).map(String::as_str).collect()
    }
}

/// Where the text of a hash is kept.
pub fn base_path(hash: &str) -> String {
    format!("{BASE}/{hash}")
}

/// The text of a hash, if it is there and is what the hash says.
pub fn base(tree: &Tree, hash: &str) -> Result<Vec<u8>, String> {
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let damaged = || format!("{} is missing or damaged; restore it from git", base_path(hash));
    let bytes =
        if is_hash { tree.read(&base_path(hash), DATA_LIMIT).map_err(|_| damaged())? } else { return Err(damaged()) };
    if hash_of(&bytes) == hash { Ok(bytes) } else { Err(damaged()) }
}

/// The hash of a text, in hexadecimal digits.
pub fn hash_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_what_it_writes() {
        let file = LockedFile { path: "a.ts".into(), before: None, after: hash_of(b"x") };
        let inserted =
            Inserted { path: "app.ts".into(), anchor: "app.created".into(), text: "app.use(x);\n\"y\"".into() };
        let module = LockedModule {
            id: "health".into(),
            service: ".".into(),
            stack: "express".into(),
            template: "t".into(),
            inputs: BTreeMap::new(),
            files: vec![file],
            inserted: vec![inserted],
        };
        let lock = Lock { folders: vec!["src/lib".into()], modules: vec![module], ..Lock::default() };
        let tree = Tree::in_memory([(LOCK, lock.text().unwrap())]);
        assert_eq!(Lock::read(&tree).unwrap(), lock);
        assert_eq!(Lock::default().text(), None);
    }

    #[test]
    fn damage_is_told() {
        assert!(
            Lock::read(&Tree::in_memory([(LOCK, "version = 1\n[[module]]\nid = 3")])).unwrap_err().contains("damaged")
        );
        assert!(Lock::read(&Tree::in_memory([(LOCK, "version = 9")])).unwrap_err().contains("newer"));
        let hash = hash_of(b"x");
        assert!(base(&Tree::in_memory([(base_path(&hash), "y")]), &hash).is_err());
        assert_eq!(base(&Tree::in_memory([(base_path(&hash), "x")]), &hash).unwrap(), b"x");
        assert!(base(&Tree::in_memory([("x", "y")]), "../../x").is_err());
    }
}
