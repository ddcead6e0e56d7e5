//! Inline allows: `readycheck-allow(rule-or-control, until=2027-03-31): reason` in a comment.

use super::Date;

const WORD: &str = "readycheck-allow";
/// An allow is one line; what lies further right is not read (files on one line exist).
const LONGEST: usize = 500;

/// Which comments a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// `//`, `/* */` and the `*` of its further lines: JavaScript, TypeScript, Rust, Prisma, CSS, JSON with comments.
    Slashes,
    /// `#`: YAML, TOML, Dockerfile, dotenv, Python, shell.
    Hash,
    /// `--` and `/* */`: SQL.
    Dashes,
    /// `<!-- -->`: HTML, XML, Markdown.
    Markup,
    /// `;` and `#`: INI.
    Semicolon,
    /// Any of them.
    Any,
}

impl Comments {
    /// By the name of the file.
    pub fn of(path: &str) -> Comments {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        if name.starts_with("dockerfile") || name.starts_with("containerfile") || name.starts_with(".env") {
            return Comments::Hash;
        }
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "rs" | "prisma" | "json" | "jsonc"
            | "json5" | "css" | "scss" | "go" | "java" | "kt" | "swift" | "proto" => Comments::Slashes,
            "yaml" | "yml" | "toml" | "py" | "sh" | "rb" | "dockerfile" => Comments::Hash,
            "sql" => Comments::Dashes,
            "html" | "htm" | "xml" | "md" | "svg" | "vue" => Comments::Markup,
            "ini" | "cfg" | "properties" => Comments::Semicolon,
            _ => Comments::Any,
        }
    }

    fn openers(self) -> &'static [&'static str] {
        match self {
            Comments::Slashes => &["//", "/*", "*"],
            Comments::Hash => &["#"],
            Comments::Dashes => &["--", "/*", "*"],
            Comments::Markup => &["<!--"],
            Comments::Semicolon => &[";", "#"],
            Comments::Any => &["//", "/*", "*", "#", "<!--", "--", ";"],
        }
    }
}

/// One inline allow as it is written, whether it applies or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Where it stands, from 1.
    pub line: u32,
    /// The code that it is about: its own line, or, where the comment fills its line, the next one that is no allow.
    pub covers: u32,
    /// A rule or a control.
    pub id: String,
    /// The last day on which it applies.
    pub until: Option<Date>,
    pub reason: String,
    /// Why it does not apply, whatever the day.
    pub malformed: Option<String>,
}

impl Allow {
    /// Whether a finding that starts on `line` is meant.
    pub fn covers_line(&self, line: u32) -> bool {
        line == self.line || line == self.covers
    }
}

/// Every allow of a file, top to bottom; the word outside a comment is none. Linear in the text.
pub fn find_allows(text: &str, comments: Comments) -> Vec<Allow> {
    let mut found = Vec::new();
    let (mut line, mut counted) = (1_u32, 0_usize);
    let mut alone = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), WORD) {
        line = line.saturating_add(newlines(&text[counted..at]));
        counted = at;
        if let Some(before) = before_comment(&text[..at], comments) {
            found.push(parse(rest_of_line(&text[at + WORD.len()..]), line));
            alone.push(fills_its_line(before));
        }
    }
    point_at_code(&mut found, &alone);
    found
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// What stands before the comment that opens right before the word, or `None` where none does.
fn before_comment(before: &str, comments: Comments) -> Option<&str> {
    let trimmed = before.trim_end_matches([' ', '\t']);
    comments.openers().iter().find_map(|opener| trimmed.strip_suffix(opener))
}

/// Only blanks and further comment signs (`/**`, `{/*`, `##`, `<!--`) stand left of it on the line.
fn fills_its_line(before: &str) -> bool {
    let left = before.trim_end_matches([' ', '\t', '/', '*', '#', '-', ';', '{']);
    left.is_empty() || left.ends_with('\n')
}

fn rest_of_line(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let line = text.get(..end).unwrap_or_default();
    line.split(['\n', '\r']).next().unwrap_or_default()
}

/// An allow on a line of its own is about the next line that is not such an allow, so that several may stand in a row.
fn point_at_code(found: &mut [Allow], alone: &[bool]) {
    let mut below: Option<(u32, u32)> = None;
    for (allow, alone) in found.iter_mut().zip(alone).rev() {
        if *alone {
            let next = allow.line.saturating_add(1);
            allow.covers = below.filter(|(line, _)| *line == next).map_or(next, |(_, covers)| covers);
            below = Some((allow.line, allow.covers));
        }
    }
}

fn parse(rest: &str, line: u32) -> Allow {
    let mut allow =
        Allow { line, covers: line, id: String::new(), until: None, reason: String::new(), malformed: None };
    if let Err(why) = read_into(&mut allow, rest) {
        allow.malformed = Some(why);
    }
    allow
}

fn read_into(allow: &mut Allow, rest: &str) -> Result<(), String> {
    const FORM: &str = "write readycheck-allow(rule-or-control, until=YYYY-MM-DD): reason";
    let inner = rest.trim_start().strip_prefix('(').ok_or(FORM)?;
    let (arguments, tail) = inner.split_once(')').ok_or(FORM)?;
    let mut arguments = arguments.split(',').map(str::trim);
    let id = arguments.next().unwrap_or_default();
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    if id.is_empty() || !id.chars().all(is_id) {
        return Err("it names no rule or control".into());
    }
    allow.id = id.to_owned();
    for argument in arguments {
        let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
        if key.trim() != "until" {
            return Err(format!("it knows `until=YYYY-MM-DD`, not `{key}`"));
        }
        allow.until = Some(value.trim().parse::<Date>().map_err(|why| format!("`until` is no date: {why}"))?);
    }
    let reason = tail.trim_start().strip_prefix(':').ok_or("a reason after `):` is missing")?;
    allow.reason = without_closer(reason).to_owned();
    if allow.reason.is_empty() { Err("the reason after `):` is empty".into()) } else { Ok(()) }
}

fn without_closer(reason: &str) -> &str {
    let open = ["*/", "-->"].iter().find_map(|closer| reason.split_once(closer)).map_or(reason, |(text, _)| text);
    open.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, comments: Comments) -> Allow {
        let found = find_allows(text, comments);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn every_comment_syntax_is_read() {
        let allow = "readycheck-allow(pagination, until=2027-03-31): ten rows at most";
        for (path, text) in [
            ("src/a.ts", format!("list(); // {allow}")),
            ("src/a.tsx", format!("{{/* {allow} */}}")),
            ("a/schema.prisma", format!("model A {{}} // {allow}\r\n")),
            ("compose.yaml", format!("image: a # {allow}")),
            (".env.example", format!("A=1 # {allow}")),
            ("Dockerfile", format!("# {allow}\nFROM node")),
            ("m/1.sql", format!("SELECT 1 -- {allow}")),
            ("m/2.sql", format!("SELECT 1 /* {allow} */")),
            ("index.html", format!("<!-- {allow} -->")),
            ("app.ini", format!("; {allow}")),
            ("unknown.conf", format!("# {allow}")),
        ] {
            let found = one(&text, Comments::of(path));
            assert_eq!(found.malformed, None, "{path}");
            assert_eq!((found.id.as_str(), found.reason.as_str()), ("pagination", "ten rows at most"), "{path}");
            assert_eq!(found.until, "2027-03-31".parse().ok(), "{path}");
        }
    }

    #[test]
    fn the_word_outside_a_comment_is_none() {
        for text in [
            "const a = 'readycheck-allow(x): y';",
            "see readycheck-allow in the manual",
            "// the readycheck-allow form",
        ] {
            assert_eq!(find_allows(text, Comments::Slashes), [], "{text}");
        }
        assert_eq!(find_allows("a = 1 // readycheck-allow(x): y", Comments::Hash), []);
    }

    #[test]
    fn what_is_malformed_says_why() {
        for (text, why) in [
            ("// readycheck-allow(pagination)", "reason"),
            ("// readycheck-allow(pagination):  ", "empty"),
            ("/* readycheck-allow(pagination): */", "empty"),
            ("// readycheck-allow: because", "write readycheck-allow("),
            ("// readycheck-allow(pagination: because", "write readycheck-allow("),
            ("// readycheck-allow(): because", "names no rule"),
            ("// readycheck-allow(a b): because", "names no rule"),
            ("// readycheck-allow(a, until=2027-02-30): because", "no such day"),
            ("// readycheck-allow(a, til=2027-02-03): because", "until=YYYY-MM-DD"),
        ] {
            let malformed = one(text, Comments::Slashes).malformed.unwrap_or_default();
            assert!(malformed.contains(why), "{text}: {malformed}");
        }
    }

    #[test]
    fn it_covers_its_line_or_the_one_below() {
        let text =
            "a();\n// readycheck-allow(x): r\n  // readycheck-allow(y): r\nb();\nc(); // readycheck-allow(z): r\nd();";
        let found = find_allows(text, Comments::Slashes);
        let covers: Vec<_> = (1..=6)
            .map(|line| found.iter().filter(|a| a.covers_line(line)).map(|a| a.id.as_str()).collect::<String>())
            .collect();
        assert_eq!(covers, ["", "x", "y", "xy", "z", ""]);
    }

    /// In quadratic time this would not end.
    #[test]
    fn one_huge_line_is_read() {
        let text = "/* readycheck-allow(x) é".repeat(100_000);
        assert_eq!(find_allows(&text, Comments::Slashes).len(), 100_000);
    }
}
