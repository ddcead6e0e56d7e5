//! The format of `.git/index`, versions 2 to 4: as much of it as names the tracked files.

use std::borrow::Cow;

/// Longer paths, or more text than this in all, are taken for damage: prefix compression could else inflate a small
/// file without end.
const MAX_PATH: usize = 4096;
const MAX_TEXT: usize = 256 << 20;
const HEADER: usize = 12;
/// Times, device, inode, mode, owner and size, before the object id.
const STAT: usize = 40;
const MODE_AT: usize = 24;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) files: Vec<String>,
    pub(super) submodules: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum IndexProblem {
    #[error("the index is not in a format that git writes")]
    NotAnIndex,
    #[error("the index has version {0}, which is not known")]
    Version(u32),
    #[error("the index is damaged; `git reset` writes it anew")]
    Damaged,
    #[error("the index is split over several files; `git update-index --no-split-index` joins it")]
    Split,
}

/// The tracked files and submodules of an index, in its order.
pub(super) fn parse(contents: &[u8]) -> Result<Index, IndexProblem> {
    if contents.get(..4) != Some(b"DIRC") {
        return Err(IndexProblem::NotAnIndex);
    }
    let version = u32_at(contents, 4).ok_or(IndexProblem::Damaged)?;
    if !(2..=4).contains(&version) {
        return Err(IndexProblem::Version(version));
    }
    // The index does not say which hash its repository uses: SHA-1, or else SHA-256.
    match parse_with(contents, version, 20) {
        Err(IndexProblem::Damaged) => parse_with(contents, version, 32),
        result => result,
    }
}

fn parse_with(contents: &[u8], version: u32, hash: usize) -> Result<Index, IndexProblem> {
    let end = contents.len().checked_sub(hash).ok_or(IndexProblem::Damaged)?;
    let body = contents.get(..end).ok_or(IndexProblem::Damaged)?;
    let count = u32_at(body, 8).ok_or(IndexProblem::Damaged)?;
    let mut reader = Reader { body, at: HEADER, version, hash, previous: Vec::new(), text: 0 };
    let mut index = Index::default();
    for _ in 0..count {
        let mode = reader.entry().ok_or(IndexProblem::Damaged)?;
        let Cow::Borrowed(path) = String::from_utf8_lossy(&reader.previous) else {
            continue;
        };
        match mode >> 12 {
            0o10 => index.files.push(path.to_owned()),
            0o16 => index.submodules.push(path.to_owned()),
            _ => {}
        }
    }
    index.files.dedup();
    extensions(body, reader.at)?;
    Ok(index)
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    version: u32,
    hash: usize,
    /// The path of the last entry, which version 4 builds upon.
    previous: Vec<u8>,
    text: usize,
}

impl Reader<'_> {
    /// Reads one entry: its path into `previous`, its mode as the result. None if it is damaged.
    fn entry(&mut self) -> Option<u32> {
        let start = self.at;
        let mode = u32_at(self.body, start.checked_add(MODE_AT)?)?;
        let flags_at = start.checked_add(STAT)?.checked_add(self.hash)?;
        let extended = self.version >= 3 && self.body.get(flags_at)? & 0x40 != 0;
        self.at = flags_at.checked_add(if extended { 4 } else { 2 })?;
        if self.version == 4 {
            let cut = self.varint()?;
            self.previous.truncate(self.previous.len().checked_sub(cut)?);
        } else {
            self.previous.clear();
        }
        let rest = self.body.get(self.at..)?;
        let length = rest.iter().take(MAX_PATH + 1).position(|byte| *byte == 0)?;
        self.previous.extend_from_slice(rest.get(..length)?);
        self.text = self.text.checked_add(self.previous.len())?;
        self.at = match self.version {
            4 => self.at.checked_add(length)?.checked_add(1)?,
            _ => start.checked_add((self.at - start + length + 8) / 8 * 8)?,
        };
        let sane = self.at <= self.body.len() && self.text <= MAX_TEXT && is_tracked_path(&self.previous);
        sane.then_some(mode)
    }

    /// Git's offset encoding: seven bits a byte, each continuation adding one.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0usize;
        loop {
            let byte = *self.body.get(self.at)?;
            self.at += 1;
            value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7F))?;
            if byte & 0x80 == 0 {
                return (value <= MAX_PATH).then_some(value);
            }
            value = value.checked_add(1)?;
        }
    }
}

/// Walks the extensions to the end, which they meet exactly in a sound index.
fn extensions(body: &[u8], mut at: usize) -> Result<(), IndexProblem> {
    while at < body.len() {
        let size = u32_at(body, at.saturating_add(4)).ok_or(IndexProblem::Damaged)?;
        let name = body.get(at..at.saturating_add(4)).ok_or(IndexProblem::Damaged)?;
        if name == b"link" {
            return Err(IndexProblem::Split);
        }
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(IndexProblem::Damaged);
        }
        let size = usize::try_from(size).map_err(|_| IndexProblem::Damaged)?;
        at = at.checked_add(8).and_then(|at| at.checked_add(size)).ok_or(IndexProblem::Damaged)?;
    }
    if at == body.len() { Ok(()) } else { Err(IndexProblem::Damaged) }
}

/// What git itself accepts: relative, without empty, climbing or `.git` parts. (A sparse index names folders with a
/// slash at the end.)
fn is_tracked_path(path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.len() <= MAX_PATH
        && path
            .split(|byte| *byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b".." && !part.eq_ignore_ascii_case(b".git"))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(in crate::project) enum Version {
        Two = 2,
        Three = 3,
        Four = 4,
    }

    /// An index as git would write it.
    pub(in crate::project) fn index_of(version: Version, paths: &[&str]) -> Vec<u8> {
        let modes: Vec<_> = paths.iter().map(|path| (*path, 0o100_644)).collect();
        build(version, 20, &modes, &[])
    }

    fn build(version: Version, hash: usize, entries: &[(&str, u32)], extension: &[u8]) -> Vec<u8> {
        let mut out = b"DIRC".to_vec();
        out.extend((version as u32).to_be_bytes());
        out.extend((entries.len() as u32).to_be_bytes());
        let mut previous = String::new();
        for (path, mode) in entries {
            let start = out.len();
            out.extend([0; MODE_AT]);
            out.extend(mode.to_be_bytes());
            out.extend(vec![7; STAT - MODE_AT - 4 + hash]);
            out.extend(if version == Version::Three { [0x40, 1, 0, 0].to_vec() } else { vec![0, 1] });
            if version == Version::Four {
                let shared = path.bytes().zip(previous.bytes()).take_while(|(a, b)| a == b).count();
                out.push(u8::try_from(previous.len() - shared).unwrap());
                out.extend(path.as_bytes()[shared..].iter());
                out.push(0);
            } else {
                out.extend(path.as_bytes());
                out.push(0);
                while !(out.len() - start).is_multiple_of(8) {
                    out.push(0);
                }
            }
            previous = (*path).to_owned();
        }
        out.extend(extension);
        out.extend(vec![9; hash]);
        out
    }

    #[test]
    fn every_version_names_its_files() {
        let paths = ["a.js", "lib/one.js", "lib/one.test.js", "src/ü.ts", "z"];
        for version in [Version::Two, Version::Three, Version::Four] {
            assert_eq!(parse(&index_of(version, &paths)).unwrap().files, paths, "{version:?}");
        }
    }

    #[test]
    fn sha256_repositories_extensions_links_and_submodules_are_understood() {
        let entries = [("a", 0o100_755), ("link", 0o120_000), ("sub", 0o160_000), ("sparse/", 0o040_000)];
        let tree = [&b"TREE"[..], &3u32.to_be_bytes(), b"abc"].concat();
        let index = parse(&build(Version::Two, 32, &entries, &tree)).unwrap();
        assert_eq!((index.files, index.submodules), (vec!["a".to_owned()], vec!["sub".to_owned()]));
    }

    #[test]
    fn a_split_index_is_refused_in_words() {
        let link = [&b"link"[..], &0u32.to_be_bytes()].concat();
        assert_eq!(parse(&build(Version::Two, 20, &[], &link)), Err(IndexProblem::Split));
    }

    #[test]
    fn truncation_at_any_byte_never_changes_the_list_unnoticed() {
        let tree = [&b"TREE"[..], &40u32.to_be_bytes(), &[1; 40]].concat();
        for version in [Version::Two, Version::Three, Version::Four] {
            let whole = build(version, 20, &[("a.js", 0o100_644), ("lib/b.js", 0o100_644)], &tree);
            let sound = parse(&whole).unwrap();
            let cut: Vec<_> = (0..whole.len()).filter_map(|length| parse(&whole[..length]).ok()).collect();
            // Where an extension starts, what follows may pass for the checksum; the list is whole all the same.
            assert!(cut.len() <= 1 && cut.iter().all(|index| *index == sound), "{version:?}");
        }
    }

    #[test]
    fn any_changed_byte_is_survived() {
        for version in [Version::Two, Version::Three, Version::Four] {
            let whole = index_of(version, &["a.js", "lib/b.js"]);
            for at in 0..whole.len() {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    let _ = parse(&changed);
                }
            }
        }
    }

    #[test]
    fn paths_that_lead_out_are_damage() {
        for path in ["../x", "/etc/passwd", "a//b", "a/.git/config", "./a"] {
            assert_eq!(parse(&index_of(Version::Two, &[path])), Err(IndexProblem::Damaged), "{path}");
        }
    }

    #[test]
    fn prefix_compression_cannot_inflate() {
        let mut bomb = b"DIRC\0\0\0\x04\0\0\x20\0".to_vec();
        for _ in 0..0x2000 {
            bomb.extend([0; 62]);
            bomb.extend(b"\0a\0");
        }
        bomb.extend([0; 20]);
        assert_eq!(parse(&bomb), Err(IndexProblem::Damaged));
    }
}
