//! From a folder to the list of its files: in parallel, in a stable order, never out of the root.

use std::collections::HashMap;
use std::fs::File as DiskFile;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;

use super::classify::{area_of, classify, names_no_kind};
use super::git::{self, TrackedPaths};
use super::model::{Area, Diagnostic, File, FileKind, Project, Service, ServiceId, Tracked, Tree};

/// More files than this are not audited.
pub const FILE_LIMIT: usize = 200_000;
/// Where the walk itself gives up. Far above [`FILE_LIMIT`], so that which files are kept depends on their names only.
const WALK_LIMIT: usize = 5 * FILE_LIMIT;
const DIAGNOSTIC_LIMIT: usize = 1_000;
/// A longer `.gitignore` is not one.
const IGNORE_FILE_LIMIT: u64 = 1 << 20;

/// What package managers and tools fill: not entered, and listed only if git holds it.
const SKIPPED_FOLDERS: &[&str] = &[
    "node_modules",
    "bower_components",
    "jspm_packages",
    ".pnpm-store",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".tox",
    ".terraform",
    ".gradle",
];

/// Copies of generated and earlier texts that scaffolding keeps: no part of the project.
const KEPT_COPIES: &[&str] = &[".readycheck/base", ".readycheck/run", ".readycheck/finished", ".readycheck/undone"];

/// How a tree is listed.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// The folder asked about, relative to the root; none or empty for all of it.
    pub scope: Option<String>,
    /// Left out, in the syntax of `.gitignore`.
    pub exclude: Vec<String>,
    /// Threads; 0 for one per core.
    pub jobs: usize,
}

/// Why there is nothing to audit at all.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("{0} does not exist")]
    Missing(PathBuf),
    #[error("{0} is a file; name the folder that holds the project")]
    NotAFolder(PathBuf),
    #[error("{path} cannot be read: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("`{pattern}` is no valid pattern for files to exclude: {reason}")]
    Exclude { pattern: String, reason: String },
}

/// The folder of the repository around a path, and the path relative to it (none if they are the same). A folder of
/// tests, fixtures or examples is no part of the product around it: it is a project of its own.
pub fn find_root(path: &Path) -> Result<(PathBuf, Option<String>), WalkError> {
    let asked = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    if !asked.is_dir() {
        return Err(WalkError::NotAFolder(path.to_path_buf()));
    }
    let root = asked.ancestors().find(|folder| git::is_work_tree(folder)).unwrap_or(&asked);
    let scope = asked.strip_prefix(root).ok().and_then(slashed).filter(|scope| !scope.is_empty());
    let stands_alone = |scope: &String| {
        let area = area_of(&format!("{scope}/main.ts"), FileKind::JavaScript);
        matches!(area, Area::Test | Area::Example | Area::Vendored | Area::Generated)
    };
    match scope {
        Some(scope) if stands_alone(&scope) => Ok((asked, None)),
        scope => Ok((root.to_path_buf(), scope)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> WalkError {
    match error.kind() {
        std::io::ErrorKind::NotFound => WalkError::Missing(path.to_path_buf()),
        kind => WalkError::Unreadable { path: path.to_path_buf(), reason: kind.to_string() },
    }
}

/// Lists and classifies the files of a tree, sorted by path. Services are not told apart yet: all belong to the root's.
pub fn discover(tree: Tree, options: &WalkOptions) -> Result<Project, WalkError> {
    let exclude = exclusions(&options.exclude)?;
    let mut listing = Listing::default();
    let mut commit = None;
    if !tree.virtual_only {
        check_root(&tree.root)?;
        let git = git::read(&tree.root);
        commit = git.commit;
        listing.diagnostics.extend(git.diagnostics);
        listing.add_disk(&tree.root, git.tracked.as_ref(), &exclude, options.jobs);
    }
    for (path, contents) in &tree.overlay {
        if !exclude.matched_path_or_any_parents(path, false).is_ignore() {
            listing.files.insert(path.clone(), Found { size: contents.len() as u64, tracked: Tracked::Yes });
        }
    }
    Ok(listing.into_project(tree, commit, options))
}

fn check_root(root: &Path) -> Result<(), WalkError> {
    let metadata = root.metadata().map_err(|error| unreadable(root, &error))?;
    if metadata.is_dir() { Ok(()) } else { Err(WalkError::NotAFolder(root.to_path_buf())) }
}

fn exclusions(patterns: &[String]) -> Result<Arc<Gitignore>, WalkError> {
    let mut builder = GitignoreBuilder::new("");
    let failed = |pattern: &str, error: ignore::Error| WalkError::Exclude {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    };
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        builder.add_line(None, pattern).map_err(|error| failed(pattern, error))?;
    }
    builder.build().map(Arc::new).map_err(|error| failed(&patterns.join(" "), error))
}

struct Found {
    size: u64,
    tracked: Tracked,
}

/// What has been found so far.
#[derive(Default)]
struct Listing {
    files: HashMap<String, Found>,
    diagnostics: Vec<Diagnostic>,
}

impl Listing {
    fn add_disk(&mut self, root: &Path, index: Option<&TrackedPaths>, exclude: &Arc<Gitignore>, jobs: usize) {
        let mut seen = walk(root, exclude, index.is_some(), jobs);
        if seen.strange_ignore_file {
            self.report(
                "unreadable",
                ".gitignore",
                "one of them is a link, no regular file or too large: ignore rules are not applied",
            );
            seen = walk(root, exclude, false, jobs);
        } else if index.is_none() && seen.files.iter().any(|(path, _)| is_ignore_file(path)) {
            let kept = walk(root, exclude, true, jobs).files;
            self.add_untold(&seen.files, kept);
        }
        self.diagnostics.extend(seen.diagnostics);
        for (path, size) in seen.files {
            let tracked = if index.is_none_or(|index| index.contains(&path)) { Tracked::Yes } else { Tracked::No };
            self.files.entry(path).or_insert(Found { size, tracked });
        }
        if let Some(index) = index {
            self.add_ignored(root, index, exclude);
        }
    }

    /// Without an index: what an ignore rule names counts as tracked all the same.
    fn add_untold(&mut self, all: &[(String, u64)], kept: Vec<(String, u64)>) {
        let kept: std::collections::HashSet<String> = kept.into_iter().map(|(path, _)| path).collect();
        for (path, size) in all.iter().filter(|(path, _)| !kept.contains(path)) {
            self.files.insert(path.clone(), Found { size: *size, tracked: Tracked::YesThoughIgnored });
        }
    }

    /// With an index: what it holds and the walk left out, because of an ignore rule or a folder that is not entered.
    fn add_ignored(&mut self, root: &Path, index: &TrackedPaths, exclude: &Gitignore) {
        let Ok(root) = root.canonicalize() else { return };
        for path in &index.files {
            if self.files.contains_key(path) || exclude.matched_path_or_any_parents(path, false).is_ignore() {
                continue;
            }
            if Path::new(path).ancestors().any(|above| KEPT_COPIES.iter().any(|kept| above.ends_with(kept))) {
                continue;
            }
            let place = root.join(path);
            let Ok(metadata) = place.symlink_metadata() else { continue };
            // Equal only if no folder on the way is a link.
            if metadata.is_file() && place.canonicalize().is_ok_and(|target| target == place) {
                let found = Found { size: metadata.len(), tracked: Tracked::YesThoughIgnored };
                self.files.insert(path.clone(), found);
            }
        }
    }

    fn report(&mut self, kind: &str, path: &str, message: &str) {
        self.diagnostics.push(diagnostic(kind, path, message));
    }

    fn into_project(mut self, tree: Tree, commit: Option<String>, options: &WalkOptions) -> Project {
        let scope = options.scope.clone().filter(|scope| !scope.is_empty() && scope != ".");
        let mut files: Vec<(String, Found)> = std::mem::take(&mut self.files).into_iter().collect();
        files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut files: Vec<File> =
            files.into_par_iter().map(|(path, found)| file(&tree, path, &found, scope.as_deref())).collect();
        if files.len() > FILE_LIMIT {
            let message =
                format!("{} files are more than the {FILE_LIMIT} that are audited; exclude some", files.len());
            self.report("limit", ".", &message);
            keep_most_relevant(&mut files, FILE_LIMIT);
        }
        self.diagnostics.sort();
        self.diagnostics.dedup();
        if self.diagnostics.len() > DIAGNOSTIC_LIMIT {
            let more = self.diagnostics.len() - DIAGNOSTIC_LIMIT;
            self.diagnostics.truncate(DIAGNOSTIC_LIMIT);
            self.report("limit", ".", &format!("{more} more problems of listing files are not shown"));
        }
        let services = vec![Service { path: ".".into(), ..Service::default() }];
        Project { tree, files, services, commit, scope, diagnostics: self.diagnostics, ..Project::default() }
    }
}

fn is_ignore_file(path: &str) -> bool {
    path == ".gitignore" || path.ends_with("/.gitignore")
}

/// Drops vendored and generated files before any others, then by path.
fn keep_most_relevant(files: &mut Vec<File>, limit: usize) {
    files.sort_by_key(|file| matches!(file.area, Area::Vendored | Area::Generated));
    files.truncate(limit);
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
}

fn file(tree: &Tree, path: String, found: &Found, scope: Option<&str>) -> File {
    let within = scope.map(|scope| path.strip_prefix(scope).and_then(|rest| rest.strip_prefix('/')));
    // Conventions count from the folder that was asked about.
    let conventional = within.flatten().unwrap_or(&path);
    let first = if names_no_kind(conventional) { first_bytes(tree, &path) } else { None };
    let (kind, area) = classify(conventional, first.as_deref());
    let in_scope = within.is_none_or(|rest| rest.is_some());
    let (tracked, size) = (found.tracked, found.size);
    File { path: path.into(), kind, area, service: ServiceId(0), tracked, size, in_scope }
}

/// Enough of a listed file to see its `#!` line.
fn first_bytes(tree: &Tree, path: &str) -> Option<Vec<u8>> {
    let mut first = Vec::with_capacity(64);
    if let Some(contents) = tree.overlay.get(path) {
        first.extend(contents.iter().take(64));
    } else {
        DiskFile::open(tree.root.join(path)).ok()?.take(64).read_to_end(&mut first).ok()?;
    }
    Some(first)
}

/// What one pass over the disk saw.
#[derive(Default)]
struct Seen {
    files: Vec<(String, u64)>,
    diagnostics: Vec<Diagnostic>,
    strange_ignore_file: bool,
}

enum Sighting {
    File(String, u64),
    Problem(Diagnostic),
}

fn walk(root: &Path, exclude: &Arc<Gitignore>, git_ignore: bool, jobs: usize) -> Seen {
    let strange = Arc::new(AtomicBool::new(git_ignore && has_strange_ignore_file(root)));
    let mut builder = WalkBuilder::new(root);
    builder.standard_filters(false).git_ignore(git_ignore).require_git(false).follow_links(false).threads(jobs);
    builder.filter_entry(entry_filter(root, exclude, git_ignore, &strange));
    let count = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let canonical = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    builder.build_parallel().run(|| {
        let (sender, count, canonical) = (sender.clone(), &count, &canonical);
        Box::new(move |entry| {
            let sighting = match entry {
                Ok(entry) => look_at(root, canonical, &entry),
                Err(error) => Some(Sighting::Problem(walk_problem(root, &error))),
            };
            if let Some(sighting) = sighting {
                // Fails only if the receiver is gone, which outlives the walk.
                let _ = sender.send(sighting);
            }
            let full = count.fetch_add(1, Ordering::Relaxed) >= WALK_LIMIT;
            if full { WalkState::Quit } else { WalkState::Continue }
        })
    });
    drop(sender);
    let mut seen = Seen { strange_ignore_file: strange.load(Ordering::Relaxed), ..Seen::default() };
    for sighting in receiver {
        match sighting {
            Sighting::File(path, size) => seen.files.push((path, size)),
            Sighting::Problem(problem) => seen.diagnostics.push(problem),
        }
    }
    seen
}

/// Which entries are looked at: not git's own, not excluded, not what tools install. A folder whose ignore file would
/// not be safe to open is left, and `strange` set.
fn entry_filter(
    root: &Path,
    exclude: &Arc<Gitignore>,
    git_ignore: bool,
    strange: &Arc<AtomicBool>,
) -> impl Fn(&DirEntry) -> bool + Send + Sync + 'static {
    let (root, exclude, strange) = (root.to_path_buf(), Arc::clone(exclude), Arc::clone(strange));
    move |entry| {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        if name == ".git" || (is_folder && SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped)) {
            return false;
        }
        let path = entry.path().strip_prefix(&root).unwrap_or(entry.path());
        if exclude.matched(path, is_folder).is_ignore() || KEPT_COPIES.iter().any(|kept| path.ends_with(kept)) {
            return false;
        }
        let unsafe_to_enter = git_ignore && is_folder && has_strange_ignore_file(entry.path());
        if unsafe_to_enter {
            strange.store(true, Ordering::Relaxed);
        }
        !unsafe_to_enter
    }
}

/// Opening a pipe blocks, reading a device never ends: an ignore file has to be a regular one of sane size.
fn has_strange_ignore_file(folder: &Path) -> bool {
    let metadata = folder.join(".gitignore").symlink_metadata();
    metadata.is_ok_and(|metadata| !metadata.is_file() || metadata.len() > IGNORE_FILE_LIMIT)
}

fn look_at(root: &Path, canonical: &Path, entry: &DirEntry) -> Option<Sighting> {
    let kind = entry.file_type()?;
    if kind.is_dir() {
        return None;
    }
    let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let Some(path) = slashed(relative) else {
        let name = relative.to_string_lossy();
        return Some(Sighting::Problem(diagnostic("unreadable", &name, "its name is not valid UTF-8; rename it")));
    };
    if kind.is_symlink() {
        return link_problem(canonical, entry.path(), &path).map(Sighting::Problem);
    }
    if !kind.is_file() {
        let message = "it is a pipe, socket or device; it is not opened";
        return Some(Sighting::Problem(diagnostic("unreadable", &path, message)));
    }
    Some(match entry.metadata() {
        Ok(metadata) => Sighting::File(path, metadata.len()),
        Err(error) => Sighting::Problem(walk_problem(root, &error)),
    })
}

/// A link within the root is no problem: its target is listed at its own place. Nor is one to nothing, such as to the
/// `.env` that everybody makes for themselves.
fn link_problem(root: &Path, link: &Path, path: &str) -> Option<Diagnostic> {
    let message = match link.canonicalize() {
        Ok(target) if target.starts_with(root) => return None,
        Ok(_) => "it is a link out of the project; it is not followed",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => "it is a link that cannot be followed",
    };
    Some(diagnostic("link", path, message))
}

fn walk_problem(root: &Path, error: &ignore::Error) -> Diagnostic {
    let path = error_path(error).map(|path| path.strip_prefix(root).unwrap_or(path).to_string_lossy());
    let reason = error.io_error().map_or_else(|| error.to_string(), |io| io.kind().to_string());
    let message = format!("it cannot be read ({reason}); check its permissions");
    diagnostic("unreadable", path.as_deref().filter(|path| !path.is_empty()).unwrap_or("."), &message)
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}

fn diagnostic(kind: &str, path: &str, message: &str) -> Diagnostic {
    Diagnostic { kind: kind.into(), path: path.into(), line: 1, message: message.into() }
}

/// A relative path with `/`, if it is UTF-8.
fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
