//! Documents people read (Markdown, reStructuredText, AsciiDoc), by their sections: what each is called, and how much
//! stands in it.

use crate::facts::{Fact, Value};
use crate::project::FileId;

use super::paths::name;
use super::values::{fact, span};

/// Sections that are kept of one file.
const MAX_SECTIONS: usize = 500;
/// Letters of a heading that are kept.
const MAX_TITLE: usize = 200;
/// Signs that underline a heading in reStructuredText.
const UNDERLINES: &str = "=-~^\"'`*+#:._";

/// How headings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Markup {
    Markdown,
    Underlined,
    AsciiDoc,
}

/// What one line is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line<'t> {
    Blank,
    Prose,
    Code,
    Heading { level: usize, title: &'t str },
}

/// A line and where it starts.
type Placed<'t> = (usize, Line<'t>);

fn markup(path: &str) -> Option<Markup> {
    let (_, extension) = name(path).rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "md" | "mdx" | "markdown" => Some(Markup::Markdown),
        "rst" => Some(Markup::Underlined),
        "adoc" | "asciidoc" => Some(Markup::AsciiDoc),
        _ => None,
    }
}

/// The document as a whole (level 0, called like its file) and every heading with what stands beneath it.
pub fn sections(id: FileId, path: &str, text: &str) -> Vec<Fact> {
    let Some(markup) = markup(path) else { return Vec::new() };
    let lines = lines(markup, text);
    let sums = sums(text, &lines);
    let stem = name(path).split('.').next().unwrap_or_default().replace(['-', '_'], " ");
    let section = |of: &Section<'_>| section(id, path, text, (&lines, &sums), of);
    let mut facts = vec![section(&Section { level: 0, title: &stem, line: None })];
    let headings = lines.iter().enumerate().filter_map(|(line, (_, what))| match what {
        Line::Heading { level, title } => Some(Section { level: *level, title, line: Some(line) }),
        _ => None,
    });
    facts.extend(headings.take(MAX_SECTIONS).map(|heading| section(&heading)));
    facts
}

/// How much stands above a line.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    /// In prose.
    words: usize,
    /// Lines.
    code: usize,
}

/// By line, and once more for the end.
fn sums(text: &str, lines: &[Placed<'_>]) -> Vec<Sum> {
    let mut sums = Vec::with_capacity(lines.len() + 1);
    let mut sum = Sum::default();
    sums.push(sum);
    for (index, (start, line)) in lines.iter().enumerate() {
        let end = lines.get(index + 1).map_or(text.len(), |(start, _)| *start);
        match line {
            Line::Prose => sum.words += words(text.get(*start..end).unwrap_or_default()),
            Line::Code => sum.code += 1,
            Line::Blank | Line::Heading { .. } => {}
        }
        sums.push(sum);
    }
    sums
}

/// A heading; the document itself where it stands on no line.
struct Section<'t> {
    level: usize,
    title: &'t str,
    line: Option<usize>,
}

fn section(id: FileId, path: &str, text: &str, (lines, sums): (&[Placed<'_>], &[Sum]), of: &Section<'_>) -> Fact {
    let body = of.line.map_or(0, |line| line + 1);
    let is_over = |(_, line): &Placed<'_>| matches!(line, Line::Heading { level, .. } if *level <= of.level);
    let length = lines.get(body..).unwrap_or_default().iter().position(is_over);
    let last = length.filter(|_| of.line.is_some()).map_or(lines.len(), |length| body + length);
    let start = of.line.and_then(|line| lines.get(line)).map_or(0, |(start, _)| *start);
    let end = lines.get(last).map_or(text.len(), |(start, _)| *start);
    let inside = lines.get(body..last).unwrap_or_default();
    let sum = |line: usize| sums.get(line).copied().unwrap_or_default();
    let (before, after) = (sum(body), sum(last));
    let (words, code) = (after.words.saturating_sub(before.words), after.code.saturating_sub(before.code));
    let parts: Vec<&str> = inside
        .iter()
        .filter_map(|(_, line)| if let Line::Heading { title, .. } = line { Some(*title) } else { None })
        .take(MAX_SECTIONS)
        .collect();
    let title: String = of.title.chars().take(MAX_TITLE).collect();
    let at = span(id, u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX));
    fact("section", at, "shape prose", &title)
        .with("path", Value::text(path))
        .with("name", Value::text(title.as_str()))
        .with("level", Value::number(of.level as f64))
        .with("words", Value::number(words as f64))
        .with("code", Value::number(code as f64))
        .with("parts", Value::texts(&parts))
}

fn words(line: &str) -> usize {
    if line.is_ascii() {
        let words = line.as_bytes().split(u8::is_ascii_whitespace);
        return words.filter(|word| word.iter().any(u8::is_ascii_alphanumeric)).count();
    }
    line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

fn lines(markup: Markup, text: &str) -> Vec<Placed<'_>> {
    let mut at = 0;
    let raw: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, line.trim_end())
        })
        .collect();
    let front = front_matter(markup, &raw);
    let mut fence: Option<&str> = None;
    let mut underlines = Vec::new();
    let mut lines: Vec<Placed<'_>> = Vec::with_capacity(raw.len());
    for (index, (start, line)) in raw.iter().enumerate() {
        let what = match fence {
            _ if index < front => Line::Blank,
            Some(sign) if line.trim_start().starts_with(sign) => {
                fence = None;
                Line::Blank
            }
            Some(_) if line.trim().is_empty() => Line::Blank,
            Some(_) => Line::Code,
            None => match opening(markup, line) {
                Some(sign) => {
                    fence = Some(sign);
                    Line::Blank
                }
                None => plain(markup, line, &mut lines, &mut underlines, &raw, index),
            },
        };
        lines.push((*start, what));
    }
    lines
}

/// The lines of a leading block between `---`.
fn front_matter(markup: Markup, raw: &[(usize, &str)]) -> usize {
    let opened = markup == Markup::Markdown && raw.first().is_some_and(|(_, line)| *line == "---");
    let closed = raw.iter().skip(1).position(|(_, line)| *line == "---");
    closed.filter(|_| opened).map_or(0, |inner| inner + 2)
}

/// What opens, and will close, a block of code.
fn opening(markup: Markup, line: &str) -> Option<&'static str> {
    let signs: &[&'static str] = match markup {
        Markup::Markdown => &["```", "~~~"],
        Markup::AsciiDoc => &["----", "...."],
        Markup::Underlined => &[],
    };
    signs.iter().copied().find(|sign| line.trim_start().starts_with(sign))
}

/// A line outside of blocks. An underline makes the line before it a heading.
fn plain<'t>(
    markup: Markup,
    line: &'t str,
    before: &mut [Placed<'t>],
    underlines: &mut Vec<char>,
    raw: &[(usize, &'t str)],
    index: usize,
) -> Line<'t> {
    let marked = match markup {
        Markup::Markdown => signed(line, '#'),
        Markup::AsciiDoc => signed(line, '='),
        Markup::Underlined => None,
    };
    if let Some((level, title)) = marked {
        return Line::Heading { level, title };
    }
    if let Some((sign, last)) = underline(line).zip(before.last_mut())
        && last.1 == Line::Prose
        && let Some((_, title)) = index.checked_sub(1).and_then(|above| raw.get(above))
        && let Some(level) = underlined(markup, sign, line, title, underlines)
    {
        last.1 = Line::Heading { level, title: tidy(title) };
        return Line::Blank;
    }
    match line {
        line if line.trim().is_empty() || underline(line).is_some() => Line::Blank,
        line if markup != Markup::AsciiDoc && (line.starts_with("    ") || line.starts_with('\t')) => indented(line),
        _ => Line::Prose,
    }
}

/// Indented text is code, unless it goes on with a list.
fn indented(line: &str) -> Line<'static> {
    let text = line.trim_start();
    let is_item = text.starts_with(['-', '*', '+', '|'])
        || text.split_once(['.', ')']).is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    if is_item { Line::Prose } else { Line::Code }
}

/// `## Title`
fn signed(line: &str, sign: char) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|c| *c == sign).count();
    let rest = line.get(level..).filter(|_| (1..=6).contains(&level))?;
    let title = tidy(rest.strip_prefix([' ', '\t'])?.trim_end_matches(sign));
    (!title.is_empty()).then_some((level, title))
}

/// A heading without comments, links to itself and emphasis around it.
fn tidy(title: &str) -> &str {
    let title = title.split("<!--").next().unwrap_or(title);
    let title = title.split(" {#").next().unwrap_or(title);
    title.trim().trim_matches(['*', '_', '`']).trim()
}

/// The one sign that a line consists of.
fn underline(line: &str) -> Option<char> {
    let sign = line.chars().next().filter(|sign| UNDERLINES.contains(*sign))?;
    (line.len() >= 3 && line.chars().all(|c| c == sign)).then_some(sign)
}

fn underlined(markup: Markup, sign: char, line: &str, title: &str, known: &mut Vec<char>) -> Option<usize> {
    match (markup, sign) {
        (Markup::Markdown, '=') => Some(1),
        (Markup::Markdown, '-') if !title.contains('|') && !title.starts_with(['-', '*', '>']) => Some(2),
        (Markup::Underlined, _) if line.chars().count() >= title.trim().chars().count() => {
            let level = known.iter().position(|other| *other == sign);
            Some(
                level.unwrap_or_else(|| {
                    known.push(sign);
                    known.len() - 1
                }) + 1,
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Data;

    /// Level, title, words and lines of code of every section.
    fn read(path: &str, text: &str) -> Vec<(f64, String, f64, f64)> {
        let number = |fact: &Fact, field: &str| match fact.get(field).map(|value| &value.data) {
            Some(Data::Number(number)) => *number,
            other => panic!("{field}: {other:?}"),
        };
        let all = sections(FileId(0), path, text);
        let row = |f: &Fact| (number(f, "level"), f.symbol.to_string(), number(f, "words"), number(f, "code"));
        all.iter().map(row).collect()
    }

    fn row(level: u8, title: &str, words: u8, code: u8) -> (f64, String, f64, f64) {
        (f64::from(level), title.to_owned(), f64::from(words), f64::from(code))
    }

    #[test]
    fn sections_hold_what_stands_beneath_them() {
        let text = "---\ntitle: x\n---\n# Deploying <!-- x -->\nRead this first.\n\n## Roll back ##\n```sh\n# not a heading\n./undo\n```\n## **Empty**\n# Next {#next}\n- one two\n";
        let wanted = [
            row(0, "how to deploy", 5, 2),
            row(1, "Deploying", 3, 2),
            row(2, "Roll back", 0, 2),
            row(2, "Empty", 0, 0),
            row(1, "Next", 2, 0),
        ];
        assert_eq!(read("docs/how-to_deploy.md", text), wanted);
        let all = sections(FileId(0), "docs/a.md", text);
        let part = |fact: &Fact| text[fact.at.start as usize..fact.at.end as usize].to_owned();
        assert!(part(&all[2]).starts_with("## Roll back") && part(&all[2]).ends_with("```\n"));
        assert_eq!(all[1].get("parts"), Some(&Value::texts(["Roll back", "Empty"])));
    }

    #[test]
    fn underlines_are_headings_in_their_languages() {
        let rst =
            "=======\nRunbook\n=======\n\nDatabase down\n-------------\nCall somebody.\n\n    psql\n\nToo short\n--\n";
        let wanted = [row(0, "ops", 4, 1), row(1, "Runbook", 4, 1), row(2, "Database down", 4, 1)];
        assert_eq!(read("ops.rst", rst), wanted);
        let md = "Runbook\n===\nDown\n---\n| a |\n|---|\n- x\n---\n    - item\n";
        assert_eq!(read("a.md", md), [row(0, "a", 3, 0), row(1, "Runbook", 3, 0), row(2, "Down", 3, 0)]);
        let adoc = "= Guide\n== Scaling\nOne two.\n----\nmake\n----\n";
        assert_eq!(read("a.adoc", adoc), [row(0, "a", 2, 1), row(1, "Guide", 2, 1), row(2, "Scaling", 2, 1)]);
    }

    #[test]
    fn anything_else_is_left_alone() {
        assert!(read("notes.txt", "# A\n").is_empty() && markup("md").is_none());
        assert_eq!(read("a.md", ""), [row(0, "a", 0, 0)]);
        assert_eq!(read("a.md", "---\n#\n####### x\n```\n# open"), [row(0, "a", 1, 1)]);
        assert_eq!(sections(FileId(0), "a.md", &"# é\n".repeat(2_000)).len(), MAX_SECTIONS + 1);
    }
}
