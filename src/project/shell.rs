//! A line of the shell, taken apart into commands and words.

/// The words of one command.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<String>,
    /// The next command starts only when this one has ended.
    pub(super) awaited: bool,
}

/// Splits a command line at its operators, and each command into words without their quotes.
pub(super) fn split(line: &str) -> Vec<Command> {
    let mut splitter = Splitter::default();
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                splitter.word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => chars.next().filter(|c| *c != '\n').into_iter().for_each(|c| splitter.push(c)),
            (None, '&' | '|') => {
                let doubled = chars.next_if_eq(&c).is_some();
                splitter.end_command(doubled);
            }
            (None, ';' | '\n' | '(' | ')') => splitter.end_command(true),
            (None, c) if c.is_whitespace() => splitter.end_word(),
            (_, c) => splitter.push(c),
        }
    }
    splitter.end_command(true);
    splitter.commands
}

#[derive(Default)]
struct Splitter {
    commands: Vec<Command>,
    current: Command,
    word: Option<String>,
}

impl Splitter {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.current.words.extend(self.word.take());
    }

    fn end_command(&mut self, awaited: bool) {
        self.end_word();
        let words = std::mem::take(&mut self.current.words);
        if !words.is_empty() {
            self.commands.push(Command { words, awaited });
        }
    }
}
