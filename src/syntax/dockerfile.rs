//! Dockerfiles: stages of instructions, with continuation lines, comments, heredocs and variables.

use std::collections::BTreeMap;

use super::SyntaxError;
use super::error::narrow;

/// What is kept of one file, so that hostile ones stay small: no honest file comes near.
const MAX_STAGES: usize = 200;
const MAX_VARIABLES: usize = 200;
const MAX_EXPANDED: usize = 1_024;

/// What a part of a Dockerfile is known by.
const INSTRUCTIONS: [&str; 14] = [
    "ADD",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "ONBUILD",
    "RUN",
    "SHELL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// `ARG`s before the first stage.
    pub globals: Vec<Instruction>,
    /// Never empty.
    pub stages: Vec<Stage>,
    /// Instructions stand where no stage begins: a part of a Dockerfile, which builds nothing by itself.
    pub incomplete: Option<SyntaxError>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// The base with variables put in: an image or the name of an earlier stage; empty in a part of a Dockerfile.
    pub from: String,
    /// The earlier stage that it continues.
    pub parent: Option<usize>,
    pub platform: Option<String>,
    pub name: Option<String>,
    /// Bytes of the `FROM` instruction.
    pub start: u32,
    pub end: u32,
    /// Without the `FROM`.
    pub instructions: Vec<Instruction>,
    /// `ENV` and `ARG` at the end of the stage, those of its parent included.
    pub variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals.
    pub name: String,
    /// On one line, as written; the values of `USER` and `WORKDIR` with variables put in.
    pub value: String,
    /// The bodies of heredocs.
    pub body: String,
    pub start: u32,
    pub end: u32,
}

impl Dockerfile {
    /// The stages that the image is made of, the last one first, then what it continues.
    pub fn final_chain(&self) -> impl Iterator<Item = &Stage> {
        std::iter::successors(self.stages.last(), |stage| self.parent(stage))
    }

    /// Files that the image has under another name (`COPY docker/entry.sh /run.sh`), by their path there.
    pub fn renamed_copies(&self) -> BTreeMap<String, String> {
        let nothing = BTreeMap::new();
        let variables = self.stages.last().map_or(&nothing, |stage| &stage.variables);
        let all = self.final_chain().flat_map(|stage| &stage.instructions);
        let copies = all.filter(|found| matches!(found.name.as_str(), "COPY" | "ADD"));
        let mut renamed = BTreeMap::new();
        for copy in copies.take(1_000) {
            let value = expand(&copy.value, variables);
            let (flags, paths): (Vec<&str>, Vec<&str>) =
                value.split_whitespace().partition(|word| word.starts_with("--"));
            let [from, to] = paths.as_slice() else { continue };
            let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            let is_own = !flags.iter().any(|flag| flag.starts_with("--from"));
            if is_own && !to.ends_with('/') && name(from) != name(to) && name(from).contains('.') {
                renamed.insert((*to).to_owned(), (*from).to_owned());
            }
        }
        renamed
    }

    /// The earlier stage that a stage continues.
    pub fn parent(&self, stage: &Stage) -> Option<&Stage> {
        stage.parent.and_then(|index| self.stages.get(index))
    }
}

/// Reads a Dockerfile. Without `FROM` its instructions are a stage of an unknown base; one without any is an error.
pub fn parse(text: &str) -> Result<Dockerfile, SyntaxError> {
    let mut file = Dockerfile::default();
    let mut globals = BTreeMap::new();
    for mut instruction in Lines::new(text) {
        if instruction.name == "FROM" {
            if file.stages.len() >= MAX_STAGES {
                let message = format!("more than {MAX_STAGES} stages; the rest is not read");
                return Err(SyntaxError::malformed(text, instruction.start as usize, message));
            }
            let stage = stage(&instruction, &globals, &file.stages);
            file.stages.push(stage);
            continue;
        }
        match file.stages.last_mut() {
            None => {
                declare(&instruction, &mut globals, &BTreeMap::new());
                file.globals.push(instruction);
            }
            Some(stage) => {
                declare(&instruction, &mut stage.variables, &globals);
                if matches!(instruction.name.as_str(), "USER" | "WORKDIR") {
                    instruction.value = expand(&instruction.value, &stage.variables);
                }
                stage.instructions.push(instruction);
            }
        }
    }
    if !file.stages.is_empty() {
        return Ok(file);
    }
    let problem = SyntaxError::malformed(text, 0, "this Dockerfile has no FROM instruction");
    let Some(stage) = part(std::mem::take(&mut file.globals), globals) else { return Err(problem) };
    Ok(Dockerfile { globals: Vec::new(), stages: vec![stage], incomplete: Some(problem) })
}

/// The stage that instructions without `FROM` belong to; nothing where none of them is one of Docker.
fn part(instructions: Vec<Instruction>, variables: BTreeMap<String, String>) -> Option<Stage> {
    let first = instructions.iter().find(|instruction| INSTRUCTIONS.contains(&instruction.name.as_str()))?;
    let (start, end) = (first.start, first.end);
    Some(Stage { start, end, instructions, variables, ..Stage::default() })
}

fn stage(from: &Instruction, globals: &BTreeMap<String, String>, earlier: &[Stage]) -> Stage {
    let value = expand(&from.value, globals);
    let (flags, words): (Vec<&str>, Vec<&str>) = value.split_whitespace().partition(|word| word.starts_with("--"));
    let image = words.first().copied().unwrap_or_default();
    let named = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let parent = earlier.iter().rposition(|s| s.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(image)));
    Stage {
        from: image.to_owned(),
        parent,
        platform: flags.iter().find_map(|flag| flag.strip_prefix("--platform=")).map(str::to_owned),
        name: words.get(2).filter(|_| named).map(|&name| name.to_owned()),
        start: from.start,
        end: from.end,
        instructions: Vec::new(),
        variables: parent.and_then(|index| earlier.get(index)).map(|s| s.variables.clone()).unwrap_or_default(),
    }
}

/// Notes what an `ARG` or `ENV` sets. An `ARG` without default takes the global one of that name.
fn declare(instruction: &Instruction, variables: &mut BTreeMap<String, String>, globals: &BTreeMap<String, String>) {
    let pairs = match instruction.name.as_str() {
        "ARG" | "ENV" => assignments(&instruction.value),
        _ => return,
    };
    for (name, value) in pairs {
        let value = match value {
            Some(value) => expand(&value, variables),
            None => globals.get(&name).cloned().unwrap_or_default(),
        };
        let overridden = instruction.name == "ARG" && value.is_empty() && variables.contains_key(&name);
        if !overridden && (variables.len() < MAX_VARIABLES || variables.contains_key(&name)) {
            variables.insert(name, value);
        }
    }
}

/// `A=1 B="x y"`, the old form `A x y`, and names without value.
pub fn assignments(text: &str) -> Vec<(String, Option<String>)> {
    let words = shell_words(text);
    match words.first() {
        Some(first) if !first.contains('=') && words.len() > 1 => vec![(first.clone(), Some(words[1..].join(" ")))],
        _ => words
            .into_iter()
            .map(|word| match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, None),
            })
            .collect(),
    }
}

/// Splits at blanks outside of quotes and takes the quotes away.
pub fn shell_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut started) = (Vec::new(), String::new(), None, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => (quote, started) = (Some(c), true),
            (None, '\\') | (Some('"'), '\\') => word.extend(characters.next()),
            (None, _) if c.is_whitespace() => {
                if started || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                started = false;
            }
            _ => word.push(c),
        }
    }
    if started || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Puts variables in: `$A`, `${A}`, `${A:-default}`, `${A:+other}`. An unknown one stays as it is written.
pub fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let (replacement, length) = variable(&rest[at..], variables);
        out.push_str(&replacement);
        rest = &rest[at + length..];
        if out.len() > MAX_EXPANDED {
            break;
        }
    }
    out.push_str(rest);
    let end = out.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_EXPANDED).unwrap_or(out.len());
    out.truncate(end);
    out
}

/// What stands for the variable at the start of `text` (a `$`), and how long its reference is.
fn variable(text: &str, variables: &BTreeMap<String, String>) -> (String, usize) {
    let after = &text[1..];
    if let Some(inner) = after.strip_prefix('{').and_then(|inner| inner.find('}').map(|end| &inner[..end])) {
        let name = inner.split([':', '-', '+']).next().unwrap_or_default();
        let value = variables.get(name).filter(|value| !value.is_empty());
        let rest = inner.get(name.len()..).unwrap_or_default().trim_start_matches(':');
        let text_of = match (rest.chars().next(), value) {
            (Some('-'), None) => rest[1..].to_owned(),
            (Some('+'), Some(_)) => rest[1..].to_owned(),
            (Some('+'), None) => String::new(),
            (_, Some(value)) => value.clone(),
            (_, None) => format!("${{{inner}}}"),
        };
        return (text_of, inner.len() + 3);
    }
    let length = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = &after[..length];
    let value = variables.get(name).filter(|value| !value.is_empty());
    (value.cloned().unwrap_or_else(|| format!("${name}")), length + 1)
}

/// The instructions of a text.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    escape: char,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let directives = text.lines().map_while(|line| line.trim_start_matches('\u{feff}').trim().strip_prefix('#'));
        let escape = directives.take(10).find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("escape").then(|| value.trim().chars().next())?
        });
        Lines { text, at: 0, escape: escape.filter(|c| *c == '`').unwrap_or('\\') }
    }

    /// The next line without its end, and where it starts.
    fn line(&mut self) -> Option<(usize, &'t str)> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        self.at = start + length + 1;
        Some((start, rest[..length].trim_end_matches('\r')))
    }

    /// Reads up to the line that is `delimiter`, or to the end of the file.
    fn heredoc(&mut self, delimiter: &str, body: &mut String, end: &mut usize) {
        while let Some((start, line)) = self.line() {
            *end = start + line.len();
            if line.trim_start_matches('\t') == delimiter {
                return;
            }
            body.push_str(line);
            body.push('\n');
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        let (start, first) = loop {
            let (start, line) = self.line()?;
            let trimmed = line.trim_start_matches('\u{feff}').trim_start();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                break (start + (line.len() - trimmed.len()), trimmed);
            }
        };
        let mut end = start + first.trim_end().len();
        let mut joined = String::new();
        let mut continued = push_line(&mut joined, first, self.escape);
        while continued {
            let Some((at, line)) = self.line() else { break };
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            end = at + line.trim_end().len();
            continued = push_line(&mut joined, line, self.escape);
        }
        let (name, value) = joined.trim().split_once(char::is_whitespace).unwrap_or((joined.trim(), ""));
        let (name, value) = (name.to_ascii_uppercase(), value.trim().to_owned());
        let mut body = String::new();
        if matches!(name.as_str(), "RUN" | "COPY" | "ADD") {
            for delimiter in heredocs(&value) {
                self.heredoc(&delimiter, &mut body, &mut end);
            }
        }
        Some(Instruction { name, value, body, start: narrow(start), end: narrow(end) })
    }
}

/// Appends a line without its continuation mark; says whether there was one.
fn push_line(joined: &mut String, line: &str, escape: char) -> bool {
    let line = line.trim();
    let stripped = line.strip_suffix(escape);
    joined.push_str(stripped.unwrap_or(line).trim_end());
    joined.push(' ');
    stripped.is_some()
}

/// The delimiters of the heredocs that a line opens (`<<EOF`, `<<-"EOF"`).
fn heredocs(value: &str) -> Vec<String> {
    let openings = value.match_indices("<<").filter(|(at, _)| !value[..*at].ends_with('<'));
    let delimiters = openings.filter_map(|(at, _)| {
        let word =
            value[at + 2..].trim_start_matches('-').split(|c: char| c.is_whitespace() || ";|&)>".contains(c)).next()?;
        let name = word.trim_matches(['"', '\'']);
        let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (valid && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then(|| name.to_owned())
    });
    delimiters.take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "# syntax=docker/dockerfile:1\nARG NODE=22\nFROM --platform=$BUILDPLATFORM node:${NODE}-slim AS build\n\
        ENV APP_USER=app \\\n  # why\n\n  NODE_ENV=\"production\"\nRUN npm ci && \\\n    npm run build\n\
        from build as final\r\nCOPY <<-EOF /x\n\thello\n\tEOF\nUSER ${APP_USER}\nCMD [\"node\", \"é.js\"]\n";

    #[test]
    fn stages_instructions_and_their_places() {
        let file = parse(SAMPLE).unwrap();
        assert_eq!(file.stages.len(), 2);
        let build = &file.stages[0];
        assert_eq!((build.from.as_str(), build.name.as_deref()), ("node:22-slim", Some("build")));
        assert_eq!(build.platform.as_deref(), Some("$BUILDPLATFORM"));
        let run = &build.instructions[1];
        assert_eq!((run.name.as_str(), run.value.as_str()), ("RUN", "npm ci && npm run build"));
        assert_eq!(&SAMPLE[run.start as usize..run.end as usize], "RUN npm ci && \\\n    npm run build");
        let last = &file.stages[1];
        assert_eq!((last.from.as_str(), last.parent), ("build", Some(0)));
        let values: Vec<_> = last.instructions.iter().map(|i| (i.name.as_str(), i.value.as_str())).collect();
        assert_eq!(values, [("COPY", "<<-EOF /x"), ("USER", "app"), ("CMD", "[\"node\", \"é.js\"]")]);
        assert_eq!(last.instructions[0].body, "\thello\n");
        assert_eq!(file.final_chain().count(), 2);
    }

    #[test]
    fn variables_are_put_in() {
        let variables = BTreeMap::from([("A".to_owned(), "x".to_owned()), ("E".to_owned(), String::new())]);
        for (text, wanted) in [
            ("$A-${A}", "x-x"),
            ("${B:-d}${E:-d}${B-d}", "ddd"),
            ("${A:+y}${B:+y}", "y"),
            ("$B ${B} $", "$B ${B} $"),
            ("${A", "${A"),
            ("é$A", "éx"),
        ] {
            assert_eq!(expand(text, &variables), wanted, "{text}");
        }
    }

    #[test]
    fn variables_cannot_blow_up() {
        let mut text = "FROM x\nENV A=aaaaaaaaaa\n".to_owned();
        for _ in 0..100 {
            text += "ENV A=$A$A$A$A\n";
        }
        text += "USER $A\n";
        let user = parse(&text).unwrap().stages[0].instructions.last().unwrap().value.len();
        assert!(user <= MAX_EXPANDED);
    }

    #[test]
    fn the_escape_directive_changes_the_continuation() {
        let file = parse("# escape=`\nFROM x\nRUN a `\n  b\nRUN c \\\n").unwrap();
        let values: Vec<_> = file.stages[0].instructions.iter().map(|i| i.value.as_str()).collect();
        assert_eq!(values, ["a b", "c \\"]);
    }

    #[test]
    fn broken_files_are_errors_or_read_as_far_as_they_go() {
        assert!(parse("").is_err());
        assert!(parse("ARG A=1\n").is_err() && parse("some words\n").is_err());
        let part = parse("# shared\nRUN sudo x\nUSER app\n").unwrap();
        assert_eq!((part.stages.len(), part.stages[0].from.as_str()), (1, ""));
        assert_eq!(part.stages[0].instructions[1].value, "app");
        assert_eq!(part.incomplete.unwrap().message, "this Dockerfile has no FROM instruction");
        let file = parse("FROM x\nRUN <<EOF\nnpm ci").unwrap();
        assert_eq!(file.stages[0].instructions[0].body, "npm ci\n");
        assert!(parse(&"FROM x\n".repeat(10_000)).is_err());
    }

    #[test]
    fn every_truncation_is_an_error_or_a_file() {
        for (end, _) in SAMPLE.char_indices() {
            let _ = parse(&SAMPLE[..end]);
        }
    }
}
