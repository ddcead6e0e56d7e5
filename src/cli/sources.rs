//! The files of an audited project, for excerpts and line numbers.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use crate::project::{FileKind, Project, Span};

/// Larger files are not opened again.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// Reads files of the project again, as they are asked for; the last one is kept, since questions come file by file.
pub struct Sources<'a> {
    project: &'a Project,
    known: HashSet<&'a str>,
    last: RefCell<Option<Opened>>,
}

/// A file with its line starts, and the last place asked for: places on one long line are counted on from there.
struct Opened {
    path: String,
    text: Option<Arc<str>>,
    starts: Vec<usize>,
    /// Line (from 0), byte, and column (from 1).
    place: (usize, usize, usize),
}

/// A place as people write it; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub line: u32,
    pub column: u32,
}

impl<'a> Sources<'a> {
    pub fn new(project: &'a Project) -> Self {
        let readable = project.files.iter().chain(&project.past).filter(|file| file.kind != FileKind::Binary);
        Sources { project, known: readable.map(|file| &*file.path).collect(), last: RefCell::default() }
    }

    /// The text of a file that belongs to the project; anything else is not read.
    pub fn text(&self, path: &str) -> Option<Arc<str>> {
        self.with(path, |opened| opened.text.clone())
    }

    fn with<T>(&self, path: &str, ask: impl FnOnce(&mut Opened) -> T) -> T {
        let mut last = self.last.borrow_mut();
        match last.as_mut() {
            Some(opened) if opened.path == path => ask(opened),
            _ => ask(last.insert(self.open(path))),
        }
    }

    fn open(&self, path: &str) -> Opened {
        let bytes = if self.known.contains(path) { self.read(path) } else { None };
        let text: Option<Arc<str>> = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into());
        let breaks = text.iter().flat_map(|text| text.match_indices('\n')).map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Opened { path: path.to_owned(), text, starts, place: (0, 0, 1) }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let tree = &self.project.tree;
        if let Some(bytes) = tree.overlay.get(path) {
            return Some(bytes.to_vec());
        }
        if tree.virtual_only {
            return None;
        }
        let mut bytes = Vec::new();
        let file = File::open(tree.root.join(path)).ok()?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= MAX_BYTES).then_some(bytes)
    }

    /// Where a span starts.
    pub fn place(&self, span: Span) -> Place {
        let Some(file) = self.project.any_file(span.file) else {
            return Place { path: String::new(), line: 1, column: 1 };
        };
        let (line, column) = self.with(&file.path, |opened| opened.place(span.start as usize));
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place { path: file.path.to_string(), line: number(line), column: number(column) }
    }
}

impl Opened {
    /// Line and column of a byte, both from 1.
    fn place(&mut self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let (from, before) = match self.place {
            (known, byte, column) if known == line && byte <= at => (byte, column),
            _ => (start, 1),
        };
        let between = self.text.as_deref().and_then(|text| text.get(from..at));
        let column = between.map_or(1, |between| before + between.chars().count());
        if between.is_some() {
            self.place = (line, at, column);
        }
        (line + 1, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Opened {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Opened { path: String::new(), text: Some(text.into()), starts, place: (0, 0, 1) }
    }

    #[test]
    fn places_count_lines_and_characters_in_any_order() {
        let mut file = opened("one\nünï x\nend");
        for _ in 0..2 {
            assert_eq!(file.place(0), (1, 1));
            assert_eq!(file.place(10), (2, 5));
            assert_eq!(file.place(6), (2, 2));
            assert_eq!(file.place(12), (3, 1));
        }
        assert_eq!(file.place(5), (2, 1), "inside a character");
        assert_eq!(file.place(900), (3, 1), "behind the end");
    }
}
