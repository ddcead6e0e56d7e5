//! A module: what it closes, what it writes. `templates/<module>/module.toml`.

use super::stack::versions;
use crate::rules::Problem;
use crate::rules::document::{as_table, as_text, at, at_key, choice, only_keys, text_of, texts_of};
use crate::syntax::{Entry, Node, NodeData};

const KEYS: &[&str] = &["id", "title", "closes", "helps", "effect", "needs", "input", "variant"];
const VARIANT_KEYS: &[&str] = &[
    "needs",
    "unless",
    "file",
    "dependencies",
    "dev_dependencies",
    "edit",
    "argument",
    "env",
    "step",
    "unless_reason",
    "container",
    "variables",
    "client",
    "fix",
    "own_schema",
    "closes",
    "command",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub id: String,
    pub title: String,
    /// Controls that pass once it is applied (coverage controls rise).
    pub closes: Vec<String>,
    /// Controls that may improve.
    pub helps: Vec<String>,
    pub effect: Effect,
    /// Modules that come first.
    pub needs: Vec<String>,
    /// Values that templates use and that a user may set, with their defaults.
    pub inputs: Vec<(String, String)>,
    pub variants: Vec<Variant>,
}

/// What changes for those who use the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing that worked.
    Additive,
    /// Requests may be refused or answered otherwise.
    Behavioural,
    /// The database is migrated.
    Data,
}

pub const EFFECTS: &[(&str, Effect)] =
    &[("additive", Effect::Additive), ("behavioural", Effect::Behavioural), ("data", Effect::Data)];

impl Effect {
    pub fn word(self) -> &'static str {
        EFFECTS.iter().find(|(_, effect)| *effect == self).map_or("", |(word, _)| word)
    }
}

/// What a module writes for one stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variant {
    /// The stack's id.
    pub stack: String,
    /// Modules that come first on this stack alone.
    pub needs: Vec<String>,
    /// A condition over the context under which it does not apply, and why.
    pub unless: Option<(String, String)>,
    pub files: Vec<FileSpec>,
    pub dependencies: Vec<Dependency>,
    pub edits: Vec<EditSpec>,
    pub arguments: Vec<ArgumentSpec>,
    pub env: Vec<EnvSpec>,
    pub steps: Vec<StepSpec>,
    /// A client that it makes and that other files can import.
    pub client: Option<ClientSpec>,
    /// Controls whose findings are fixed in place as well, with that client.
    pub fixes: Vec<String>,
    /// How images start the service.
    pub command: Option<CommandSpec>,
    /// What containers of compose files lack.
    pub containers: Vec<ContainerSpec>,
    /// The variables that the service reads go into its template of variables as well.
    pub variables: bool,
    /// Where the service checks its environment with a schema of its own, the variables that it reads are declared there,
    /// and nothing else is written.
    pub own_schema: bool,
    /// What the module closes on this stack, where that is not what it closes elsewhere.
    pub closes: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSpec {
    pub library: String,
    pub store: String,
    /// The API path that makes it.
    pub api: String,
    /// What it is imported by.
    pub name: String,
    /// `db/prisma.ts`: a folder of the layout and the rest.
    pub file: String,
    pub when: Option<String>,
}

/// The program of the service is the first process of its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// Words that start a server for development alone, and what starts instead of it; nothing is put in its place
    /// where that renders to nothing.
    pub of: String,
    pub run: String,
    /// What the user does where the command cannot be edited.
    pub step: String,
}

/// A key for containers that do not have it. Without one, containers wait until those that they need are well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The store that the image has to be of.
    pub store: String,
    pub key: String,
    /// The whole entry, as YAML.
    pub text: String,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// The template, below the module's folder.
    pub from: String,
    /// `lib/logger.ts`: a folder of the stack's layout and the rest of the path.
    pub to: String,
    pub when: Option<String>,
    /// One file for each finding that the module's fixes close: it is `item` in both.
    pub each: bool,
    /// The template writes down what is there already, with changes.
    pub amends: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub dev: bool,
    /// Only for TypeScript (`@types/…`).
    pub types: bool,
    /// Parts of a crate that are asked for, and whether those that it has by default are.
    pub features: Vec<String>,
    /// Features that bring all of these.
    pub covered_by: Vec<String>,
    pub default_features: bool,
    /// The lowest version that fits, where that is less than what is asked for in a new project.
    pub since: String,
}

/// Code that is put at an anchor of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditSpec {
    pub anchor: String,
    pub insert: String,
    pub imports: Vec<String>,
    /// What the statement of the anchor gives is called in the first of these that is free (`{{ result }}`), unless it
    /// has a name already.
    pub result: Vec<String>,
    pub when: Option<String>,
}

/// An argument that is passed to a call of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentSpec {
    pub of: String,
    /// Which argument it is, from 0, where arguments have no names.
    pub position: Option<usize>,
    /// Its keyword; without one the value is put as it is (`**options`).
    pub name: Option<String>,
    /// Rendered with `passed` (what the call passes under that name already) and `first` (its first argument). Nothing
    /// leaves it to the user.
    pub value: String,
    /// Keywords beside which it cannot stand.
    pub unless: Vec<String>,
    pub imports: Vec<String>,
    pub when: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvSpec {
    pub name: String,
    /// The example value.
    pub value: String,
    pub about: String,
    pub when: Option<String>,
}

/// What the user has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSpec {
    pub text: String,
    /// Controls that the module closes pass only after it.
    pub wiring: bool,
    pub when: Option<String>,
}

impl Module {
    pub fn read(root: &Node) -> Result<Module, Problem> {
        only_keys(root, "a module", KEYS)?;
        let module = Module {
            id: required(root, "id")?,
            title: required(root, "title")?,
            closes: texts_of(root, "closes")?,
            helps: texts_of(root, "helps")?,
            effect: root
                .get("effect")
                .ok_or_else(|| Problem::new(root.start, root.start, "`effect` is missing"))
                .and_then(|node| choice(node, "`effect`", EFFECTS))?,
            needs: texts_of(root, "needs")?,
            inputs: versions(root, "input")?,
            variants: entries(root, "variant").iter().map(variant).collect::<Result<_, _>>()?,
        };
        match module.variants.is_empty() {
            true => Err(Problem::new(root.start, root.start, "a module needs a `[variant.STACK]`")),
            false => Ok(module),
        }
    }
}

impl Module {
    /// The controls that pass once it is applied to a service of a stack.
    pub fn closes_on(&self, stack: &str) -> &[String] {
        let own =
            self.variants.iter().find(|variant| variant.stack == stack).and_then(|variant| variant.closes.as_ref());
        own.unwrap_or(&self.closes)
    }

    /// The modules that come first on a stack.
    pub fn needs_on<'m>(&'m self, stack: &'m str) -> impl Iterator<Item = &'m String> {
        let own = self.variants.iter().filter(move |variant| variant.stack == stack);
        self.needs.iter().chain(own.flat_map(|variant| &variant.needs))
    }
}

fn required(table: &Node, key: &str) -> Result<String, Problem> {
    text_of(table, key)?.ok_or_else(|| Problem::new(table.start, table.start, format!("`{key}` is missing")))
}

fn entries<'n>(root: &'n Node, key: &str) -> &'n [Entry] {
    root.get(key).map_or(&[], Node::entries)
}

fn items<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).map_or(&[], Node::items)
}

fn variant(entry: &Entry) -> Result<Variant, Problem> {
    let node = as_table(&entry.value, "a variant")?;
    only_keys(node, "a variant", VARIANT_KEYS)?;
    let mut found = dependencies(node, "dependencies", false)?;
    found.extend(dependencies(node, "dev_dependencies", true)?);
    Ok(Variant {
        stack: entry.key.to_string(),
        needs: texts_of(node, "needs")?,
        unless: unless(node, entry)?,
        files: items(node, "file").iter().map(file).collect::<Result<_, _>>()?,
        dependencies: found,
        edits: items(node, "edit").iter().map(edit).collect::<Result<_, _>>()?,
        arguments: items(node, "argument").iter().map(argument).collect::<Result<_, _>>()?,
        env: items(node, "env").iter().map(env).collect::<Result<_, _>>()?,
        steps: items(node, "step").iter().map(step).collect::<Result<_, _>>()?,
        client: node.get("client").map(client).transpose()?,
        fixes: texts_of(node, "fix")?,
        command: node.get("command").map(command).transpose()?,
        containers: items(node, "container").iter().map(container).collect::<Result<_, _>>()?,
        variables: node.get("variables").and_then(Node::as_bool).unwrap_or(false),
        closes: node.get("closes").map(|_| texts_of(node, "closes")).transpose()?,
        own_schema: node.get("own_schema").and_then(Node::as_bool).unwrap_or(false),
    })
}

fn unless(node: &Node, entry: &Entry) -> Result<Option<(String, String)>, Problem> {
    match (text_of(node, "unless")?, text_of(node, "unless_reason")?) {
        (None, None) => Ok(None),
        (Some(condition), Some(reason)) => Ok(Some((condition, reason))),
        _ => Err(at_key(entry, "`unless` and `unless_reason` go together")),
    }
}

fn file(node: &Node) -> Result<FileSpec, Problem> {
    only_keys(as_table(node, "a file")?, "a file", &["from", "to", "if", "each", "amends"])?;
    let is = |key: &str| node.get(key).and_then(Node::as_bool).unwrap_or(false);
    Ok(FileSpec {
        from: required(node, "from")?,
        to: required(node, "to")?,
        when: text_of(node, "if")?,
        each: is("each"),
        amends: is("amends"),
    })
}

/// `name = "version"`, or `{ version, types = true }`.
fn dependencies(node: &Node, key: &str, dev: bool) -> Result<Vec<Dependency>, Problem> {
    let one = |entry: &Entry| {
        let name = entry.key.to_string();
        if matches!(entry.value.data, NodeData::Map(_)) {
            only_keys(
                &entry.value,
                "a dependency",
                &["version", "types", "features", "covered_by", "default-features", "since"],
            )?;
            let version = required(&entry.value, "version")?;
            let since = text_of(&entry.value, "since")?.unwrap_or_else(|| version.clone());
            let is = |key: &str, usual: bool| entry.value.get(key).and_then(Node::as_bool).unwrap_or(usual);
            let (types, default_features) = (is("types", false), is("default-features", true));
            let (features, covered_by) = (texts_of(&entry.value, "features")?, texts_of(&entry.value, "covered_by")?);
            return Ok(Dependency { name, version, dev, types, features, covered_by, default_features, since });
        }
        let version = as_text(&entry.value, "a version")?.to_owned();
        let (features, covered_by, since) = (Vec::new(), Vec::new(), version.clone());
        Ok(Dependency { name, version, dev, types: false, features, covered_by, default_features: true, since })
    };
    entries(node, key).iter().map(one).collect()
}

fn edit(node: &Node) -> Result<EditSpec, Problem> {
    only_keys(as_table(node, "an edit")?, "an edit", &["anchor", "insert", "import", "result", "if"])?;
    Ok(EditSpec {
        anchor: required(node, "anchor")?,
        insert: text_of(node, "insert")?.unwrap_or_default(),
        imports: texts_of(node, "import")?,
        result: texts_of(node, "result")?,
        when: text_of(node, "if")?,
    })
}

fn argument(node: &Node) -> Result<ArgumentSpec, Problem> {
    let keys = ["of", "name", "position", "value", "unless", "import", "if"];
    only_keys(as_table(node, "an argument")?, "an argument", &keys)?;
    Ok(ArgumentSpec {
        of: required(node, "of")?,
        position: text_of(node, "position")?.and_then(|text| text.parse().ok()),
        name: text_of(node, "name")?,
        value: required(node, "value")?,
        unless: texts_of(node, "unless")?,
        imports: texts_of(node, "import")?,
        when: text_of(node, "if")?,
    })
}

fn env(node: &Node) -> Result<EnvSpec, Problem> {
    only_keys(as_table(node, "a variable")?, "a variable", &["name", "value", "about", "if"])?;
    let name = required(node, "name")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !is_name {
        return Err(at(node, format!("`{name}` is no name of a variable")));
    }
    let value = text_of(node, "value")?.unwrap_or_default();
    Ok(EnvSpec { name, value, about: required(node, "about")?, when: text_of(node, "if")? })
}

fn client(node: &Node) -> Result<ClientSpec, Problem> {
    only_keys(as_table(node, "a client")?, "a client", &["library", "store", "api", "name", "file", "if"])?;
    Ok(ClientSpec {
        library: required(node, "library")?,
        store: required(node, "store")?,
        api: required(node, "api")?,
        name: required(node, "name")?,
        file: required(node, "file")?,
        when: text_of(node, "if")?,
    })
}

fn command(node: &Node) -> Result<CommandSpec, Problem> {
    only_keys(as_table(node, "a command")?, "a command", &["of", "run", "step"])?;
    let text = |key: &str| Ok(text_of(node, key)?.unwrap_or_default());
    Ok(CommandSpec { of: text("of")?, run: text("run")?, step: required(node, "step")? })
}

fn container(node: &Node) -> Result<ContainerSpec, Problem> {
    only_keys(as_table(node, "a container")?, "a container", &["store", "key", "text"])?;
    let text = |key: &str| required(node, key);
    Ok(ContainerSpec { store: text("store")?, key: text("key")?, text: text("text")? })
}

/// A `[[step]]`.
pub fn step(node: &Node) -> Result<StepSpec, Problem> {
    only_keys(as_table(node, "a step")?, "a step", &["text", "if", "wiring"])?;
    let wiring = node.get("wiring").and_then(Node::as_bool).unwrap_or(false);
    Ok(StepSpec { text: required(node, "text")?, wiring, when: text_of(node, "if")? })
}
