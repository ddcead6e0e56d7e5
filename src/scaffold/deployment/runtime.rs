//! Runtimes and stores: `[[runtime]]` and `[[store]]` of a stack.

use std::collections::BTreeMap;

use super::document;
use crate::audit::Audit;
use crate::project::{Area, FileKind, Project, ServiceId};
use crate::rules::Problem;
use crate::rules::document::{only_keys, text_of, texts_of};
use crate::scaffold::stack::{FactPattern, fact_pattern, joined};
use crate::syntax::Node;

/// What programs of a language run on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    pub id: String,
    pub language: String,
    /// Its official image.
    pub image: String,
    /// The version for projects that name none, or one older than `oldest`.
    pub version: String,
    oldest: String,
    /// How many numbers a tag of the image needs.
    parts: usize,
    /// Stands behind the version in a tag that names no release of the system.
    pub suite: String,
    pub port: String,
    /// Files whose text is a version.
    files: Vec<String>,
    /// `package.json engines.node`: keys of manifests that are a version.
    keys: Vec<String>,
    /// Packages that have the runtime's versions.
    packages: Vec<String>,
    /// Commands that leave everything they make in the project's folder.
    pub builds: Vec<String>,
    /// Scripts that run while packages are installed.
    pub hooks: Vec<String>,
    /// The fact whose value is the dotted path of the object that servers serve.
    pub application: Option<FactPattern>,
}

/// A kind of database, by the names that give it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    pub id: String,
    /// Parts of the names of images, schemes of addresses and drivers.
    names: Vec<String>,
    pub packages: Vec<String>,
}

impl Runtime {
    pub fn read(node: &Node) -> Result<Runtime, Problem> {
        let keys = [
            "id",
            "language",
            "image",
            "version",
            "oldest",
            "parts",
            "suite",
            "port",
            "files",
            "keys",
            "packages",
            "builds",
            "hooks",
            "application",
        ];
        only_keys(node, "a runtime", &keys)?;
        let text = |key: &str| Ok::<_, Problem>(text_of(node, key)?.unwrap_or_default());
        Ok(Runtime {
            id: text("id")?,
            language: text("language")?,
            image: text("image")?,
            version: text("version")?,
            oldest: text("oldest")?,
            parts: text("version")?.split('.').count(),
            suite: text("suite")?,
            port: text("port")?,
            files: texts_of(node, "files")?,
            keys: texts_of(node, "keys")?,
            packages: texts_of(node, "packages")?,
            builds: texts_of(node, "builds")?,
            hooks: texts_of(node, "hooks")?,
            application: node.get("application").map(fact_pattern).transpose()?,
        })
    }

    /// The version that the project names, unless nobody looks after it any more.
    pub fn version_of(&self, audit: &Audit, id: ServiceId) -> String {
        let service = audit.project.service(id);
        let in_files = self.files.iter().filter_map(|name| {
            let bytes = audit.project.tree.read(&joined(&service.path, name), 1_024).ok()?;
            String::from_utf8(bytes).ok()
        });
        let in_keys = self.keys.iter().filter_map(|key| {
            let (file, path) = key.split_once(' ')?;
            let root = document(audit, &joined(&service.path, file))?;
            let path: Vec<&str> = path.split('.').collect();
            root.at(&path)?.as_text().map(str::to_owned)
        });
        let in_packages =
            self.packages.iter().filter_map(|name| service.dependencies.get(name)).map(|found| found.version.clone());
        let named = in_files.chain(in_keys).chain(in_packages);
        let mut tags = named.filter_map(|version| self.tag(&version));
        tags.find(|tag| numbers(tag) >= numbers(&self.oldest)).unwrap_or_else(|| self.version.clone())
    }

    /// `^22.19.1` as the tag of an image; none if it names too little.
    fn tag(&self, version: &str) -> Option<String> {
        let first = version.split(',').next().unwrap_or(version).trim();
        let digits = first.trim_start_matches(|c: char| !c.is_ascii_digit());
        let parts: Vec<&str> = digits.split(|c: char| !c.is_ascii_digit()).take(self.parts).collect();
        (parts.len() == self.parts && parts.iter().all(|part| !part.is_empty())).then(|| parts.join("."))
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

impl Store {
    pub fn read(node: &Node) -> Result<Store, Problem> {
        only_keys(node, "a store", &["id", "names", "packages"])?;
        Ok(Store {
            id: text_of(node, "id")?.unwrap_or_default(),
            names: texts_of(node, "names")?,
            packages: texts_of(node, "packages")?,
        })
    }

    pub fn is_named_by(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.names.iter().any(|name| text.contains(name.as_str()))
    }
}

/// The language of the file that execution starts in, else of most of the server's files.
pub fn primary_language(project: &Project, id: ServiceId) -> &'static str {
    let entries = project.service(id).entries.iter();
    if let Some(language) = entries.filter_map(|(file, _)| language_of(project.file(*file).kind)).next() {
        return language;
    }
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for file in project.files.iter().filter(|file| file.service == id && file.area == Area::Server) {
        if let Some(language) = language_of(file.kind) {
            *counts.entry(language).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or("", |(language, _)| language)
}

fn language_of(kind: FileKind) -> Option<&'static str> {
    match kind {
        FileKind::JavaScript => Some("javascript"),
        FileKind::Python => Some("python"),
        FileKind::Rust => Some("rust"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_tags() {
        let node = Runtime { parts: 1, ..Runtime::default() };
        for (version, tag) in
            [("^22.19.1", Some("22")), ("v20.11.0\n", Some("20")), (">=18", Some("18")), ("lts/*", None)]
        {
            assert_eq!(node.tag(version).as_deref(), tag, "{version}");
        }
        let python = Runtime { parts: 2, ..Runtime::default() };
        assert_eq!(python.tag(">=3.12,<4").as_deref(), Some("3.12"));
        assert_eq!(python.tag("3").as_deref(), None);
        assert!(numbers("3.9") < numbers("3.10"));
    }
}
