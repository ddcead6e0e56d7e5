//! Facts of whole modules, tests and services.
//!
//! In goes the program with what was seen in it, out comes one fact per module, test file and server.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Builder;
use crate::facts::graph::is_audited;
use crate::facts::model::{Fact, Value};
use crate::facts::program::{ModuleId, Program, Target};
use crate::project::{Area, FileId, ProcessKind, ServiceId, Span};
use crate::syntax::hir::Language;

impl<'p, 'r> Builder<'p, 'r> {
    pub(super) fn modules(&mut self) {
        let program = self.program();
        let mut capabilities: FxHashMap<FileId, Vec<String>> = FxHashMap::default();
        for raw in self.raws {
            let name = match &*raw.kind {
                "role" if raw.get("fails").is_none() => raw.text("role"),
                "capability" => raw.text("name"),
                "router" => Some("router"),
                "schema" => Some("schema"),
                _ => None,
            };
            if let Some(name) = name {
                capabilities.entry(raw.span.file).or_default().push(name.to_owned());
            }
        }
        for module in program.ids() {
            let loaded = program.loaded(module);
            let file = program.project.file(loaded.file);
            let at = Span { file: loaded.file, start: 0, end: 0 };
            // Rust keeps the tests of a module in it.
            let holds_tests = file.area == Area::Test || loaded.module.language == Language::Rust;
            if holds_tests && loaded.module.tests.cases > 0 {
                self.facts.push(self.test_fact(module, at));
            }
            if !is_audited(file.area) {
                continue;
            }
            let mut fact = Fact::new("module", at, "shape module");
            fact.area = file.area;
            fact.service = file.service;
            fact.reached = self.reach.reached[module.0 as usize];
            if !fact.reached {
                fact.because = Some(self.why_unreached(module));
            }
            let mut names = capabilities.remove(&loaded.file).unwrap_or_default();
            names.sort();
            names.dedup();
            let capability = if names.is_empty() { Value::ABSENT } else { Value::texts(&names) };
            fact.fields = vec![
                ("path".into(), Value::text(file.path.clone())),
                ("capability".into(), capability),
                ("imported_by".into(), Value::number(f64::from(self.reach.imported_by[module.0 as usize]))),
                ("dynamic".into(), Value::bool(self.reach.uncertain[module.0 as usize])),
                ("lines".into(), Value::number(f64::from(loaded.module.lines))),
            ];
            self.facts.push(fact);
        }
    }

    fn test_fact(&self, module: ModuleId, at: Span) -> Fact {
        let program = self.program();
        let loaded = program.loaded(module);
        let file = program.project.file(loaded.file);
        let end_to_end =
            ["e2e/", "cypress/", "playwright/", "integration/"].iter().any(|part| file.path.contains(part));
        let mut fact = Fact::new("test", at, "shape test");
        fact.area = Area::Test;
        fact.service = file.service;
        fact.fields = vec![
            ("cases".into(), Value::number(f64::from(loaded.module.tests.cases))),
            ("assertions".into(), Value::number(f64::from(loaded.module.tests.assertions))),
            ("imports".into(), Value::texts(self.tested_modules(module))),
            ("kind".into(), Value::text(if end_to_end { "end-to-end" } else { "unit" })),
        ];
        fact
    }

    /// The modules that a test imports, and what those import in turn, one level deep.
    fn tested_modules(&self, module: ModuleId) -> Vec<String> {
        let program = self.program();
        let (mut seen, mut found) = (FxHashSet::default(), BTreeSet::new());
        // Tests that stand in a module are about it.
        if program.project.file(program.loaded(module).file).area != Area::Test {
            return vec![program.path(module).to_owned()];
        }
        let fixtures = self.shared_fixtures(module);
        let direct: Vec<ModuleId> = fixtures.into_iter().chain([module]).flat_map(|it| targets(program, it)).collect();
        for &target in &direct {
            if seen.insert(target) {
                found.insert(program.path(target));
                found.extend(targets(program, target).map(|inner| program.path(inner)));
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// The `conftest.py` files beside and above a test of Python: what they make is handed to it unasked.
    fn shared_fixtures(&self, module: ModuleId) -> Vec<ModuleId> {
        let program = self.program();
        if program.module(module).language != Language::Python {
            return Vec::new();
        }
        let folders = std::path::Path::new(program.path(module)).ancestors().skip(1);
        let paths = folders.filter_map(|folder| folder.join("conftest.py").to_str().map(str::to_owned));
        paths.filter_map(|path| program.of_file(program.project.find(&path)?)).collect()
    }

    pub(super) fn services(&mut self) {
        let program = self.program();
        for raw in self.raws.iter().filter(|raw| &*raw.kind == "capability" && raw.text("name") == Some("server")) {
            let file = program.project.file(raw.span.file);
            let reached = program.of_file(raw.span.file).is_some_and(|m| self.reach.reached[m.0 as usize]);
            if reached && file.area == Area::Server {
                self.servers.insert(file.service);
            }
        }
        // What is started as a server is one, whatever its code looks like.
        for (at, service) in program.project.services.iter().enumerate() {
            if service.kinds.contains(&ProcessKind::Http) && !service.entries.is_empty() {
                self.servers.insert(ServiceId(u16::try_from(at).unwrap_or(u16::MAX)));
            }
        }
        for &id in &self.servers {
            let service = program.project.service(id);
            let entry = service.entries.first().map(|(file, _)| *file);
            let first = program.project.files.iter().position(|f| f.service == id).and_then(|i| u32::try_from(i).ok());
            let Some(file) = entry.or_else(|| first.map(FileId)) else { continue };
            let mut fact = Fact::new("service", Span { file, start: 0, end: 0 }, "shape service");
            fact.service = id;
            fact.area = Area::Server;
            fact.fields = vec![
                ("entry".into(), Value::text(program.project.file(file).path.clone())),
                ("kind".into(), Value::text("server")),
                ("serverless".into(), if service.serverless { Value::bool(true) } else { Value::ABSENT }),
            ];
            self.facts.push(fact);
        }
    }
}

pub(super) fn targets<'a>(program: &'a Program<'_>, module: ModuleId) -> impl Iterator<Item = ModuleId> + use<'a> {
    program.loaded(module).targets.iter().filter_map(|target| match target {
        Target::Module(module) => Some(*module),
        _ => None,
    })
}
