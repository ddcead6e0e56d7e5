//! Finding and reading the files of a project.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::model::{FileId, Project, WorkspacePackage};
use super::paths::join;
use super::resolve::Resolver;
use super::tree::{ReadProblem, size_limit};

impl Project {
    /// The file at a path relative to the root.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let hash = |path: &str| FxBuildHasher.hash_one(path);
        let by_path = self.by_path.get_or_init(|| {
            let mut ids = HashTable::with_capacity(self.files.len());
            for id in self.file_ids() {
                ids.insert_unique(hash(&self.file(id).path), id, |id| hash(&self.file(*id).path));
            }
            ids
        });
        by_path.find(hash(path), |id| *self.file(*id).path == *path).copied()
    }

    /// All ids, in the order of paths.
    pub fn file_ids(&self) -> impl DoubleEndedIterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    /// The bytes of a file, bounded by what its kind may have.
    pub fn read(&self, id: FileId) -> Result<Vec<u8>, ReadProblem> {
        let file = self.file(id);
        self.tree.read_listed(&file.path, size_limit(file.kind))
    }

    /// The module that a path written in `folder` means, with the extensions and indexes of JavaScript.
    pub fn module_at(&self, folder: &str, written: &str) -> Option<FileId> {
        Resolver::new(self).module(folder, written)
    }

    /// The source file that importing a package of this repository by name loads: `@shop/db`, `@shop/db/client`.
    pub fn workspace_module(&self, specifier: &str) -> Option<FileId> {
        let ends = specifier.match_indices('/').map(|(at, _)| at).chain([specifier.len()]);
        let (package, subpath) = ends.rev().take(8).find_map(|at| {
            let (name, rest) = specifier.split_at_checked(at)?;
            Some((self.workspace_packages.get(name)?, rest.strip_prefix('/').unwrap_or(rest)))
        })?;
        if subpath.is_empty() { package.main } else { self.subpath(package, subpath) }
    }

    fn subpath(&self, package: &WorkspacePackage, subpath: &str) -> Option<FileId> {
        let resolver = Resolver::new(self);
        let exported = package.exports.iter().filter_map(|(pattern, target)| exported(pattern, target, subpath));
        let plain = [subpath.to_owned(), join("src", subpath)];
        exported.chain(plain).find_map(|path| resolver.module(&package.folder, &path))
    }
}

/// What an entry of `exports` (`./*` → `./src/*.ts`) makes of a subpath.
fn exported(pattern: &str, target: &str, subpath: &str) -> Option<String> {
    let pattern = pattern.strip_prefix("./")?;
    match pattern.split_once('*') {
        None => (pattern == subpath).then(|| target.to_owned()),
        Some((before, after)) => {
            let middle = subpath.strip_prefix(before)?.strip_suffix(after)?;
            Some(target.replace('*', middle))
        }
    }
}
