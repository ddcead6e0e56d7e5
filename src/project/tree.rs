//! Reading one file: from the overlay or the disk, bounded, never blocking, never outside the root.

use std::fs::{self, File as DiskFile};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::model::{Diagnostic, FileKind, Tree};

/// Files of source code above this many bytes are left out (bundles).
pub const SOURCE_LIMIT: u64 = 2 << 20;
/// Any other file above this many bytes is left out.
pub const DATA_LIMIT: u64 = 20 << 20;

/// A NUL byte in this many first bytes makes a file binary.
const BINARY_PROBE: usize = 8 << 10;

/// How many bytes of a file of this kind are read at most.
pub fn size_limit(kind: FileKind) -> u64 {
    match kind {
        FileKind::JavaScript | FileKind::Python | FileKind::Rust => SOURCE_LIMIT,
        _ => DATA_LIMIT,
    }
}

/// Why the text of a file could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadProblem {
    #[error("there is no such file")]
    Missing,
    #[error("it cannot be read ({0}); check its permissions")]
    Unreadable(String),
    #[error("it has {size} bytes, more than the {limit} that are read; exclude it or split it")]
    TooLarge { size: u64, limit: u64 },
    #[error("the path leads out of the project; it is not followed")]
    Outside,
    #[error("it is not a regular file (a pipe, socket, device or folder); it is not opened")]
    NotRegular,
    #[error("it is UTF-16; save it as UTF-8 to have it audited")]
    Utf16,
    #[error("it is not valid UTF-8 from line {line} on; save it as UTF-8 to have it audited")]
    NotUtf8 { line: u32 },
    #[error("it holds NUL bytes and is taken for binary; its contents are not audited")]
    Binary,
}

impl ReadProblem {
    /// The problem as it is reported, with its kind and place.
    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        let (kind, line) = match self {
            ReadProblem::Missing | ReadProblem::Unreadable(_) | ReadProblem::NotRegular => ("unreadable", 1),
            ReadProblem::TooLarge { .. } => ("too-large", 1),
            ReadProblem::Outside => ("link", 1),
            ReadProblem::Utf16 => ("not-utf8", 1),
            ReadProblem::NotUtf8 { line } => ("not-utf8", *line),
            ReadProblem::Binary => ("binary", 1),
        };
        Diagnostic { kind: kind.into(), path: path.into(), line, message: self.to_string() }
    }
}

impl From<io::Error> for ReadProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadProblem::Missing,
            kind => ReadProblem::Unreadable(kind.to_string()),
        }
    }
}

impl Tree {
    /// The files of a folder.
    pub fn on_disk(root: impl Into<PathBuf>) -> Tree {
        Tree { root: root.into(), ..Tree::default() }
    }

    /// Files that exist nowhere but here.
    pub fn in_memory<P, C>(files: impl IntoIterator<Item = (P, C)>) -> Tree
    where
        P: Into<String>,
        C: AsRef<[u8]>,
    {
        let overlay = files.into_iter().map(|(path, contents)| (path.into(), Arc::from(contents.as_ref()))).collect();
        Tree { overlay, virtual_only: true, ..Tree::default() }
    }

    /// The bytes of a file by any relative path, which need not be one that the walk listed: every folder and link on
    /// the way is checked.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadProblem> {
        self.read_checked(path, limit, || self.inside(path))
    }

    /// The bytes of a file that the walk listed: a regular file, not behind a link. Saves the checks of [`Tree::read`].
    pub fn read_listed(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadProblem> {
        self.read_checked(path, limit, || relative(path).map(|path| self.root.join(path)))
    }

    /// Whether there is a regular file at this path, links within the root followed.
    pub fn is_file(&self, path: &str) -> bool {
        self.overlay.contains_key(path)
            || (!self.virtual_only && self.inside(path).is_ok_and(|path| fs::metadata(path).is_ok_and(|m| m.is_file())))
    }

    fn read_checked(
        &self,
        path: &str,
        limit: u64,
        locate: impl FnOnce() -> Result<PathBuf, ReadProblem>,
    ) -> Result<Vec<u8>, ReadProblem> {
        match self.overlay.get(path) {
            Some(contents) if contents.len() as u64 > limit => {
                Err(ReadProblem::TooLarge { size: contents.len() as u64, limit })
            }
            Some(contents) => Ok(contents.to_vec()),
            None if self.virtual_only => Err(ReadProblem::Missing),
            None => read_regular(&locate()?, limit),
        }
    }

    /// Where a relative path leads once its links are followed, if that is inside the root.
    pub(super) fn inside(&self, path: &str) -> Result<PathBuf, ReadProblem> {
        let root = self.root.canonicalize()?;
        let target = root.join(relative(path)?).canonicalize()?;
        if target.starts_with(&root) { Ok(target) } else { Err(ReadProblem::Outside) }
    }
}

/// Refuses paths that are absolute or climb.
fn relative(path: &str) -> Result<&Path, ReadProblem> {
    let path = Path::new(path);
    let descends = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if descends { Ok(path) } else { Err(ReadProblem::Outside) }
}

/// Reads a regular file of at most `limit` bytes; looks before it opens, since opening a pipe blocks.
pub(super) fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, ReadProblem> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(ReadProblem::NotRegular);
    }
    if metadata.len() > limit {
        return Err(ReadProblem::TooLarge { size: metadata.len(), limit });
    }
    let mut contents = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    DiskFile::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut contents)?;
    let size = contents.len() as u64;
    if size > limit { Err(ReadProblem::TooLarge { size, limit }) } else { Ok(contents) }
}

/// The text of a file, without its byte order mark.
///
/// All offsets, lines and columns of the audit count in this text, so a mark never shifts a place: editors do not count
/// it either.
pub fn decode(contents: &[u8]) -> Result<&str, ReadProblem> {
    if contents.starts_with(&[0xFF, 0xFE]) || contents.starts_with(&[0xFE, 0xFF]) {
        return Err(ReadProblem::Utf16);
    }
    if memchr::memchr(0, &contents[..contents.len().min(BINARY_PROBE)]).is_some() {
        return Err(ReadProblem::Binary);
    }
    let contents = contents.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(contents);
    std::str::from_utf8(contents).map_err(|error| {
        let valid = contents.iter().take(error.valid_up_to());
        let breaks = valid.filter(|byte| **byte == b'\n').count();
        ReadProblem::NotUtf8 { line: u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn the_overlay_hides_the_disk() {
        let dir = folder();
        fs::write(dir.path().join("a.js"), "disk").unwrap();
        let mut tree = Tree::on_disk(dir.path());
        assert_eq!(tree.read("a.js", 100).unwrap(), b"disk");
        tree.overlay.insert("a.js".into(), Arc::from(&b"overlay"[..]));
        assert_eq!(tree.read("a.js", 100).unwrap(), b"overlay");
        assert_eq!(tree.read_listed("a.js", 3), Err(ReadProblem::TooLarge { size: 7, limit: 3 }));
    }

    #[test]
    fn a_virtual_tree_never_touches_the_disk() {
        let dir = folder();
        fs::write(dir.path().join("a.js"), "disk").unwrap();
        let mut tree = Tree::in_memory([("b.js", "b")]);
        tree.root = dir.path().into();
        assert_eq!(tree.read("a.js", 100), Err(ReadProblem::Missing));
        assert!(!tree.is_file("a.js") && tree.is_file("b.js"));
    }

    #[test]
    fn sizes_are_checked_before_and_while_reading() {
        let dir = folder();
        fs::write(dir.path().join("big"), vec![b'x'; 11]).unwrap();
        let problem = Tree::on_disk(dir.path()).read("big", 10).unwrap_err();
        assert_eq!(problem, ReadProblem::TooLarge { size: 11, limit: 10 });
        assert_eq!(problem.diagnostic("big").kind, "too-large");
        assert!(Tree::on_disk(dir.path()).read("big", 11).is_ok());
    }

    #[test]
    fn paths_that_climb_or_are_absolute_are_refused() {
        let dir = folder();
        let tree = Tree::on_disk(dir.path());
        for path in ["../x", "/etc/hostname", "a/../../x"] {
            assert_eq!(tree.read(path, 100), Err(ReadProblem::Outside), "{path}");
            assert_eq!(tree.read_listed(path, 100), Err(ReadProblem::Outside), "{path}");
        }
        assert_eq!(tree.read("none", 100), Err(ReadProblem::Missing));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_the_root_only() {
        use std::os::unix::fs::symlink;
        let (dir, elsewhere) = (folder(), folder());
        fs::write(elsewhere.path().join("secret"), "s").unwrap();
        fs::write(dir.path().join("real"), "r").unwrap();
        symlink("real", dir.path().join("near")).unwrap();
        symlink(elsewhere.path(), dir.path().join("far")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        let tree = Tree::on_disk(dir.path());
        assert_eq!(tree.read("near", 10).unwrap(), b"r");
        assert_eq!(tree.read("far/secret", 10), Err(ReadProblem::Outside));
        assert!(matches!(tree.read("loop", 10), Err(ReadProblem::Unreadable(_))));
        assert_eq!(tree.read_listed("near", 10), Err(ReadProblem::NotRegular));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_folders_are_not_opened() {
        let dir = folder();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status();
        assert!(made.is_ok_and(|status| status.success()));
        let tree = Tree::on_disk(dir.path());
        assert_eq!(tree.read("pipe", 10), Err(ReadProblem::NotRegular));
        assert_eq!(tree.read(".", 10), Err(ReadProblem::NotRegular));
    }

    #[test]
    fn text_loses_its_mark_and_nothing_else() {
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1").unwrap(), "a: 1");
        assert_eq!(decode(b"").unwrap(), "");
    }

    #[test]
    fn what_is_not_utf8_is_named_with_its_line() {
        assert_eq!(decode(b"a\nb\xFF"), Err(ReadProblem::NotUtf8 { line: 2 }));
        assert_eq!(decode(b"\xFF\xFEa\0"), Err(ReadProblem::Utf16));
        assert_eq!(decode(b"a\0b"), Err(ReadProblem::Binary));
        let diagnostic = decode(b"a\nb\xFF").unwrap_err().diagnostic("x.js");
        assert_eq!((diagnostic.kind.as_str(), diagnostic.line), ("not-utf8", 2));
    }
}
