//! The two streams of a process and what is known about them: terminal or not, colour or not, how wide.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use miette::{GraphicalReportHandler, GraphicalTheme, IntoDiagnostic, ThemeCharacters, ThemeStyles, WrapErr};

use crate::report::text;

/// `--color`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set; everywhere if CLICOLOR_FORCE is.
    #[default]
    Auto,
    Always,
    Never,
}

/// What decides about colour, width and progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment {
    pub out_is_terminal: bool,
    pub err_is_terminal: bool,
    pub no_color: bool,
    pub force_color: bool,
    /// Columns of the terminal, where there is one.
    pub columns: Option<usize>,
}

impl Environment {
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|found| found == value);
        Environment {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            no_color: set("NO_COLOR") || is("TERM", "dumb"),
            force_color: set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0"),
            columns: comfy_table::Table::new().width().map(usize::from),
        }
    }

    fn color(self, choice: ColorChoice, is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.no_color => false,
            ColorChoice::Auto => self.force_color || is_terminal,
        }
    }
}

/// Where everything is printed. A reader who goes away is no error: the rest is written to nobody.
pub struct Console<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    environment: Environment,
    pub color: ColorChoice,
    out_is_closed: bool,
}

impl<'a> Console<'a> {
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, environment: Environment) -> Self {
        Console { out, err, environment, color: ColorChoice::Auto, out_is_closed: false }
    }

    /// Writes to standard output.
    pub fn print(&mut self, text: &str) -> miette::Result<()> {
        if self.out_is_closed {
            return Ok(());
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.out_is_closed = true,
            result => result.into_diagnostic().wrap_err("cannot write to standard output")?,
        }
        Ok(())
    }

    /// Writes to standard error; where that fails there is nobody left to tell.
    pub fn eprint(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// An error with its place, cause and help. It may quote a stranger's file: what would act on the terminal is
    /// escaped, and then nothing is coloured.
    pub fn error(&mut self, error: &miette::Report) {
        let plain = self.render(error, ThemeStyles::none());
        let escaped = text::terminal_lines(&plain);
        if plain == escaped && self.err_color() {
            let colored = self.render(error, ThemeStyles::ansi());
            self.eprint(&colored);
        } else {
            self.eprint(&escaped);
        }
    }

    fn render(&self, error: &miette::Report, styles: ThemeStyles) -> String {
        let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(self.width());
        let mut out = String::new();
        match handler.render_report(&mut out, error.as_ref()) {
            Ok(()) => out,
            Err(_) => format!("error: {error}\n"),
        }
    }

    pub fn out_color(&self) -> bool {
        self.environment.color(self.color, self.environment.out_is_terminal)
    }

    pub fn err_color(&self) -> bool {
        self.environment.color(self.color, self.environment.err_is_terminal)
    }

    /// Columns to fill: the terminal's within reason, 80 for anything else.
    pub fn width(&self) -> usize {
        match self.environment.columns {
            Some(columns) if self.environment.out_is_terminal => columns.clamp(60, 120),
            _ => 80,
        }
    }

    /// Whether somebody watches standard error.
    pub fn shows_progress(&self) -> bool {
        self.environment.err_is_terminal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_usual_variables() {
        let pipe = Environment::default();
        let terminal = Environment { out_is_terminal: true, ..pipe };
        assert!(terminal.color(ColorChoice::Auto, true));
        assert!(!pipe.color(ColorChoice::Auto, false));
        assert!(!Environment { no_color: true, ..terminal }.color(ColorChoice::Auto, true));
        assert!(Environment { force_color: true, ..pipe }.color(ColorChoice::Auto, false));
        assert!(!Environment { force_color: true, no_color: true, ..pipe }.color(ColorChoice::Auto, false));
        assert!(Environment { no_color: true, ..pipe }.color(ColorChoice::Always, false));
        assert!(!terminal.color(ColorChoice::Never, true));
    }

    #[test]
    fn errors_cannot_act_on_the_terminal() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let environment = Environment { force_color: true, ..Environment::default() };
        let mut console = Console::new(&mut out, &mut err, environment);
        console.error(&miette::miette!("bad file \u{1b}[2Jname"));
        let shown = String::from_utf8(err).expect("UTF-8");
        assert!(shown.contains("\\x1b[2Jname") && !shown.contains('\u{1b}'), "{shown}");
    }

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
        let (mut closed, mut full, mut err) =
            (Closed(io::ErrorKind::BrokenPipe), Closed(io::ErrorKind::StorageFull), Vec::new());
        assert!(Console::new(&mut closed, &mut err, Environment::default()).print("x").is_ok());
        assert!(Console::new(&mut full, &mut err, Environment::default()).print("x").is_err());
        assert!(err.is_empty());
    }
}
