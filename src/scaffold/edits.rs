//! Changes to one text, given in the places of the text as it was.

/// A replacement of a byte range; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

impl Edit {
    pub fn insert(at: usize, text: impl Into<String>) -> Edit {
        Edit { start: at, end: at, text: text.into() }
    }

    pub fn replace(start: usize, end: usize, text: impl Into<String>) -> Edit {
        Edit { start, end, text: text.into() }
    }

    pub fn remove(start: usize, end: usize) -> Edit {
        Edit::replace(start, end, "")
    }

    /// Whether both cannot be made: what is inserted at an edge is no conflict.
    pub fn overlaps(&self, other: &Edit) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// The text with all changes made. What several insert at one place stands there in the order given; a change inside
/// what another one has replaced is dropped, as is one outside the text.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| (edit.start, edit.end));
    let mut out = String::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut done = 0;
    for edit in ordered {
        let Some(kept) = text.get(done..edit.start).filter(|_| text.get(edit.start..edit.end).is_some()) else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&edit.text);
        done = edit.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Where the line of a place starts.
pub fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1)
}

/// Behind the line of a place, its line break included.
pub fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1)
}

/// The blanks that the line of a place starts with.
pub fn indentation(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..).unwrap_or_default();
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..blanks).unwrap_or_default()
}

/// Every line that is not empty, moved in.
pub fn indent(text: &str, by: &str) -> String {
    let lines = text.split('\n');
    let moved = lines.map(|line| if line.trim().is_empty() { line.to_owned() } else { format!("{by}{line}") });
    moved.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_the_places_of_the_old_text() {
        let edits = [Edit::insert(3, "!"), Edit::replace(0, 1, "A"), Edit::insert(3, "?"), Edit::remove(1, 2)];
        assert_eq!(apply("abc", &edits), "Ac!?");
    }

    #[test]
    fn what_does_not_fit_is_dropped() {
        assert_eq!(apply("aßc", &[Edit::insert(2, "x"), Edit::insert(9, "y"), Edit::insert(4, "z")]), "aßcz");
        assert_eq!(apply("abcd", &[Edit::remove(0, 3), Edit::replace(1, 2, "x")]), "d");
    }

    #[test]
    fn lines_and_their_blanks() {
        let text = "a\n  b\nc";
        assert_eq!((line_start(text, 4), line_end(text, 4), indentation(text, 4)), (2, 6, "  "));
        assert_eq!((line_start(text, 0), line_end(text, 6), indentation(text, 6)), (0, 7, ""));
        assert_eq!(indent("a\n\nb", "  "), "  a\n\n  b");
    }
}
