//! One pack: where an object stands, and what stands there.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::objects::{Kind, MAX_OBJECT, open_regular};
use crate::project::tree::read_regular;

/// An index of ten million objects has about 280 MB.
const MAX_INDEX: u64 = 512 << 20;
const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// The header and the number of objects before each first byte of an id.
const NAMES: usize = 8 + 256 * 4;

pub struct Pack {
    index: Vec<u8>,
    file: File,
    count: usize,
    id_length: usize,
}

/// What stands at a place of a pack.
pub enum Stored {
    Whole(Kind, Vec<u8>),
    Delta(Base, Vec<u8>),
}

/// What a delta builds on.
pub enum Base {
    At(u64),
    Named(Vec<u8>),
}

impl Pack {
    /// The pack beside an index of version 2; nothing if either is not as it should be.
    pub fn open(index: &Path, id_length: usize) -> Option<Pack> {
        let file = open_regular(&index.with_extension("pack"))?;
        let bytes = read_regular(index, MAX_INDEX).ok().filter(|bytes| bytes.starts_with(&MAGIC))?;
        let count = usize::try_from(four(&bytes, 8 + 255 * 4)?).ok()?;
        let whole = NAMES + count.checked_mul(id_length + 8)? <= bytes.len();
        whole.then_some(Pack { index: bytes, file, count, id_length })
    }

    /// Where the object of that id stands.
    pub fn find(&self, id: &[u8]) -> Option<u64> {
        let first = usize::from(*id.first()?);
        let bound = |byte: usize| four(&self.index, 8 + byte * 4).and_then(|bound| usize::try_from(bound).ok());
        let (mut low, mut high) = (if first == 0 { 0 } else { bound(first - 1)? }, bound(first)?.min(self.count));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle)?.cmp(id) {
                std::cmp::Ordering::Equal => return self.offset(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn name(&self, number: usize) -> Option<&[u8]> {
        let start = NAMES + number * self.id_length;
        self.index.get(start..start + self.id_length)
    }

    /// Four bytes, or the place of eight in the table behind.
    fn offset(&self, number: usize) -> Option<u64> {
        let offsets = NAMES + self.count * (self.id_length + 4);
        let offset = four(&self.index, offsets + number * 4)?;
        if offset & 0x8000_0000 == 0 {
            return Some(u64::from(offset));
        }
        let large = offsets + self.count * 4 + usize::try_from(offset & 0x7fff_ffff).ok()?.checked_mul(8)?;
        Some(u64::from(four(&self.index, large)?) << 32 | u64::from(four(&self.index, large + 4)?))
    }

    pub fn read(&self, offset: u64) -> Option<Stored> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut reader = BufReader::with_capacity(16 << 10, file);
        let mut byte = next(&mut reader)?;
        let kind = byte >> 4 & 7;
        let mut size = usize::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            byte = next(&mut reader)?;
            size |= usize::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
            shift += 7;
        }
        let base = match kind {
            6 => Some(Base::At(offset.checked_sub(distance(&mut reader)?).filter(|base| *base < offset)?)),
            7 => {
                let mut id = vec![0; self.id_length];
                reader.read_exact(&mut id).ok()?;
                Some(Base::Named(id))
            }
            _ => None,
        };
        let content = inflated(reader, size)?;
        match (base, kind) {
            (Some(base), _) => Some(Stored::Delta(base, content)),
            (None, 1) => Some(Stored::Whole(Kind::Commit, content)),
            (None, 2) => Some(Stored::Whole(Kind::Tree, content)),
            (None, 3) => Some(Stored::Whole(Kind::Blob, content)),
            (None, 4) => Some(Stored::Whole(Kind::Tag, content)),
            _ => None,
        }
    }
}

fn inflated(reader: impl Read, size: usize) -> Option<Vec<u8>> {
    if size > MAX_OBJECT {
        return None;
    }
    let mut content = Vec::with_capacity(size);
    ZlibDecoder::new(reader).take(size as u64 + 1).read_to_end(&mut content).ok()?;
    (content.len() == size).then_some(content)
}

/// How far before it the base of a delta stands: seven bits a byte, the highest first, each further byte one more.
fn distance(reader: &mut impl Read) -> Option<u64> {
    let mut byte = next(reader)?;
    let mut value = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = next(reader)?;
        value = value.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
    }
    Some(value)
}

fn next(reader: &mut impl Read) -> Option<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}
