//! What a repository held before: every version of every file that some commit has, and the paths of one commit. Read
//! from git's files alone, as everything about git is: it is never run, and its configuration never read.

mod delta;
mod objects;
mod pack;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use objects::{Content, Kind, Objects, hex, id_of};

use super::git;
use super::model::Diagnostic;

/// Commits, folders and versions of files that are looked at.
const MAX_COMMITS: usize = 200_000;
const MAX_VERSIONS: usize = 1_000_000;
/// Bytes of all versions together.
const MAX_BYTES: usize = 3 << 30;
/// Larger versions are data.
const MAX_VERSION: usize = 2 << 20;
/// Folders in folders.
const MAX_DEPTH: usize = 64;
/// How many commits back `HEAD~3` may go.
const MAX_STEPS: usize = 10_000;

/// One version of a file, with a commit that has it.
pub struct Version {
    pub path: String,
    pub commit: String,
    pub content: Content,
}

pub struct History {
    objects: Objects,
    folder: PathBuf,
    common: PathBuf,
    is_shallow: bool,
    missing: usize,
}

struct Commit {
    tree: Vec<u8>,
    parents: Vec<Vec<u8>>,
    /// Seconds; orders commits, nothing else.
    time: i64,
}

/// What was looked at already, and how much of it.
#[derive(Default)]
struct Seen {
    ids: HashSet<Vec<u8>>,
    versions: usize,
    bytes: usize,
}

impl Seen {
    fn is_full(&self) -> bool {
        self.versions >= MAX_VERSIONS || self.bytes >= MAX_BYTES
    }
}

impl History {
    /// The history of the repository at `root`; what is wrong where there is none.
    pub fn open(root: &Path) -> Result<History, String> {
        let (folder, common) = git::folders(root).ok_or("this is no work tree of git, so that it has no history")?;
        let head = git::resolve(&folder, &common, "HEAD").ok_or("HEAD names no commit: there is no history yet")?;
        let objects = Objects::open(&common.join("objects"), head.len() / 2);
        let is_shallow = common.join("shallow").symlink_metadata().is_ok();
        Ok(History { objects, folder, common, is_shallow, missing: 0 })
    }

    /// Hands every version of every file to `each`, those of older commits first. `wants` says by its path whether a file
    /// is worth reading.
    pub fn versions(&mut self, wants: &dyn Fn(&str) -> bool, each: &mut dyn FnMut(Version)) -> Vec<Diagnostic> {
        let commits = self.commits();
        let mut seen = Seen::default();
        for (id, tree) in &commits {
            if seen.is_full() {
                break;
            }
            let mut walk = Walk { history: self, seen: &mut seen, wants, each, commit: hex(id) };
            walk.folder(tree, "", MAX_DEPTH);
        }
        self.gaps(commits.len() >= MAX_COMMITS || seen.is_full())
    }

    /// The paths of the files that a commit has; the commit as people name it: `main`, `v1.2`, `HEAD~2`, an id.
    pub fn paths_of(&mut self, name: &str) -> Result<BTreeSet<String>, String> {
        let commit = self.named(name).ok_or_else(|| format!("`{name}` names no commit of this repository"))?;
        let tree = self.commit(&commit).ok_or_else(|| format!("the commit of `{name}` is not in this clone"))?.tree;
        let mut paths = BTreeSet::new();
        self.list(&tree, "", MAX_DEPTH, &mut paths);
        match self.missing {
            0 => Ok(paths),
            _ => Err(format!("the files of `{name}` are not all in this clone")),
        }
    }

    /// All commits that some reference leads to, with their folders, the oldest first.
    fn commits(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut open: Vec<Vec<u8>> = git::tips(&self.folder, &self.common).iter().filter_map(|id| id_of(id)).collect();
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut found: Vec<(i64, Vec<u8>, Vec<u8>)> = Vec::new();
        while let Some(id) = open.pop() {
            if found.len() >= MAX_COMMITS || !seen.insert(id.clone()) {
                continue;
            }
            let Some(commit) = self.commit(&id) else { continue };
            open.extend(commit.parents);
            found.push((commit.time, id, commit.tree));
        }
        found.sort();
        found.into_iter().map(|(_, id, tree)| (id, tree)).collect()
    }

    /// The commit of that id, or that a tag of that id is for.
    fn commit(&mut self, id: &[u8]) -> Option<Commit> {
        let Some((kind, content)) = self.objects.read(id) else {
            // The edge of a shallow clone is told as such.
            self.missing += usize::from(!self.is_shallow);
            return None;
        };
        match kind {
            Kind::Commit => commit(&content),
            Kind::Tag => {
                let target = header(&content, "object ").find_map(id_of)?;
                let (kind, content) = self.objects.read(&target)?;
                (kind == Kind::Commit).then(|| commit(&content))?
            }
            Kind::Tree | Kind::Blob => None,
        }
    }

    /// `main`, `origin/main`, `v1`, an id, each with `~3` and `^` behind it.
    fn named(&mut self, name: &str) -> Option<Vec<u8>> {
        let end = name.find(['~', '^']).unwrap_or(name.len());
        let (start, steps) = name.split_at(end);
        let mut id = id_of(&git::resolve(&self.folder, &self.common, start)?)?;
        for _ in 0..steps_back(steps)? {
            id = self.commit(&id)?.parents.into_iter().next()?;
        }
        Some(id)
    }

    fn list(&mut self, tree: &[u8], folder: &str, depth: usize, paths: &mut BTreeSet<String>) {
        for entry in self.tree(tree) {
            let path = join(folder, &entry.name);
            match entry.is {
                Is::Folder if depth > 0 => self.list(&entry.id, &path, depth - 1, paths),
                Is::File => {
                    paths.insert(path);
                }
                _ => {}
            }
        }
    }

    fn tree(&mut self, id: &[u8]) -> Vec<Entry> {
        match self.objects.read(id) {
            Some((Kind::Tree, content)) => entries(&content, id.len()),
            _ => {
                self.missing += 1;
                Vec::new()
            }
        }
    }

    fn gaps(&self, stopped: bool) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.is_shallow {
            found.push("this clone is shallow: what was committed before its first commit was not looked at; fetch all of it (`git fetch --unshallow`)".to_owned());
        }
        if self.missing > 0 {
            found.push(format!(
                "{} objects are not in this clone, broken or too large: they were not looked at",
                self.missing
            ));
        }
        if stopped {
            found.push("the history is larger than what is looked at: the newest of it was left out".to_owned());
        }
        found
            .into_iter()
            .map(|message| Diagnostic { kind: "history".into(), path: ".git".into(), line: 1, message })
            .collect()
    }
}

/// On the way through the folders of one commit.
struct Walk<'w> {
    history: &'w mut History,
    seen: &'w mut Seen,
    wants: &'w dyn Fn(&str) -> bool,
    each: &'w mut dyn FnMut(Version),
    commit: String,
}

impl Walk<'_> {
    /// A folder that an older commit had has nothing new.
    fn folder(&mut self, tree: &[u8], folder: &str, depth: usize) {
        if depth == 0 || !self.seen.ids.insert(tree.to_vec()) {
            return;
        }
        for entry in self.history.tree(tree) {
            let path = join(folder, &entry.name);
            match entry.is {
                Is::Folder => self.folder(&entry.id, &path, depth - 1),
                Is::File => self.file(&entry.id, path),
                Is::Other => {}
            }
        }
    }

    fn file(&mut self, id: &[u8], path: String) {
        if self.seen.is_full() || !(self.wants)(&path) || !self.seen.ids.insert(id.to_vec()) {
            return;
        }
        match self.history.objects.read(id) {
            Some((Kind::Blob, content)) if content.len() <= MAX_VERSION => {
                self.seen.versions += 1;
                self.seen.bytes += content.len();
                (self.each)(Version { path, commit: self.commit.clone(), content });
            }
            Some(_) => {}
            None => self.history.missing += 1,
        }
    }
}

struct Entry {
    is: Is,
    name: String,
    id: Vec<u8>,
}

enum Is {
    Folder,
    File,
    /// A link or a submodule.
    Other,
}

/// `100644 name\0<id>`, again and again. A name that would lead elsewhere ends the list.
fn entries(content: &[u8], id_length: usize) -> Vec<Entry> {
    let mut rest = content;
    let mut found = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let (Some(head), Some(id)) = (rest.get(..end), rest.get(end + 1..end + 1 + id_length)) else { break };
        let Some((mode, name)) = std::str::from_utf8(head).ok().and_then(|head| head.split_once(' ')) else { break };
        if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
            break;
        }
        let is = match mode {
            "40000" => Is::Folder,
            _ if mode.starts_with("100") => Is::File,
            _ => Is::Other,
        };
        found.push(Entry { is, name: name.to_owned(), id: id.to_vec() });
        rest = &rest[end + 1 + id_length..];
    }
    found
}

fn commit(content: &[u8]) -> Option<Commit> {
    let tree = header(content, "tree ").find_map(id_of)?;
    let parents = header(content, "parent ").filter_map(id_of).collect();
    let committer = header(content, "committer ").next().unwrap_or_default();
    let time = committer.rsplit(' ').nth(1).and_then(|time| time.parse().ok()).unwrap_or(0);
    Some(Commit { tree, parents, time })
}

/// What stands behind a word at the head of a commit or tag.
fn header<'c>(content: &'c [u8], word: &'c str) -> impl Iterator<Item = &'c str> {
    let lines = content.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    lines.filter_map(move |line| std::str::from_utf8(line).ok()?.strip_prefix(word))
}

/// How many first parents back `~3^` leads.
fn steps_back(text: &str) -> Option<usize> {
    let mut steps = 0_usize;
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let digits = rest.get(1..)?.chars().take_while(char::is_ascii_digit).count();
        let number = rest.get(1..=digits)?;
        let number = if number.is_empty() { 1 } else { number.parse().ok()? };
        steps += match sign {
            '~' => number,
            '^' if number == 1 => 1,
            _ => return None,
        };
        rest = rest.get(1 + digits..)?;
    }
    (steps <= MAX_STEPS).then_some(steps)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
