//! The Dockerfile that a service has: its instructions as written, and how much of it is understood.

use serde::Serialize;

use super::{Runtime, document};
use crate::audit::Audit;
use crate::facts::shapes::shell_commands;
use crate::project::{SOURCE_LIMIT, ServiceId};
use crate::scaffold::stack::joined;
use crate::syntax::dockerfile::{Dockerfile, Instruction, parse};
use crate::syntax::{Node, json};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    pub exists: bool,
    /// One stage on the image of the service's runtime, of instructions that are all understood: what is built and
    /// what runs can be told apart.
    pub plain: bool,
    pub stages: usize,
    /// The base of the last stage, and its tag with a version if it had none.
    pub base: String,
    pub tag: String,
    /// The user, the health check and the folder of the last stage.
    pub user: Option<String>,
    pub health: bool,
    pub workdir: String,
    pub port: Option<String>,
    /// What it starts, as words.
    pub command: Vec<String>,
    /// Up to the last `FROM`, the line of that, and what stands behind the last instruction.
    pub head: String,
    pub from: String,
    pub tail: String,
    /// The instructions behind the last `FROM`.
    pub lines: Vec<Line>,
    /// What is copied before packages are installed: the manifests; empty if that cannot be told.
    pub manifests: String,
}

/// An instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    pub name: String,
    pub value: String,
    /// Its text with the comments above it.
    pub source: String,
    /// Everything from here on says only how the image starts.
    pub starts: bool,
    /// `all` copies the whole folder, `install` installs packages, `system` those of the system.
    pub does: String,
}

const UNDERSTOOD: [&str; 11] =
    ["WORKDIR", "COPY", "RUN", "ENV", "EXPOSE", "CMD", "ENTRYPOINT", "LABEL", "ARG", "HEALTHCHECK", "STOPSIGNAL"];
const STARTING: [&str; 6] = ["EXPOSE", "CMD", "ENTRYPOINT", "LABEL", "HEALTHCHECK", "STOPSIGNAL"];

impl Image {
    pub fn of(audit: &Audit, id: ServiceId, runtime: &Runtime) -> Image {
        let folder = &audit.project.service(id).path;
        let read = |name: &str| {
            let bytes = audit.project.tree.read(&joined(folder, name), SOURCE_LIMIT).ok()?;
            String::from_utf8(bytes).ok()
        };
        let Some(text) = read("Dockerfile") else { return Image::default() };
        let Some(parsed) = parse(&text).ok().filter(|_| !text.contains('\r')) else {
            return Image { exists: true, ..Image::default() };
        };
        let mut image = Image::read(&text, &parsed, runtime);
        let package = document(audit, &joined(folder, "package.json"));
        let hooked = package
            .as_ref()
            .and_then(|root| root.get("scripts"))
            .is_some_and(|scripts| runtime.hooks.iter().any(|hook| scripts.get(hook).is_some()));
        let workspace = package.as_ref().is_some_and(|root| root.get("workspaces").is_some());
        if !hooked && !workspace {
            image.manifests = image.manifests_for(&read);
        }
        image
    }

    /// `22` of `node:22-alpine`.
    pub fn version(&self) -> Option<String> {
        let digits: String = self.tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        (!digits.is_empty()).then_some(digits)
    }

    fn read(text: &str, parsed: &Dockerfile, runtime: &Runtime) -> Image {
        let Some(last) = parsed.stages.last() else { return Image::default() };
        let find = |name: &str| last.instructions.iter().rev().find(|one| one.name == name);
        let value = |name: &str| find(name).map(|one| one.value.clone());
        let mut end = line_end(text, last.end as usize);
        let head = text.get(..last.start as usize).unwrap_or_default().to_owned();
        let from = text.get(last.start as usize..end).unwrap_or_default().trim_end().to_owned();
        let starting =
            last.instructions.iter().rposition(|one| !STARTING.contains(&one.name.as_str()) && one.name != "ENV");
        let starting = starting.map_or(0, |index| index + 1);
        let mut lines = Vec::new();
        for (index, one) in last.instructions.iter().enumerate() {
            let until = line_end(text, one.end as usize);
            let source = format!("{}\n", text.get(end..until).unwrap_or_default().trim_end_matches('\n'));
            let does = purpose(one).to_owned();
            lines.push(Line {
                name: one.name.clone(),
                value: one.value.clone(),
                source,
                starts: index >= starting,
                does,
            });
            end = until;
        }
        let command = ["ENTRYPOINT", "CMD"].iter().filter_map(|name| value(name)).flat_map(|value| words(&value));
        let (name, tag) = last.from.rsplit_once(':').unwrap_or((&last.from, ""));
        let port = value("EXPOSE").and_then(|ports| ports.split(['/', ' ']).next().map(str::to_owned));
        let is_own = name.rsplit('/').next() == Some(runtime.image.as_str()) && !last.from.contains(['$', '@']);
        Image {
            exists: true,
            plain: is_own
                && parsed.stages.len() == 1
                && parsed.globals.is_empty()
                && is_plain(&last.instructions, runtime),
            stages: parsed.stages.len(),
            base: last.from.clone(),
            tag: if is_own { pinned(tag, runtime) } else { tag.to_owned() },
            user: value("USER"),
            health: find("HEALTHCHECK").is_some(),
            workdir: value("WORKDIR").unwrap_or_default(),
            port: port.filter(|port| port.chars().all(|c| c.is_ascii_digit())),
            command: command.collect(),
            head,
            from,
            tail: text.get(end..).unwrap_or_default().to_owned(),
            lines,
            manifests: String::new(),
        }
    }

    /// The files that the first install reads, if it reads nothing else and only follows what needs no sources.
    fn manifests_for(&self, read: &dyn Fn(&str) -> Option<String>) -> String {
        let Some(copy) = self.lines.iter().position(|line| line.does == "all") else { return String::new() };
        let later = self.lines.get(copy + 1..).unwrap_or_default();
        let Some(install) = later.iter().position(|line| line.does == "install") else { return String::new() };
        let between = later.get(..install).unwrap_or_default();
        let value = later.get(install).map_or("", |line| line.value.as_str());
        let [command] = shell_commands(value).try_into().unwrap_or_default();
        if !between.iter().all(|line| line.does == "system" || matches!(line.name.as_str(), "ENV" | "ARG")) {
            return String::new();
        }
        let at = command.iter().position(|word| matches!(word.as_str(), "-r" | "--requirement"));
        match (at, command.first().map(String::as_str)) {
            (Some(at), _) => command.get(at + 1).filter(|file| is_flat(read(file))).cloned().unwrap_or_default(),
            (None, Some("npm")) => "package*.json".to_owned(),
            (None, Some("pnpm")) if read("pnpm-lock.yaml").is_some() => "package.json pnpm-lock.yaml".to_owned(),
            (None, Some("yarn")) if read("yarn.lock").is_some() => "package.json yarn.lock".to_owned(),
            _ => String::new(),
        }
    }
}

/// Requirements that name no other file and no folder.
fn is_flat(requirements: Option<String>) -> bool {
    let is_own = |line: &str| line.is_empty() || line.starts_with('#') || !line.starts_with(['-', '.', '/']);
    requirements.is_some_and(|text| text.lines().map(str::trim).all(|line| is_own(line) && !line.contains("file:")))
}

/// Words that stand for a version that changes, and what images are told apart by beside their version.
const FLOATING: [&str; 4] = ["latest", "lts", "current", "stable"];
const VARIANTS: [&str; 6] = ["alpine", "slim", "trixie", "bookworm", "bullseye", "buster"];

/// A tag with a version, and with the release of the system where the runtime's images need one. A tag of any other
/// kind stays as it is.
fn pinned(tag: &str, runtime: &Runtime) -> String {
    let rest = tag.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let written = tag.get(..tag.len() - rest.len()).unwrap_or_default();
    let mut parts: Vec<&str> = rest.split('-').filter(|part| !part.is_empty()).collect();
    if written.is_empty() && parts.first().is_some_and(|part| FLOATING.contains(part)) {
        parts.remove(0);
    }
    if !parts.iter().all(|part| VARIANTS.iter().any(|known| part.starts_with(known))) {
        return tag.to_owned();
    }
    let has_suite = parts.iter().any(|part| *part != "slim");
    if !has_suite && !runtime.suite.is_empty() {
        parts.push(&runtime.suite);
    }
    let version = if written.is_empty() { runtime.version.as_str() } else { written };
    parts.insert(0, version);
    parts.join("-")
}

/// Behind the line that a place is in.
fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1)
}

/// A list in JSON or a command of a shell, as words.
pub fn words(value: &str) -> Vec<String> {
    let list = json::parse(value).ok().filter(|list| !list.items().is_empty());
    match list {
        Some(list) => list.items().iter().filter_map(Node::as_text).map(str::to_owned).collect(),
        None => value.split_whitespace().map(str::to_owned).collect(),
    }
}

fn paths_of(copy: &str) -> Vec<String> {
    words(copy).into_iter().filter(|word| !word.starts_with("--")).collect()
}

fn purpose(one: &Instruction) -> &'static str {
    let all = |copy: &str| matches!(paths_of(copy).first().map(String::as_str), Some("." | "./"));
    let starts =
        |command: &[String], heads: &[&str]| command.first().is_some_and(|head| heads.contains(&head.as_str()));
    let installs = |command: &Vec<String>| {
        let verb = command.iter().skip(1).find(|word| !word.starts_with('-')).map(String::as_str);
        matches!(verb, Some("install" | "ci" | "i" | "sync")) || (command.len() == 1 && starts(command, &["yarn"]))
    };
    match one.name.as_str() {
        "COPY" if all(&one.value) && !one.value.contains("--from") => "all",
        "RUN" => {
            let commands = shell_commands(&one.value);
            let system = |command: &Vec<String>| starts(command, &["apt-get", "apt", "apk", "rm"]);
            match (commands.iter().all(system), commands.iter().any(installs)) {
                (true, _) => "system",
                (false, true) => "install",
                (false, false) => "build",
            }
        }
        _ => "",
    }
}

/// Whether all that the stage leaves behind is its folder, packages of the system, and Python's packages.
fn is_plain(instructions: &[Instruction], runtime: &Runtime) -> bool {
    let of = |name: &'static str| instructions.iter().filter(move |one| one.name == name);
    let folder = of("WORKDIR").map(|one| one.value.as_str()).collect::<Vec<_>>();
    let [workdir] = folder.as_slice() else { return false };
    let inside = |one: &Instruction| {
        let to = paths_of(&one.value).pop().unwrap_or_default();
        !one.value.contains("--from") && (!to.starts_with('/') || to.starts_with(workdir)) && !to.starts_with("..")
    };
    let builds = |one: &Instruction| {
        let commands = shell_commands(&one.value);
        let known = |command: &Vec<String>| {
            let head = command.first().map_or("", String::as_str);
            let global = command.iter().any(|word| matches!(word.as_str(), "-g" | "--global" | "--user"));
            !global && runtime.builds.iter().any(|known| known == head)
        };
        one.body.is_empty() && (purpose(one) == "system" || (!commands.is_empty() && commands.iter().all(known)))
    };
    instructions.iter().all(|one| UNDERSTOOD.contains(&one.name.as_str()))
        && workdir.starts_with('/')
        && instructions.iter().position(|one| one.name == "WORKDIR")
            < instructions.iter().position(|one| one.name == "COPY")
        && (of("CMD").next().is_some() || of("ENTRYPOINT").next().is_some())
        && of("COPY").next().is_some()
        && of("COPY").all(inside)
        && of("RUN").all(builds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::Library;

    fn runtime(id: &str) -> Runtime {
        let library = Library::embedded().unwrap();
        library.stack("any").unwrap().runtimes.iter().find(|runtime| runtime.id == id).unwrap().clone()
    }

    fn image(id: &str, text: &str) -> Image {
        Image::read(text, &parse(text).unwrap(), &runtime(id))
    }

    #[test]
    fn tags_get_a_version_and_keep_their_variant() {
        let (node, rust) = (runtime("node"), runtime("rust"));
        for tag in ["22", "22-alpine", "20.11-slim"] {
            assert_eq!(pinned(tag, &node), tag);
        }
        assert_eq!(pinned("", &node), node.version);
        assert_eq!(pinned("alpine", &node), format!("{}-alpine", node.version));
        assert_eq!(pinned("lts-alpine", &node), format!("{}-alpine", node.version));
        assert_eq!(pinned("jod", &node), "jod");
        assert_eq!(pinned("latest", &rust), format!("{}-bookworm", rust.version));
        assert_eq!(pinned("1.88-slim", &rust), "1.88-slim-bookworm");
        assert_eq!(pinned("1.88-bookworm", &rust), "1.88-bookworm");
    }

    #[test]
    fn an_image_is_plain_if_all_that_it_does_is_understood() {
        let plain = "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y git\nRUN npm ci && npm run build\nCMD npm start\n";
        assert!(image("node", plain).plain);
        for (from, to) in [
            ("WORKDIR /app\n", ""),
            ("CMD npm start\n", ""),
            ("FROM node:22", "FROM ubuntu:24.04"),
            ("FROM node:22", "ARG V=22\nFROM node:$V"),
            ("npm ci", "npm install -g pm2"),
            ("npm ci", "curl -o /usr/bin/x https://x.test/x"),
            ("COPY . .", "COPY . /other"),
            ("COPY . .", "COPY . .\nUSER node"),
        ] {
            assert!(!image("node", &plain.replace(from, to)).plain, "{to}");
        }
    }

    #[test]
    fn what_packages_are_installed_from_is_told_apart() {
        let read = |name: &str| (name == "requirements.txt").then(|| "flask==3.0\n# ours\n".to_owned());
        let text = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN apt-get update\nRUN pip install -r requirements.txt\nCMD python app.py\n";
        assert_eq!(image("python", text).manifests_for(&read), "requirements.txt");
        let nested = |name: &str| (name == "requirements.txt").then(|| "-r base.txt\n".to_owned());
        assert_eq!(image("python", text).manifests_for(&nested), "");
        let built = text.replace("apt-get update", "python build.py");
        assert_eq!(image("python", &built).manifests_for(&read), "");
    }
}
