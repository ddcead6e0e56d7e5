//! Text from a stranger's tree, made safe to show: escaped for the medium it goes to, measured in columns.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// For a terminal: no byte of the text can move the cursor, colour anything or reorder what stands around it.
/// Line breaks are shown as `\n`, so that a name stays on its line.
pub fn terminal(text: &str) -> Cow<'_, str> {
    escape_if(text, is_unsafe, escape_char)
}

/// A line of source for a terminal: like [`terminal`], with tabs kept as four blanks.
pub fn terminal_code(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if is_unsafe(c) => escape_char(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Several lines for a terminal: like [`terminal_code`], line by line.
pub fn terminal_lines(text: &str) -> String {
    text.split('\n').map(terminal_code).collect::<Vec<_>>().join("\n")
}

/// Running text of Markdown: neither markup nor HTML of the text survives, and it stays on one line.
pub fn markdown(text: &str) -> Cow<'_, str> {
    escape_if(text, |c| is_unsafe(c) || MARKUP.contains(c), escape_markdown)
}

/// Running text with `code` in backticks, for Markdown: the code stays code, everything else is escaped.
pub fn markdown_prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return markdown(text).into_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (index, part) in parts.iter().enumerate() {
        match index % 2 {
            1 if !part.is_empty() => out.push_str(&markdown_code(part)),
            1 => {}
            _ => out.push_str(&markdown(part)),
        }
    }
    out
}

/// An inline code span of Markdown that its content cannot leave.
pub fn markdown_code(text: &str) -> String {
    let text = terminal(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `max` columns; what is cut at the end is marked `…`.
pub fn truncate(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let mut out = head(text, max.saturating_sub(1)).to_owned();
    if max > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// The text in at most `max` columns; what is cut at the front is marked `…` (paths say most at their end).
pub fn truncate_front(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let room = max.saturating_sub(1);
    let mut used = 0;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        start = at;
    }
    let tail = text.get(start..).unwrap_or_default();
    Cow::Owned(if max == 0 { String::new() } else { format!("…{tail}") })
}

/// The text, filled with blanks up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The longest prefix of at most `max` columns.
pub fn head(text: &str, max: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > max {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// Words broken into lines of at most `max` columns; a longer word stands alone.
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > max {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Parts joined into lines of at most `max` columns, broken between parts, and within a part that is longer.
pub fn wrap_parts(parts: &[String], separator: &str, max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(separator) + width(part) <= max => {
                line.push_str(separator);
                line.push_str(part);
            }
            _ => lines.extend(wrap(part, max)),
        }
    }
    lines
}

/// `12345` → `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(u64::try_from(number).unwrap_or(u64::MAX)))
}

/// Characters that mean something to Markdown or HTML wherever they stand. `>` alone does only at the start of a line,
/// where no text of the tree stands.
const MARKUP: &str = "\\`*_[]<#|~&";

/// Control bytes, C1 controls, and characters that reorder or hide what stands around them.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escape_char(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if (c as u32) < 0x100 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
}

fn escape_markdown(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '&' => out.push_str("&amp;"),
        '\n' | '\r' | '\t' => out.push(' '),
        c if MARKUP.contains(c) => {
            out.push('\\');
            out.push(c);
        }
        c => escape_char(out, c),
    }
}

fn escape_if(text: &str, needs: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(&needs) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if needs(c) { escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_no_control_bytes() {
        assert_eq!(terminal("a\u{1b}[31mred\u{7}\n\u{9b}2J"), "a\\x1b[31mred\\x07\\n\\x9b2J");
        assert_eq!(terminal("x\u{202e}gpj.exe\u{2066}"), "x\\u{202e}gpj.exe\\u{2066}");
        assert!(matches!(terminal("plain ünï 漢字"), Cow::Borrowed(_)));
        assert_eq!(terminal_code("\tif (x) {\u{1b}"), "    if (x) {\\x1b");
    }

    #[test]
    fn markdown_text_cannot_become_markup() {
        assert_eq!(markdown("<img src=x> [a](b) `c` | #\n*d*"), "&lt;img src=x> \\[a\\](b) \\`c\\` \\| \\# \\*d\\*");
    }

    #[test]
    fn code_in_prose_stays_code() {
        assert_eq!(markdown_prose("call `a_b()` on <x>"), "call `a_b()` on &lt;x>");
        assert_eq!(markdown_prose("a ` alone_"), "a \\` alone\\_");
    }

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(markdown_code("a"), "`a`");
        assert_eq!(markdown_code("a`b``c"), "```a`b``c```");
        assert_eq!(markdown_code("`a"), "`` `a ``");
    }

    #[test]
    fn truncation_counts_columns() {
        assert_eq!(truncate("漢字漢字", 5), "漢字…");
        assert_eq!(truncate_front("src/api/users.ts:4", 12), "…/users.ts:4");
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(pad("漢", 4), "漢  ");
    }

    #[test]
    fn numbers_and_lines_read_well() {
        assert_eq!(thousands(41_000), "41,000");
        assert_eq!(thousands(999), "999");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        let parts = ["one two".to_owned(), "three".to_owned(), "four five six".to_owned()];
        assert_eq!(wrap_parts(&parts, " · ", 15), ["one two · three", "four five six"]);
        assert_eq!(wrap_parts(&parts, " · ", 9), ["one two", "three", "four five", "six"]);
    }
}
