//! How deeply a text nests, measured on its bytes before any recursive parser sees it.

/// The nesting that a file may have.
pub const LIMIT: usize = 1_000;

/// Where brackets first nest deeper than `limit`, not counting those in strings and comments (`//`, `/* */`).
pub fn first_beyond(text: &str, limit: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'/' => at = end_of_comment(bytes, at),
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > limit {
                    return Some(at);
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The last byte of the string that starts at `start`; an unclosed one ends with its line.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' | b'\n' => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The last byte of the comment that starts at `start`, or `start` itself where there is none.
fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    match bytes.get(start + 1) {
        Some(b'/') => rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| start + length),
        Some(b'*') => rest.windows(2).skip(2).position(|pair| pair == b"*/").map_or(bytes.len(), |n| start + n + 3),
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_first_bracket_beyond_the_limit() {
        assert_eq!(first_beyond("[[1]]", 2), None);
        assert_eq!(first_beyond("[[[1]]]", 2), Some(2));
        assert_eq!(first_beyond("[][][]", 1), None);
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        assert_eq!(first_beyond(r#"["[[[\"[[", 1] // [[["#, 1), None);
        assert_eq!(first_beyond("/* [[[ */ [ /*/ [ */ ]", 1), None);
        assert_eq!(first_beyond("/* [[[ */ [[", 1), Some(11));
    }

    #[test]
    fn unfinished_texts_are_read_to_their_end() {
        for text in ["\"", "\"\\", "/", "/*", "/*/", "//", "[\"["] {
            assert_eq!(first_beyond(text, 1), None, "{text}");
        }
    }
}
