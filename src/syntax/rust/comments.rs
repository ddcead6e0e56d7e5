//! Comments that admit a gap: syn drops comments, so they are what stands between tokens.

use proc_macro2::{TokenStream, TokenTree};

use crate::syntax::error::narrow;
use crate::syntax::gaps::{admits_a_gap, stands_in};
use crate::syntax::hir::Comment;

/// The comments among the text between tokens.
pub(super) fn gaps(text: &str, tokens: TokenStream) -> Vec<Comment> {
    let mut found = Vec::new();
    // Tokens are told where they stand one by one, which takes as long as to parse them.
    if !admits_a_gap(text) {
        return found;
    }
    let mut from = 0;
    let mut open = vec![(tokens.into_iter(), None)];
    while let Some((rest, close)) = open.last_mut() {
        let range = match rest.next() {
            Some(TokenTree::Group(group)) => {
                let range = group.span_open().byte_range();
                open.push((group.stream().into_iter(), Some(group.span_close().byte_range())));
                range
            }
            Some(token) => token.span().byte_range(),
            None => {
                let end = close.take();
                open.pop();
                match end {
                    Some(range) => range,
                    None => text.len()..text.len(),
                }
            }
        };
        between(text, from, range.start, &mut found);
        from = from.max(range.end);
    }
    found
}

/// The comments of one stretch without tokens, one by line.
fn between(text: &str, from: usize, to: usize, found: &mut Vec<Comment>) {
    let Some(stretch) = text.get(from..to) else { return };
    if !stretch.contains('/') {
        return;
    }
    let mut at = from;
    for line in stretch.split_inclusive('\n') {
        if admits_a_gap(line) {
            let start = at + (line.len() - line.trim_start().len());
            found.push(Comment {
                start: narrow(start),
                end: narrow(at + line.trim_end().len()),
                stands_in: stands_in(line),
            });
        }
        at += line.len();
    }
}
