//! Secrets that were committed once: what the rules about text find in earlier versions of files. A secret that is there
//! today too is told of today's file only.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::read::Contents;
use crate::facts::shapes::is_template;
use crate::project::{
    Diagnostic, File, FileId, FileKind, History, Project, ServiceId, Tracked, Version, area_of, decode, kind_of,
};
use crate::rules::{Evaluation, Match, TextScanner};

/// Versions that are looked at together, by their bytes.
const BATCH: usize = 16 << 20;
/// Earlier versions that a report may name.
const MAX_FOUND: usize = 500;
/// Digits of a commit that are shown.
const SHORT: usize = 10;

/// Adds to the contents what is found in the history, each in a file of the past: `config.js@1a2b3c4d5e`.
pub fn add(project: &mut Project, contents: &mut Contents, scanner: &TextScanner) {
    let mut history = match History::open(&project.tree.root) {
        Ok(history) => history,
        Err(reason) => return contents.diagnostics.push(unread(reason)),
    };
    let scope = project.scope.clone();
    let mut search = Search { scanner, known: known(contents), waiting: Vec::new(), bytes: 0, found: Vec::new() };
    let wants = |path: &str| is_in(scope.as_deref(), path) && kind_of(path) != FileKind::Binary;
    contents.diagnostics.extend(history.versions(&wants, &mut |version| search.take(version)));
    search.look();
    for found in search.found {
        let id = u32::try_from(project.files.len() + project.past.len()).unwrap_or(u32::MAX);
        let service = service_of(project, &found.file);
        project.tree.overlay.insert(found.file.path.to_string(), found.content);
        project.past.push(File { service, ..found.file });
        contents.matches.extend(found.matches.into_iter().map(|one| (FileId(id), one)));
    }
    contents.diagnostics.sort();
}

/// Says of findings in files of the past what they are.
pub fn tell(project: &Project, evaluations: &mut [Evaluation]) {
    let now = project.files.len();
    for finding in evaluations.iter_mut().flat_map(|evaluation| &mut evaluation.findings) {
        if finding.at.file.0 as usize >= now {
            finding.message.push_str(" (in the history, where it stays leaked: rotate it)");
        }
    }
}

fn unread(reason: String) -> Diagnostic {
    Diagnostic { kind: "history".into(), path: ".git".into(), line: 1, message: reason }
}

/// The secrets of today's files.
fn known(contents: &Contents) -> HashSet<String> {
    contents.matches.iter().filter(|(_, found)| found.secret).map(|(_, found)| found.text.clone()).collect()
}

fn is_in(scope: Option<&str>, path: &str) -> bool {
    scope.is_none_or(|scope| path.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/')))
}

/// The service of the file's innermost folder that still holds files.
fn service_of(project: &Project, file: &File) -> ServiceId {
    let path = file.path.rsplit_once('@').map_or(&*file.path, |(path, _)| path);
    let folders = path.match_indices('/').rev().map(|(at, _)| &path[..=at]).chain([""]);
    let mut inside = folders.filter_map(|folder| {
        let first = project.files.partition_point(|file| *file.path < *folder);
        project.files.get(first).filter(|file| file.path.starts_with(folder))
    });
    inside.next().map_or(ServiceId(0), |file| file.service)
}

struct Found {
    file: File,
    content: Arc<[u8]>,
    matches: Vec<Match>,
}

struct Search<'s> {
    scanner: &'s TextScanner,
    /// Secrets that were told already.
    known: HashSet<String>,
    waiting: Vec<Version>,
    bytes: usize,
    found: Vec<Found>,
}

impl Search<'_> {
    fn take(&mut self, version: Version) {
        self.bytes += version.content.len();
        self.waiting.push(version);
        if self.bytes >= BATCH {
            self.look();
        }
    }

    fn look(&mut self) {
        let scanner = self.scanner;
        let seen: Vec<Option<Found>> = self.waiting.par_iter().map(|version| look_at(version, scanner)).collect();
        self.waiting.clear();
        self.bytes = 0;
        for mut found in seen.into_iter().flatten() {
            found.matches.retain(|one| self.known.insert(one.text.clone()));
            if !found.matches.is_empty() && self.found.len() < MAX_FOUND {
                self.found.push(found);
            }
        }
    }
}

fn look_at(version: &Version, scanner: &TextScanner) -> Option<Found> {
    let text = decode(&version.content).ok()?;
    let kind = kind_of(&version.path);
    let area = area_of(&version.path, kind);
    let short = version.commit.get(..SHORT).unwrap_or(&version.commit);
    let path = format!("{}@{short}", version.path);
    // Of an environment file of today other rules tell; of one that is gone nothing else does.
    let gone = kind == FileKind::Dotenv && !is_template(&version.path);
    let mut matches = scanner.scan(if gone { &path } else { &version.path }, area, text);
    matches.retain(|found| found.secret);
    let file = File {
        path: path.into(),
        kind,
        area,
        service: ServiceId(0),
        tracked: Tracked::Yes,
        size: version.content.len() as u64,
        in_scope: true,
    };
    (!matches.is_empty()).then(|| Found { file, content: Arc::clone(&version.content), matches })
}
