//! Dockerfiles: an `image` for the file, an `instruction` for each line, and what its health check calls.

use crate::facts::{Fact, Value};
use crate::project::{Area, FileId};
use crate::syntax::Node;
use crate::syntax::dockerfile::{Dockerfile, Instruction, Stage, assignments};
use crate::syntax::json;

use super::commands::{Command, commands};
use super::values::{fact, optional, span};
use super::{Surroundings, images, paths, probes};

/// Instructions that are kept of one file.
const MAX_INSTRUCTIONS: usize = 2_000;

pub struct DockerContext<'a> {
    pub path: &'a str,
    /// A .dockerignore keeps files out of the build.
    pub ignores: bool,
    pub around: &'a Surroundings<'a>,
}

/// There is a .dockerignore beside the file, for the file, or at the root.
pub fn has_ignore_file(path: &str, around: &Surroundings<'_>) -> bool {
    let beside = paths::join(paths::folder(path), ".dockerignore");
    around.has(&beside) || around.has(&format!("{path}.dockerignore")) || around.has(".dockerignore")
}

pub fn dockerfile(file: FileId, parsed: &Dockerfile, context: &DockerContext<'_>) -> Vec<Fact> {
    let Some(last) = parsed.stages.last() else { return Vec::new() };
    let mut facts = vec![image(file, parsed, last, context)];
    facts.extend(health_probes(file, parsed, context.path));
    facts.extend(instructions(file, parsed, context.path));
    facts.extend(build_variables(file, parsed, context.path));
    let area = area(context.path);
    facts.iter_mut().for_each(|fact| fact.area = area);
    facts
}

fn image(file: FileId, parsed: &Dockerfile, last: &Stage, context: &DockerContext<'_>) -> Fact {
    let base = parsed.final_chain().last().map_or("", |stage| stage.from.as_str());
    let user = last_of(parsed, "USER").map(|instruction| instruction.value.as_str());
    let health = last_of(parsed, "HEALTHCHECK").is_some_and(|check| !check.value.eq_ignore_ascii_case("none"));
    let command = [last_of(parsed, "ENTRYPOINT"), last_of(parsed, "CMD")].into_iter().flatten();
    let command = command.map(|instruction| exec_text(&instruction.value)).collect::<Vec<_>>().join(" ");
    let installs: Vec<String> = parsed.stages.iter().flat_map(runs).filter(installs).map(|run| joined(&run)).collect();
    fact("image", span(file, last.start, last.end), "shape dockerfile", context.path)
        .with("path", Value::text(context.path))
        .with("stages", Value::number(parsed.stages.len() as f64))
        .with("user", optional(user))
        .with("root_user", root_user(user, base, &with_sources(&command, parsed), context))
        .with("base", Value::text(base))
        .with("role", Value::text(images::role(base).unwrap_or("app")))
        .with("healthcheck", Value::bool(health))
        .with("command", optional(Some(command.as_str()).filter(|command| !command.is_empty())))
        .with("copies_source_before_install", Value::bool(parsed.stages.iter().any(copies_before_install)))
        .with("build_tools", Value::bool(brings_build_tools(parsed, base)))
        .with("ignores", Value::bool(context.ignores))
        .with("install", Value::texts(&installs))
}

/// The last instruction of that name in the final image.
fn last_of<'d>(parsed: &'d Dockerfile, name: &str) -> Option<&'d Instruction> {
    parsed.final_chain().find_map(|stage| stage.instructions.iter().rev().find(|instruction| instruction.name == name))
}

/// A JSON list (`["node", "server.js"]`) as words, anything else as it is.
fn exec_text(value: &str) -> String {
    let list = value.starts_with('[').then(|| json::parse(value).ok()).flatten();
    let words = list.as_ref().map(|list| list.items().iter().filter_map(Node::as_text).collect::<Vec<_>>().join(" "));
    words.unwrap_or_else(|| value.to_owned())
}

/// Whether the container's process runs as root. Unknown where the user is a variable without value.
fn root_user(user: Option<&str>, base: &str, command: &str, context: &DockerContext<'_>) -> Value {
    let name = user.map(|user| user.split(':').next().unwrap_or_default().trim());
    match name {
        Some(name) if name.contains('$') => Value::UNKNOWN,
        Some("" | "root" | "0") => Value::bool(!drops_privileges(command, context)),
        Some(_) => Value::bool(false),
        None if base.is_empty() || base.contains('$') => Value::UNKNOWN,
        None => {
            let safe = images::is_nonroot(base) || matches!(images::role(base), Some("database" | "cache" | "queue"));
            match safe || drops_privileges(command, context) {
                true => Value::bool(false),
                false if images::has_unknown_user(base) => Value::UNKNOWN,
                false => Value::bool(true),
            }
        }
    }
}

/// A command with the scripts that it starts named as in the project, and those that the Dockerfile itself writes.
fn with_sources(command: &str, parsed: &Dockerfile) -> String {
    let renamed = parsed.renamed_copies();
    let words = command.split_whitespace().map(|word| renamed.get(word).map_or(word, String::as_str));
    let is_started = |target: &str| command.split_whitespace().any(|word| paths::name(word) == paths::name(target));
    let written = parsed.final_chain().flat_map(|stage| &stage.instructions).filter(|instruction| {
        matches!(instruction.name.as_str(), "COPY" | "ADD")
            && !instruction.body.is_empty()
            && instruction.value.split_whitespace().next_back().is_some_and(is_started)
    });
    words.chain(written.map(|instruction| instruction.body.as_str())).collect::<Vec<_>>().join(" ")
}

const DROPPERS: [&str; 8] =
    ["gosu", "su-exec", "setpriv", "runuser", "chpst", "s6-setuidgid", "setuidgid", "dumb-init-user"];

/// The command, or a script of the project that it starts, changes to another user.
fn drops_privileges(command: &str, context: &DockerContext<'_>) -> bool {
    let drops = |text: &str| {
        let words = text.split(|c: char| c.is_whitespace() || "\"'();&|".contains(c));
        words.map(paths::name).any(|word| DROPPERS.contains(&word))
    };
    let scripts = command.split_whitespace().filter(|word| word.ends_with(".sh") || word.contains("entrypoint"));
    drops(command) || scripts.take(4).any(|script| sources(script, context).any(|text| drops(&text)))
}

/// The project's files that may be the script: those of that name, beside the Dockerfile first.
fn sources<'c>(script: &str, context: &'c DockerContext<'_>) -> impl Iterator<Item = String> + 'c {
    let name = paths::name(script).to_owned();
    let folder = paths::folder(context.path);
    let mut found: Vec<&str> = context.around.paths.iter().copied().filter(|path| paths::name(path) == name).collect();
    found.sort_by_key(|path| !path.starts_with(folder));
    found.into_iter().take(1).filter_map(|path| (context.around.read)(path))
}

fn runs(stage: &Stage) -> impl Iterator<Item = Command> + '_ {
    let runs = stage.instructions.iter().filter(|instruction| instruction.name == "RUN");
    runs.flat_map(|run| {
        let text = without_mounts(&run.value);
        let mut found = if run.body.is_empty() { commands(&exec_text(text)) } else { Vec::new() };
        found.extend(commands(&run.body));
        found
    })
}

/// `RUN --mount=… npm ci` without its flags.
fn without_mounts(value: &str) -> &str {
    let mut rest = value.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

fn joined(command: &Command) -> String {
    command.words.join(" ")
}

/// Installs the packages of the application; global tools (`npm i -g pnpm`) do not count.
fn installs(command: &Command) -> bool {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    let Some((head, rest)) = words.split_first() else { return false };
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied();
    let global = rest.iter().any(|word| matches!(*word, "-g" | "--global" | "--location=global" | "global"));
    match *head {
        "npm" | "pnpm" | "bun" => {
            !global && !matches!(verb, Some("run" | "exec" | "x" | "dlx")) && rest.iter().any(is_install)
        }
        "yarn" => !global && matches!(verb, None | Some("install" | "workspaces")),
        "pip" | "pip3" => verb == Some("install") && !rest.contains(&"--upgrade"),
        "poetry" | "pdm" | "pipenv" | "bundle" | "composer" => verb == Some("install"),
        "uv" => matches!(verb, Some("sync")) || rest.starts_with(&["pip", "install"]),
        "python" | "python3" => rest.starts_with(&["-m", "pip", "install"]),
        _ => false,
    }
}

/// The verbs of npm, pnpm and bun; other words may stand before them (`npm --prefix api ci`).
fn is_install(word: &&str) -> bool {
    matches!(*word, "ci" | "install" | "i" | "clean-install" | "add")
}

/// The whole source is copied before the first install, so that every change installs again.
fn copies_before_install(stage: &Stage) -> bool {
    let mut copied = false;
    for instruction in &stage.instructions {
        match instruction.name.as_str() {
            "COPY" | "ADD" => copied |= copies_everything(&instruction.value),
            "RUN" => {
                let text = format!("{}\n{}", without_mounts(&instruction.value), instruction.body);
                if commands(&text).iter().any(installs) {
                    return copied;
                }
            }
            _ => {}
        }
    }
    false
}

fn copies_everything(value: &str) -> bool {
    let from_stage = value.split_whitespace().any(|word| word.starts_with("--from"));
    let words = exec_text(value);
    let first = words.split_whitespace().find(|word| !word.starts_with("--"));
    !from_stage && matches!(first, Some("." | "./" | "./." | "./*" | "*"))
}

/// The final image holds compilers or development dependencies.
fn brings_build_tools(parsed: &Dockerfile, base: &str) -> bool {
    let mut chain: Vec<&Stage> = parsed.final_chain().collect();
    chain.reverse();
    let production = chain.iter().any(|stage| stage.variables.get("NODE_ENV").is_some_and(|env| env == "production"));
    let all: Vec<String> = chain.into_iter().flat_map(runs).map(|run| joined(&run)).collect();
    let pruned = all.iter().any(|run| {
        run.contains("prune")
            && ["--production", "--prod", "--omit=dev", "--omit dev"].iter().any(|flag| run.contains(flag))
    });
    let removed = all.iter().any(|run| run.contains("apk del") || run.contains("purge") || run.contains("autoremove"));
    let with_development = all.iter().any(|run| installs_development(run, production)) && !pruned;
    let with_compilers = all.iter().any(|run| installs_compilers(run)) && !removed;
    let with_managers = all.iter().any(|run| installs_manager(run));
    images::is_build_image(base) || with_development || with_compilers || with_managers
}

/// Brings a tool that only resolves and builds packages of Python.
fn installs_manager(run: &str) -> bool {
    const MANAGERS: [&str; 4] = ["poetry", "pipenv", "pdm", "hatch"];
    let named = |word: &str| MANAGERS.contains(&word.split(['=', '<', '>', '~', '[']).next().unwrap_or(word));
    let words: Vec<&str> = run.split_whitespace().collect();
    let pip = words.windows(2).any(|pair| matches!(pair, ["pip" | "pip3" | "pipx", "install"]));
    (pip && words.iter().any(|word| named(word))) || run.contains("install.python-poetry.org")
}

/// An install of a JavaScript project that brings its development dependencies.
fn installs_development(run: &str, production: bool) -> bool {
    let words: Vec<&str> = run.split_whitespace().collect();
    let manager = matches!(words.first(), Some(&("npm" | "pnpm" | "yarn" | "bun")));
    let command = Command { words: words.iter().map(|word| (*word).to_owned()).collect(), swallowed: false };
    let after = words.iter().skip_while(|word| !is_install(word)).skip(1);
    let named = !words.contains(&"ci") && after.clone().any(|word| !word.starts_with('-'));
    let flags = [
        "--omit=dev",
        "--production",
        "--only=production",
        "--only=prod",
        "--prod",
        "-P",
        "focus",
        "--production=true",
    ];
    let limited =
        flags.iter().any(|flag| words.contains(flag)) || run.contains("--omit dev") || run.contains("--only prod");
    manager
        && installs(&command)
        && !named
        && !limited
        && !(production && !run.contains("--include=dev") && !run.contains("--production=false"))
}

fn installs_compilers(run: &str) -> bool {
    const TOOLS: [&str; 10] =
        ["build-essential", "build-base", "gcc", "g++", "make", "cmake", "cargo", "rustc", "clang", "node-gyp"];
    let words: Vec<&str> = run.split_whitespace().collect();
    let system = words.iter().any(|word| matches!(*word, "apt-get" | "apt" | "apk" | "yum" | "dnf" | "microdnf"));
    let adds = words.iter().any(|word| matches!(*word, "install" | "add"));
    system && adds && !run.contains("--virtual") && words.iter().any(|word| TOOLS.contains(word))
}

fn health_probes(file: FileId, parsed: &Dockerfile, path: &str) -> Vec<Fact> {
    let Some(check) = last_of(parsed, "HEALTHCHECK") else { return Vec::new() };
    let command = check.value.split_once("CMD").map_or("", |(_, command)| command.trim());
    probes::probes(span(file, check.start, check.end), "shape dockerfile", path, &exec_text(command))
}

fn instructions(file: FileId, parsed: &Dockerfile, path: &str) -> Vec<Fact> {
    let last = parsed.stages.len().saturating_sub(1);
    let all = parsed.stages.iter().enumerate().flat_map(|(index, stage)| {
        let from = (!stage.from.is_empty()).then(|| Instruction {
            name: "FROM".into(),
            value: stage.from.clone(),
            body: String::new(),
            start: stage.start,
            end: stage.end,
        });
        from.into_iter().chain(stage.instructions.iter().cloned()).map(move |instruction| (index, instruction))
    });
    all.take(MAX_INSTRUCTIONS)
        .map(|(stage, instruction)| {
            let continues = parsed.stages.get(stage).is_some_and(|stage| stage.parent.is_some());
            let pin = match instruction.name.as_str() {
                "FROM" if continues => Value::text("local"),
                "FROM" => images::pin(&instruction.value),
                _ => Value::ABSENT,
            };
            let body = if instruction.body.is_empty() { String::new() } else { format!("\n{}", instruction.body) };
            fact("instruction", span(file, instruction.start, instruction.end), "shape dockerfile", &instruction.name)
                .with("path", Value::text(path))
                .with("name", Value::text(instruction.name.as_str()))
                .with("value", Value::text(format!("{}{body}", instruction.value)))
                .with("stage", Value::number(stage as f64))
                .with("final", Value::bool(stage == last))
                .with("pin", pin)
        })
        .collect()
}

/// What `ARG` and `ENV` set, one fact for each name.
fn build_variables(file: FileId, parsed: &Dockerfile, path: &str) -> Vec<Fact> {
    let last = parsed.stages.len().saturating_sub(1);
    let staged = parsed
        .stages
        .iter()
        .enumerate()
        .flat_map(|(index, stage)| stage.instructions.iter().map(move |instruction| (index, instruction, stage)));
    let declared = staged.filter(|(_, instruction, _)| matches!(instruction.name.as_str(), "ARG" | "ENV"));
    let within = declared.take(MAX_INSTRUCTIONS).flat_map(|(index, instruction, stage)| {
        let recorded = stage.instructions.iter().any(|later| later.name == "RUN" && later.start > instruction.start);
        assignments(&instruction.value).into_iter().map(move |(name, value)| {
            let used = runs(stage).any(|run| run.words.iter().any(|word| mentions(word, &name)));
            build_variable(file, path, instruction, &name, value.as_deref())
                .with("stage", Value::number(index as f64))
                .with("final", Value::bool(index == last))
                .with("used", Value::bool(used))
                .with("recorded", Value::bool(recorded))
        })
    });
    // An argument before the first stage is in none of them.
    let outside = parsed.globals.iter().filter(|instruction| instruction.name == "ARG").flat_map(|instruction| {
        assignments(&instruction.value).into_iter().map(move |(name, value)| {
            build_variable(file, path, instruction, &name, value.as_deref())
                .with("stage", Value::ABSENT)
                .with("final", Value::bool(false))
                .with("used", Value::bool(false))
                .with("recorded", Value::bool(false))
        })
    });
    within.chain(outside).collect()
}

fn build_variable(file: FileId, path: &str, by: &Instruction, name: &str, value: Option<&str>) -> Fact {
    fact("build-variable", span(file, by.start, by.end), "shape dockerfile", name)
        .with("path", Value::text(path))
        .with("name", Value::text(name))
        .with("value", optional(value))
        .with("by", Value::text(by.name.as_str()))
}

/// `$NAME` or `${NAME…}` stands in the text.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}

/// Images for development and tests are not what runs in production.
fn area(path: &str) -> Area {
    let words = paths::words(path);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    if has(&["test", "tests", "testing", "e2e", "ci", "cypress", "playwright"]) {
        Area::Test
    } else if has(&["dev", "develop", "development", "local", "devcontainer", "example", "examples", "gitpod"]) {
        Area::Example
    } else {
        Area::Config
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Patches, Scripts, Targets};
    use super::*;
    use crate::syntax::dockerfile::parse;

    fn facts_of(path: &str, text: &str, files: &[(&str, &str)]) -> Vec<Fact> {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let around = Surroundings {
            scripts: &Scripts::new(),
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &names,
            read: &read,
        };
        let context = DockerContext { path, ignores: has_ignore_file(path, &around), around: &around };
        dockerfile(FileId(0), &parse(text).unwrap(), &context)
    }

    fn image_of(text: &str) -> Fact {
        facts_of("Dockerfile", text, &[]).remove(0)
    }

    fn flag(text: &str, field: &str) -> Option<bool> {
        match image_of(text).get(field) {
            Some(value) if *value == Value::bool(true) => Some(true),
            Some(value) if *value == Value::bool(false) => Some(false),
            _ => None,
        }
    }

    #[test]
    fn images_of_python_and_rust() {
        let single = "FROM python:3.12-slim\nCOPY poetry.lock pyproject.toml ./\nRUN pip install poetry==1.8 && poetry install --only main\nCOPY . .\n";
        assert_eq!(flag(single, "build_tools"), Some(true));
        let plain = "FROM python:3.12-slim\nCOPY requirements.txt ./\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\n";
        assert_eq!(
            (flag(plain, "build_tools"), flag(plain, "copies_source_before_install")),
            (Some(false), Some(false))
        );
        let careless = "FROM python:3.12-slim\nCOPY . .\nRUN uv pip install -r requirements.txt\n";
        assert_eq!(flag(careless, "copies_source_before_install"), Some(true));
        let rust = "FROM rust:1.90 AS build\nCOPY . .\nRUN cargo build --release\nFROM debian:trixie-slim\nCOPY --from=build /app/shop /usr/bin/shop\nUSER app\nCMD [\"shop\"]\n";
        assert_eq!((flag(rust, "build_tools"), flag(rust, "root_user")), (Some(false), Some(false)));
        assert_eq!(flag("FROM rust:1.90\nCOPY . .\nRUN cargo build\n", "build_tools"), Some(true));
    }

    #[test]
    fn a_script_under_another_name_may_drop_privileges() {
        let text = "FROM python:3.12-slim\nENV HOME_DIR=/app\nCOPY ./docker/entry.sh $HOME_DIR/run.sh\nENTRYPOINT [\"/app/run.sh\"]\n";
        let image = facts_of("docker/Dockerfile", text, &[("docker/entry.sh", "exec gosu 911 \"$0\"\n")]).remove(0);
        assert_eq!(image.get("root_user"), Some(&Value::bool(false)));
    }

    #[test]
    fn a_good_image() {
        let text = "ARG NODE=22-slim\nFROM node:${NODE} AS build\nWORKDIR /app\nCOPY package*.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci\nCOPY . .\nRUN npm run build\nFROM node:${NODE}\nENV NODE_ENV=production\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY --from=build /app/dist ./dist\nUSER node\nHEALTHCHECK --interval=30s CMD wget -qO- http://localhost:3000/health || exit 1\nENTRYPOINT [\"dumb-init\", \"--\"]\nCMD [\"node\", \"dist/main.js\"]\n";
        let facts = facts_of("Dockerfile", text, &[(".dockerignore", "")]);
        let image = &facts[0];
        for (field, wanted) in [
            ("stages", Value::number(2.0)),
            ("user", Value::text("node")),
            ("root_user", Value::bool(false)),
            ("base", Value::text("node:22-slim")),
            ("healthcheck", Value::bool(true)),
            ("command", Value::text("dumb-init -- node dist/main.js")),
            ("copies_source_before_install", Value::bool(false)),
            ("build_tools", Value::bool(false)),
            ("ignores", Value::bool(true)),
            ("install", Value::texts(["npm ci", "npm ci --omit=dev"])),
            ("role", Value::text("app")),
        ] {
            assert_eq!(image.get(field), Some(&wanted), "{field}");
        }
        assert_eq!(&text[image.at.start as usize..image.at.end as usize], "FROM node:${NODE}");
        let probe = facts.iter().find(|f| &*f.kind == "probe").unwrap();
        assert_eq!(probe.get("path"), Some(&Value::text("/health")));
        let user = facts.iter().find(|f| f.get("name") == Some(&Value::text("USER"))).unwrap();
        assert_eq!((user.get("stage"), user.get("final")), (Some(&Value::number(1.0)), Some(&Value::bool(true))));
    }

    #[test]
    fn a_bad_image() {
        let text = "FROM node:22\nCOPY . .\nRUN npm install && npm run build\nRUN useradd api && chown -R api .\nCMD npm start\n";
        assert_eq!(flag(text, "root_user"), Some(true));
        assert_eq!(flag(text, "copies_source_before_install"), Some(true));
        assert_eq!(flag(text, "build_tools"), Some(true));
        assert_eq!(flag(text, "ignores"), Some(false));
        assert_eq!(flag(text, "healthcheck"), Some(false));
    }

    #[test]
    fn who_runs_it() {
        for (text, wanted) in [
            ("FROM node\nENV U=node\nUSER ${U}\nCMD x", Some(false)),
            ("FROM node AS base\nUSER node\nFROM base\nCMD x", Some(false)),
            ("FROM node AS base\nUSER node\nFROM node\nCMD x", Some(true)),
            ("FROM node\nUSER node\nUSER root\nCMD x", Some(true)),
            ("FROM node\nUSER 0:0\nCMD x", Some(true)),
            ("FROM node\nUSER 1001:1001\nCMD x", Some(false)),
            ("FROM node\nUSER $WHO\nCMD x", None),
            ("FROM gcr.io/distroless/nodejs22:nonroot\nCMD x", Some(false)),
            ("FROM postgres:16\nCOPY init.sql /x", Some(false)),
            ("FROM node\nENTRYPOINT [\"su-exec\", \"node\", \"node\", \"x.js\"]", Some(false)),
            ("FROM $BASE\nCMD x", None),
            ("RUN true\nCMD x", None),
            ("RUN true\nUSER root\nCMD x", Some(true)),
        ] {
            assert_eq!(flag(text, "root_user"), wanted, "{text}");
        }
    }

    #[test]
    fn entry_scripts_may_drop_privileges() {
        let files = [("docker/entry.sh", "#!/bin/sh\nexec gosu $PUID /app/run\n")];
        let facts = facts_of("docker/Dockerfile", "FROM python\nENTRYPOINT [\"/app/entry.sh\"]\n", &files);
        assert_eq!(facts[0].get("root_user"), Some(&Value::bool(false)));
    }

    #[test]
    fn what_is_left_in_the_image() {
        for (text, wanted) in [
            ("FROM node\nRUN npm ci && npm prune --omit=dev", false),
            ("FROM node\nENV NODE_ENV=production\nRUN npm ci", false),
            ("FROM node\nRUN npm i -g pnpm", false),
            ("FROM node\nRUN npm --prefix api -f install", true),
            ("FROM node\nRUN npm --prefix api --omit=dev -f install", false),
            ("FROM node\nRUN yarn --frozen-lockfile", true),
            ("FROM node:alpine\nRUN apk add --no-cache python3 make g++", true),
            ("FROM node:alpine\nRUN apk add --virtual .b make g++ && npm ci --omit=dev && apk del .b", false),
            ("FROM rust:1.95\nRUN cargo build", true),
            ("FROM node AS b\nRUN npm ci\nFROM nginx\nCOPY --from=b /x /y", false),
        ] {
            assert_eq!(flag(text, "build_tools"), Some(wanted), "{text}");
        }
    }

    #[test]
    fn development_images_are_set_apart() {
        for (path, wanted) in [
            ("Dockerfile", Area::Config),
            ("apps/latest/Dockerfile.prod", Area::Config),
            ("Dockerfile.dev", Area::Example),
            (".devcontainer/Dockerfile", Area::Example),
            ("e2e/Dockerfile", Area::Test),
        ] {
            assert_eq!(facts_of(path, "FROM x", &[])[0].area, wanted, "{path}");
        }
    }
}
