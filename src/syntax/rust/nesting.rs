//! Keeps the recursion of syn, and of everything that walks its tree, within the stack.
//!
//! Every level of a tree costs at least one bracket, operator or keyword. Tokens come in trees of brackets, so what can
//! nest in what is counted along each way into them.

use std::thread;

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

use crate::syntax::SyntaxError;
use crate::syntax::depth::LIMIT;

/// What the stack of any thread holds.
const IN_PLACE: usize = 100;
/// What fits the largest stack that is asked for.
const MOST: usize = 32_000;
/// What a debug build takes for one level, brackets apart.
const BYTES_PER_LEVEL: usize = 16 << 10;
/// What a thread needs before anything nests.
const BASE: usize = 4 << 20;

/// Brackets and the operators and keywords before each, along the deepest way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Measure {
    levels: usize,
    /// Where brackets nest more deeply than [`LIMIT`].
    beyond: Option<usize>,
}

/// Reads `text` where there is room for it.
pub(super) fn guarded<T: Send>(
    text: &str,
    lower: impl Fn(&str, TokenStream) -> Result<T, SyntaxError> + Sync,
) -> Result<T, SyntaxError> {
    let result = thread::scope(|scope| {
        let read = tokens(text)?;
        let measured = measure(read.clone());
        if let Some(offset) = measured.beyond {
            return Err(SyntaxError::too_deep(text, offset));
        }
        if measured.levels <= IN_PLACE {
            return lower(text, read);
        }
        let refused = || SyntaxError::too_deep(text, 0);
        if measured.levels > MOST {
            return Err(refused());
        }
        let builder = thread::Builder::new().stack_size(BASE + measured.levels * BYTES_PER_LEVEL);
        let Ok(thread) = builder.spawn_scoped(scope, || lower(text, tokens(text)?)) else { return Err(refused()) };
        thread.join().unwrap_or_else(|_| Err(refused()))
    });
    // Places are kept by thread until they are let go.
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}

fn tokens(text: &str) -> Result<TokenStream, SyntaxError> {
    let shebang = text.starts_with("#!") && !text.starts_with("#![");
    let body = if shebang { text.find('\n').and_then(|at| text.get(at..)).unwrap_or("") } else { text };
    // A first line that only a shell reads is blanked, so that places stay right.
    let blanked = shebang.then(|| format!("{}{body}", " ".repeat(text.len() - body.len())));
    let source = blanked.as_deref().unwrap_or(text);
    source.parse().map_err(|error: proc_macro2::LexError| {
        SyntaxError::malformed(text, error.span().byte_range().start, error.to_string())
    })
}

struct Level {
    rest: token_stream::IntoIter,
    /// Operators and keywords since the last `;` of this group and before it in those around.
    weight: usize,
    base: usize,
    /// Braces just closed: what follows starts anew unless it goes on with them.
    after_braces: bool,
}

impl Level {
    fn new(tokens: TokenStream, base: usize) -> Level {
        Level { rest: tokens.into_iter(), weight: base, base, after_braces: false }
    }

    fn start_anew_before(&mut self, token: &TokenTree) {
        let goes_on = match token {
            TokenTree::Ident(name) => name == "else" || name == "as",
            TokenTree::Punct(punct) => punct.as_char() != '#',
            _ => true,
        };
        if std::mem::take(&mut self.after_braces) && !goes_on {
            self.weight = self.base;
        }
    }
}

fn measure(tokens: TokenStream) -> Measure {
    let mut measured = Measure::default();
    let mut open = vec![Level::new(tokens, 0)];
    while let Some(level) = open.last_mut() {
        let Some(token) = level.rest.next() else {
            open.pop();
            continue;
        };
        level.start_anew_before(&token);
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => level.weight = level.base,
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | '#') => {}
            TokenTree::Punct(_) => level.weight += 1,
            TokenTree::Ident(name) if nests(&name) => level.weight += 1,
            TokenTree::Group(group) => {
                level.weight += usize::from(group.delimiter() != Delimiter::None);
                level.after_braces = group.delimiter() == Delimiter::Brace;
                let base = level.weight + 1;
                measured.levels = measured.levels.max(base);
                if open.len() > LIMIT {
                    measured.beyond.get_or_insert(group.span_open().byte_range().start);
                    continue;
                }
                open.push(Level::new(group.stream(), base));
                continue;
            }
            _ => {}
        }
        measured.levels = measured.levels.max(level.weight);
    }
    measured
}

/// Keywords that make a level with no punctuation of their own.
fn nests(word: &proc_macro2::Ident) -> bool {
    ["as", "async", "box", "break", "const", "dyn", "else", "for", "if", "impl", "let", "loop", "match", "move"]
        .iter()
        .chain(&["mut", "raw", "ref", "return", "try", "unsafe", "while", "yield"])
        .any(|keyword| word == keyword)
}
