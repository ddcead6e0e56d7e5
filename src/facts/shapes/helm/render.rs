//! Templates line by line: conditions choose lines, loops repeat them.

use std::borrow::Cow;

use super::blocks::{self, Step};
use super::expressions::Found;
use super::write::{is_empty, write};
use super::{Chart, MARK, MAX_DEPTH, MAX_LINES, Rendered};
use crate::syntax::{Node, NodeData};

/// Turns of a loop that are run.
const MAX_TURNS: usize = 50;
/// Loops that lie in each other.
const MAX_LOOPS: usize = 4;

/// With `marks`, what only Helm can tell leaves a key named [`MARK`] where it stands.
pub fn render(template: &str, chart: &Chart, marks: bool) -> Rendered {
    let mut renderer =
        Renderer { chart, marks, blocks: Vec::new(), variables: Vec::new(), loops: 0, out: Rendered::default() };
    renderer.lines(&lines(template));
    renderer.out
}

/// Lines that one action may take.
const MAX_ACTION: usize = 60;

/// A line of a template with all lines of the action that begins on it, and its place.
struct Line<'t> {
    text: Cow<'t, str>,
    place: (u32, u32),
}

fn lines(template: &str) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    let (mut offset, mut taken) = (0, 0);
    for whole in template.split_inclusive('\n') {
        let line = whole.trim_end();
        let start = offset + line.len() - line.trim_start().len();
        let place = (narrow(start), narrow(offset + line.len()));
        offset += whole.len();
        match found.last_mut().filter(|last| taken > 0 && taken < MAX_ACTION && is_open(&last.text)) {
            Some(last) => {
                let text = last.text.to_mut();
                text.push(' ');
                text.push_str(line.trim_start());
                taken += 1;
            }
            None => {
                found.push(Line { text: Cow::Borrowed(line), place });
                taken = 1;
            }
        }
    }
    found
}

/// An action begins on the line that does not end there.
fn is_open(line: &str) -> bool {
    line.rfind("{{").is_some_and(|at| !line.get(at..).unwrap_or_default().contains("}}"))
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The action that a line is, if it is nothing else.
fn action_of(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("}}")).then(|| inner.trim_matches('-').trim())
}

/// A block that has not ended yet.
struct Block<'v> {
    /// Its lines are part of the output.
    shown: bool,
    /// Some branch of it was shown.
    taken: bool,
    /// What `.` stands for inside.
    dot: Option<Found<'v>>,
}

pub(super) struct Renderer<'v> {
    pub(super) chart: &'v Chart,
    marks: bool,
    blocks: Vec<Block<'v>>,
    /// The latest of a name counts.
    variables: Vec<(String, Found<'v>)>,
    loops: usize,
    out: Rendered,
}

impl<'v> Renderer<'v> {
    fn lines(&mut self, lines: &[Line<'_>]) {
        let mut next = 0;
        while let Some(line) = lines.get(next) {
            next += 1;
            let Some(action) = action_of(&line.text) else {
                if self.is_shown() {
                    let text = self.inline(&line.text);
                    self.out.push(&text, line.place);
                }
                continue;
            };
            match action.strip_prefix("range ") {
                Some(over) if self.is_shown() => {
                    let rest = &lines[next..];
                    let body = Body::of(rest);
                    self.run(over.trim(), &rest[..body.end], body.otherwise);
                    next += body.end + 1;
                }
                _ => self.whole_line(action, line),
            }
        }
    }

    /// The body of a loop once for each item; what stands behind its `else` if there is none.
    fn run(&mut self, over: &str, body: &[Line<'_>], otherwise: Option<usize>) {
        let (names, of) = match over.split_once(":=") {
            Some((names, of)) => (names.split(',').map(|name| name.trim().trim_start_matches('$')).collect(), of),
            None => (Vec::new(), over),
        };
        let turns = match self.value(of.trim()) {
            Found::Node(node) => turns(node),
            Found::Missing => Vec::new(),
            Found::Text(_) | Found::Unknown => return,
        };
        if self.loops >= MAX_LOOPS {
            return;
        }
        self.loops += 1;
        let (each, otherwise) = match otherwise {
            Some(at) => (&body[..at], body.get(at + 1..).unwrap_or_default()),
            None => (body, &body[..0]),
        };
        if turns.is_empty() {
            self.lines(otherwise);
        }
        for (key, value) in turns.into_iter().take(MAX_TURNS) {
            let known = self.variables.len();
            match names.as_slice() {
                [one] => self.variables.push(((*one).to_owned(), Found::Node(value))),
                [first, second, ..] => {
                    self.variables.push(((*first).to_owned(), Found::Text(key)));
                    self.variables.push(((*second).to_owned(), Found::Node(value)));
                }
                [] => {}
            }
            let depth = self.blocks.len();
            self.blocks.push(Block { shown: true, taken: true, dot: Some(Found::Node(value)) });
            self.lines(each);
            self.blocks.truncate(depth);
            self.variables.truncate(known);
        }
        self.loops -= 1;
    }

    fn is_shown(&self) -> bool {
        self.out.places.len() < MAX_LINES && self.blocks.iter().all(|block| block.shown)
    }

    /// What `.` stands for, where that is one of the values.
    pub(super) fn dot(&self) -> Option<&'v Node> {
        match self.blocks.iter().rev().find_map(|block| block.dot.as_ref()) {
            Some(Found::Node(node)) => Some(*node),
            _ => None,
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<Found<'v>> {
        self.variables.iter().rev().find(|(own, _)| own == name).map(|(_, found)| found.clone())
    }

    /// A line that is one action: a condition, a variable, or a value with its own lines.
    fn whole_line(&mut self, action: &str, line: &Line<'_>) {
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((action, ""));
        match word {
            "if" => {
                let shown = self.is_true(rest);
                self.blocks.push(Block { shown, taken: shown, dot: None });
            }
            "with" => {
                let found = self.value(rest);
                let shown = match &found {
                    Found::Node(node) => !is_empty(node),
                    Found::Missing => false,
                    Found::Text(_) | Found::Unknown => true,
                };
                self.blocks.push(Block { shown, taken: shown, dot: Some(found) });
            }
            "range" | "define" | "block" => self.blocks.push(Block { shown: false, taken: true, dot: None }),
            "else" => {
                let condition = rest.trim().strip_prefix("if").map(|condition| self.is_true(condition.trim()));
                if let Some(block) = self.blocks.last_mut() {
                    block.shown = !block.taken && condition.unwrap_or(true);
                    block.taken |= block.shown;
                    block.dot = None;
                }
            }
            "end" => {
                self.blocks.pop();
            }
            _ if !self.is_shown() || word.starts_with("/*") => {}
            _ if word.starts_with('$') && (rest.starts_with(":=") || rest.starts_with("= ")) => {
                let found = self.value(rest.trim_start_matches([':', '=']).trim());
                self.variables.push((word.trim_start_matches('$').to_owned(), found));
            }
            _ => self.value_lines(action, line),
        }
    }

    /// `toYaml .Values.resources | nindent 12` as lines of that indentation.
    fn value_lines(&mut self, action: &str, line: &Line<'_>) {
        let given = action.rsplit("indent ").next().and_then(|rest| rest.trim().parse::<usize>().ok());
        let indent = given.unwrap_or_else(|| line.text.len() - line.text.trim_start().len()).min(200);
        let mut lines = Vec::new();
        match self.value(action) {
            Found::Node(node) => write(node, indent, &mut lines, MAX_DEPTH),
            Found::Unknown if self.marks && given.is_some() => {
                lines.push(format!("{}{MARK}: true", " ".repeat(indent)))
            }
            _ => {}
        }
        for text in &lines {
            self.out.push(text, line.place);
        }
    }
}

/// The items of a list or map with their numbers or keys.
fn turns(node: &Node) -> Vec<(String, &Node)> {
    match &node.data {
        NodeData::List(items) => items.iter().enumerate().map(|(number, item)| (number.to_string(), item)).collect(),
        NodeData::Map(entries) => entries.iter().map(|entry| (entry.key.to_string(), &entry.value)).collect(),
        _ => Vec::new(),
    }
}

/// Where a loop ends, by the lines behind the one that opens it.
struct Body {
    end: usize,
    /// The line of its `else`.
    otherwise: Option<usize>,
}

impl Body {
    fn of(lines: &[Line<'_>]) -> Body {
        let mut depth = 0usize;
        let mut otherwise = None;
        for (number, line) in lines.iter().enumerate() {
            for step in blocks::steps(&line.text) {
                match step {
                    Step::Open => depth += 1,
                    Step::Otherwise if depth == 0 => otherwise = otherwise.or(Some(number)),
                    Step::Close if depth == 0 => return Body { end: number, otherwise },
                    Step::Close => depth -= 1,
                    Step::Otherwise => {}
                }
            }
        }
        Body { end: lines.len(), otherwise }
    }
}
