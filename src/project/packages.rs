//! What the `package.json` files of a repository say.

use std::collections::{HashMap, HashSet};

use super::manifests::Manifests;
use super::model::{Area, Dependency, FileId, Project, Span};
use super::paths::{ancestors, file_name, folder_of};
use crate::syntax::Node;

/// Dependencies that make a package something to deploy.
const SERVER_FRAMEWORKS: &[&str] = &[
    "@adonisjs/core",
    "@apollo/server",
    "@feathersjs/feathers",
    "@hapi/hapi",
    "@hono/node-server",
    "@keystone-6/core",
    "@loopback/rest",
    "@medusajs/medusa",
    "@nestjs/core",
    "@remix-run/node",
    "@strapi/strapi",
    "@sveltejs/kit",
    "apollo-server",
    "apollo-server-express",
    "elysia",
    "express",
    "fastify",
    "graphql-yoga",
    "h3",
    "hapi",
    "hono",
    "koa",
    "micro",
    "moleculer",
    "next",
    "nitropack",
    "nuxt",
    "payload",
    "polka",
    "restify",
    "sails",
];
/// Frameworks whose files are entry points by their place.
const FILE_ROUTED: &[&str] = &["next", "nuxt", "@sveltejs/kit", "@remix-run/node", "nitropack", "astro", "gatsby"];
const FRONTEND_FRAMEWORKS: &[&str] = &[
    "@angular/core",
    "alpinejs",
    "antd",
    "astro",
    "bootstrap",
    "css-loader",
    "expo",
    "gatsby",
    "htmx.org",
    "jquery",
    "mini-css-extract-plugin",
    "preact",
    "react-dom",
    "react-native",
    "react-scripts",
    "solid-js",
    "style-loader",
    "svelte",
    "vite",
    "vue",
];

const MAX_PATTERNS: usize = 200;
const MAX_PATTERN: usize = 500;

/// Where a manifest names what it depends on: what it needs to run goes before what it needs to build.
const SECTIONS: &[&str] = &["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"];

/// One `package.json` that is part of the product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package<'a> {
    pub(super) manifest: FileId,
    /// Its folder.
    pub(super) folder: &'a str,
    pub(super) node: &'a Node,
}

impl<'a> Package<'a> {
    pub(super) fn name(&self) -> &'a str {
        self.text("name")
    }

    /// A field that is text, empty if it is missing or something else.
    pub(super) fn text(&self, field: &str) -> &'a str {
        self.node.get(field).and_then(Node::as_text).unwrap_or("")
    }

    /// Scripts by name, in their order.
    pub(super) fn scripts(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let entries = self.node.get("scripts").map_or(&[][..], Node::entries);
        entries.iter().filter_map(|entry| Some((&*entry.key, entry.value.as_text()?)))
    }

    pub(super) fn script(&self, name: &str) -> Option<&'a str> {
        self.scripts().find(|(key, _)| *key == name).map(|(_, command)| command)
    }

    /// The files of `bin`, with their names.
    pub(super) fn binaries(&self) -> Vec<&'a str> {
        match self.node.get("bin") {
            Some(bin) if bin.as_text().is_some() => bin.as_text().into_iter().collect(),
            Some(bin) => bin.entries().iter().filter_map(|entry| entry.value.as_text()).collect(),
            None => Vec::new(),
        }
    }

    /// Everything that it depends on, of any section.
    fn declared(&self) -> impl Iterator<Item = &'a crate::syntax::Entry> + use<'a> {
        let node = self.node;
        SECTIONS.iter().flat_map(move |section| node.get(section).map_or(&[][..], Node::entries))
    }

    fn has_any(&self, names: &[&str]) -> bool {
        let declared = |section: &str| self.node.get(section).map_or(&[][..], Node::entries);
        ["dependencies", "optionalDependencies"]
            .iter()
            .any(|section| declared(section).iter().any(|entry| names.contains(&&*entry.key)))
    }

    pub(super) fn is_server(&self) -> bool {
        self.has_any(SERVER_FRAMEWORKS)
    }

    pub(super) fn is_file_routed(&self) -> bool {
        self.has_any(FILE_ROUTED)
    }

    pub(super) fn depends_on(&self, name: &str) -> bool {
        self.has_any(&[name])
    }

    /// An application for browsers or phones, without a server of its own.
    pub(super) fn is_frontend(&self) -> bool {
        let bundled = self.node.get("devDependencies").map_or(&[][..], Node::entries);
        let built = bundled.iter().any(|entry| FRONTEND_FRAMEWORKS.contains(&&*entry.key));
        !self.is_server() && (self.has_any(FRONTEND_FRAMEWORKS) || (built && self.text("main").is_empty()))
    }

    /// Whether it says more than how Node reads the files below it.
    pub(super) fn says_something(&self) -> bool {
        let filled = ["dependencies", "devDependencies", "peerDependencies", "scripts"];
        let named = ["name", "main", "module", "bin", "exports"];
        filled.iter().any(|field| self.node.get(field).is_some_and(|node| !node.entries().is_empty()))
            || named.iter().any(|field| self.node.get(field).is_some())
    }

    /// What it declares, by name.
    pub(super) fn dependencies(&self) -> HashMap<String, Dependency> {
        let mut found = HashMap::new();
        for section in SECTIONS.iter().copied() {
            for entry in self.node.get(section).map_or(&[][..], Node::entries) {
                found.entry(entry.key.to_string()).or_insert_with(|| Dependency {
                    version: entry.value.as_text().unwrap_or("").to_owned(),
                    dev: section == "devDependencies",
                    at: Span { file: self.manifest, start: entry.key_start, end: entry.value.end },
                });
            }
        }
        found
    }

    /// What importing it by name loads first, then its other `exports`: subpath and path, both as written.
    pub(super) fn exports(&self) -> Vec<(String, String)> {
        let Some(exports) = self.node.get("exports") else { return Vec::new() };
        if exports.entries().first().is_some_and(|entry| entry.key.starts_with('.')) {
            let entries = exports.entries().iter();
            return entries.filter_map(|entry| Some((entry.key.to_string(), condition(&entry.value, 0)?))).collect();
        }
        condition(exports, 0).map(|path| (".".to_owned(), path)).into_iter().collect()
    }

    /// Paths that may be what its bare name loads, best first.
    pub(super) fn mains(&self) -> Vec<String> {
        let exported = self.exports().into_iter().find(|(subpath, _)| subpath == ".").map(|(_, path)| path);
        let fields = ["source", "main", "module", "types"].map(|field| self.text(field).to_owned());
        let written = exported.into_iter().chain(fields).filter(|path| !path.is_empty());
        written.chain(["index".to_owned(), "src/index".to_owned()]).collect()
    }
}

/// The path of an `exports` value: the condition that a server would choose, sources before what is built of them.
fn condition(node: &Node, depth: usize) -> Option<String> {
    if let Some(path) = node.as_text() {
        return Some(path.to_owned());
    }
    if depth > 5 {
        return None;
    }
    let nested = |node: &Node| condition(node, depth + 1);
    ["source", "development", "node", "import", "require", "default", "types"]
        .iter()
        .find_map(|name| node.get(name).and_then(nested))
        .or_else(|| node.items().first().and_then(nested))
}

/// The packages of a project, by folder.
#[derive(Debug, Default)]
pub(super) struct Packages<'a> {
    all: Vec<Package<'a>>,
    by_folder: HashMap<&'a str, usize>,
    by_name: HashMap<&'a str, usize>,
    members: Option<globset::GlobSet>,
}

impl<'a> Packages<'a> {
    pub(super) fn new(project: &'a Project, manifests: &Manifests<'a>) -> Packages<'a> {
        let mut packages = Packages::default();
        for id in project.file_ids() {
            let file = project.file(id);
            let folder = folder_of(&file.path);
            if file_name(&file.path) != "package.json" || !(is_product(file.area) || folder == ".") {
                continue;
            }
            if let Some(node) = manifests.trees.get(&id) {
                packages.add(Package { manifest: id, folder, node });
            }
        }
        packages.members = packages.workspace_globs(project, manifests);
        packages
    }

    fn add(&mut self, package: Package<'a>) {
        let at = self.all.len();
        self.by_folder.insert(package.folder, at);
        if !package.name().is_empty() {
            self.by_name.entry(package.name()).or_insert(at);
        }
        self.all.push(package);
    }

    pub(super) fn all(&self) -> &[Package<'a>] {
        &self.all
    }

    pub(super) fn at(&self, folder: &str) -> Option<&Package<'a>> {
        self.all.get(*self.by_folder.get(folder)?)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Package<'a>> {
        self.all.get(*self.by_name.get(name)?)
    }

    /// The names of those that another package depends on.
    pub(super) fn imported(&self) -> HashSet<&'a str> {
        let own = |package: &Package<'a>, name: &str| package.name() == name;
        let used = self
            .all
            .iter()
            .flat_map(|package| package.declared().filter(|entry| !own(package, &entry.key)).map(|entry| &*entry.key));
        used.filter(|name| self.by_name.contains_key(name)).collect()
    }

    /// Whether the package is a member of the root's workspace.
    pub(super) fn is_member(&self, package: &Package) -> bool {
        self.members.as_ref().is_some_and(|members| members.is_match(package.folder))
    }

    fn workspace_globs(&self, project: &Project, manifests: &Manifests<'a>) -> Option<globset::GlobSet> {
        let tree = |path: &str| project.find(path).and_then(|id| manifests.trees.get(&id));
        let workspaces = self.at(".").and_then(|root| root.node.get("workspaces"));
        let lists = [
            workspaces,
            workspaces.and_then(|node| node.get("packages")),
            tree("pnpm-workspace.yaml").and_then(|node| node.get("packages")),
            tree("lerna.json").and_then(|node| node.get("packages")),
        ];
        let patterns: Vec<&str> =
            lists.iter().flatten().flat_map(|list| list.items()).filter_map(Node::as_text).collect();
        globs(&patterns)
    }
}

/// Not what only tests, shows or is built.
fn is_product(area: Area) -> bool {
    !matches!(area, Area::Test | Area::Example | Area::Generated | Area::Vendored)
}

/// Workspace patterns; those that exclude are left out, since a package more inherits harmlessly.
fn globs(patterns: &[&str]) -> Option<globset::GlobSet> {
    let mut set = globset::GlobSetBuilder::new();
    let sane = |pattern: &&&str| !pattern.starts_with('!') && pattern.len() <= MAX_PATTERN;
    for pattern in patterns.iter().filter(sane).take(MAX_PATTERNS) {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
        if let Ok(glob) = globset::GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().ok().filter(|set| !set.is_empty())
}

/// The deepest of some folders that a path lies in.
pub(super) fn deepest<T: Copy>(folders: &HashMap<&str, T>, path: &str) -> Option<T> {
    ancestors(folder_of(path)).find_map(|folder| folders.get(folder).copied())
}
