//! Where code starts: the functions that something outside calls, and files that a framework runs by their place.

use rustc_hash::FxHashSet;

use super::Builder;
use crate::facts::graph::Callable;
use crate::facts::model::{FunctionId, Phase};
use crate::facts::program::FunctionRef;
use crate::facts::stacks::Verb;
use crate::project::FileId;
use crate::syntax::hir::{ClassIdx, ExprKind, FunctionIdx, Language};

impl<'p, 'r> Builder<'p, 'r> {
    /// Functions that something outside calls, with when.
    pub(super) fn starts(&mut self) -> Vec<(FunctionId, Phase)> {
        let program = self.program();
        let mut starts: Vec<(FunctionId, Phase)> = Vec::new();
        starts.extend(self.evaluator.links.handlers.keys().map(|&function| (function, Phase::Request)));
        starts.extend(self.wiring.request_functions.iter().map(|&f| (program.number(f), Phase::Request)));
        for raw in self.raws {
            let phase = match (&*raw.kind, raw.text("on")) {
                ("entry", _) => Phase::Request,
                ("hook", Some("job")) => Phase::Job,
                ("hook", Some("timer")) => Phase::Timer,
                ("hook", Some("write")) => Phase::Request,
                ("hook", Some("once")) => continue,
                ("hook", _) => Phase::Startup,
                _ => continue,
            };
            starts.extend(raw.functions.iter().map(|&f| (program.number(f), phase)));
            for &at in raw.refs("handler") {
                for callable in self.evaluator.callables(at) {
                    if let Callable::Function(function) = callable {
                        starts.push((program.number(function), phase));
                    }
                }
            }
        }
        starts.extend(self.programs().map(|function| (function, Phase::Startup)));
        starts.sort_unstable();
        starts
    }

    /// The `main` of each module of Rust: no attribute has to name it.
    fn programs(&self) -> impl Iterator<Item = FunctionId> + use<'p> {
        let program = self.program();
        let rust = program.ids().filter(|&module| program.module(module).language == Language::Rust);
        rust.flat_map(move |module| {
            let hir = program.module(module);
            let functions = (0u32..).map(FunctionIdx).zip(&hir.functions).skip(1);
            let mains = functions.filter(|(_, entry)| {
                let is_main = entry.name.is_some_and(|name| hir.str(name) == "main");
                is_main && entry.parent == FunctionIdx(0) && entry.class == ClassIdx::NONE
            });
            mains.map(move |(function, _)| program.number(FunctionRef { module, function }))
        })
    }

    /// Functions that keep what they gave the first time (`lru_cache`).
    pub(super) fn run_once(&mut self) -> FxHashSet<FunctionId> {
        let program = self.program();
        let mut found = FxHashSet::default();
        for raw in self.raws.iter().filter(|raw| &*raw.kind == "hook" && raw.text("on") == Some("once")) {
            for &at in raw.refs("handler") {
                if let ExprKind::Function(function) = program.kind(at) {
                    found.insert(program.number(FunctionRef { module: at.module, function }));
                }
            }
        }
        found
    }

    /// Files that a framework runs by their place (`fact.entry` clauses).
    pub(super) fn framework_entries(&self) -> Vec<FileId> {
        let program = self.program();
        let mut entries = Vec::new();
        for clause in self.evaluator.stacks.of_verb(Verb::File) {
            if &*clause.kind != "entry" {
                continue;
            }
            let stack = &self.evaluator.stacks.stacks[clause.stack].id;
            for module in program.ids() {
                let file = program.loaded(module).file;
                let service = program.project.service(program.project.file(file).service);
                if service.stacks.contains(stack)
                    && clause.file.as_ref().is_some_and(|globs| globs.is_match(self.relative(file)))
                {
                    entries.push(file);
                }
            }
        }
        entries
    }

    fn relative(&self, file: FileId) -> &'p str {
        let project = self.program().project;
        let file = project.file(file);
        let service = &project.service(file.service).path;
        file.path.strip_prefix(service.as_str()).and_then(|p| p.strip_prefix('/')).unwrap_or(&file.path)
    }
}
