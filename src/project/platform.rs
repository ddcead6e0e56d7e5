//! What files other than `package.json` say about how a project is started: images, compose, platforms.

use std::collections::BTreeMap;

use super::command::{self, Run, Step};
use super::manifests::Manifests;
use super::manifests::{is_compose, is_ecosystem, is_for_development, is_procfile, is_supervisor, is_uwsgi};
use super::model::{FileKind, Project};
use super::paths::{file_name, folder_of, join};
use crate::syntax::Node;
use crate::syntax::dockerfile::{self, Dockerfile};

/// Something that is run when the project is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    /// Folders that paths may be relative to, best first.
    pub(super) folders: Vec<String>,
    pub(super) steps: Vec<Step>,
    /// What says so: `Dockerfile CMD`.
    pub(super) reason: String,
    /// The environment, as far as it is known.
    pub(super) variables: BTreeMap<String, String>,
}

/// The starts that all files but `package.json` name, in the order of their paths.
pub(super) fn starts(project: &Project, manifests: &Manifests) -> Vec<Start> {
    let mut starts = Vec::new();
    for id in project.file_ids() {
        let file = project.file(id);
        let (path, name) = (&*file.path, file_name(&file.path));
        if let Some(text) = manifests.texts.get(&id) {
            match file.kind {
                FileKind::Dockerfile if !is_for_development(name) => starts.extend(image(path, text)),
                _ if is_procfile(name) => starts.extend(procfile(path, text)),
                _ if is_uwsgi(name) => starts.extend(uwsgi(path, text)),
                _ => {}
            }
        }
        if let Some(node) = manifests.trees.get(&id) {
            starts.extend(if is_compose(name) { compose(path, node) } else { platform(path, name, node) });
        }
    }
    starts
}

/// Commands of a shell script, or the scripts that a pm2 file lists.
pub(super) fn steps_of_file(path: &str, text: &str) -> Vec<Step> {
    if is_supervisor(file_name(path)) {
        return text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("command")?.trim_start().strip_prefix('='))
            .take(100)
            .flat_map(command::steps)
            .collect();
    }
    if !is_ecosystem(file_name(path)) {
        return command::steps_of_script(text);
    }
    text.split("script").skip(1).take(100).filter_map(quoted_value).map(module_step).collect()
}

fn module_step(module: &str) -> Step {
    Step { run: Run::Module { folder: String::new(), candidates: vec![module.to_owned()] }, serves: true, kind: None }
}

/// The text of `: "value"`, a quote after the key allowed.
fn quoted_value(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    rest.get(1..)?.split(quote).next()
}

fn image(path: &str, text: &str) -> Option<Start> {
    let parsed = dockerfile::parse(text).ok()?;
    let image = Image::of(&parsed);
    let mut steps = Vec::new();
    let run = |words: &[String]| command::steps_of_words(words, &image.variables);
    match (&image.entrypoint, &image.command) {
        (Some(entrypoint), Some(command)) => {
            steps.extend(run(&[entrypoint.as_slice(), command.as_slice()].concat()));
            steps.extend(run(command));
        }
        (Some(words), None) | (None, Some(words)) => steps.extend(run(words)),
        (None, None) => {}
    }
    let from_workdir = image.folder.iter().flat_map(|folder| suffixes(folder));
    let from_file = super::paths::ancestors(folder_of(path)).map(str::to_owned);
    let folders = from_workdir.chain(from_file).collect();
    let keyword = if image.command.is_some() { "CMD" } else { "ENTRYPOINT" };
    let reason = format!("{path} {keyword}");
    (!steps.is_empty()).then_some(Start { folders, steps, reason, variables: image.variables })
}

/// `/app/apps/api` → `app/apps/api`, `apps/api`, `api`.
fn suffixes(folder: &str) -> Vec<String> {
    let folder = folder.trim_matches('/');
    let starts = std::iter::once(0).chain(folder.match_indices('/').map(|(at, _)| at + 1));
    starts.take(6).filter_map(|start| folder.get(start..)).filter(|rest| !rest.is_empty()).map(str::to_owned).collect()
}

/// What the last stage of a Dockerfile runs, and where.
struct Image {
    folder: Option<String>,
    entrypoint: Option<Vec<String>>,
    command: Option<Vec<String>>,
    variables: BTreeMap<String, String>,
}

impl Image {
    fn of(parsed: &Dockerfile) -> Image {
        let variables = parsed.stages.last().map(|stage| stage.variables.clone()).unwrap_or_default();
        let last = |name: &str| {
            parsed.final_chain().find_map(|stage| stage.instructions.iter().rev().find(|found| found.name == name))
        };
        let renamed = parsed.renamed_copies();
        let words = |name: &str| last(name).map(|found| source_words(words_of(found.value.trim()), &renamed));
        Image {
            folder: last("WORKDIR").map(|found| found.value.trim().to_owned()),
            entrypoint: words("ENTRYPOINT"),
            command: words("CMD"),
            variables,
        }
    }
}

/// Words of a command with paths of the image taken back to the files that were copied there.
fn source_words(words: Vec<String>, renamed: &BTreeMap<String, String>) -> Vec<String> {
    let name = |path: &str| file_name(path).to_owned();
    let source = |word: &str| {
        let same = |to: &&String| *to == word || (!word.starts_with('/') && name(to) == name(word));
        renamed.iter().find(|(to, _)| same(to)).map(|(_, from)| from.clone())
    };
    words.into_iter().map(|word| source(&word).unwrap_or(word)).collect()
}

/// The words of either form: a JSON list, or a command for the shell.
fn words_of(written: &str) -> Vec<String> {
    let list = written.starts_with('[').then(|| serde_json::from_str(written).ok()).flatten();
    list.unwrap_or_else(|| vec!["sh".into(), "-c".into(), written.to_owned()])
}

fn procfile(path: &str, text: &str) -> Vec<Start> {
    let processes = text.lines().take(1_000).filter_map(|line| line.split_once(':'));
    processes
        .filter(|(name, _)| !matches!(name.trim(), "release" | "") && !name.trim_start().starts_with('#'))
        .map(|(name, command)| shell_start(folder_of(path), command, format!("{path} {}", name.trim())))
        .collect()
}

/// The application that a configuration of uWSGI serves, and the environment that it gives it:
/// <https://uwsgi-docs.readthedocs.io/en/latest/Configuration.html>.
fn uwsgi(path: &str, text: &str) -> Option<Start> {
    let pairs =
        text.lines().take(1_000).filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()));
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let given = |keys: &[&str]| pairs.iter().find(|(key, _)| keys.contains(key)).map(|(_, value)| *value);
    let application = given(&["module", "wsgi", "wsgi-file", "file"])?;
    let module = application.strip_suffix(".py").map_or(application.to_owned(), |file| file.replace('/', "."));
    let inside = given(&["chdir"]).map(suffixes).unwrap_or_default();
    let folders = inside.into_iter().chain(super::paths::ancestors(folder_of(path)).map(str::to_owned)).collect();
    let environment = pairs.iter().filter(|(key, _)| *key == "env").filter_map(|(_, value)| value.split_once('='));
    let variables = environment.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    let steps = command::steps_of_words(&["uwsgi".into(), "--module".into(), module], &BTreeMap::new());
    Some(Start { folders, steps, reason: format!("{path} module"), variables })
}

fn shell_start(folder: &str, command: &str, reason: String) -> Start {
    Start { folders: vec![folder.to_owned()], steps: command::steps(command), reason, variables: BTreeMap::new() }
}

/// Services of a compose file that are built here and say what they run.
fn compose(path: &str, node: &Node) -> Vec<Start> {
    let mut starts = Vec::new();
    for service in node.get("services").map_or(&[][..], Node::entries) {
        let Some(build) = service.value.get("build") else { continue };
        let context = build.as_text().or_else(|| build.get("context").and_then(Node::as_text)).unwrap_or(".");
        let context = join(folder_of(path), context);
        for key in ["entrypoint", "command"] {
            let variables = environment(&service.value);
            let Some(steps) = service.value.get(key).map(|node| steps_of_node(node, &variables)) else { continue };
            let inside = service.value.get("working_dir").and_then(Node::as_text).map(suffixes).unwrap_or_default();
            let folders = inside.iter().map(|folder| join(&context, folder)).chain([context.clone()]).collect();
            starts.push(Start { folders, steps, reason: format!("{path} services.{}.{key}", service.key), variables });
        }
    }
    starts
}

/// A command as text or as a list of words.
fn steps_of_node(node: &Node, variables: &BTreeMap<String, String>) -> Vec<Step> {
    match node.as_text() {
        Some(command) => command::steps_of_words(&["sh".into(), "-c".into(), command.to_owned()], variables),
        None => {
            let words: Vec<String> = node.items().iter().filter_map(Node::as_text).map(str::to_owned).collect();
            command::steps_of_words(&words, variables)
        }
    }
}

/// `environment` of a compose service, as a map or as a list of `NAME=value`.
fn environment(service: &Node) -> BTreeMap<String, String> {
    let Some(node) = service.get("environment") else { return BTreeMap::new() };
    let mapped =
        node.entries().iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_text()?.to_owned())));
    let listed = node.items().iter().filter_map(|item| item.as_text()?.split_once('='));
    mapped.chain(listed.map(|(name, value)| (name.to_owned(), value.to_owned()))).take(500).collect()
}

/// Start commands of hosting platforms, and the functions that they run.
fn platform(path: &str, name: &str, node: &Node) -> Vec<Start> {
    let folder = folder_of(path);
    let text = |keys: &[&str]| node.at(keys).and_then(Node::as_text);
    let command = |keys: &[&str]| {
        text(keys)
            .map(|command| shell_start(folder, command, format!("{path} {}", keys.join("."))))
            .into_iter()
            .collect()
    };
    match name {
        "railway.json" | "railway.toml" => command(&["deploy", "startCommand"]),
        "app.yaml" => command(&["entrypoint"]),
        "nixpacks.toml" => command(&["start", "cmd"]),
        "fly.toml" => commands_in(path, "processes", node),
        "heroku.yml" => commands_in(path, "run", node),
        "render.yaml" => render(path, node),
        "vercel.json" => vercel(path, node),
        "serverless.yml" | "serverless.yaml" => functions(path, node),
        "project.json" => text(&["targets", "build", "options", "main"])
            .map(|main| modules(vec![".".into(), folder.into()], main, format!("{path} targets.build.options.main")))
            .into_iter()
            .collect(),
        "wrangler.toml" | "wrangler.json" | "wrangler.jsonc" => {
            text(&["main"]).map(|main| modules(vec![folder.into()], main, format!("{path} main"))).into_iter().collect()
        }
        "nest-cli.json" => nest(path, node),
        _ => Vec::new(),
    }
}

fn modules(folders: Vec<String>, module: &str, reason: String) -> Start {
    Start { folders, steps: vec![module_step(module)], reason, variables: BTreeMap::new() }
}

/// A map from the name of a process to its command.
fn commands_in(path: &str, key: &str, node: &Node) -> Vec<Start> {
    let processes = node.get(key).map_or(&[][..], Node::entries).iter();
    processes
        .filter_map(|process| {
            let command = process.value.as_text()?;
            Some(shell_start(folder_of(path), command, format!("{path} {key}.{}", process.key)))
        })
        .collect()
}

fn render(path: &str, node: &Node) -> Vec<Start> {
    let services = node.get("services").map_or(&[][..], Node::items).iter();
    services
        .filter_map(|service| {
            let command = ["startCommand", "dockerCommand"].iter().find_map(|key| service.get(key)?.as_text())?;
            let folder = join(folder_of(path), service.get("rootDir").and_then(Node::as_text).unwrap_or("."));
            let name = service.get("name").and_then(Node::as_text).unwrap_or("service");
            Some(shell_start(&folder, command, format!("{path} {name}")))
        })
        .collect()
}

fn vercel(path: &str, node: &Node) -> Vec<Start> {
    let builds = node.get("builds").map_or(&[][..], Node::items).iter();
    let sources = builds.filter_map(|build| build.get("src")?.as_text());
    let functions = node.get("functions").map_or(&[][..], Node::entries).iter().map(|entry| &*entry.key);
    sources
        .chain(functions)
        .map(|source| modules(vec![folder_of(path).to_owned()], source, format!("{path} {source}")))
        .collect()
}

/// `handler: src/orders.create` is the export `create` of `src/orders`.
fn functions(path: &str, node: &Node) -> Vec<Start> {
    let functions = node.get("functions").map_or(&[][..], Node::entries).iter();
    functions
        .filter_map(|function| {
            let (module, _) = function.value.get("handler")?.as_text()?.rsplit_once('.')?;
            Some(modules(vec![folder_of(path).to_owned()], module, format!("{path} functions.{}", function.key)))
        })
        .collect()
}

/// The applications of a NestJS monorepo.
fn nest(path: &str, node: &Node) -> Vec<Start> {
    let projects = node.get("projects").map_or(&[][..], Node::entries).iter();
    projects
        .filter(|project| project.value.get("type").and_then(Node::as_text) == Some("application"))
        .filter_map(|project| {
            let source = project.value.get("sourceRoot")?.as_text()?;
            let file = project.value.get("entryFile").and_then(Node::as_text).unwrap_or("main");
            let reason = format!("{path} projects.{}", project.key);
            Some(modules(vec![folder_of(path).to_owned()], &join(source, file), reason))
        })
        .collect()
}
