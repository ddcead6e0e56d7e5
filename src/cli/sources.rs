//! The files of an audited project, for excerpts and line numbers.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use crate::project::{FileKind, Project, Span};

/// Larger files are not opened again.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// Reads files of the project again, as they are asked for; the last one is kept.
pub struct Sources<'a> {
    project: &'a Project,
    known: HashSet<&'a str>,
    last: RefCell<Option<(String, Option<Arc<str>>)>>,
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
        let readable = project.files.iter().filter(|file| file.kind != FileKind::Binary);
        Sources { project, known: readable.map(|file| &*file.path).collect(), last: RefCell::default() }
    }

    /// The text of a file that belongs to the project; anything else is not read.
    pub fn text(&self, path: &str) -> Option<Arc<str>> {
        if !self.known.contains(path) {
            return None;
        }
        let mut last = self.last.borrow_mut();
        if let Some((_, text)) = last.as_ref().filter(|(cached, _)| cached == path) {
            return text.clone();
        }
        let text = self.read(path).map(|bytes| Arc::from(String::from_utf8_lossy(&bytes)));
        *last = Some((path.to_owned(), text.clone()));
        text
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
        let Some(file) = self.project.files.get(span.file.0 as usize) else {
            return Place { path: String::new(), line: 1, column: 1 };
        };
        let text = self.text(&file.path).unwrap_or_default();
        let before = text.get(..span.start as usize).unwrap_or(&text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place { path: file.path.to_string(), line: number(line), column: number(column) }
    }
}
