//! Comments that admit that something is missing.

const WORDS: &[&str] = &[
    "todo",
    "fixme",
    "placeholder",
    "stub",
    "for now",
    "you would",
    "would query",
    "not implemented",
    "in a real",
    "hack",
    "temporar",
];

/// What is said of code that does not do its work yet.
const STANDING_IN: &[&str] = &[
    "placeholder",
    "stub",
    "mock",
    "fake",
    "dummy",
    "hardcoded",
    "hard-coded",
    "simulat",
    "implement",
    "integrat",
    "in a real",
    "would ",
    "replace with",
    "replace this",
    "the real",
    "for now",
];

/// Does a comment that admits a gap say that its code only stands in for what it should do?
pub(super) fn stands_in(comment: &str) -> bool {
    let lower = comment.to_lowercase();
    STANDING_IN.iter().any(|word| lower.contains(word))
}

/// Does the text of a comment say that its code is not finished?
pub(super) fn admits_a_gap(comment: &str) -> bool {
    let lower = comment.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
