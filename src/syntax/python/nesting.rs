//! Keeps the recursion of the parser, and of everything that walks its tree, within the stack.
//!
//! Every level of a tree costs a bracket, an operator, a keyword or an indent, so counting those bounds the depth
//! without parsing.

use crate::syntax::SyntaxError;
use crate::syntax::javascript::nesting::{IN_PLACE, among, with_levels};

/// Runs `work`, which parses `text`, on a thread whose stack holds whatever the text nests.
pub(super) fn guarded<T: Send>(
    text: &str,
    work: impl FnOnce() -> Result<T, SyntaxError> + Send,
) -> Result<T, SyntaxError> {
    if text.len() <= IN_PLACE {
        return work();
    }
    match weight(text) {
        light if light <= IN_PLACE => work(),
        heavy => with_levels(heavy, work),
    }
}

/// The most levels that a text can nest, never too few.
fn weight(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut weight, mut at, mut deepest_indent, mut is_line_start) = (0, 0, 0, true);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        if is_line_start && (byte == b' ' || byte == b'\t') {
            while bytes.get(at).is_some_and(|byte| *byte == b' ' || *byte == b'\t') {
                at += 1;
            }
            deepest_indent = deepest_indent.max(at - start);
            continue;
        }
        is_line_start = byte == b'\n';
        if byte.is_ascii_lowercase() {
            while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                at += 1;
            }
            weight += usize::from(text.get(start..at).is_some_and(nests));
            continue;
        }
        weight += usize::from(MARKS[usize::from(byte)]);
        at += 1;
    }
    weight + deepest_indent
}

/// Punctuation that makes a level.
const MARKS: [bool; 256] = among(b"([{<>~+-*/%&|^=.@");

/// Keywords that make a level with no punctuation of their own.
fn nests(word: &str) -> bool {
    matches!(word, "and" | "await" | "else" | "if" | "in" | "is" | "lambda" | "not" | "or" | "yield")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::syntax::hir::Module;
    use crate::syntax::javascript::STACK;
    use crate::syntax::python::parse;

    #[test]
    fn whatever_nests_weighs() {
        for deep in ["[[[[[", "-----", "lambda:lambda:lambda:lambda:lambda:", "not not not not not ", "a.b.c.d.e.f"] {
            assert!(weight(deep) >= 5, "{deep}");
        }
        assert_eq!(weight("notes: iffy, andante"), 0);
        assert_eq!(weight("if a:\n  if b:\n    c\n"), 2 + 4);
    }

    /// Parses as the audit does: on a thread with a large stack.
    fn read(text: String) -> Result<Module, SyntaxError> {
        let worker = thread::Builder::new().stack_size(STACK);
        worker.spawn(move || parse(&text)).unwrap().join().unwrap()
    }

    #[test]
    fn nesting_of_any_kind_and_depth_is_left_out_and_said() {
        let nested =
            |open: &str, close: &str, levels: usize| format!("x = {}1{}", open.repeat(levels), close.repeat(levels));
        let texts = [
            nested("[", "]", 10_000),
            nested("(", ")", 10_000),
            nested("f(", ")", 10_000),
            nested("{1:", "}", 10_000),
            nested("-", "", 200_000),
            nested("not ", "", 50_000),
            nested("lambda: ", "", 50_000),
            nested("1 if 1 else ", "", 50_000),
            nested("", ".a", 100_000),
            nested("", "[0]", 100_000),
            nested("1 + ", "", 100_000),
            nested("2 ** ", "", 50_000),
        ];
        for text in texts {
            let start: String = text.chars().take(20).collect();
            match read(text) {
                Ok(module) => assert!(module.too_deep.is_some() || start.starts_with("x = (("), "{start}"),
                Err(error) => assert!(matches!(error.kind, "too-deep" | "parse-error"), "{start}: {error}"),
            }
        }
    }

    #[test]
    fn deep_blocks_are_left_out() {
        let text: String = (0..2_100).map(|level| format!("{}if a:\n", "\t".repeat(level))).collect();
        let result = read(text + &"\t".repeat(2_100) + "pass\n");
        assert!(result.map_or_else(|error| error.kind == "parse-error", |module| module.too_deep.is_some()));
    }
}
