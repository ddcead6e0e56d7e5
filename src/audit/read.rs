//! Reads every file once: parses code, keeps the texts of configuration for the shapes, looks for secrets.

use std::collections::{BTreeSet, HashMap};

use oxc_allocator::Allocator;
use rayon::prelude::*;

use crate::config::{Allow, Comments, find_allows};
use crate::facts::Fact;
use crate::facts::shapes::{is_script, is_worth_reading, reads_text, sections};
use crate::project::{
    Area, Diagnostic, FileId, FileKind, Manifests, Need, Project, ReadProblem, area_of_module, assign_services, decode,
    needed,
};
use crate::rules::{Match, SyntaxScanner, TextScanner};
use crate::syntax::builder::LEVELS;
use crate::syntax::{Node, json, line_at, toml_file, yaml};
use crate::syntax::{code, diesel, hir::Module};

/// What all files together say, before any of it is a fact.
#[derive(Default)]
pub struct Contents {
    /// Sorted by file.
    pub modules: Vec<(FileId, Module)>,
    /// Texts of configuration, schemas and manifests.
    pub texts: HashMap<FileId, String>,
    pub trees: HashMap<FileId, Node>,
    pub matches: Vec<(FileId, Match)>,
    /// Of documents that people read.
    pub sections: Vec<Fact>,
    pub allows: Vec<(String, Vec<Allow>)>,
    /// The paths of the commit that is released, if the user named one.
    pub released: Option<BTreeSet<String>>,
    /// Lines of source code.
    pub lines: u64,
    pub audited: u64,
    pub diagnostics: Vec<Diagnostic>,
}

/// What looks at the text of every file.
pub struct Scanners {
    pub text: TextScanner,
    pub syntax: SyntaxScanner,
}

/// What one file says.
#[derive(Default)]
struct One {
    module: Option<Module>,
    area: Option<Area>,
    text: Option<String>,
    sections: Vec<Fact>,
    matches: Vec<Match>,
    allows: Vec<Allow>,
    lines: u64,
    audited: bool,
    diagnostics: Vec<Diagnostic>,
}

/// Reads manifests first (they decide what other files are for), then everything else.
pub fn read_all(project: &mut Project, scanners: &Scanners) -> Contents {
    let mut contents = Contents::default();
    let early: Vec<FileId> = project.file_ids().filter(|&id| needed(project.file(id)).is_some()).collect();
    let read: Vec<(FileId, One)> = early.par_iter().map(|&id| (id, read_one(project, id, scanners))).collect();
    for (id, one) in read {
        take(project, &mut contents, id, one);
    }
    parse_manifests(project, &mut contents, &early);
    services(project, &contents);
    let early: std::collections::HashSet<FileId> = early.into_iter().collect();
    let late: Vec<FileId> = project.file_ids().filter(|id| !early.contains(id)).collect();
    let read: Vec<(FileId, One)> = late
        .par_iter()
        .map_init(Allocator::default, |allocator, &id| {
            let one = read_with(project, id, scanners, allocator);
            allocator.reset();
            (id, one)
        })
        .collect();
    for (id, one) in read {
        take(project, &mut contents, id, one);
    }
    contents.modules.sort_by_key(|(id, _)| *id);
    contents.matches.sort_by(|a, b| (a.0, a.1.start, &a.1.rule).cmp(&(b.0, b.1.start, &b.1.rule)));
    contents.allows.sort_by(|a, b| a.0.cmp(&b.0));
    contents.diagnostics.sort();
    contents.diagnostics.dedup();
    contents
}

fn take(project: &mut Project, contents: &mut Contents, id: FileId, one: One) {
    let file = &mut project.files[id.0 as usize];
    if let Some(area) = one.area {
        file.area = area;
    }
    if file.in_scope {
        contents.lines += one.lines;
        contents.audited += u64::from(one.audited);
        contents.diagnostics.extend(one.diagnostics);
        if !one.allows.is_empty() {
            contents.allows.push((file.path.to_string(), one.allows));
        }
    }
    contents.modules.extend(one.module.map(|module| (id, module)));
    contents.matches.extend(one.matches.into_iter().map(|found| (id, found)));
    contents.sections.extend(one.sections);
    if let Some(text) = one.text {
        contents.texts.insert(id, text);
    }
}

fn parse_manifests(project: &Project, contents: &mut Contents, early: &[FileId]) {
    for &id in early {
        let file = project.file(id);
        let (Some(Need::Tree), Some(text)) = (needed(file), contents.texts.get(&id)) else { continue };
        let parsed = match file.kind {
            FileKind::Json => json::parse(text),
            FileKind::Toml => toml_file::parse(text),
            _ => yaml::parse(text),
        };
        // The shapes parse it again and say what is wrong with it.
        if let Ok(node) = parsed {
            contents.trees.insert(id, node);
        }
    }
}

fn services(project: &mut Project, contents: &Contents) {
    let mut manifests = Manifests::default();
    for (&id, node) in &contents.trees {
        manifests.trees.insert(id, node);
    }
    for (&id, text) in &contents.texts {
        if needed(project.file(id)) == Some(Need::Text) {
            manifests.texts.insert(id, text);
        }
    }
    assign_services(project, &manifests);
}

fn read_one(project: &Project, id: FileId, scanners: &Scanners) -> One {
    read_with(project, id, scanners, &Allocator::default())
}

fn read_with(project: &Project, id: FileId, scanners: &Scanners, allocator: &Allocator) -> One {
    let file = project.file(id);
    let mut one = One::default();
    if file.kind == FileKind::Binary {
        return one;
    }
    let bytes = match project.read(id) {
        Ok(bytes) => bytes,
        Err(problem) => return with_problem(one, &problem, &file.path),
    };
    let text = match decode(&bytes) {
        Ok(text) => text,
        Err(problem) => return with_problem(one, &problem, &file.path),
    };
    one.audited = true;
    one.matches = scanners.text.scan(&file.path, file.area, text);
    one.allows = find_allows(text, Comments::of(&file.path));
    if file.kind == FileKind::Text {
        one.sections = sections(id, file, text);
    }
    match file.kind {
        FileKind::JavaScript | FileKind::Python | FileKind::Rust => {
            read_code(project, id, text, scanners, allocator, &mut one);
            one.text = (needed(file).is_some() || declares_tables(file.kind, text)).then(|| text.to_owned());
        }
        FileKind::Toml | FileKind::Dotenv | FileKind::Dockerfile | FileKind::Prisma | FileKind::Sql => {
            one.text = Some(text.to_owned());
        }
        FileKind::Json | FileKind::Yaml if needed(file).is_some() || is_worth_reading(&file.path, text) => {
            one.text = Some(text.to_owned());
        }
        FileKind::Text if keeps_text(&file.path) || needed(file).is_some() || is_script(&file.path, text) => {
            one.text = Some(text.to_owned())
        }
        _ => {}
    }
    one
}

/// Code that declares tables in a language of its own, which a shape reads.
fn declares_tables(kind: FileKind, text: &str) -> bool {
    kind == FileKind::Rust && diesel::declares(text)
}

fn with_problem(mut one: One, problem: &ReadProblem, path: &str) -> One {
    one.diagnostics.push(problem.diagnostic(path));
    one
}

/// Plain text that shapes read.
fn keeps_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    const NAMES: &[&str] = &[
        "Procfile",
        "Jenkinsfile",
        ".gitignore",
        ".dockerignore",
        "Makefile",
        "makefile",
        "GNUmakefile",
        "justfile",
        "Justfile",
        ".justfile",
        "tox.ini",
    ];
    NAMES.contains(&name) || reads_text(path)
}

fn read_code(project: &Project, id: FileId, text: &str, scanners: &Scanners, allocator: &Allocator, one: &mut One) {
    let file = project.file(id);
    let area = area_of_module(file.area, &file.path, text);
    one.area = Some(area);
    if matches!(area, Area::Vendored | Area::Generated | Area::Docs) {
        return;
    }
    if !scanners.syntax.is_empty() {
        one.matches.extend(scanners.syntax.scan(&file.path, text));
    }
    match code::parse(file.kind, &file.path, text, allocator) {
        None => {}
        Some(Ok(module)) => {
            one.lines = u64::from(module.lines);
            one.matches.retain(|found| {
                !module.test_code.iter().any(|test| (test.start as usize..test.end as usize).contains(&found.start))
            });
            one.diagnostics.extend(module.too_deep.map(|offset| Diagnostic {
                kind: "too-deep".to_owned(),
                path: file.path.to_string(),
                line: line_at(text, offset as usize),
                message: format!("nested deeper than {LEVELS} levels: what is further inside is not read"),
            }));
            let is_aside = matches!(area, Area::Test | Area::Example);
            one.module = Some(if is_aside { module.outline() } else { module });
        }
        Some(Err(error)) => {
            let mut diagnostic = error.diagnostic(&file.path);
            diagnostic.message = format!("not read: {}", diagnostic.message);
            one.diagnostics.push(diagnostic);
        }
    }
}

/// A module of which [`read_all`] kept the outline alone, as a whole.
pub fn read_module(project: &Project, id: FileId) -> Option<Module> {
    let file = project.file(id);
    let bytes = project.read(id).ok()?;
    code::parse(file.kind, &file.path, decode(&bytes).ok()?, &Allocator::default())?.ok()
}
