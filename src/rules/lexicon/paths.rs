//! Paths by their segments: `/api/health` is a path of health.

use super::words;

#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    pub last: Vec<Vec<String>>,
    pub then: Vec<String>,
    pub any: Vec<Vec<String>>,
    pub unless: Vec<String>,
    pub parameters: Parameters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Parameters {
    None,
    NoId,
    #[default]
    Any,
}

/// A segment without case and without what joins its words.
pub(super) fn plain(segment: &str) -> String {
    segment.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

impl Paths {
    pub fn contains(&self, path: &str) -> bool {
        if !path.contains('/') && !path.is_empty() && path.contains(char::is_whitespace) {
            return false;
        }
        let raw: Vec<&str> = path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let segments: Vec<String> = raw.iter().map(|segment| plain(segment)).collect();
        if segments.iter().any(|segment| self.unless.contains(segment)) {
            return false;
        }
        let parameters: Vec<bool> = raw.iter().map(|segment| is_parameter(segment)).collect();
        self.parameters_allowed(&raw, &parameters)
            && (self.any.iter().any(|path| stands_anywhere(path, &segments)) || self.ends_path(&segments, &parameters))
    }

    fn parameters_allowed(&self, raw: &[&str], parameters: &[bool]) -> bool {
        match self.parameters {
            Parameters::Any => true,
            Parameters::None => !parameters.contains(&true),
            Parameters::NoId => {
                raw.iter().zip(parameters).all(|(segment, parameter)| !parameter || !is_identifier(segment))
            }
        }
    }

    /// A path of `last` ends the path, but for segments of `then`.
    fn ends_path(&self, segments: &[String], parameters: &[bool]) -> bool {
        let follows = |index: usize| {
            segments.get(index).is_some_and(|segment| self.then.contains(segment))
                || (parameters.get(index) == Some(&true) && self.then.iter().any(|then| then == "*param"))
        };
        let mut end = segments.len();
        loop {
            let head = segments.get(..end).unwrap_or_default();
            if self.last.iter().any(|path| ends_with(path, head)) {
                return true;
            }
            match end.checked_sub(1) {
                Some(shorter) if follows(shorter) => end = shorter,
                _ => return false,
            }
        }
    }
}

fn stands_anywhere(path: &[String], segments: &[String]) -> bool {
    segments.windows(path.len().max(1)).any(|window| same_segments(path, window))
}

fn ends_with(path: &[String], segments: &[String]) -> bool {
    let tail = segments.len().checked_sub(path.len()).and_then(|start| segments.get(start..));
    tail.is_some_and(|tail| same_segments(path, tail))
}

fn same_segments(path: &[String], segments: &[String]) -> bool {
    path.iter().zip(segments).all(|(expected, segment)| same_segment(expected, segment))
}

/// `#` in the expected segment stands for one or more digits.
fn same_segment(expected: &str, segment: &str) -> bool {
    if !expected.contains('#') {
        return expected == segment;
    }
    let mut rest = segment;
    for character in expected.chars() {
        if character == '#' {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            match rest.get(digits..) {
                Some(after) if digits > 0 => rest = after,
                _ => return false,
            }
        } else {
            match rest.strip_prefix(character) {
                Some(after) => rest = after,
                None => return false,
            }
        }
    }
    rest.is_empty()
}

/// `:id`, `[id]`, `{id}`, `<id>`, `*`.
fn is_parameter(segment: &str) -> bool {
    segment.starts_with([':', '[', '{', '<', '*'])
}

fn is_identifier(segment: &str) -> bool {
    words(segment).last().is_some_and(|word| matches!(word.as_str(), "id" | "uuid" | "slug" | "key"))
}
