//! A few lines of source around a finding, cut, escaped, and without any line that holds a secret.

use std::collections::HashSet;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use crate::facts::Confidence;
use crate::report::model::{FindingReport, Report};
use crate::report::text;
use crate::report::view::Context;

/// Characters of a line that are shown at most.
const MAX_LINE: usize = 200;
/// Of those, characters before the finding in a line that is longer.
const BEFORE: usize = 60;
/// Lines of a finding that are shown at most, besides one before and one after.
const MAX_LINES: u32 = 8;

/// Renders findings; keeps the file at hand, since findings come sorted by path.
pub struct Excerpts<'a> {
    context: &'a Context<'a>,
    secret_lines: HashSet<(&'a str, u32)>,
    file: Option<(String, Vec<String>)>,
    handler: GraphicalReportHandler,
}

impl<'a> Excerpts<'a> {
    pub fn new(report: &'a Report, context: &'a Context<'a>, width: usize, color: bool) -> Self {
        let styles = if color { ThemeStyles::ansi() } else { ThemeStyles::none() };
        let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_context_lines(1);
        Excerpts { context, secret_lines: secret_lines(report), file: None, handler }
    }

    /// The finding with its lines, or with its place alone where they cannot or must not be shown.
    pub fn finding(&mut self, finding: &FindingReport) -> String {
        if finding.secret {
            return without_code(finding, "the line is not shown: it holds a secret");
        }
        let Some(excerpt) = self.excerpt(finding) else {
            return without_code(finding, "");
        };
        let mut out = String::new();
        match self.handler.render_report(&mut out, &excerpt) {
            Ok(()) => out,
            Err(_) => without_code(finding, ""),
        }
    }

    fn excerpt(&mut self, finding: &FindingReport) -> Option<Excerpt> {
        if is_dotenv(&finding.path) {
            return None;
        }
        let first = finding.line.saturating_sub(1).max(1);
        let last = finding.end_line.clamp(finding.line, finding.line.saturating_add(MAX_LINES)).saturating_add(1);
        let masked: HashSet<u32> =
            (first..=last).filter(|line| self.secret_lines.contains(&(finding.path.as_str(), *line))).collect();
        let lines = self.lines(&finding.path)?;
        let mut shown = String::new();
        let mut span = None;
        for number in first..=last {
            let Some(line) = lines.get(number as usize - 1) else { break };
            if number == finding.line {
                let (text, from, to) = marked_line(line, finding);
                let hidden = masked.contains(&number);
                span = Some(if hidden { (shown.len(), 0) } else { (shown.len() + from, to - from) });
                shown.push_str(if hidden { HIDDEN } else { &text });
            } else if masked.contains(&number) {
                shown.push_str(HIDDEN);
            } else {
                shown.push_str(&cut(line, 0).1);
            }
            shown.push('\n');
        }
        Some(Excerpt::new(finding, shown, first, span?))
    }

    fn lines(&mut self, path: &str) -> Option<&[String]> {
        if self.file.as_ref().is_none_or(|(cached, _)| cached != path) {
            let text = (self.context.source)(path)?;
            self.file = Some((path.to_owned(), text.lines().map(str::to_owned).collect()));
        }
        self.file.as_ref().map(|(_, lines)| lines.as_slice())
    }
}

const HIDDEN: &str = "(line hidden: it holds a secret)";

/// Every line that a secret stands on, so that no other finding's excerpt shows it.
fn secret_lines(report: &Report) -> HashSet<(&str, u32)> {
    let secrets = report.controls.iter().flat_map(|control| &control.findings).filter(|finding| finding.secret);
    let lines = |finding: &'_ FindingReport| finding.line..=finding.end_line.clamp(finding.line, finding.line + 200);
    secrets.flat_map(|finding| lines(finding).map(|line| (finding.path.as_str(), line))).collect()
}

/// Any line of an environment file may hold one.
fn is_dotenv(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".env"))
}

fn without_code(finding: &FindingReport, note: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("  ({note})") };
    let place = format!("{}:{}:{}", finding.path, finding.line, finding.column);
    format!("  × {}\n    {}{note}\n", headline(finding), text::terminal(&place))
}

/// The message, with its confidence where that is not high.
fn headline(finding: &FindingReport) -> String {
    let message = text::terminal(&finding.message);
    match finding.confidence {
        Confidence::High => message.into_owned(),
        Confidence::Medium => format!("{message} (medium confidence)"),
        Confidence::Low => format!("{message} (low confidence)"),
    }
}

/// The line as shown, and where in it the finding starts and ends (bytes). Columns count characters.
fn marked_line(line: &str, finding: &FindingReport) -> (String, usize, usize) {
    let start = (finding.column as usize).saturating_sub(1);
    let end = if finding.end_line == finding.line { finding.end_column as usize } else { usize::MAX };
    let (skipped, _) = cut(line, start);
    let shown = line.chars().skip(skipped).take(MAX_LINE);
    let mut text = String::from(if skipped > 0 { "…" } else { "" });
    let (mut from, mut to) = (None, None);
    for (index, c) in shown.enumerate() {
        let column = skipped + index;
        if column == start {
            from = Some(text.len());
        }
        if column + 1 == end.max(start + 2) {
            to = Some(text.len());
        }
        text.push_str(&text::terminal_code(c.encode_utf8(&mut [0; 4])));
    }
    let end = text.len();
    if line.chars().nth(skipped + MAX_LINE).is_some() {
        text.push('…');
    }
    let from = from.unwrap_or(end);
    (text, from, to.unwrap_or(end).max(from))
}

/// A window of a line that contains the character `at`: characters left out before it, and its text.
fn cut(line: &str, at: usize) -> (usize, String) {
    let is_long = line.chars().nth(MAX_LINE).is_some();
    let skipped = if is_long && at >= MAX_LINE - BEFORE { at - BEFORE } else { 0 };
    let mut text: String = line.chars().skip(skipped).take(MAX_LINE).collect();
    if is_long {
        text.push('…');
    }
    (skipped, text::terminal_code(&text))
}

/// What miette renders: a piece of a file that knows its first line's number.
#[derive(Debug)]
struct Excerpt {
    message: String,
    name: String,
    text: String,
    first: usize,
    span: SourceSpan,
    low: bool,
}

impl Excerpt {
    fn new(finding: &FindingReport, text: String, first: u32, (start, length): (usize, usize)) -> Self {
        Excerpt {
            message: headline(finding),
            name: text::terminal(&finding.path).into_owned(),
            text,
            first: (first as usize).saturating_sub(1),
            span: (start, length).into(),
            low: finding.confidence == Confidence::Low,
        }
    }
}

impl std::fmt::Display for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Excerpt {}

impl Diagnostic for Excerpt {
    fn severity(&self) -> Option<Severity> {
        Some(if self.low { Severity::Warning } else { Severity::Error })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, self.span))))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line() + self.first,
            inner.column(),
            inner.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn show(source: &str, change: impl Fn(&mut FindingReport)) -> String {
        let mut report = sample::unready();
        let mut finding = sample::finding("rule", "src/app.ts", 2, "`x` is bad");
        change(&mut finding);
        for control in &mut report.controls {
            control.findings.retain(|other| other.path != "src/app.ts");
        }
        report.controls[0].findings.push(finding.clone());
        let read = |_: &str| Some(source.to_owned());
        let context = Context { controls: &[], source: &read };
        Excerpts::new(&report, &context, 80, false).finding(&finding)
    }

    #[test]
    fn shows_the_line_with_its_number() {
        let out = show("one\n  two(x)\nthree\nfour\n", |_| {});
        assert!(out.contains("src/app.ts:2:3"), "{out}");
        assert!(out.contains("2 │   two(x)"), "{out}");
        assert!(!out.contains("four"), "{out}");
    }

    #[test]
    fn never_shows_a_secret_nor_its_line() {
        let out = show("one\nconst key = 'hunter2'\n", |finding| finding.secret = true);
        assert!(!out.contains("hunter2"), "{out}");
        assert!(out.contains("it holds a secret"), "{out}");
    }

    #[test]
    fn hides_a_secret_line_in_the_excerpt_of_another_finding() {
        let mut report = sample::unready();
        let mut secret = sample::finding("secret", "src/app.ts", 2, "a secret");
        secret.secret = true;
        let other = sample::finding("other", "src/app.ts", 3, "something else");
        report.controls[0].findings.extend([secret, other.clone()]);
        let read = |_: &str| Some("one\nkey = 'hunter2'\nthree()\n".to_owned());
        let context = Context { controls: &[], source: &read };
        let out = Excerpts::new(&report, &context, 80, false).finding(&other);
        assert!(!out.contains("hunter2"), "{out}");
        assert!(out.contains("three()"), "{out}");
    }

    #[test]
    fn environment_files_are_never_quoted() {
        let out = show("A=1\nPASSWORD=hunter2\n", |finding| finding.path = "deploy/.env.production".into());
        assert!(!out.contains("hunter2"), "{out}");
        assert!(out.contains("deploy/.env.production:2"), "{out}");
    }

    #[test]
    fn a_line_of_two_megabytes_is_cut_around_the_finding() {
        let line = format!("one\n{}NEEDLE{}\n", "a".repeat(1_000_000), "b".repeat(1_000_000));
        let out = show(&line, |finding| (finding.column, finding.end_column) = (1_000_001, 1_000_007));
        assert!(out.contains("NEEDLE"), "{out}");
        assert!(out.len() < 4_000, "{} bytes", out.len());
    }

    #[test]
    fn places_beyond_the_file_are_harmless() {
        for line in [3, 99, u32::MAX] {
            let out = show("one\ntwo\n", |finding| (finding.line, finding.end_line) = (line, line));
            assert!(out.contains("`x` is bad"), "{out}");
        }
        let out =
            show("ünï 漢字\n漢字 漢字\n", |finding| (finding.column, finding.end_column) = (900, u32::MAX));
        assert!(out.contains("漢字 漢字"), "{out}");
    }

    #[test]
    fn control_bytes_in_code_are_escaped() {
        let out = show("one\n\u{1b}[31mtwo\u{202e}\n", |_| {});
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
    }
}
