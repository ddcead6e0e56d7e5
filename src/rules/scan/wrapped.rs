//! Texts that stand in a file in base64, as in the secrets of Kubernetes: where one begins, and what it says.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Longer runs are images and bundles.
const LONGEST: usize = 16 * 1024;

/// How the base64 of every text begins that begins with the word; nothing where too little of it is sure.
pub fn beginning(word: &str) -> Option<String> {
    let sure = word.len() * 8 / 6;
    let encoded = STANDARD_NO_PAD.encode(word);
    (word.len() >= 3).then(|| encoded.get(..sure).map(str::to_owned)).flatten()
}

/// The run of base64 that begins at a byte of the text, and the text in it. None where the byte is inside a run, or the run holds no text.
pub fn read(text: &str, start: usize) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|byte| is_letter(*byte)) {
        return None;
    }
    let rest = bytes.get(start..)?;
    let letters = rest.iter().take(LONGEST + 1).take_while(|byte| is_letter(**byte)).count();
    let end = start + letters + rest.iter().skip(letters).take(2).take_while(|byte| **byte == b'=').count();
    let run = text.get(start..end)?;
    let decoded =
        if letters > LONGEST { None } else { STANDARD.decode(run).or_else(|_| STANDARD_NO_PAD.decode(run)).ok() };
    let inner = String::from_utf8(decoded?).ok()?;
    inner.chars().all(|letter| !letter.is_control() || letter.is_ascii_whitespace()).then_some((start..end, inner))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_that_of_every_text_with_the_word() {
        let sure = beginning("ghq_").unwrap();
        for rest in ["a", "bc", "0Zz", "~~~~"] {
            assert!(STANDARD.encode(format!("ghq_{rest}")).starts_with(&sure));
        }
        assert_eq!(beginning("ab"), None);
    }

    #[test]
    fn a_run_is_read_as_a_whole() {
        let text = format!("  token: {}\n", STANDARD.encode("ghq_secret"));
        assert_eq!(read(&text, 9).unwrap(), (9..25, "ghq_secret".to_owned()));
        assert_eq!(read(&text, 10), None, "inside the run");
        assert_eq!(read("x: Z2hxXw", 3).unwrap().1, "ghq_", "without padding");
        assert_eq!(read("x: /////w==", 3), None, "no text");
        assert_eq!(read("é", 1), None, "no character begins there");
        assert_eq!(read(&"A".repeat(LONGEST + 8), 0), None);
    }
}
