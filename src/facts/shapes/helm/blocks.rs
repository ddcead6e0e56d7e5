//! The blocks of a template: whether each that opens also ends.

use crate::syntax::SyntaxError;

/// What an action does to the blocks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Open,
    Otherwise,
    Close,
}

/// What is wrong with the blocks of a template, at its place: without that, Helm renders nothing of the chart.
pub fn check(template: &str) -> Option<SyntaxError> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    for action in Actions::of(template) {
        let Action { at, text: Some(text) } = action else {
            return Some(SyntaxError::malformed(template, action.at, "`{{` without `}}`"));
        };
        let word = first_word(text);
        match step_of(word) {
            Some(Step::Open) => open.push((word, at)),
            Some(Step::Close) if open.pop().is_none() => {
                return Some(SyntaxError::malformed(template, at, "`end` of a block that nothing opens"));
            }
            Some(Step::Otherwise) if open.is_empty() => {
                return Some(SyntaxError::malformed(template, at, "`else` outside of a block"));
            }
            _ => {}
        }
    }
    let (word, at) = open.pop()?;
    Some(SyntaxError::malformed(template, at, format!("`{word}` without `end`")))
}

/// The steps of one line.
pub(super) fn steps(line: &str) -> impl Iterator<Item = Step> + '_ {
    Actions::of(line).filter_map(|action| step_of(first_word(action.text?)))
}

fn step_of(word: &str) -> Option<Step> {
    match word {
        "if" | "with" | "range" | "define" | "block" => Some(Step::Open),
        "else" => Some(Step::Otherwise),
        "end" => Some(Step::Close),
        _ => None,
    }
}

fn first_word(action: &str) -> &str {
    let text = action.strip_prefix('-').unwrap_or(action).trim_start();
    text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// What stands between `{{` and `}}`; none where the end is missing.
struct Action<'t> {
    at: usize,
    text: Option<&'t str>,
}

struct Actions<'t> {
    template: &'t str,
    next: usize,
}

impl<'t> Actions<'t> {
    fn of(template: &'t str) -> Actions<'t> {
        Actions { template, next: 0 }
    }
}

impl<'t> Iterator for Actions<'t> {
    type Item = Action<'t>;

    fn next(&mut self) -> Option<Action<'t>> {
        let at = self.next + self.template.get(self.next..)?.find("{{")?;
        let inner = self.template.get(at + 2..)?;
        let text = end_of(inner).and_then(|end| inner.get(..end));
        self.next = at + 2 + text.map_or(inner.len(), |text| text.len() + 2);
        Some(Action { at, text })
    }
}

/// Where an action ends: texts and comments in it may hold braces of their own.
fn end_of(inner: &str) -> Option<usize> {
    let trimmed = inner.strip_prefix('-').unwrap_or(inner).trim_start();
    if trimmed.starts_with("/*") {
        let start = inner.len() - trimmed.len();
        let comment = start + trimmed.find("*/")? + 2;
        return inner.get(comment..)?.find("}}").map(|end| comment + end);
    }
    let bytes = inner.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match quote {
            Some(b'"') if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'`') => quote = Some(byte),
            None if bytes[at..].starts_with(b"}}") => return Some(at),
            None => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(template: &str) -> Option<(u32, String)> {
        check(template).map(|error| (error.line, error.message))
    }

    #[test]
    fn blocks_that_end_are_well() {
        for template in [
            "a: 1\n{{- if .x }}\nb: {{ .y }}\n{{- else if .z -}}\nc: 2\n{{- end }}\n",
            "{{ range $k, $v := .x }}{{ $k }}{{ end }}",
            "{{/* {{ if }} */}}\n{{- /* a\n {{ range }} */ -}}\nx: 1",
            "x: {{ printf \"}} {{ if\" }}\ny: {{ `}}` }}\nz: {{ ifnot .x }}{{ endless }}",
            "{{ define \"x\" }}{{ with .a }}{{ . }}{{ end }}{{ end }}",
            "{{ $if := 1 }}",
        ] {
            assert_eq!(problem(template), None, "{template}");
        }
    }

    #[test]
    fn what_is_open_is_said_where_it_opens() {
        let open = problem("a: 1\n{{- range .x }}\n- {{ . }}\n{{- if .y }}\n{{- end }}\n");
        assert_eq!(open, Some((2, "`range` without `end`".to_owned())));
        assert_eq!(problem("{{ if .x }}\na: 1"), Some((1, "`if` without `end`".to_owned())));
        assert_eq!(problem("a: 1\n{{ end }}"), Some((2, "`end` of a block that nothing opens".to_owned())));
        assert_eq!(problem("{{ else }}"), Some((1, "`else` outside of a block".to_owned())));
        assert_eq!(problem("a: 1\nb: {{ .x\n"), Some((2, "`{{` without `}}`".to_owned())));
        assert_eq!(problem("{{/* open"), Some((1, "`{{` without `}}`".to_owned())));
        assert_eq!(problem("{{"), Some((1, "`{{` without `}}`".to_owned())));
    }
}
