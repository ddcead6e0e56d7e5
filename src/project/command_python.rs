//! What commands of Python start: `gunicorn shop.wsgi`, `python -m shop.worker`, `manage.py runserver`,
//! `celery -A shop worker`.

use super::command::{Reader, Run, Step};
use super::frameworks::{Program, TABLE, Target};
use super::model::ProcessKind;

/// Names that one command may give; hostile ones give more.
const MAX_NAMES: usize = 20;

impl Reader {
    /// Reads a command of Python; false if it is none.
    pub(super) fn python(&mut self, program: &str, first: &str, rest: &[String], depth: usize) -> bool {
        let name = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if matches!(name, "python" | "pypy") {
            self.interpreter(rest, depth);
        } else if TABLE.python.manage.names.iter().any(|own| own == program) {
            self.manage(first, rest);
        } else if let Some(known) = TABLE.program(program) {
            self.known(known, rest);
        } else if program.ends_with(".py") {
            self.python_file(first);
        } else {
            return false;
        }
        true
    }

    /// `python -m shop.worker`, `python app.py`
    fn interpreter(&mut self, rest: &[String], depth: usize) {
        let mut words = rest.iter().enumerate();
        while let Some((at, word)) = words.next() {
            let after = |from: usize| rest.get(from..).unwrap_or(&[]);
            match word.as_str() {
                "-m" => return self.python_module(after(at + 1), depth),
                "-c" => return,
                "-W" | "-X" => {
                    words.next();
                }
                flag if flag.starts_with('-') => {}
                file if TABLE.python.manage.names.iter().any(|own| file.rsplit('/').next() == Some(own)) => {
                    return self.manage(file, after(at + 1));
                }
                file => return self.python_file(file),
            }
        }
    }

    fn python_module(&mut self, words: &[String], depth: usize) {
        let Some(module) = words.first() else { return };
        if TABLE.program(module).is_some() || TABLE.is_wrapper(module) {
            return self.simple_after(words, depth);
        }
        let folder = self.folder();
        self.python_step(folder, vec![format!("{module}.__main__"), module.clone()], None, true);
    }

    fn python_file(&mut self, path: &str) {
        self.module(vec![path.to_owned()]);
    }

    /// `manage.py` loads the settings that it names, whatever the verb.
    fn manage(&mut self, path: &str, rest: &[String]) {
        let verb = rest.iter().find(|word| !word.starts_with('-')).map(String::as_str).unwrap_or_default();
        let kind = TABLE.python.manage.kind(verb);
        let before = self.steps.len();
        if path.ends_with(".py") {
            self.module(vec![path.to_owned()]);
        }
        for step in self.steps.iter_mut().skip(before) {
            step.kind = kind;
            step.serves = kind.is_some();
        }
    }

    /// A program that is told which module to run.
    fn known(&mut self, program: &Program, rest: &[String]) {
        let verb = rest.iter().find_map(|word| program.verbs.get(word));
        let kind = verb.copied().or(program.kind);
        let serves = kind.is_some();
        let folder = self.program_folder(rest);
        let given = option_value(rest, &program.options.iter().map(String::as_str).collect::<Vec<_>>());
        let variable = program.variable.as_ref().and_then(|name| self.variables.get(name)).cloned();
        let modules = match program.target {
            Target::Application => applications(rest),
            Target::Class => rest.iter().filter(|word| is_dotted(word)).map(|word| without_class(word)).collect(),
            Target::Option => given.map(str::to_owned).or(variable).into_iter().collect(),
            Target::File => rest.iter().filter(|word| word.ends_with(".py")).cloned().collect(),
        };
        let modules = if modules.is_empty() { program.default.clone() } else { modules };
        let names = modules.iter().take(MAX_NAMES).map(|module| module_name(module));
        let names = names.flat_map(|module| {
            let inside = program.inside.as_ref().map(|inside| format!("{module}.{inside}"));
            inside.into_iter().chain([module])
        });
        let mut names: Vec<String> = names.collect();
        names.dedup();
        self.python_step(folder, names, kind, serves);
        if let Some(config) = option_value(rest, &["-c", "--config"]).filter(|config| config.ends_with(".py")) {
            let config = config.trim_start_matches("python:").trim_start_matches("file:").to_owned();
            self.module(vec![config]);
            self.serve_last(serves);
        }
    }

    fn serve_last(&mut self, serves: bool) {
        if let Some(step) = self.steps.last_mut() {
            step.serves = serves;
        }
    }

    /// Where modules are looked for: `--app-dir src`, `--chdir backend`.
    fn program_folder(&self, rest: &[String]) -> String {
        match option_value(rest, &["--app-dir", "--chdir", "--workdir", "--working-dir"]) {
            Some(folder) => self.within(folder),
            None => self.folder(),
        }
    }

    fn python_step(&mut self, folder: String, modules: Vec<String>, kind: Option<ProcessKind>, serves: bool) {
        if !modules.is_empty() {
            self.steps.push(Step { run: Run::Dotted { folder, modules }, serves, kind });
        }
    }
}

/// `shop.main:app` first, then what looks like the name of a module.
fn applications(rest: &[String]) -> Vec<String> {
    let named = rest.iter().filter(|word| is_application(word));
    let dotted = rest.iter().filter(|word| is_dotted(word));
    named.chain(dotted).take(MAX_NAMES).cloned().collect()
}

/// `pkg.mod:app`, `pkg.mod:create_app()`
fn is_application(word: &str) -> bool {
    word.split_once(':').is_some_and(|(module, attribute)| {
        is_dotted(module.trim_end_matches(".py"))
            && attribute.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}

/// `pkg.mod`
fn is_dotted(word: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.len() <= 300 && word.split('.').all(is_part)
}

/// `shop/main.py:app` → `shop.main`
fn module_name(written: &str) -> String {
    let module = written.split([':', '(']).next().unwrap_or(written);
    let module = module.trim_start_matches("./");
    match module.strip_suffix(".py") {
        Some(path) => path.trim_start_matches('/').trim_end_matches("/__init__").replace('/', "."),
        None => module.replace('/', "."),
    }
}

/// `app.worker.WorkerSettings` → `app.worker`
fn without_class(word: &str) -> String {
    match word.rsplit_once('.') {
        Some((module, class)) if class.starts_with(|c: char| c.is_ascii_uppercase()) => module.to_owned(),
        _ => word.to_owned(),
    }
}

fn option_value<'w>(words: &'w [String], names: &[&str]) -> Option<&'w str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value)));
        if names.contains(&flag) {
            return value.or_else(|| words.next().map(String::as_str));
        }
    }
    None
}
