//! All modules and stacks of the binary.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::fix::{self, Fix};
use super::module::{Module, Variant};
use super::stack::Stack;
use crate::project::Service;
use crate::rules::{Lexicons, Problem, RuleError, RuleErrors, RuleSet, document};

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

const STACKS: &str = "stacks";
const MODULE_FILE: &str = "module.toml";
/// The stack of modules that need none.
pub const ANY: &str = "any";

/// What `scaffold` can write.
#[derive(Debug, Default)]
pub struct Library {
    pub stacks: Vec<Stack>,
    /// In the order of their ids.
    pub modules: Vec<Module>,
    /// What names and paths mean.
    pub lexicons: Lexicons,
    /// Fixes in place, in the order of their files.
    pub fixes: Vec<Fix>,
    /// Templates by their path: `health/express/health.ts.j2`.
    templates: BTreeMap<String, String>,
}

impl Library {
    pub fn embedded() -> Result<Library, RuleErrors> {
        let mut files = Vec::new();
        collect(&TEMPLATES, &mut files);
        Library::from_files(files)
    }

    /// The stack that tells what services are built and run with, whatever their framework.
    pub fn infrastructure(&self) -> Option<&Stack> {
        self.stacks.iter().find(|stack| !stack.runtimes.is_empty())
    }

    /// From a folder laid out like `templates/`: modules that are being written.
    pub fn from_folder(folder: &Path) -> Result<Library, RuleErrors> {
        let mut files = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let unreadable = |reason: String| Problem::new(0, 0, reason).in_file(&folder.to_string_lossy(), "");
            let entry = entry.map_err(|error| RuleErrors(vec![unreadable(error.to_string())]))?;
            let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            if entry.file_type().is_file() {
                let text =
                    std::fs::read_to_string(entry.path()).map_err(|e| RuleErrors(vec![unreadable(e.to_string())]))?;
                files.push((inside.to_string_lossy().replace('\\', "/"), text));
            }
        }
        Library::from_files(files)
    }

    /// What services that modules are written for are made with.
    pub fn frameworks(&self) -> Vec<&str> {
        let titles = self.stacks.iter().filter(|stack| stack.stack.is_some());
        titles.map(|stack| stack.title.as_str()).collect()
    }

    /// From files laid out like `templates/`.
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Result<Library, RuleErrors> {
        let lexicons = RuleSet::embedded_lexicons()?;
        let mut library = Library { templates: files.into_iter().collect(), lexicons, ..Library::default() };
        let mut errors = Vec::new();
        let mut modules = Vec::new();
        for (path, text) in &library.templates {
            let located = |problem: Problem| problem.in_file(&format!("templates/{path}"), text);
            if path.starts_with(&format!("{STACKS}/")) && path.ends_with(".toml") {
                match document::parse(path, text).and_then(|root| Stack::read(&root).map_err(located)) {
                    Ok(stack) => library.stacks.push(stack),
                    Err(error) => errors.push(error),
                }
            } else if path.starts_with(&format!("{}/", fix::FOLDER)) && path.ends_with(".toml") {
                match document::parse(path, text).and_then(|root| fix::read(&root).map_err(located)) {
                    Ok(fixes) => library.fixes.extend(fixes),
                    Err(error) => errors.push(error),
                }
            } else if path.ends_with(&format!("/{MODULE_FILE}")) {
                match document::parse(path, text).and_then(|root| Module::read(&root).map_err(located)) {
                    Ok(module) => modules.push((path.clone(), module)),
                    Err(error) => errors.push(error),
                }
            }
        }
        for (path, module) in &modules {
            let text = library.templates.get(path).map_or("", String::as_str);
            if let Err(problem) = library.check(path, module, &modules) {
                errors.push(problem.in_file(&format!("templates/{path}"), text));
            }
        }
        library.modules = modules.into_iter().map(|(_, module)| module).collect();
        library.modules.sort_by(|a, b| a.id.cmp(&b.id));
        if errors.is_empty() { Ok(library) } else { Err(RuleErrors(errors)) }
    }

    /// What one file cannot tell: the stacks, anchors, templates and modules that it names are there.
    fn check(&self, path: &str, module: &Module, all: &[(String, Module)]) -> Result<(), Problem> {
        let text = self.templates.get(path).map_or("", String::as_str);
        let wrong = |word: &str, message: String| {
            let at = u32::try_from(text.find(word).unwrap_or(0)).unwrap_or(0);
            Problem::new(at, at.saturating_add(u32::try_from(word.len()).unwrap_or(0)), message)
        };
        if path != format!("{}/{MODULE_FILE}", module.id) {
            return Err(wrong(&module.id, format!("the module `{}` lies in another folder: {path}", module.id)));
        }
        let mut needs = module.needs.iter().chain(module.variants.iter().flat_map(|variant| &variant.needs));
        if let Some(need) = needs.find(|need| !all.iter().any(|(_, other)| other.id == **need)) {
            let known = all.iter().map(|(_, other)| other.id.as_str());
            return Err(wrong(need, format!("there is no module `{need}`")).suggest(need, known));
        }
        for variant in &module.variants {
            let Some(stack) = self.stack(&variant.stack) else {
                let known = self.stacks.iter().map(|stack| stack.id.as_str());
                let message = format!("there is no stack `{}`", variant.stack);
                return Err(wrong(&variant.stack, message).suggest(&variant.stack, known));
            };
            for edit in &variant.edits {
                if stack.anchor(&edit.anchor).is_none() {
                    let known = stack.anchors.iter().map(|anchor| anchor.name.as_str());
                    let message = format!("`{}` has no anchor `{}`", stack.id, edit.anchor);
                    return Err(wrong(&edit.anchor, message).suggest(&edit.anchor, known));
                }
            }
            if let Some(argument) = variant.arguments.iter().find(|argument| stack.call(&argument.of).is_none()) {
                let known = stack.calls.iter().map(|call| call.name.as_str());
                let message = format!("`{}` has no call `{}`", stack.id, argument.of);
                return Err(wrong(&argument.of, message).suggest(&argument.of, known));
            }
            for file in &variant.files {
                let (folder, _) = file.to.split_once('/').unwrap_or((file.to.as_str(), ""));
                if !stack.folders().any(|known| known == folder) {
                    let message = format!("`{}` has no folder `{folder}` in its layout", stack.id);
                    return Err(wrong(&file.to, message).suggest(folder, stack.folders()));
                }
                let template = format!("{}/{}", module.id, file.from);
                if !self.templates.contains_key(&template) {
                    let known = self.templates.keys().filter_map(|path| path.strip_prefix(&format!("{}/", module.id)));
                    let message = format!("there is no template `{template}`");
                    return Err(wrong(&file.from, message).suggest(&file.from, known));
                }
            }
        }
        Ok(())
    }

    pub fn stack(&self, id: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.id == id)
    }

    pub fn module(&self, id: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.id == id)
    }

    pub fn template(&self, module: &str, from: &str) -> Option<&str> {
        self.templates.get(&format!("{module}/{from}")).map(String::as_str)
    }

    /// The variant of a module for a service, and its stack. A variant of the service's own framework goes before one
    /// of its language, and that before one for any.
    pub fn variant<'l>(&'l self, module: &'l Module, service: &Service) -> Option<(&'l Variant, &'l Stack)> {
        let fitting = module.variants.iter().filter_map(|variant| {
            let stack = self.stack(&variant.stack)?;
            stack.fits(service).then_some((variant, stack))
        });
        fitting.min_by_key(|(variant, stack)| (variant.stack == ANY, stack.stack.is_none()))
    }

    /// What changes when a module or one of its templates does.
    pub fn fingerprint(&self, module: &str) -> String {
        let prefix = format!("{module}/");
        let mut hash = Sha256::new();
        for (path, text) in self.templates.iter().filter(|(path, _)| path.starts_with(&prefix)) {
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        super::store::hex(&hash.finalize())
    }
}

fn collect(folder: &Dir<'static>, files: &mut Vec<(String, String)>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((file.path().to_string_lossy().replace('\\', "/"), text.to_owned()));
        }
    }
    for inner in folder.dirs() {
        collect(inner, files);
    }
}

/// A problem of a single file, for callers that collect none.
impl From<RuleError> for RuleErrors {
    fn from(error: RuleError) -> RuleErrors {
        RuleErrors(vec![error])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "id = 'express'\ntitle = 'Express'\n[layout]\nlib = ['lib']\n[anchor.\"app.created\"]\nabout = 'x'\nafter = 'made'\n";

    fn errors(module: &str) -> String {
        let files = [("stacks/express.toml", STACK), ("health/module.toml", module), ("health/a.ts.j2", "")];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Library::from_files(files)
            .map_or_else(|errors| format!("{errors} {:?}", errors.0[0].problem().help), |_| String::new())
    }

    const HEAD: &str = "id = 'health'\ntitle = 'Health'\neffect = 'additive'\n";

    #[test]
    fn the_binary_holds_modules_that_are_sound() {
        let library = Library::embedded().unwrap_or_else(|errors| panic!("{errors}"));
        assert!(library.stack("express").is_some());
        assert_ne!(library.fingerprint("health"), library.fingerprint("security-headers"));
    }

    #[test]
    fn mistakes_are_named_with_their_place_and_what_was_meant() {
        let module = |rest: &str| format!("{HEAD}{rest}");
        assert_eq!(errors(&module("[variant.express]\nfile = [{ from = 'a.ts.j2', to = 'lib/a.ts' }]")), "");
        for (rest, message, help) in [
            ("needs = ['heath']\n[variant.express]", "no module `heath`", "did you mean `health`"),
            ("[variant.expres]", "no stack `expres`", "did you mean `express`"),
            ("[variant.express]\nedit = [{ anchor = 'app.create' }]", "no anchor `app.create`", "app.created"),
            ("[variant.express]\nfile = [{ from = 'a.ts.j2', to = 'libs/a' }]", "no folder `libs`", "lib"),
            ("[variant.express]\nfile = [{ from = 'b.ts.j2', to = 'lib/a' }]", "no template", "a.ts.j2"),
            ("[variant.express]\nedits = []", "a variant has no key `edits`", "edit"),
            ("effects = 1\n[variant.express]", "a module has no key `effects`", "effect"),
        ] {
            let found = errors(&module(rest));
            assert!(found.contains(message) && found.contains(help), "{rest}: {found}");
        }
    }
}
