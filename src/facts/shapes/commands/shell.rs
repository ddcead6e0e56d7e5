//! Shell text as simple commands.
//!
//! In goes a text of lines, `&&`, `||`, `;` and pipes, out come the commands in order.

use crate::syntax::dockerfile::shell_words;

/// Commands that are looked at in one text.
const MAX_COMMANDS: usize = 2_000;

/// One simple command of a shell text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub words: Vec<String>,
    /// Its failure changes nothing (`|| true`).
    pub swallowed: bool,
}

/// The simple commands of a text of lines, `&&`, `||`, `;` and pipes.
pub fn commands(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let mut careless = false;
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    for line in joined.lines() {
        let parts = simple(line);
        for (index, part) in parts.iter().enumerate() {
            let words = shell_words(part.text);
            let ignored = part.or && parts.get(index + 1).is_some_and(|next| is_shrug(next.text));
            careless |= words.len() == 2 && words[0] == "set" && words[1] == "+e";
            if !words.is_empty() && found.len() < MAX_COMMANDS {
                found.push(Command { words, swallowed: careless || ignored });
            }
        }
    }
    found
}

struct Part<'t> {
    text: &'t str,
    /// `||` follows.
    or: bool,
}

/// Splits a line at separators outside of quotes, up to a comment.
fn simple(line: &str) -> Vec<Part<'_>> {
    let bytes = line.as_bytes();
    let (mut parts, mut from, mut at, mut quote) = (Vec::new(), 0, 0, None);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let width = match (quote, byte) {
            (Some(open), _) => {
                quote = (open != byte).then_some(open);
                0
            }
            (None, b'"' | b'\'' | b'`') => {
                quote = Some(byte);
                0
            }
            (None, b'#') if at == 0 || bytes[at - 1].is_ascii_whitespace() => break,
            (None, b'&' | b'|') if next == Some(byte) => 2,
            (None, b';' | b'|') => 1,
            _ => 0,
        };
        if width > 0 {
            parts.push(Part { text: &line[from..at], or: byte == b'|' && width == 2 });
            from = at + width;
        }
        at += width.max(1);
    }
    parts.push(Part { text: line.get(from..at).unwrap_or_default(), or: false });
    parts
}

/// `true`, `exit 0`, `echo …`: what follows `||` when nobody cares.
fn is_shrug(text: &str) -> bool {
    let words = shell_words(text);
    match words.first().map(String::as_str) {
        Some("true" | ":" | "echo" | "printf") => true,
        Some("exit") => words.get(1).is_some_and(|code| code == "0"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swallowed_failures() {
        let swallowed = |text: &str| commands(text).iter().any(|c| c.swallowed && c.words[0] == "npm");
        assert!(swallowed("npm test || true") && swallowed("npm test || exit 0") && swallowed("set +e\nnpm test"));
        assert!(!swallowed("npm test || exit 1") && !swallowed("npm test && echo ok"));
    }
}
