//! Environment files (`.env`): quotes, `export`, comments, values over several lines.

use super::error::narrow;

/// One assignment. The value is a secret until proved otherwise: it must not be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvLine {
    pub name: String,
    /// Without quotes and trailing comment.
    pub value: String,
    /// Bytes from the name to the end of the value.
    pub start: u32,
    pub end: u32,
    /// From 1.
    pub line: u32,
}

/// How far the closing quote of a value may be away.
const MAX_QUOTED: usize = 64 * 1024;

/// All assignments in order. Lines that are none are passed over: there is no malformed environment file.
pub fn parse(text: &str) -> Vec<EnvLine> {
    let mut lines = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let next = match assignment(text, at, end) {
            Some((mut found, past)) => {
                found.line = line;
                lines.push(found);
                text[past..].find('\n').map_or(text.len(), |length| past + length)
            }
            None => end,
        };
        line += narrow(text[at..next].bytes().filter(|byte| *byte == b'\n').count()) + 1;
        at = next + 1;
    }
    lines
}

/// The assignment in `start..end` and where its value ends.
fn assignment(text: &str, start: usize, end: usize) -> Option<(EnvLine, usize)> {
    let whole = &text[start..end];
    let mut rest = whole.trim_start().trim_start_matches('\u{feff}');
    if let Some(exported) = rest.strip_prefix("export ") {
        rest = exported.trim_start();
    }
    let equals = rest.find('=')?;
    let name = rest[..equals].trim_end();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        return None;
    }
    let name_start = end - rest.len();
    let value_text = rest[equals + 1..].trim_start_matches([' ', '\t']);
    let (value, past) = value(text, end - value_text.len(), end);
    let found = EnvLine { name: name.into(), value, start: narrow(name_start), end: narrow(past), line: 0 };
    Some((found, past))
}

/// The value that starts at `start` on a line that ends at `end`, and the byte past it.
fn value(text: &str, start: usize, end: usize) -> (String, usize) {
    let quote = text[start..end].chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some(close) = quote.and_then(|quote| closing(text, start + 1, quote)) {
        return (text[start + 1..close].to_owned(), close + 1);
    }
    let line = text[start..end].trim_end();
    let comment = line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
    let bare = line[..comment.map_or(line.len(), |(at, _)| at)].trim_end();
    (bare.to_owned(), start + bare.len())
}

fn closing(text: &str, start: usize, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in text.as_bytes()[start..].iter().take(MAX_QUOTED).enumerate() {
        match *byte {
            _ if escaped => escaped = false,
            b'\\' if quote == '"' => escaped = true,
            byte if byte == quote as u8 => return Some(start + offset),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, u32)> {
        parse(text).into_iter().map(|line| (line.name, line.value, line.line)).collect()
    }

    fn pair(name: &str, value: &str, line: u32) -> (String, String, u32) {
        (name.into(), value.into(), line)
    }

    #[test]
    fn quotes_exports_and_comments() {
        let text =
            "\u{feff}# head\r\nexport A=1 # one\r\nB = \"two # two\"\nC='x'y\nD=\nE=a#b\nnot an assignment\n=x\nF=`b`";
        let wanted =
            [("A", "1", 2), ("B", "two # two", 3), ("C", "x", 4), ("D", "", 5), ("E", "a#b", 6), ("F", "b", 9)];
        assert_eq!(pairs(text), wanted.map(|(name, value, line)| pair(name, value, line)));
    }

    #[test]
    fn values_over_several_lines_keep_the_count() {
        assert_eq!(pairs("A=\"x\n\\\"y\nz\"\nB=1"), [pair("A", "x\n\\\"y\nz", 1), pair("B", "1", 4)]);
        assert_eq!(pairs("A=\"open\nB=1"), [pair("A", "\"open", 1), pair("B", "1", 2)]);
    }

    #[test]
    fn spans_run_from_the_name_to_the_value() {
        let text = "x\n  export ÄNAME=1\nKEY=wörld # c";
        let lines = parse(text);
        assert_eq!(lines.len(), 1);
        assert_eq!(&text[lines[0].start as usize..lines[0].end as usize], "KEY=wörld");
    }

    #[test]
    fn every_truncation_is_read() {
        let text = "A=\"é\\\"\n\"\nexport B='ü' #\r\nC=`";
        for (end, _) in text.char_indices() {
            let _ = parse(&text[..end]);
        }
    }
}
