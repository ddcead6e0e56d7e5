//! From the dotted name of a module of Python to its file.

use std::collections::HashMap;

use super::model::{Area, FileId, FileKind, Project};
use super::paths::{file_name, folder_of, join};

/// Folders that hold packages without being part of their names.
const SOURCE_ROOTS: &[&str] = &["", "src", "python", "backend", "app"];
/// Files of one name that are compared with a dotted name.
const MAX_NAMESAKES: usize = 2_000;

/// The modules of a project.
#[derive(Debug)]
pub(super) struct PythonModules<'p> {
    project: &'p Project,
    /// By the last part of their dotted name.
    by_name: HashMap<&'p str, Vec<FileId>>,
}

impl<'p> PythonModules<'p> {
    pub(super) fn new(project: &'p Project) -> PythonModules<'p> {
        let mut by_name: HashMap<&str, Vec<FileId>> = HashMap::new();
        for id in project.file_ids() {
            let file = project.file(id);
            if file.kind == FileKind::Python && !matches!(file.area, Area::Test | Area::Example | Area::Vendored) {
                by_name.entry(last_part(&file.path)).or_default().push(id);
            }
        }
        PythonModules { project, by_name }
    }

    /// The module of that name: seen from one of the folders, or else the only one of the project that can be meant.
    pub(super) fn find(&self, folders: &[String], module: &str) -> Option<FileId> {
        if module.is_empty() || module.len() > 300 {
            return None;
        }
        let path = module.trim_matches('.').replace('.', "/");
        let roots = || folders.iter().flat_map(|folder| SOURCE_ROOTS.iter().map(move |root| join(folder, root)));
        roots().find_map(|root| self.at(&join(&root, &path))).or_else(|| self.only(&path))
    }

    /// The module or package at that path, which bears no suffix.
    pub(super) fn at(&self, path: &str) -> Option<FileId> {
        let python = |path: &str| self.project.find(path).filter(|id| self.project.file(*id).kind == FileKind::Python);
        python(&format!("{path}.py")).or_else(|| python(&format!("{path}/__init__.py")))
    }

    /// The one file whose path ends so; none where two do.
    fn only(&self, path: &str) -> Option<FileId> {
        if !path.contains('/') {
            return None;
        }
        let namesakes = self.by_name.get(file_name(path))?.iter().take(MAX_NAMESAKES);
        let ends = |id: &&FileId| {
            let stem = without_suffix(&self.project.file(**id).path);
            stem.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let mut found = namesakes.filter(ends);
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    }
}

/// `shop/main.py` → `shop/main`, `shop/__init__.py` → `shop`
fn without_suffix(path: &str) -> &str {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    stem.strip_suffix("/__init__").unwrap_or(stem)
}

fn last_part(path: &str) -> &str {
    match file_name(path) {
        "__init__.py" => file_name(folder_of(path)),
        name => name.strip_suffix(".py").unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Tree, WalkOptions, discover};

    fn found(paths: &[&str], folders: &[&str], module: &str) -> Option<String> {
        let tree = Tree::in_memory(paths.iter().map(|path| (*path, "")));
        let project = discover(tree, &WalkOptions::default()).unwrap();
        let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        PythonModules::new(&project).find(&folders, module).map(|id| project.file(id).path.to_string())
    }

    #[test]
    fn modules_and_packages_below_source_roots() {
        let paths = ["src/shop/__init__.py", "src/shop/main.py", "web/app.py"];
        assert_eq!(found(&paths, &["."], "shop.main").as_deref(), Some("src/shop/main.py"));
        assert_eq!(found(&paths, &["."], "shop").as_deref(), Some("src/shop/__init__.py"));
        assert_eq!(found(&paths, &["web"], "app").as_deref(), Some("web/app.py"));
    }

    #[test]
    fn elsewhere_only_where_one_can_be_meant() {
        let paths = ["a/shop/main.py", "b/shop/main.py", "b/shop/asgi.py", "tests/shop/asgi.py"];
        assert_eq!(found(&paths, &["."], "shop.asgi").as_deref(), Some("b/shop/asgi.py"));
        assert_eq!(found(&paths, &["."], "shop.main"), None);
        assert_eq!(found(&paths, &["."], "asgi"), None);
        assert_eq!(found(&paths, &["."], ""), None);
    }
}
