//! Keeps the recursion of the parser, and of everything that walks its tree, within the stack.
//!
//! Every level of a syntax tree costs at least one bracket, operator or keyword, so counting those bounds the depth
//! without parsing. Nothing has to be known of strings, regular expressions or JSX for that, which a hostile file could
//! confuse.

use std::thread;

use oxc_ast::AstKind;
use oxc_ast::ast::Program;
use oxc_ast_visit::Visit;
use oxc_span::GetSpan as _;

use crate::syntax::SyntaxError;

/// The stack that a thread needs to parse a file of up to [`IN_PLACE`] weight.
pub const STACK: usize = 64 << 20;
/// What fits [`STACK`] even if all of it nests: debug builds take up to 1,800 bytes a level.
pub(in crate::syntax) const IN_PLACE: usize = 30_000;
/// What fits the largest stack that is asked for; code of 2 MiB that people write stays below.
const MOST: usize = 256_000;
const BYTES_PER_LEVEL: usize = STACK / IN_PLACE;
/// Trees of more levels than this are given up: the semantic model takes quadratic time on nested scopes.
const DEEPEST: u32 = 10_000;

/// The most levels that a text can nest, never too few.
fn weight(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut weight, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_lowercase() {
            let start = at;
            while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                at += 1;
            }
            weight += usize::from(text.get(start..at).is_some_and(nests));
            continue;
        }
        weight += usize::from(MARKS[usize::from(byte)]);
        at += 1;
    }
    weight
}

/// Punctuation that makes a level.
const MARKS: [bool; 256] = among(b"([{<!>~+-*/%&|^?:=.`");

/// By byte, whether it is one of these.
pub(in crate::syntax) const fn among(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

/// Keywords that make a level with no punctuation of their own.
fn nests(word: &str) -> bool {
    matches!(
        word,
        "as" | "asserts"
            | "await"
            | "delete"
            | "do"
            | "else"
            | "extends"
            | "in"
            | "infer"
            | "instanceof"
            | "is"
            | "keyof"
            | "new"
            | "of"
            | "readonly"
            | "satisfies"
            | "typeof"
            | "unique"
            | "void"
            | "yield"
    )
}

/// Whether `text` may be parsed on the thread at hand, which has [`STACK`].
pub(super) fn fits(text: &str) -> bool {
    text.len() <= IN_PLACE || weight(text) <= IN_PLACE
}

/// Runs `work` on a thread of its own whose stack holds whatever `text` nests.
pub(super) fn on_large_stack<T: Send>(
    text: &str,
    work: impl FnOnce() -> Result<T, SyntaxError> + Send,
) -> Result<T, SyntaxError> {
    with_levels(weight(text), work)
}

/// Runs `work` on a thread of its own whose stack holds trees of that many levels.
pub(in crate::syntax) fn with_levels<T: Send>(
    weight: usize,
    work: impl FnOnce() -> Result<T, SyntaxError> + Send,
) -> Result<T, SyntaxError> {
    let refused = |message: String| SyntaxError { kind: "too-deep", offset: 0, line: 1, message };
    if weight > MOST {
        let message = format!("it has {weight} brackets and operators, more than the {MOST} that can be nested safely");
        return Err(refused(message));
    }
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(weight * BYTES_PER_LEVEL);
        let Ok(thread) = builder.spawn_scoped(scope, work) else {
            return Err(refused("there is no memory for the stack that its parser needs".to_owned()));
        };
        thread.join().unwrap_or_else(|_| Err(refused("its parser failed".to_owned())))
    })
}

/// Where a tree is too deep to go on with.
pub(super) fn too_deep(program: &Program<'_>) -> Option<u32> {
    let mut levels = Levels { now: 0, beyond: None };
    levels.visit_program(program);
    levels.beyond
}

struct Levels {
    now: u32,
    beyond: Option<u32>,
}

impl<'a> Visit<'a> for Levels {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        self.now += 1;
        if self.now > DEEPEST {
            self.beyond.get_or_insert(kind.span().start);
        }
    }

    fn leave_node(&mut self, _: AstKind<'a>) {
        self.now -= 1;
    }
}

#[cfg(test)]
mod tests {
    use oxc_allocator::Allocator;

    use super::*;
    use crate::syntax::hir::Module;
    use crate::syntax::javascript::parse;

    #[test]
    fn whatever_nests_weighs() {
        for deep in ["[[[[[", "!!!!!", "x=>x=>x=>", "await await await await await ", "a?b:a?b:a?", "f`x`.a`x`"] {
            assert!(weight(deep) >= 5, "{deep}");
        }
        assert_eq!(weight("const newest = [1, 2, 'awaiting']; renew"), 2);
    }

    /// Parses as the audit does: on a thread with [`STACK`].
    fn read(text: String) -> Result<Module, SyntaxError> {
        let worker = thread::Builder::new().stack_size(STACK);
        worker.spawn(move || parse("a.js", &text, &Allocator::default())).unwrap().join().unwrap()
    }

    #[test]
    fn chains_of_any_length_are_left_out() {
        for (link, levels) in [("a + ", 20_000), ("!", 100_000), ("x=>", 50_000), ("a.b + ", 300_000)] {
            let kind = match read(format!("x = {}a", link.repeat(levels))) {
                Ok(module) => module.too_deep.map(|_| "too-deep"),
                Err(error) => Some(error.kind),
            };
            assert_eq!(kind, Some("too-deep"), "{link}");
        }
    }

    #[test]
    fn large_files_that_are_flat_are_read() {
        let text = "route.get('/x', (req, res) => res.json({ a: 1 }));\n".repeat(10_000);
        assert!(!fits(&text));
        assert_eq!(read(text).unwrap().lines, 10_000);
    }

    #[test]
    fn what_nests_beyond_the_limit_is_left_out_and_said() {
        let text = format!("const a = {}1{};\nexport const last = 2;", "f(".repeat(5_000), ")".repeat(5_000));
        let module = read(text).unwrap();
        assert!(module.too_deep.is_some_and(|offset| offset > 1_000));
        assert_eq!(module.exports.len(), 1);
    }
}
