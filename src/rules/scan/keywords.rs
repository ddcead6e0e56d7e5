//! All places of many keywords in a text, letters of either case taken for the same.
//!
//! What takes time is to wait for the next state of the automaton, so several stretches of the text are read in turns.

use std::ops::Range;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, MatchError, MatchKind};

/// Stretches that are read in turns.
const LANES: usize = 4;
/// What is read before hits are handed on, so that a text of nothing but keywords takes no memory.
const BLOCK: usize = 64 << 10;
/// Stretches shorter than this are not worth the overlap.
const LEAST: usize = 512;

/// The automaton of some keywords.
pub struct Keywords {
    automaton: DFA,
    start: StateID,
}

/// One keyword at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which of the keywords.
    pub keyword: usize,
    /// Byte range in the text.
    pub range: Range<usize>,
}

/// Why no automaton could be made.
#[derive(Debug, thiserror::Error)]
pub enum KeywordsError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Start(#[from] MatchError),
}

impl Keywords {
    pub fn new<'k>(keywords: impl IntoIterator<Item = &'k str>) -> Result<Keywords, KeywordsError> {
        let mut builder = DFA::builder();
        let builder = builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true).prefilter(false);
        let automaton = builder.build(keywords)?;
        let start = automaton.start_state(Anchored::No)?;
        Ok(Keywords { automaton, start })
    }

    /// Hands on every hit, in the order of their ends, those that lie in each other included.
    pub fn find(&self, text: &str, mut found: impl FnMut(Hit)) {
        let bytes = text.as_bytes();
        let mut hits: [Vec<Hit>; LANES] = Default::default();
        for from in (0..bytes.len()).step_by(BLOCK) {
            let to = bytes.len().min(from + BLOCK);
            self.read_block(bytes, from..to, &mut hits);
            hits.iter_mut().flat_map(|hits| hits.drain(..)).for_each(&mut found);
        }
    }

    /// The hits that end in a block, by lane.
    fn read_block(&self, bytes: &[u8], block: Range<usize>, hits: &mut [Vec<Hit>; LANES]) {
        let length = block.len() / LANES;
        if length < LEAST {
            let state = self.state_at(bytes, block.start);
            self.read(bytes, block, state, &mut hits[0]);
            return;
        }
        let starts: [usize; LANES] = std::array::from_fn(|lane| block.start + lane * length);
        let mut states = starts.map(|start| self.state_at(bytes, start));
        for offset in 0..length {
            for lane in 0..LANES {
                let at = starts[lane] + offset;
                states[lane] = self.automaton.next_state(Anchored::No, states[lane], bytes[at]);
                if self.automaton.is_special(states[lane]) {
                    self.add_hits(states[lane], at + 1, &mut hits[lane]);
                }
            }
        }
        self.read(bytes, starts[LANES - 1] + length..block.end, states[LANES - 1], &mut hits[LANES - 1]);
    }

    fn read(&self, bytes: &[u8], stretch: Range<usize>, state: StateID, hits: &mut Vec<Hit>) {
        let mut state = state;
        for at in stretch {
            state = self.automaton.next_state(Anchored::No, state, bytes[at]);
            if self.automaton.is_special(state) {
                self.add_hits(state, at + 1, hits);
            }
        }
    }

    /// The state before a place: what could begin a keyword that ends behind it is no longer than a keyword.
    fn state_at(&self, bytes: &[u8], place: usize) -> StateID {
        let from = place.saturating_sub(self.automaton.max_pattern_len());
        let next = |state, byte: &u8| self.automaton.next_state(Anchored::No, state, *byte);
        bytes[from..place].iter().fold(self.start, next)
    }

    fn add_hits(&self, state: StateID, end: usize, hits: &mut Vec<Hit>) {
        if !self.automaton.is_match(state) {
            return;
        }
        for index in 0..self.automaton.match_len(state) {
            let keyword = self.automaton.match_pattern(state, index);
            let start = end - self.automaton.pattern_len(keyword);
            hits.push(Hit { keyword: keyword.as_usize(), range: start..end });
        }
    }
}

#[cfg(test)]
mod tests {
    use aho_corasick::AhoCorasick;

    use super::*;

    const KEYWORDS: &[&str] = &["key", "monkey", "secret", "ret", "e", "a_very_long_keyword_indeed"];

    fn found(text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        Keywords::new(KEYWORDS.iter().copied()).unwrap().find(text, |hit| hits.push(hit));
        hits
    }

    fn expected(text: &str) -> Vec<Hit> {
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(KEYWORDS).unwrap();
        let hits = automaton.find_overlapping_iter(text);
        hits.map(|hit| Hit { keyword: hit.pattern().as_usize(), range: hit.range() }).collect()
    }

    #[test]
    fn texts_of_any_length_give_the_same_as_reading_them_in_one_go() {
        let words = "monKEY a_very_long_keyword_indeed, no secret é here ";
        for length in [0, 1, 50, LEAST * LANES - 1, LEAST * LANES, LEAST * LANES + 3, BLOCK, BLOCK + 1, 3 * BLOCK + 77]
        {
            let mut text = words.repeat(length / words.len() + 1);
            while !text.is_char_boundary(length) {
                text.pop();
            }
            text.truncate(length);
            assert_eq!(found(&text), expected(&text), "{length}");
        }
    }

    #[test]
    fn a_keyword_across_any_two_stretches_is_found_once() {
        let length = BLOCK + 4 * LEAST;
        for place in [BLOCK / 4 - 10, BLOCK / 2 - 1, BLOCK - 25, BLOCK - 26, BLOCK, BLOCK + LEAST - 3, length - 26] {
            let mut text = "-".repeat(length);
            text.replace_range(place..place + 26, KEYWORDS[5]);
            let long = found(&text).into_iter().filter(|hit| hit.keyword == 5);
            assert_eq!(long.map(|hit| hit.range.start).collect::<Vec<_>>(), [place]);
            assert_eq!(found(&text), expected(&text));
        }
    }
}
