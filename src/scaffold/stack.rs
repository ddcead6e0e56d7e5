//! What modules have to know of a stack: where its files go, and where its code is wired. `templates/stacks/*.toml`.

use std::collections::BTreeMap;

use super::deployment::{Runtime, Store, primary_language};
use super::module::{StepSpec, step};
use super::schema::EnvSchema;
use super::spot::{SPOT_KEYS, Spot, spot};
use crate::facts::Phase;
use crate::project::{Project, Service, ServiceId};
use crate::rules::Problem;
use crate::rules::document::{as_table, as_text, as_texts, at, at_key, choice, only_keys, text_of, texts_of};
use crate::syntax::{Entry, Node};

const KEYS: &[&str] = &[
    "id",
    "title",
    "stack",
    "languages",
    "ecosystem",
    "bundled",
    "order",
    "requires",
    "whole_errors",
    "app",
    "serves",
    "mark",
    "anchor",
    "call",
    "layout",
    "manager",
    "runner",
    "runtime",
    "store",
    "health_paths",
    "secret_words",
    "env_schema",
    "step",
    "plain_words",
];

/// In a layout: the folder that holds the application's code.
const PACKAGE: &str = "{package}";

/// Marks that need no fact: a mounted router, and a call that is given the application.
pub const ROUTER: &str = "router";
pub const HANDOVER: &str = "handover";
const SEEN_MARKS: [&str; 2] = [ROUTER, HANDOVER];

/// A kind of service that modules are written for.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    pub id: String,
    pub title: String,
    /// The stack of the audit that a service has to use; none for what fits every service.
    pub stack: Option<String>,
    pub languages: Vec<String>,
    pub ecosystem: Ecosystem,
    /// A bundler resolves what is imported: no extensions.
    pub bundled: bool,
    /// Modules in the order in which what they insert at one place stands.
    pub order: Vec<String>,
    /// A folder of the layout without which no module fits, and what its absence means.
    requires: Option<(String, String)>,
    /// How tests compare a whole body of an error, blanks left out and with double quotes.
    pub whole_errors: Vec<String>,
    /// The fact that makes the application object.
    pub app: Option<FactPattern>,
    /// The application is what that call is given.
    pub serves: Option<Serves>,
    pub marks: Vec<(String, FactPattern)>,
    pub anchors: Vec<Anchor>,
    pub calls: Vec<CallSite>,
    layout: Vec<(String, Vec<String>)>,
    managers: Vec<Manager>,
    runners: Vec<Runner>,
    /// What programs run on, by language, and the kinds of database that are told apart.
    pub runtimes: Vec<Runtime>,
    pub stores: Vec<Store>,
    /// Where routes that tell of life usually are.
    pub health_paths: Vec<String>,
    /// Words in names of variables that hold secrets.
    pub secret_words: Vec<String>,
    /// How packages that check environments declare a variable.
    pub env_schemas: Vec<EnvSchema>,
    /// What is left to do whichever module was written.
    pub steps: Vec<StepSpec>,
    /// Words at their end that say otherwise: how long, how many, where.
    pub plain_words: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ecosystem {
    Npm,
    Pypi,
    Crates,
    #[default]
    None,
}

const ECOSYSTEMS: &[(&str, Ecosystem)] =
    &[("npm", Ecosystem::Npm), ("pypi", Ecosystem::Pypi), ("crates", Ecosystem::Crates)];

/// Facts of a kind whose fields have these texts; `:any` is whatever is known, `:absent` nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactPattern {
    pub kind: String,
    pub fields: Vec<(String, String)>,
    /// The API path of what makes it.
    pub api: Option<String>,
    /// When it happens.
    pub phase: Option<Phase>,
}

/// How a call is given the application that it serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serves {
    /// Which of its arguments that is, from 0.
    pub argument: usize,
    /// The name of the application's type.
    pub of: String,
    /// Methods of that type that give it back.
    pub methods: Vec<String>,
    /// Methods that make something else of it, which is what is served.
    pub finished: Vec<String>,
}

/// A call that arguments are passed to: there is one alone, in whichever file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSite {
    pub name: String,
    /// What it is, for a reader who has to do it by hand.
    pub about: String,
    pub pattern: FactPattern,
}

/// A place in the application's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub name: String,
    /// Where it is, for a reader who has to do it by hand.
    pub about: String,
    pub side: Side,
    pub which: Which,
    /// The marks of the statements that it looks for; empty for the statement that makes the application.
    pub of: Vec<String>,
    /// Marks of statements that it never passes: `app.use(routes)` stays before `app.listen()`.
    pub otherwise: Option<String>,
    /// It has to stand in the list of statements that holds the application.
    pub beside: bool,
    /// A place of another kind, which has nothing to do with an application object.
    pub spot: Option<Spot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Made,
    First,
    Last,
    /// There has to be one alone, in whichever file.
    Only,
    /// The expression that makes the application: methods are called on it.
    Expression,
    /// The call that serves it, in the same way.
    Call,
}

const PHASES: &[(&str, Phase)] =
    &[("module", Phase::Module), ("startup", Phase::Startup), ("job", Phase::Job), ("request", Phase::Request)];
const WHICH: &[(&str, Which)] = &[
    ("made", Which::Made),
    ("first", Which::First),
    ("last", Which::Last),
    ("only", Which::Only),
    ("expression", Which::Expression),
    ("call", Which::Call),
];

/// What installs the dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manager {
    pub id: String,
    /// The file that tells it.
    pub lock: String,
    /// What its user runs after the manifest has changed.
    pub install: String,
    /// The language of its packages; none where the stack has only one.
    pub language: String,
}

/// What runs the tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    pub id: String,
    /// The package that tells it.
    pub package: String,
    /// The module that its functions are imported from; empty where they are global.
    pub from: String,
    pub before_all: String,
    pub after_all: String,
    /// What a project without tests gets as its test script.
    pub script: String,
    pub script_typescript: String,
    pub dev_typescript: Vec<(String, String)>,
    /// What it takes to run them.
    pub dev: Vec<(String, String)>,
    /// Where it is told the folder that imports start at, in a project that tells it nothing yet.
    pub settings: Option<RunnerSettings>,
    /// The first major version that knows what Node.js has: `node:` modules, `fetch`.
    pub current_from: u64,
    /// It finds tests in packages alone.
    pub packages: bool,
}

/// A file of settings for a test runner, and its place in a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunnerSettings {
    /// Files that hold its settings, each with what shows that they do.
    pub known: Vec<(String, String)>,
    /// The manifest that can hold them, and what is added there.
    pub manifest: String,
    pub section: String,
    /// The file without that manifest, and its text.
    pub file: String,
    pub text: String,
}

impl Stack {
    pub fn read(root: &Node) -> Result<Stack, Problem> {
        only_keys(root, "a stack", KEYS)?;
        let required = |key: &str| {
            text_of(root, key)?.ok_or_else(|| Problem::new(root.start, root.start, format!("`{key}` is missing")))
        };
        let stack = Stack {
            id: required("id")?,
            title: required("title")?,
            stack: text_of(root, "stack")?,
            languages: texts_of(root, "languages")?,
            ecosystem: root
                .get("ecosystem")
                .map_or(Ok(Ecosystem::None), |node| choice(node, "`ecosystem`", ECOSYSTEMS))?,
            bundled: root.get("bundled").and_then(Node::as_bool).unwrap_or(false),
            order: texts_of(root, "order")?,
            app: root.get("app").map(fact_pattern).transpose()?,
            serves: root.get("serves").map(serves).transpose()?,
            marks: entries(root, "mark")
                .iter()
                .map(|entry| Ok((entry.key.to_string(), fact_pattern(&entry.value)?)))
                .collect::<Result<_, Problem>>()?,
            requires: root.get("requires").map(requirement).transpose()?,
            whole_errors: texts_of(root, "whole_errors")?,
            anchors: entries(root, "anchor").iter().map(anchor).collect::<Result<_, _>>()?,
            calls: entries(root, "call").iter().map(call_site).collect::<Result<_, _>>()?,
            layout: entries(root, "layout")
                .iter()
                .map(|entry| Ok((entry.key.to_string(), owned(&as_texts(&entry.value, "a folder")?))))
                .collect::<Result<_, Problem>>()?,
            managers: items(root, "manager").iter().map(manager).collect::<Result<_, _>>()?,
            runners: items(root, "runner").iter().map(runner).collect::<Result<_, _>>()?,
            runtimes: items(root, "runtime").iter().map(Runtime::read).collect::<Result<_, _>>()?,
            stores: items(root, "store").iter().map(Store::read).collect::<Result<_, _>>()?,
            health_paths: texts_of(root, "health_paths")?,
            secret_words: texts_of(root, "secret_words")?,
            env_schemas: items(root, "env_schema").iter().map(EnvSchema::read).collect::<Result<_, _>>()?,
            steps: items(root, "step").iter().map(step).collect::<Result<_, _>>()?,
            plain_words: texts_of(root, "plain_words")?,
        };
        stack.check(root)?;
        Ok(stack)
    }

    /// Marks and anchors that are named have to be there.
    fn check(&self, root: &Node) -> Result<(), Problem> {
        let marks: Vec<&str> = self.marks.iter().map(|(name, _)| name.as_str()).chain(SEEN_MARKS).collect();
        let anchors: Vec<&str> = self.anchors.iter().map(|anchor| anchor.name.as_str()).collect();
        for (anchor, entry) in self.anchors.iter().zip(entries(root, "anchor")) {
            if let Some(mark) = anchor.of.iter().find(|mark| !marks.contains(&mark.as_str())) {
                return Err(at_key(entry, format!("there is no mark `{mark}`")).suggest(mark, marks));
            }
            if let Some(other) = anchor.otherwise.as_deref().filter(|other| !anchors.contains(other)) {
                return Err(at_key(entry, format!("there is no anchor `{other}`")).suggest(other, anchors));
            }
        }
        Ok(())
    }

    pub fn anchor(&self, name: &str) -> Option<&Anchor> {
        self.anchors.iter().find(|anchor| anchor.name == name)
    }

    pub fn call(&self, name: &str) -> Option<&CallSite> {
        self.calls.iter().find(|call| call.name == name)
    }

    /// The names of folders that modules may use in paths.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.layout.iter().map(|(name, _)| name.as_str())
    }

    /// Whether modules for this stack fit a service.
    pub fn fits(&self, service: &Service) -> bool {
        let uses = self.stack.as_ref().is_none_or(|stack| service.stacks.contains(stack));
        let speaks = self.languages.is_empty() || service.languages.iter().any(|one| self.languages.contains(one));
        uses && speaks
    }

    /// The place of a module among those that insert at the same place.
    pub fn rank(&self, module: &str) -> usize {
        self.order.iter().position(|id| id == module).unwrap_or(self.order.len())
    }

    /// Why modules for this stack do not fit a service that uses it: the folder that they need is not there.
    pub fn unfit(&self, project: &Project, service: &Service) -> Option<&str> {
        let (folder, reason) = self.requires.as_ref()?;
        let (_, candidates) = self.layout.iter().find(|(name, _)| name == folder)?;
        let is_there = |candidate: &String| has_folder(project, &placed(candidate, &service.path, &BTreeMap::new()));
        (!candidates.iter().any(is_there)).then_some(reason)
    }

    /// The first of each list of folders that exists, else the first of the list that can be made. `package` is the
    /// folder that holds the application's code, if that is not the service's own.
    pub fn layout_of(&self, project: &Project, service: &str, package: Option<&str>) -> BTreeMap<String, String> {
        let mut layout: BTreeMap<String, String> = BTreeMap::new();
        for (name, candidates) in &self.layout {
            let paths: Vec<String> = candidates
                .iter()
                .filter_map(|candidate| match candidate.as_str() {
                    PACKAGE => package.map(str::to_owned),
                    candidate => Some(placed(candidate, service, &layout)),
                })
                .collect();
            let there = paths.iter().find(|path| has_folder(project, path));
            let found = there.or(paths.iter().find(|path| !is_module(project, path))).or(paths.first());
            layout.insert(name.clone(), found.cloned().unwrap_or_default());
        }
        layout
    }

    /// By the file beside the manifest or above it; without one, the last of the service's language.
    pub fn manager(&self, project: &Project, id: ServiceId) -> Manager {
        let language = primary_language(project, id);
        let of_language = |manager: &&Manager| manager.language.is_empty() || manager.language == language;
        let candidates: Vec<&Manager> = self.managers.iter().filter(of_language).collect();
        let mut folder = Some(project.service(id).path.as_str());
        while let Some(at) = folder {
            let beside = |manager: &&&Manager| project.find(&joined(at, &manager.lock)).is_some();
            if let Some(found) = candidates.iter().find(beside) {
                return (*found).clone();
            }
            folder = if at == "." { None } else { Some(at.rsplit_once('/').map_or(".", |(above, _)| above)) };
        }
        candidates.last().map(|manager| (*manager).clone()).unwrap_or_default()
    }

    /// By the package that the manifest names; the last one needs none.
    pub fn runner(&self, service: &Service) -> Runner {
        let declared = |runner: &&Runner| {
            runner.package.is_empty()
                || service.dependencies.contains_key(&runner.package)
                || service.requirements.keys().any(|(_, name)| *name == runner.package)
        };
        self.runners.iter().find(declared).or(self.runners.last()).cloned().unwrap_or_default()
    }
}

/// `{ folder = "app", reason = "…" }`.
fn requirement(node: &Node) -> Result<(String, String), Problem> {
    only_keys(as_table(node, "a requirement")?, "a requirement", &["folder", "reason"])?;
    let required = |key: &str| text_of(node, key)?.ok_or_else(|| at(node, format!("`{key}` is missing")));
    Ok((required("folder")?, required("reason")?))
}

/// `{src}/lib` with what is known of the layout so far, below the service; `{app}/..` is the folder around it,
/// `/.github` lies below the root.
pub fn placed(candidate: &str, service: &str, layout: &BTreeMap<String, String>) -> String {
    match candidate.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((name, rest)) => {
            let base = layout.get(name).map_or(".", String::as_str);
            match rest.trim_start_matches('/') {
                ".." => base.rsplit_once('/').map_or(".", |(above, _)| above).to_owned(),
                rest => joined(base, rest),
            }
        }
        None => candidate.strip_prefix('/').map_or_else(|| joined(service, candidate), str::to_owned),
    }
}

/// Two parts of a path; `.` is nothing.
pub fn joined(folder: &str, rest: &str) -> String {
    match (folder, rest) {
        (".", rest) | ("", rest) => rest.to_owned(),
        (folder, "." | "") => folder.to_owned(),
        _ => format!("{folder}/{rest}"),
    }
}

/// A folder beside a Python module of the same name would hide it.
fn is_module(project: &Project, folder: &str) -> bool {
    project.find(&format!("{folder}.py")).is_some()
}

fn has_folder(project: &Project, folder: &str) -> bool {
    if folder == "." {
        return true;
    }
    let prefix = format!("{folder}/");
    let at = project.files.partition_point(|file| *file.path < *prefix);
    project.files.get(at).is_some_and(|file| file.path.starts_with(&prefix))
}

fn entries<'n>(root: &'n Node, key: &str) -> &'n [Entry] {
    root.get(key).map_or(&[], Node::entries)
}

fn items<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).map_or(&[], Node::items)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub fn fact_pattern(node: &Node) -> Result<FactPattern, Problem> {
    let mut pattern = FactPattern::default();
    for entry in as_table(node, "a fact")?.entries() {
        let text = as_text(&entry.value, "a field of a fact")?.to_owned();
        match &*entry.key {
            "fact" => pattern.kind = text,
            "api" => pattern.api = Some(text),
            "phase" => pattern.phase = Some(choice(&entry.value, "the phase", PHASES)?),
            name => pattern.fields.push((name.to_owned(), text)),
        }
    }
    let known = crate::facts::VOCABULARY.iter().find(|(kind, _)| *kind == pattern.kind);
    let Some((_, fields)) = known else {
        let kinds = crate::facts::VOCABULARY.iter().map(|(kind, _)| *kind);
        return Err(at(node, format!("there is no fact `{}`", pattern.kind)).suggest(&pattern.kind, kinds));
    };
    match pattern.fields.iter().find(|(name, _)| !fields.contains(&name.as_str())) {
        Some((name, _)) => Err(at(node, format!("the fact `{}` has no field `{name}`", pattern.kind))
            .suggest(name, fields.iter().copied())),
        None => Ok(pattern),
    }
}

fn anchor(entry: &Entry) -> Result<Anchor, Problem> {
    let node = as_table(&entry.value, "an anchor")?;
    only_keys(node, "an anchor", &[&["about", "before", "after", "of", "otherwise", "beside"], SPOT_KEYS].concat())?;
    let spot = spot(entry, node)?;
    if let Some(spot) = spot {
        let about = text_of(node, "about")?.ok_or_else(|| at_key(entry, "`about` is missing"))?;
        return Ok(Anchor {
            name: entry.key.to_string(),
            about,
            side: Side::After,
            which: Which::Made,
            of: Vec::new(),
            otherwise: None,
            beside: false,
            spot: Some(spot),
        });
    }
    let (side, word) = match (node.get("before"), node.get("after")) {
        (Some(word), None) => (Side::Before, word),
        (None, Some(word)) => (Side::After, word),
        _ => return Err(at_key(entry, "an anchor is either `before` or `after` something")),
    };
    Ok(Anchor {
        name: entry.key.to_string(),
        about: text_of(node, "about")?.ok_or_else(|| at_key(entry, "`about` is missing"))?,
        side,
        which: choice(word, "the place", WHICH)?,
        of: texts_of(node, "of")?,
        otherwise: text_of(node, "otherwise")?,
        beside: node.get("beside").and_then(Node::as_bool).unwrap_or(false),
        spot: None,
    })
}

fn serves(node: &Node) -> Result<Serves, Problem> {
    only_keys(as_table(node, "what is served")?, "what is served", &["argument", "of", "methods", "finished"])?;
    Ok(Serves {
        argument: text_of(node, "argument")?.and_then(|text| text.parse().ok()).unwrap_or_default(),
        of: text_of(node, "of")?.ok_or_else(|| at(node, "`of` is missing"))?,
        methods: texts_of(node, "methods")?,
        finished: texts_of(node, "finished")?,
    })
}

fn call_site(entry: &Entry) -> Result<CallSite, Problem> {
    let node = as_table(&entry.value, "a call")?;
    only_keys(node, "a call", &["about", "is"])?;
    let missing = |key: &str| at_key(entry, format!("`{key}` is missing"));
    Ok(CallSite {
        name: entry.key.to_string(),
        about: text_of(node, "about")?.ok_or_else(|| missing("about"))?,
        pattern: fact_pattern(node.get("is").ok_or_else(|| missing("is"))?)?,
    })
}

fn manager(node: &Node) -> Result<Manager, Problem> {
    only_keys(node, "a package manager", &["id", "lock", "install", "language"])?;
    let text = |key: &str| Ok::<_, Problem>(text_of(node, key)?.unwrap_or_default());
    Ok(Manager { id: text("id")?, lock: text("lock")?, install: text("install")?, language: text("language")? })
}

fn runner(node: &Node) -> Result<Runner, Problem> {
    let keys = [
        "id",
        "package",
        "from",
        "before_all",
        "after_all",
        "script",
        "script_typescript",
        "dev_typescript",
        "dev",
        "settings",
        "current_from",
        "packages",
    ];
    only_keys(node, "a test runner", &keys)?;
    let text = |key: &str| Ok::<_, Problem>(text_of(node, key)?.unwrap_or_default());
    Ok(Runner {
        id: text("id")?,
        package: text("package")?,
        from: text("from")?,
        before_all: text("before_all")?,
        after_all: text("after_all")?,
        script: text("script")?,
        script_typescript: text("script_typescript")?,
        dev_typescript: versions(node, "dev_typescript")?,
        dev: versions(node, "dev")?,
        settings: node.get("settings").map(runner_settings).transpose()?,
        current_from: text("current_from")?.parse().unwrap_or_default(),
        packages: node.get("packages").and_then(Node::as_bool).unwrap_or(false),
    })
}

fn runner_settings(node: &Node) -> Result<RunnerSettings, Problem> {
    only_keys(node, "settings of a test runner", &["known", "manifest", "section", "file", "text"])?;
    let text = |key: &str| Ok::<_, Problem>(text_of(node, key)?.unwrap_or_default());
    Ok(RunnerSettings {
        known: versions(node, "known")?,
        manifest: text("manifest")?,
        section: text("section")?,
        file: text("file")?,
        text: text("text")?,
    })
}

/// Names with versions.
pub fn versions(node: &Node, key: &str) -> Result<Vec<(String, String)>, Problem> {
    let found = node.get(key).map_or(&[][..], Node::entries);
    found.iter().map(|entry| Ok((entry.key.to_string(), as_text(&entry.value, "a version")?.to_owned()))).collect()
}
