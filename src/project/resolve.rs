//! From a path as manifests write it (`dist/main`, `./server`, `/app/index.js`) to the source file that it means.

use std::collections::HashMap;

use super::model::{Area, FileId, FileKind, Project};
use super::paths::{ancestors, below, folder_of, join};

const EXTENSIONS: &[&str] = &["ts", "js", "mjs", "cjs", "mts", "cts", "tsx", "jsx"];
/// Folders that a compiler fills; what they hold comes from beside them or from `src`.
const OUTPUT_FOLDERS: &[&str] = &["dist", "build", "lib", "out", "output", "compiled", "bin", "prod", ".build"];
/// How many leading parts of a path in a container may be the place where the project was copied to.
const MAX_CONTAINER_DEPTH: usize = 5;

/// Where the compiler of a folder writes to, and from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) out: String,
    pub(super) source: Option<String>,
}

pub(super) struct Resolver<'a> {
    project: &'a Project,
    /// By the folder of the `tsconfig.json`.
    outputs: HashMap<String, Output>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(project: &'a Project) -> Resolver<'a> {
        Resolver { project, outputs: HashMap::new() }
    }

    pub(super) fn with_outputs(project: &'a Project, outputs: HashMap<String, Output>) -> Resolver<'a> {
        Resolver { project, outputs }
    }

    /// The module that a path written in `folder` means: itself, or the source that it is compiled from.
    pub(super) fn module(&self, folder: &str, written: &str) -> Option<FileId> {
        if written.len() > 1_000 || written.contains('\0') {
            return None;
        }
        match written.strip_prefix('/') {
            None => self.below_root(&join(folder, written)),
            Some(absolute) => self.in_container(folder, absolute),
        }
    }

    fn below_root(&self, path: &str) -> Option<FileId> {
        let direct = self.code_at(path);
        let is_source = |id: &FileId| self.project.file(*id).area != Area::Generated;
        direct.filter(is_source).or_else(|| self.compiled_from(path)).or(direct)
    }

    /// `/usr/src/app/dist/index.js`: the project may have been copied to any of the folders on the way.
    fn in_container(&self, folder: &str, absolute: &str) -> Option<FileId> {
        let starts = std::iter::once(0).chain(absolute.match_indices('/').map(|(at, _)| at + 1));
        starts.take(MAX_CONTAINER_DEPTH).find_map(|start| self.below_root(&join(folder, absolute.get(start..)?)))
    }

    /// A file of code, its extension left out, or the index of a folder.
    fn code_at(&self, path: &str) -> Option<FileId> {
        let of_kind = |path: &str, kind| self.project.find(path).filter(|id| self.project.file(*id).kind == kind);
        let code = |path: &str| of_kind(path, FileKind::JavaScript);
        code(path)
            .or_else(|| of_kind(path, FileKind::Python))
            .or_else(|| EXTENSIONS.iter().find_map(|extension| code(&format!("{path}.{extension}"))))
            .or_else(|| compiled_extension(path).iter().find_map(|source| code(source)))
            .or_else(|| EXTENSIONS.iter().find_map(|extension| code(&join(path, &format!("index.{extension}")))))
    }

    fn compiled_from(&self, path: &str) -> Option<FileId> {
        let source = |path: &str| {
            self.code_at(path).filter(|id| !matches!(self.project.file(*id).area, Area::Generated | Area::Vendored))
        };
        self.configured_sources(path).iter().find_map(|path| source(path)).or_else(|| {
            let parts: Vec<&str> = path.split('/').collect();
            let outputs = parts.iter().enumerate().take(16).filter(|(_, part)| is_output_folder(part));
            outputs.into_iter().find_map(|(at, _)| {
                let (before, after) = (parts.get(..at)?.join("/"), parts.get(at + 1..)?);
                guesses(&before, after).iter().find_map(|path| source(path))
            })
        })
    }

    /// What the nearest `tsconfig.json` says that this output is compiled from.
    fn configured_sources(&self, path: &str) -> Vec<String> {
        let configured = ancestors(folder_of(path)).find_map(|folder| Some((folder, self.outputs.get(folder)?)));
        let Some((folder, output)) = configured else { return Vec::new() };
        let Some(rest) = below(path, &join(folder, &output.out)) else { return Vec::new() };
        let from = |source: &str| join(&join(folder, source), rest);
        match &output.source {
            Some(source) => vec![from(source)],
            None => vec![from("src"), from(".")],
        }
    }
}

fn is_output_folder(part: &str) -> bool {
    OUTPUT_FOLDERS.contains(&part) || part.starts_with("dist-") || part.starts_with("build-")
}

/// Where the source of `<before>/dist/<after>` usually is.
fn guesses(before: &str, after: &[&str]) -> Vec<String> {
    let rest = after.join("/");
    let mut guesses = vec![join(before, &join("src", &rest)), join(before, &rest)];
    if let Some((name, folders)) = after.split_last().filter(|(_, folders)| !folders.is_empty()) {
        // Nx: `dist/apps/api/main.js` from `apps/api/src/main.ts`.
        guesses.push(join(before, &join(&folders.join("/"), &join("src", name))));
        // A workspace's compiler that repeats the package's folder: `dist/backend/src/main.js` from `src/main.ts`.
        let shorter = after.get(1..).unwrap_or(&[]).join("/");
        guesses.push(join(before, &shorter));
        guesses.push(join(before, &join("src", &shorter)));
    }
    guesses
}

/// The sources that a compiled file's name may stand for.
fn compiled_extension(path: &str) -> Vec<String> {
    let Some((stem, extension)) = path.rsplit_once('.') else { return Vec::new() };
    let sources: &[&str] = match extension {
        "js" => &["ts", "tsx", "jsx", "mjs", "mts"],
        "mjs" => &["mts", "ts", "js"],
        "cjs" => &["cts", "ts", "js"],
        _ => &[],
    };
    sources.iter().map(|source| format!("{stem}.{source}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Tree, WalkOptions, discover};

    fn project(paths: &[&str]) -> Project {
        let tree = Tree::in_memory(paths.iter().map(|path| (*path, "")));
        discover(tree, &WalkOptions::default()).unwrap()
    }

    fn resolve(paths: &[&str], folder: &str, written: &str) -> Option<String> {
        let project = project(paths);
        let id = Resolver::new(&project).module(folder, written)?;
        Some(project.file(id).path.to_string())
    }

    #[test]
    fn names_may_leave_out_what_node_adds() {
        for written in ["server.js", "./server", "server"] {
            assert_eq!(resolve(&["server.js"], ".", written).as_deref(), Some("server.js"), "{written}");
        }
        assert_eq!(resolve(&["api/src/index.ts"], "api", "src").as_deref(), Some("api/src/index.ts"));
        assert_eq!(resolve(&["server.json"], ".", "server"), None);
    }

    #[test]
    fn output_leads_back_to_its_source() {
        for (source, written) in [
            ("src/index.ts", "dist/index.js"),
            ("src/main.ts", "dist/main"),
            ("src/main.ts", "dist/src/main.js"),
            ("index.ts", "build/index.js"),
            ("src/server.ts", "lib/server.cjs"),
            ("apps/api/src/main.ts", "dist/apps/api/main.js"),
            ("src/main.ts", "dist/backend/src/main.js"),
            ("src/main.ts", "dist-server/main.js"),
        ] {
            assert_eq!(resolve(&[source], ".", written).as_deref(), Some(source), "{written}");
        }
    }

    #[test]
    fn source_goes_before_committed_output_and_output_before_nothing() {
        assert_eq!(resolve(&["dist/index.js", "src/index.ts"], ".", "dist/index.js").as_deref(), Some("src/index.ts"));
        assert_eq!(resolve(&["dist/index.js"], ".", "dist/index.js").as_deref(), Some("dist/index.js"));
    }

    #[test]
    fn a_compiler_configuration_decides() {
        let project = project(&["api/source/run.ts", "api/src/run.ts"]);
        let output = Output { out: "./target-js".into(), source: Some("source".into()) };
        let resolver = Resolver::with_outputs(&project, HashMap::from([("api".to_owned(), output)]));
        let id = resolver.module("api", "target-js/run.js").unwrap();
        assert_eq!(&*project.file(id).path, "api/source/run.ts");
    }

    #[test]
    fn paths_of_a_container_lose_its_folders() {
        let files = ["apps/api/src/main.ts", "other.ts"];
        assert_eq!(resolve(&files, ".", "/usr/src/app/apps/api/dist/main.js").as_deref(), Some("apps/api/src/main.ts"));
        assert_eq!(resolve(&files, ".", "/app/none.js"), None);
    }

    #[test]
    fn paths_that_climb_find_nothing_outside() {
        assert_eq!(resolve(&["a.js"], ".", "../../b.js"), None);
        assert_eq!(resolve(&["a.js"], ".", ""), None);
    }
}
