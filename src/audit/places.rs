//! From byte offsets to lines, for the few files that a report names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::project::{FileId, Project, Span, decode};
use crate::score::Place;

/// Texts of the files that are shown, read again when first asked for.
pub struct Sources<'p> {
    project: &'p Project,
    read: Mutex<HashMap<FileId, Arc<Source>>>,
}

struct Source {
    text: String,
    /// Byte offset of each line's start.
    lines: Vec<usize>,
}

/// Longer snippets are cut, so that a file on one line stays small in memory.
const MAX_SNIPPET: usize = 200;

impl<'p> Sources<'p> {
    pub fn new(project: &'p Project) -> Sources<'p> {
        Sources { project, read: Mutex::new(HashMap::new()) }
    }

    fn source(&self, file: FileId) -> Arc<Source> {
        if let Some(known) = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&file) {
            return Arc::clone(known);
        }
        let bytes = self.project.read(file).unwrap_or_default();
        let text = decode(&bytes).unwrap_or_default().to_owned();
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        let source = Arc::new(Source { text, lines });
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(file, Arc::clone(&source));
        source
    }

    pub fn place(&self, span: Span) -> Place {
        let source = self.source(span.file);
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end.max(span.start));
        Place { path: self.project.file(span.file).path.to_string(), line, column, end_line, end_column }
    }

    pub fn snippet(&self, span: Span) -> String {
        let source = self.source(span.file);
        let text = source.text.get(span.start as usize..span.end as usize).unwrap_or("");
        text.chars().take(MAX_SNIPPET).collect()
    }
}

impl Source {
    /// Line and column (in characters) from 1.
    fn position(&self, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(self.text.len());
        let line = self.lines.partition_point(|&start| start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().take(10_000).count());
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column + 1).unwrap_or(u32::MAX))
    }
}
