//! Objects of a repository by their id: loose ones and those in packs. Everything is bounded; what is missing, broken or
//! too large reads as nothing.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::ZlibDecoder;

use super::delta;
use super::pack::{Base, Pack, Stored};
use crate::project::tree::read_regular;

/// Larger objects are not read.
pub const MAX_OBJECT: usize = 20 << 20;
/// A loose object is compressed, so that its file is no larger than what it holds, nearly.
const MAX_LOOSE: u64 = MAX_OBJECT as u64 + (1 << 16);
/// How many deltas may build on each other; git itself makes 50 at most.
const MAX_CHAIN: usize = 128;
/// What is kept of objects that others build on.
const MAX_CACHED: usize = 96 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

/// The bytes of an object.
pub type Content = Arc<[u8]>;

pub struct Objects {
    folder: PathBuf,
    packs: Vec<Pack>,
    cached: HashMap<(usize, u64), (Kind, Content)>,
    cached_bytes: usize,
}

impl Objects {
    /// The `objects` folder of a repository. Packs that lie elsewhere (`alternates`) are not followed.
    pub fn open(folder: &Path, id_length: usize) -> Objects {
        let packs = folder.join("pack");
        let mut indexes: Vec<PathBuf> = fs::read_dir(&packs)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        indexes.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
        indexes.sort();
        let packs = indexes.iter().filter_map(|index| Pack::open(index, id_length)).collect();
        Objects { folder: folder.to_owned(), packs, cached: HashMap::new(), cached_bytes: 0 }
    }

    pub fn read(&mut self, id: &[u8]) -> Option<(Kind, Content)> {
        match self.packed(id) {
            Some((pack, offset)) => self.at(pack, offset),
            None => self.loose(id),
        }
    }

    fn packed(&self, id: &[u8]) -> Option<(usize, u64)> {
        self.packs.iter().enumerate().find_map(|(number, pack)| Some((number, pack.find(id)?)))
    }

    /// An object of a pack: its deltas are collected down to what they start from, then applied.
    fn at(&mut self, pack: usize, offset: u64) -> Option<(Kind, Content)> {
        let mut deltas: Vec<((usize, u64), Vec<u8>)> = Vec::new();
        let mut place = (pack, offset);
        let (kind, mut content) = loop {
            if let Some(known) = self.cached.get(&place) {
                break known.clone();
            }
            match self.packs.get(place.0)?.read(place.1)? {
                Stored::Whole(kind, content) => break (kind, Content::from(content)),
                Stored::Delta(base, delta) if deltas.len() < MAX_CHAIN => {
                    deltas.push((place, delta));
                    place = match base {
                        Base::At(offset) => (place.0, offset),
                        Base::Named(id) => match self.packed(&id) {
                            Some(place) => place,
                            None => break self.loose(&id)?,
                        },
                    };
                }
                Stored::Delta(..) => return None,
            }
        };
        self.keep(place, kind, &content);
        for (place, delta) in deltas.into_iter().rev() {
            content = Content::from(delta::apply(&content, &delta)?);
            self.keep(place, kind, &content);
        }
        Some((kind, content))
    }

    fn keep(&mut self, place: (usize, u64), kind: Kind, content: &Content) {
        if self.cached_bytes + content.len() > MAX_CACHED {
            self.cached.clear();
            self.cached_bytes = 0;
        }
        if self.cached.insert(place, (kind, Arc::clone(content))).is_none() {
            self.cached_bytes += content.len();
        }
    }

    fn loose(&self, id: &[u8]) -> Option<(Kind, Content)> {
        let name = hex(id);
        let path = self.folder.join(name.get(..2)?).join(name.get(2..)?);
        let bytes = read_regular(&path, MAX_LOOSE).ok()?;
        let mut content = Vec::new();
        ZlibDecoder::new(&bytes[..]).take(MAX_OBJECT as u64 + 64).read_to_end(&mut content).ok()?;
        let end = content.iter().take(64).position(|byte| *byte == 0)?;
        let kind = match content.get(..end)?.split(|byte| *byte == b' ').next()? {
            b"commit" => Kind::Commit,
            b"tree" => Kind::Tree,
            b"blob" => Kind::Blob,
            b"tag" => Kind::Tag,
            _ => return None,
        };
        Some((kind, Content::from(content.get(end + 1..)?)))
    }
}

/// A pack's file, opened only if it is one.
pub(super) fn open_regular(path: &Path) -> Option<File> {
    fs::symlink_metadata(path).ok()?.is_file().then(|| File::open(path).ok())?
}

pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of an id that is written in hexadecimal digits.
pub fn id_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let whole = matches!(digits.len(), 40 | 64) && digits.iter().all(u8::is_ascii_hexdigit);
    let pairs = whole.then(|| digits.chunks(2))?;
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
