//! Crates of Rust: the file that declares their modules, and how modules name each other.

use super::compose::{Composer, Step};
use super::conventions::Conventions;
use super::render::without_extension;
use super::rust;
use super::stack::joined;
use super::work::Work;
use crate::project::{FileKind, Project, SOURCE_LIMIT, decode, kind_of};

const ROOTS: [&str; 2] = ["src/main.rs", "src/lib.rs"];

/// The file that declares the modules of the crate that a file belongs to: `src/main.rs` or `src/lib.rs`. Empty where
/// that is not clear.
pub fn root(project: &Project, service: &str, of: Option<&str>) -> String {
    let roots: Vec<String> = ROOTS.iter().map(|name| joined(service, name)).collect();
    let there: Vec<&String> = roots.iter().filter(|path| project.find(path).is_some()).collect();
    let own = of.and_then(|of| there.iter().find(|path| path.as_str() == of));
    if let Some(own) = own {
        return (*own).clone();
    }
    let declaring: Vec<&&String> = match of.and_then(|of| module_of(service, of)) {
        Some(name) => {
            there.iter().filter(|path| text(project, path).is_some_and(|t| rust::declares(&t, &name))).collect()
        }
        // A program of its own (`src/bin/server.rs`) uses the library.
        None => there.iter().rev().take(1).collect(),
    };
    if let [only] = declaring.as_slice() { (**only).clone() } else { String::new() }
}

/// The outermost module of a file in `src`; none for programs in `src/bin` and files elsewhere.
fn module_of(service: &str, path: &str) -> Option<String> {
    let inside = path.strip_prefix(&format!("{}/", joined(service, "src")))?;
    let first = inside.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "bin").then(|| name.to_owned())
}

/// What the package's library is called in `use`.
pub fn library(project: &Project, service: &str) -> String {
    let manifest = text(project, &joined(service, "Cargo.toml"));
    manifest.and_then(|manifest| rust::library_name(&manifest)).unwrap_or_default()
}

fn text(project: &Project, path: &str) -> Option<String> {
    let bytes = project.tree.read(path, SOURCE_LIMIT).ok()?;
    decode(&bytes).ok().map(str::to_owned)
}

/// How a file names a module: `crate::health`, without `crate` in the root itself; by the library's name in a program
/// beside it.
pub fn path_of(from: &str, to: &str, conventions: &Conventions) -> String {
    let folder = conventions.layout.get("src").map_or("", String::as_str);
    let inside = to.strip_prefix(&format!("{folder}/")).unwrap_or(to);
    let path = without_extension(inside).replace('/', "::");
    let is_program = |path: &str| path.ends_with("/main.rs") || path == "main.rs" || path.contains("/bin/");
    match from {
        from if from == conventions.crate_root => path,
        from if is_program(from) && !is_program(&conventions.crate_root) => format!("{}::{path}", conventions.library),
        _ => format!("crate::{path}"),
    }
}

impl Composer<'_> {
    /// Declares the module that a new file is.
    pub(super) fn declare_module(&mut self, work: &mut Work<'_>, path: &str) {
        let conventions = work.renderer.conventions();
        let folder = conventions.layout.get("src").map_or("", String::as_str);
        let name = path.strip_prefix(&format!("{folder}/")).map(without_extension);
        let Some(name) = name.filter(|name| kind_of(path) == FileKind::Rust && !name.contains('/')) else { return };
        let root = conventions.crate_root.clone();
        let is_library = root.ends_with("lib.rs");
        let line_break = conventions.line_break();
        let declared = match self.original(&root) {
            Some(text) => {
                let edit = rust::declare_module(&text, name, is_library, line_break);
                edit.map(|edit| {
                    self.edit_code(&root, &text, edit.map(|edit| ((0, name.to_owned()), edit)).into_iter().collect())
                })
            }
            None => Err("it is not clear which file declares the modules of this crate".to_owned()),
        };
        if let Err(reason) = declared {
            let text = format!("Declare the module where the crate declares its others ({reason})");
            work.draft.wiring.push(Step { text, snippet: Some(format!("mod {name};")) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn modules_are_named_from_where_they_are_used() {
        let layout = BTreeMap::from([("src".to_owned(), "api/src".to_owned())]);
        let program =
            Conventions { crate_root: "api/src/main.rs".into(), layout: layout.clone(), ..Conventions::default() };
        assert_eq!(path_of("api/src/main.rs", "api/src/health", &program), "health");
        assert_eq!(path_of("api/src/routes/mod.rs", "api/src/health.rs", &program), "crate::health");
        let library = Conventions {
            crate_root: "api/src/lib.rs".into(),
            library: "shop".into(),
            layout,
            ..Conventions::default()
        };
        assert_eq!(path_of("api/src/main.rs", "api/src/health", &library), "shop::health");
        assert_eq!(path_of("api/src/http.rs", "api/src/health", &library), "crate::health");
    }

    #[test]
    fn programs_and_folders_have_an_outermost_module() {
        assert_eq!(module_of(".", "src/http/mod.rs").as_deref(), Some("http"));
        assert_eq!(module_of("api", "api/src/http.rs").as_deref(), Some("http"));
        assert_eq!(module_of(".", "src/bin/server.rs"), None);
    }
}
