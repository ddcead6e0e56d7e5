//! What git holds, from its files alone. Git itself is never run and its configuration never read, so that nothing in
//! a stranger's `.git` can act.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::git_index::{self, Index};
use super::model::Diagnostic;
use super::tree::{ReadProblem, read_regular};

/// An index of a million files has about 100 MB.
const INDEX_LIMIT: u64 = 128 << 20;
const PACKED_REFS_LIMIT: u64 = 32 << 20;
/// `HEAD`, a loose reference, a `gitdir:` file.
const SMALL_LIMIT: u64 = 4 << 10;
/// A reference may point to another one.
const MAX_INDIRECTION: usize = 5;
/// References of one folder, and folders in folders.
const MAX_REFERENCES: usize = 100_000;
const MAX_REFERENCE_DEPTH: usize = 16;

/// What is known about the repository of a root.
#[derive(Debug, Default)]
pub struct Git {
    /// What the index holds; none if there is no repository or its index could not be read.
    pub tracked: Option<TrackedPaths>,
    /// The commit that HEAD names.
    pub commit: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The paths of an index, relative to the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TrackedPaths {
    /// Sorted as git sorts them: by bytes.
    pub files: Vec<String>,
    submodules: HashSet<String>,
    lookup: HashSet<String>,
}

impl TrackedPaths {
    fn new(index: Index) -> TrackedPaths {
        let lookup = index.files.iter().cloned().collect();
        TrackedPaths { files: index.files, submodules: index.submodules.into_iter().collect(), lookup }
    }

    /// Whether git holds the file itself or the submodule that it is part of.
    pub fn contains(&self, path: &str) -> bool {
        self.lookup.contains(path) || (!self.submodules.is_empty() && self.in_submodule(path))
    }

    fn in_submodule(&self, path: &str) -> bool {
        path.match_indices('/').any(|(at, _)| path.get(..at).is_some_and(|folder| self.submodules.contains(folder)))
    }
}

/// Whether a folder is the work tree of a repository.
pub fn is_work_tree(folder: &Path) -> bool {
    let git = folder.join(".git");
    git.join("HEAD").symlink_metadata().is_ok()
        || (git.is_file() && small(&git).is_some_and(|s| s.starts_with("gitdir:")))
}

/// Reads the repository at `root`; its absence is no problem, its damage a diagnostic.
pub fn read(root: &Path) -> Git {
    let Ok(metadata) = root.join(".git").symlink_metadata() else {
        return Git::default();
    };
    let folder = if metadata.is_dir() { Some(root.join(".git")) } else { linked_git_dir(root) };
    let Some(folder) = folder else {
        let message = "it does not lead to this repository's data; every file counts as tracked";
        return Git { diagnostics: vec![diagnostic(".git", message)], ..Git::default() };
    };
    let common = common_dir(&folder);
    let commit = head_commit(&folder, &common);
    match read_index(&folder) {
        Ok(tracked) => Git { tracked, commit, diagnostics: Vec::new() },
        Err(reason) => {
            let message = format!("{reason}; every file counts as tracked");
            Git { tracked: None, commit, diagnostics: vec![diagnostic(".git/index", &message)] }
        }
    }
}

fn diagnostic(path: &str, message: &str) -> Diagnostic {
    Diagnostic { kind: "git".into(), path: path.into(), line: 1, message: message.into() }
}

fn read_index(folder: &Path) -> Result<Option<TrackedPaths>, String> {
    match read_regular(&folder.join("index"), INDEX_LIMIT) {
        Ok(contents) => match git_index::parse(&contents) {
            Ok(index) => Ok(Some(TrackedPaths::new(index))),
            Err(problem) => Err(problem.to_string()),
        },
        Err(ReadProblem::Missing) => Ok(None),
        Err(problem) => Err(problem.to_string()),
    }
}

/// Follows `gitdir: PATH` of a linked work tree or a submodule. The target is believed only if it is evidently about
/// this root: a work tree's data names the root in turn; a submodule's lies in `.git/modules` of a folder above.
fn linked_git_dir(root: &Path) -> Option<PathBuf> {
    let link = root.join(".git");
    let text = small(&link)?;
    let target = root.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()?;
    let points_back = || {
        let back = small(&target.join("gitdir"))?;
        Some(target.join(back.trim()).canonicalize().ok()? == link.canonicalize().ok()?)
    };
    let holds_modules = || {
        let root = root.canonicalize().ok()?;
        Some(root.ancestors().skip(1).any(|above| target.starts_with(above.join(".git").join("modules"))))
    };
    (points_back() == Some(true) || holds_modules() == Some(true)).then_some(target)
}

/// Where references are: for a linked work tree, the main repository's folder.
fn common_dir(folder: &Path) -> PathBuf {
    let named = small(&folder.join("commondir"));
    // A linked work tree's data is `<common>/worktrees/<name>`; anything else is not followed.
    named
        .and_then(|text| folder.join(text.trim()).canonicalize().ok())
        .filter(|common| folder.canonicalize().is_ok_and(|folder| folder.starts_with(common.join("worktrees"))))
        .unwrap_or_else(|| folder.to_path_buf())
}

/// The folder of a repository's data, and the one that it shares with other work trees.
pub(super) fn folders(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let metadata = root.join(".git").symlink_metadata().ok()?;
    let folder = if metadata.is_dir() { root.join(".git") } else { linked_git_dir(root)? };
    let common = common_dir(&folder);
    Some((folder, common))
}

/// The id that a name stands for: `HEAD`, a branch, a tag, a branch of a remote, or the id itself.
pub(super) fn resolve(folder: &Path, common: &Path, name: &str) -> Option<String> {
    if name == "HEAD" {
        return head_commit(folder, common);
    }
    let written = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map(|start| format!("{start}{name}"));
    let mut references = written.iter().filter(|reference| is_reference(reference));
    references.find_map(|reference| followed(format!("ref: {reference}"), folder, common)).or_else(|| commit_id(name))
}

/// What `HEAD` and all references name, each once.
pub(super) fn tips(folder: &Path, common: &Path) -> Vec<String> {
    let mut found: Vec<String> = head_commit(folder, common).into_iter().collect();
    let packed = read_regular(&common.join("packed-refs"), PACKED_REFS_LIMIT).unwrap_or_default();
    let packed = String::from_utf8_lossy(&packed).into_owned();
    found.extend(packed.lines().filter_map(|line| commit_id(line.split_once(' ')?.0)));
    let mut open = vec![(common.join("refs"), 0)];
    while let Some((path, depth)) = open.pop() {
        let entries = std::fs::read_dir(&path).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
        for entry in entries.into_iter().take(MAX_REFERENCES) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_REFERENCE_DEPTH => open.push((entry.path(), depth + 1)),
                Ok(kind) if kind.is_file() => found.extend(small(&entry.path()).and_then(|text| commit_id(&text))),
                _ => {}
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn head_commit(folder: &Path, common: &Path) -> Option<String> {
    followed(small(&folder.join("HEAD"))?, folder, common)
}

/// From `ref: NAME` to an id, through further references.
fn followed(mut value: String, folder: &Path, common: &Path) -> Option<String> {
    for _ in 0..MAX_INDIRECTION {
        let Some(name) = value.trim().strip_prefix("ref:") else {
            return commit_id(&value);
        };
        let name = name.trim();
        if !is_reference(name) {
            return None;
        }
        match small(&folder.join(name)).or_else(|| small(&common.join(name))) {
            Some(next) => value = next,
            None => return packed(common, name),
        }
    }
    None
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let contents = read_regular(&common.join("packed-refs"), PACKED_REFS_LIMIT).ok()?;
    let text = String::from_utf8_lossy(&contents);
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, n)| n.trim() == name)
        .and_then(|(id, _)| commit_id(id))
}

/// `refs/…`, with nothing in it that leads elsewhere.
fn is_reference(name: &str) -> bool {
    name.starts_with("refs/") && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn commit_id(text: &str) -> Option<String> {
    let id = text.trim();
    let is_id = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_ascii_lowercase())
}

fn small(path: &Path) -> Option<String> {
    String::from_utf8(read_regular(path, SMALL_LIMIT).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::project::git_index::tests::{Version, index_of};

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(root: &Path, path: &str, contents: impl AsRef<[u8]>) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    #[test]
    fn without_a_repository_nothing_is_known_and_nothing_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let git = read(dir.path());
        assert!(git.tracked.is_none() && git.commit.is_none() && git.diagnostics.is_empty());
        assert!(!is_work_tree(dir.path()));
    }

    #[test]
    fn head_is_followed_through_loose_and_packed_references() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), ".git/HEAD", "ref: refs/heads/main\n");
        assert!(is_work_tree(dir.path()));
        assert_eq!(read(dir.path()).commit, None);
        write(dir.path(), ".git/packed-refs", format!("# pack-refs with: peeled\n{ID} refs/heads/main\n"));
        assert_eq!(read(dir.path()).commit.as_deref(), Some(ID));
        write(dir.path(), ".git/refs/heads/main", "f".repeat(40));
        assert_eq!(read(dir.path()).commit, Some("f".repeat(40)));
        write(dir.path(), ".git/HEAD", ID);
        assert_eq!(read(dir.path()).commit.as_deref(), Some(ID));
    }

    #[test]
    fn a_hostile_head_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "id", ID);
        for head in ["ref: refs/../../id", "ref: ../id", "ref: /etc/passwd", "ref: refs/heads/loop", "not an id"] {
            write(dir.path(), ".git/HEAD", head);
            write(dir.path(), ".git/refs/heads/loop", "ref: refs/heads/loop");
            assert_eq!(read(dir.path()).commit, None, "{head}");
        }
    }

    #[test]
    fn a_hostile_configuration_is_not_even_read() {
        let dir = tempfile::tempdir().unwrap();
        let witness = dir.path().join("witness");
        let config = format!("[core]\n\tfsmonitor = touch {}\n", witness.display());
        write(dir.path(), ".git/config", config);
        write(dir.path(), ".git/HEAD", ID);
        write(dir.path(), ".git/index", index_of(Version::Two, &["a.js"]));
        assert!(read(dir.path()).tracked.unwrap().contains("a.js"));
        assert!(!witness.exists());
    }

    #[test]
    fn a_broken_index_is_a_diagnostic() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), ".git/HEAD", ID);
        write(dir.path(), ".git/index", "DIRC but not really");
        let git = read(dir.path());
        assert!(git.tracked.is_none());
        assert_eq!((git.diagnostics[0].kind.as_str(), git.diagnostics[0].path.as_str()), ("git", ".git/index"));
    }

    #[test]
    fn a_linked_work_tree_is_followed_when_it_points_back() {
        let dir = tempfile::tempdir().unwrap();
        let (main, tree) = (dir.path().join("main"), dir.path().join("tree"));
        let data = main.join(".git/worktrees/tree");
        write(&main, ".git/packed-refs", format!("{ID} refs/heads/side\n"));
        write(&data, "HEAD", "ref: refs/heads/side");
        write(&data, "commondir", "../..");
        write(&data, "index", index_of(Version::Two, &["a.js"]));
        write(&tree, ".git", format!("gitdir: {}\n", data.display()));
        assert!(is_work_tree(&tree));
        assert!(read(&tree).tracked.is_none());
        assert_eq!(read(&tree).diagnostics[0].path, ".git");
        write(&data, "gitdir", tree.join(".git").display().to_string());
        let git = read(&tree);
        assert_eq!(git.tracked.unwrap().files, ["a.js"]);
        assert_eq!(git.commit.as_deref(), Some(ID));
    }

    #[test]
    fn a_submodule_is_followed_into_the_repository_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let module = dir.path().join("libs/one");
        write(dir.path(), ".git/modules/libs/one/HEAD", ID);
        write(dir.path(), ".git/modules/libs/one/index", index_of(Version::Two, &["b.js"]));
        write(&module, ".git", "gitdir: ../../.git/modules/libs/one\n");
        assert_eq!(read(&module).tracked.unwrap().files, ["b.js"]);
        write(&module, ".git", "gitdir: /etc\n");
        assert!(read(&module).tracked.is_none());
    }

    #[test]
    fn files_of_a_submodule_count_as_tracked() {
        let index = Index { files: vec!["a.js".into()], submodules: vec!["libs/one".into()] };
        let tracked = TrackedPaths::new(index);
        assert!(tracked.contains("libs/one/x.js") && tracked.contains("a.js"));
        assert!(!tracked.contains("libs/two/x.js") && !tracked.contains("b.js"));
    }
}
