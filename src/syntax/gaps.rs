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

/// Does the text of a comment say that its code is not finished?
pub(super) fn admits_a_gap(comment: &str) -> bool {
    let lower = comment.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
