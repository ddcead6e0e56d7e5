//! How images start a service: with the program itself as the first process, which is the one that gets SIGTERM.
//!
//! In goes a Dockerfile, out comes one whose last command is no shell and no package manager in front of the program.
//! What it starts stays the same, but for a server that is made for development alone.

use std::collections::BTreeMap;

use super::compose::{Composer, Step};
use super::containers::{add_key, keeps, services};
use super::deployment::words;
use super::edits::{Edit, apply};
use super::work::Work;
use crate::facts::shapes::is_compose;
use crate::project::{Area, FileKind, kind_of};
use crate::syntax::dockerfile::{Instruction, parse};
use crate::syntax::{Entry, Node, yaml};

const MANAGERS: [&str; 4] = ["npm", "yarn", "pnpm", "bun"];
const SHELLS: [&str; 3] = ["sh", "bash", "ash"];

/// What a command becomes.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    /// It starts the program already, or a script that does.
    Direct,
    /// This instead of the instruction; the shell's text of what another program was put in the place of.
    Becomes { value: String, replaced: Option<String> },
    /// Nobody can tell what it starts.
    Unknown,
}

/// A server for development, as words that follow each other, and the one for production.
struct Instead {
    of: Vec<String>,
    run: Vec<String>,
}

impl Composer<'_> {
    /// Lets the service's images start it directly. What cannot be edited becomes a step.
    pub(super) fn start_directly(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        let Some(spec) = &work.variant.command else { return Ok(()) };
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let run = work.renderer.render(&work.module.id, &spec.run, "").map_err(|error| work.failed(&error))?;
        let instead = Some(Instead { of: list(&spec.of), run: list(&run) }).filter(|one| !one.run.is_empty());
        let (mut unknown, mut replaced) = (false, None);
        for path in self.dockerfiles() {
            let Some(text) = self.text(&path) else { continue };
            let commands = commands(&text);
            let [command] = commands.as_slice() else {
                unknown |= !commands.iter().all(is_list);
                continue;
            };
            match start(command, work.renderer.scripts(), instead.as_ref()) {
                Start::Direct => {}
                Start::Unknown => unknown = true,
                Start::Becomes { value, replaced: was } => {
                    let (from, to) = (command.start as usize, command.end as usize);
                    let edit = Edit::replace(from, to, format!("{} {value}", command.name));
                    self.set(&path, apply(&text, &[edit]));
                    replaced = replaced.or(was);
                }
            }
        }
        if let Some(was) = replaced {
            self.keep_for_development(&was);
        }
        if unknown {
            let text = work.renderer.render(&work.module.id, &spec.step, "").map_err(|error| work.failed(&error))?;
            work.draft.wiring.push(Step { text, snippet: None });
        }
        Ok(())
    }

    /// The Dockerfiles of the service, those that this plan writes included.
    fn dockerfiles(&self) -> Vec<String> {
        let files = self.audit.project.files.iter();
        let ours = files.filter(|file| file.service == self.service && file.kind == FileKind::Dockerfile);
        let mut paths: Vec<String> =
            ours.filter(|file| file.area != Area::Test).map(|file| file.path.to_string()).collect();
        paths.extend(self.texts().into_keys().filter(|path| kind_of(path) == FileKind::Dockerfile));
        paths.sort();
        paths.dedup();
        paths
    }

    /// Compose files that are there go on starting what they started: they are where people develop.
    fn keep_for_development(&mut self, command: &str) {
        let files = self.audit.project.files.iter();
        let ours = files.filter(|file| file.service == self.service && file.area != Area::Test);
        let paths: Vec<String> = ours.filter(|file| is_compose(&file.path)).map(|file| file.path.to_string()).collect();
        for path in paths {
            if let Some(text) = self.text(&path)
                && let Some(kept) = with_command(&text, command)
            {
                self.set(&path, kept);
            }
        }
    }
}

/// The instructions that say what the last stage starts.
fn commands(text: &str) -> Vec<Instruction> {
    let Some(last) = parse(text).ok().and_then(|mut parsed| parsed.stages.pop()) else { return Vec::new() };
    last.instructions.into_iter().filter(|one| matches!(one.name.as_str(), "CMD" | "ENTRYPOINT")).collect()
}

fn is_list(command: &Instruction) -> bool {
    command.value.trim_start().starts_with('[')
}

fn start(command: &Instruction, scripts: &BTreeMap<String, String>, instead: Option<&Instead>) -> Start {
    let is_list = is_list(command);
    let found = if is_list { Some(vec![words(&command.value)]) } else { plain_commands(&command.value) };
    let Some((last, first)) = found.as_deref().and_then(<[Vec<String>]>::split_last) else { return Start::Unknown };
    let head = last.first().map(String::as_str).unwrap_or_default();
    let development = instead.filter(|one| last.windows(one.of.len()).any(|window| window == one.of));
    let (program, replaced) = match (development, is_script(head) || head == "exec") {
        (Some(one), _) => (one.run.clone(), Some(shell_text(&found.iter().flatten().cloned().collect::<Vec<_>>()))),
        (None, true) => return Start::Direct,
        (None, false) if MANAGERS.contains(&head) => match run_by(last, scripts) {
            Some(program) => (program, None),
            None => return Start::Unknown,
        },
        (None, false) if is_list => return Start::Direct,
        (None, false) => (last.clone(), None),
    };
    let value = match first {
        [] => format!("[{}]", program.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")),
        first => format!("{} && exec {}", shell_text(first), program.join(" ")),
    };
    Start::Becomes { value, replaced }
}

fn is_script(head: &str) -> bool {
    head.ends_with(".sh") || SHELLS.contains(&head)
}

fn shell_text(commands: &[Vec<String>]) -> String {
    commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(" && ")
}

/// Commands that follow each other with `&&`, of words that mean nothing else to a shell.
fn plain_commands(value: &str) -> Option<Vec<Vec<String>>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_./:=@,+".contains(c);
    let one = |command: &str| {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let starts = words.first().is_some_and(|head| !head.contains('='));
        (starts && command.chars().all(is_plain)).then_some(words)
    };
    value.trim().split("&&").map(one).collect()
}

/// The program that a package manager would run for a script without hooks.
fn run_by(words: &[String], scripts: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let name = match rest.as_slice() {
        [name] | ["run", name] => *name,
        _ => return None,
    };
    let is_hooked = ["pre", "post"].iter().any(|hook| scripts.contains_key(&format!("{hook}{name}")));
    let mut commands = plain_commands(scripts.get(name)?)?;
    let mut program = commands.pop().filter(|_| commands.is_empty() && !is_hooked)?;
    let head = program.first_mut()?;
    if MANAGERS.contains(&head.as_str()) || is_script(head) {
        return None;
    }
    if head != "node" && !head.contains('/') {
        head.insert_str(0, "node_modules/.bin/");
    }
    Some(program)
}

/// A compose file whose services that build an image here, and say nothing of how it starts, start it with a command.
fn with_command(text: &str, command: &str) -> Option<String> {
    let entry = match plain_commands(command) {
        Some(one) if one.len() == 1 => format!("command: {command}\n"),
        _ => format!("command: sh -c \"{command}\"\n"),
    };
    let root = yaml::parse(text).ok()?;
    let silent = services(&root).iter().filter(|one| builds_here(one)).map(|one| one.key.to_string());
    let mut now = text.to_owned();
    for name in silent.collect::<Vec<_>>() {
        let edited = add_key(&now, &name, &entry).filter(|edited| keeps(&now, edited, &name, "command"));
        now = edited.unwrap_or(now);
    }
    (now != text).then_some(now)
}

fn builds_here(service: &Entry) -> bool {
    let lacks = |key: &str| service.value.get(key).is_none();
    let build = service.value.get("build");
    let context = build.and_then(|build| build.as_text().or_else(|| build.get("context").and_then(Node::as_text)));
    let is_usual = build.is_some_and(|build| build.get("dockerfile").is_none() && build.get("target").is_none());
    matches!(context, Some("." | "./")) && is_usual && lacks("command") && lacks("entrypoint")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn becomes(line: &str) -> Start {
        let scripts =
            [("start", "node dist/server.js"), ("serve", "tsx src/a.ts"), ("web", "next start"), ("preweb", "x")];
        let scripts = scripts.map(|(name, script)| (name.to_owned(), script.to_owned())).into();
        let list = |text: &str| text.split(' ').map(str::to_owned).collect();
        let instead = Instead { of: list("manage.py runserver"), run: list("gunicorn") };
        let text = format!("FROM node:22\nCMD npm run old\nFROM node:22\n{line}\n");
        let commands = commands(&text);
        assert_eq!(commands.len(), 1, "{line}");
        start(&commands[0], &scripts, Some(&instead))
    }

    fn value(line: &str) -> String {
        match becomes(line) {
            Start::Becomes { value, replaced: None } => value,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_program_becomes_the_first_process() {
        assert_eq!(value("CMD uvicorn app.main:app --port 8000"), r#"["uvicorn", "app.main:app", "--port", "8000"]"#);
        assert_eq!(value("CMD migrate && node server.js"), "migrate && exec node server.js");
        assert_eq!(value("CMD npm start"), r#"["node", "dist/server.js"]"#);
        assert_eq!(value(r#"CMD ["npm", "run", "serve"]"#), r#"["node_modules/.bin/tsx", "src/a.ts"]"#);
        assert_eq!(value("ENTRYPOINT ./shop"), r#"["./shop"]"#);
    }

    #[test]
    fn what_does_so_already_stays() {
        for line in [r#"CMD ["node", "a.js"]"#, "CMD exec node a.js", "CMD a && exec node b.js", "CMD ./start.sh"] {
            assert_eq!(becomes(line), Start::Direct, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_told_stays() {
        for line in [
            "CMD node $FILE",
            "CMD node a.js | tee log",
            "CMD A=1 node a.js",
            "CMD node 'a b.js'",
            "CMD npm run web",
            "CMD npm run none",
            "CMD npm run start -- --port 1",
            "CMD node a.js & node b.js",
        ] {
            assert_eq!(becomes(line), Start::Unknown, "{line}");
        }
    }

    #[test]
    fn a_server_for_development_is_left_to_compose_files() {
        let line = "CMD python manage.py migrate && python manage.py runserver 0.0.0.0:8000";
        let was = "python manage.py migrate && python manage.py runserver 0.0.0.0:8000";
        let expected = "python manage.py migrate && exec gunicorn".to_owned();
        assert_eq!(becomes(line), Start::Becomes { value: expected, replaced: Some(was.to_owned()) });
        let text = "services:\n  web:\n    build: .\n    ports: [\"8000:8000\"]\n  job:\n    build: .\n    command: x\n  db:\n    image: postgres:17\n";
        let expected = text.replace("[\"8000:8000\"]\n", &format!("[\"8000:8000\"]\n    command: sh -c \"{was}\"\n"));
        assert_eq!(with_command(text, was), Some(expected));
        assert_eq!(with_command("services:\n  web:\n    build: ./api\n", was), None);
    }
}
