//! Splits a script into statements without understanding them: texts, comments, dollar quotes, bodies of routines and
//! blocks of data are passed over whole. One pass, whatever stands there.

/// Where a statement stands, without the `;` behind it and without comments before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub start: usize,
    pub end: usize,
}

/// Lines that begin the way back in migrations of one file: dbmate, goose, sql-migrate, refinery.
const WAY_BACK: [&str; 3] = ["migrate:down", "+goose down", "+migrate down"];

pub(super) fn split(text: &str) -> Vec<Piece> {
    let mut splitter = Splitter { text, bytes: text.as_bytes(), at: 0, start: None, words: Words::default() };
    let mut pieces = Vec::new();
    splitter.run(&mut pieces);
    pieces
}

struct Splitter<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Where the statement begins that is being read.
    start: Option<usize>,
    words: Words,
}

/// What was seen of a statement that may hold others: `CREATE TRIGGER … BEGIN …; END;`.
#[derive(Default)]
struct Words {
    count: usize,
    creates: bool,
    routine: bool,
    copies: bool,
    from_stdin: bool,
    depth: usize,
    after_end: bool,
}

impl Words {
    fn see(&mut self, word: &str) {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if self.count == 0 {
            self.creates = is("create");
            self.copies = is("copy");
        }
        self.count += 1;
        self.routine |=
            self.creates && self.count < 12 && ["trigger", "function", "procedure", "event"].iter().any(|w| is(w));
        self.from_stdin |= self.copies && is("stdin");
        if !self.routine {
            return;
        }
        let ends_block = std::mem::replace(&mut self.after_end, false);
        if is("begin") || (is("case") && !ends_block) {
            self.depth += 1;
        } else if is("end") {
            self.depth = self.depth.saturating_sub(1);
            self.after_end = true;
        } else if ends_block && ["if", "loop", "while", "repeat"].iter().any(|w| is(w)) {
            self.depth += 1;
        }
    }
}

impl Splitter<'_> {
    fn run(&mut self, pieces: &mut Vec<Piece>) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'-' if self.next_is(b'-') => {
                    if self.is_way_back() {
                        break;
                    }
                    self.skip_line();
                }
                b'/' if self.next_is(b'*') => self.skip_comment(),
                b'#' if self.start.is_none() => self.skip_line(),
                // Commands of the shells: `\connect db`, `DELIMITER //`.
                b'\\' if self.start.is_none() => self.skip_line(),
                b'\'' | b'"' | b'`' => {
                    self.begin();
                    self.skip_quoted(byte);
                }
                b'$' => {
                    self.begin();
                    self.skip_dollars();
                }
                b';' if self.words.depth == 0 => self.finish(pieces),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ if is_word(byte) => self.word(),
                _ => {
                    self.begin();
                    self.at += 1;
                }
            }
        }
        self.at = self.bytes.len().min(self.at);
        self.close(self.at, pieces);
    }

    fn begin(&mut self) {
        self.start.get_or_insert(self.at);
    }

    fn next_is(&self, byte: u8) -> bool {
        self.bytes.get(self.at + 1) == Some(&byte)
    }

    fn word(&mut self) {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| is_word(*byte)) {
            self.at += 1;
        }
        let word = self.text.get(from..self.at).unwrap_or_default();
        if self.start.is_none() && word.eq_ignore_ascii_case("delimiter") {
            return self.skip_line();
        }
        self.start.get_or_insert(from);
        self.words.see(word);
    }

    fn finish(&mut self, pieces: &mut Vec<Piece>) {
        let copies = self.words.copies && self.words.from_stdin;
        self.close(self.at, pieces);
        self.at += 1;
        if copies {
            let rest = self.text.get(self.at..).unwrap_or_default();
            self.at = rest.find("\n\\.").map_or(self.bytes.len(), |found| self.at + found + 3);
        }
    }

    fn close(&mut self, end: usize, pieces: &mut Vec<Piece>) {
        if let Some(start) = self.start.take()
            && start < end
        {
            pieces.push(Piece { start, end });
        }
        self.words = Words::default();
    }

    fn skip_line(&mut self) {
        self.at = end_of_line(self.bytes, self.at);
    }

    fn is_way_back(&self) -> bool {
        let line = self.text.get(self.at..end_of_line(self.bytes, self.at)).unwrap_or_default();
        let said = line.trim_start_matches('-').trim().to_ascii_lowercase();
        WAY_BACK.iter().any(|mark| said.starts_with(mark))
    }

    /// `/* … */`, which may hold others.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.bytes[self.at], self.bytes.get(self.at + 1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A doubled quote is one of the text's own; both halves read as texts side by side, which comes to the same.
    fn skip_quoted(&mut self, quote: u8) {
        let escapes = quote == b'\'' && self.at > 0 && matches!(self.bytes[self.at - 1], b'E' | b'e');
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' if escapes => self.at += 1,
                _ if byte == quote => return,
                _ => {}
            }
        }
    }

    /// `$$ … $$`, `$body$ … $body$`
    fn skip_dollars(&mut self) {
        let tag_end = self.bytes[self.at + 1..].iter().position(|byte| !is_word(*byte)).map(|n| self.at + 1 + n);
        match tag_end {
            Some(end) if self.bytes[end] == b'$' => {
                let tag = self.text.get(self.at..=end).unwrap_or("$$");
                let rest = self.text.get(end + 1..).unwrap_or_default();
                self.at = rest.find(tag).map_or(self.bytes.len(), |found| end + 1 + found + tag.len());
            }
            _ => self.at += 1,
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| from + n)
}

#[cfg(test)]
mod tests {
    use super::split;

    fn texts(text: &str) -> Vec<&str> {
        split(text).iter().map(|piece| text[piece.start..piece.end].trim()).collect()
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_texts() {
        let text = "-- a; b\nCREATE TABLE a (b text DEFAULT 'x;''y'); /* c; /* d; */ */ SELECT \"e;f\";\n\\connect x\nDROP TABLE a";
        assert_eq!(texts(text), ["CREATE TABLE a (b text DEFAULT 'x;''y')", "SELECT \"e;f\"", "DROP TABLE a"]);
    }

    #[test]
    fn bodies_of_routines_are_one_statement() {
        let text = "CREATE FUNCTION f() AS $x$ BEGIN; END $x$;\nCREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN c THEN 1 END; END;\nDELIMITER //\nSELECT 1;";
        assert_eq!(texts(text).len(), 3);
        assert_eq!(texts(text)[2], "SELECT 1");
    }

    #[test]
    fn data_and_the_way_back_are_passed_over() {
        let text = "COPY a (b) FROM stdin;\n1;2\n'\n\\.\nSELECT 1;\n-- migrate:down\nDROP TABLE a;";
        assert_eq!(texts(text), ["COPY a (b) FROM stdin", "SELECT 1"]);
    }

    #[test]
    fn whatever_is_cut_off_ends() {
        for text in ["'", "$", "$a", "$a$", "/*", "-", "--", "é'é", "$é$", "CREATE TABLE a (", ";", "\\", "E'\\"] {
            split(text);
        }
    }
}
