//! What a parser says when it cannot read a file.

use crate::project::Diagnostic;

/// Why and where a file could not be read. The rest of the audit goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// `parse-error` or `too-deep`.
    pub kind: &'static str,
    /// Byte offset.
    pub offset: u32,
    /// From 1.
    pub line: u32,
    pub message: String,
}

impl SyntaxError {
    pub fn malformed(text: &str, offset: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            kind: "parse-error",
            offset: narrow(offset),
            line: line_at(text, offset),
            message: message.into(),
        }
    }

    pub fn too_deep(text: &str, offset: usize) -> SyntaxError {
        let message = "nested too deeply to be read; flatten the file or exclude it from the audit".to_owned();
        SyntaxError { kind: "too-deep", offset: narrow(offset), line: line_at(text, offset), message }
    }

    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        Diagnostic { kind: self.kind.into(), path: path.into(), line: self.line, message: self.message.clone() }
    }
}

/// The line of a byte offset, from 1; offsets past the end count as the end.
pub fn line_at(text: &str, offset: usize) -> u32 {
    let before = &text.as_bytes()[..offset.min(text.len())];
    narrow(before.iter().filter(|byte| **byte == b'\n').count()).saturating_add(1)
}

/// Byte offsets are kept as `u32`: files are far smaller than 4 GiB.
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one_and_never_run_past_the_end() {
        assert_eq!(line_at("", 0), 1);
        assert_eq!(line_at("a\nb\n", 2), 2);
        assert_eq!(line_at("a\nb", 99), 2);
    }

    #[test]
    fn an_error_becomes_a_diagnostic_with_its_place() {
        let diagnostic = SyntaxError::malformed("a\nb", 2, "no").diagnostic("x.json");
        assert_eq!((diagnostic.kind.as_str(), diagnostic.path.as_str(), diagnostic.line), ("parse-error", "x.json", 2));
    }
}
