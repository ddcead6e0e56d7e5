//! Which modules an entry point reaches.
//!
//! In go the entries of the services, out come the modules that they import, with who imports each.

use rustc_hash::FxHashSet;

use crate::facts::program::{ModuleId, Program, Target};
use crate::project::{FileId, ServiceId};
use crate::syntax::hir::ExprKind;

/// Which modules an entry point reaches, with who imports each.
#[derive(Debug, Default)]
pub struct Reach {
    pub reached: Vec<bool>,
    pub imported_by: Vec<u32>,
    /// Reached only through imports that are computed: nobody can tell.
    pub uncertain: Vec<bool>,
}

/// Follows imports from the entry points. A service without any is reached as a whole, and so is one that loads
/// modules by computed names.
pub fn reach(program: &Program<'_>, extra_entries: &[FileId]) -> Reach {
    let count = program.modules.len();
    let mut reach = Reach { reached: vec![false; count], imported_by: vec![0; count], uncertain: vec![false; count] };
    let mut queue: Vec<ModuleId> = Vec::new();
    let mut with_entry: FxHashSet<ServiceId> = FxHashSet::default();
    for (index, service) in program.project.services.iter().enumerate() {
        let id = ServiceId(u16::try_from(index).unwrap_or(u16::MAX));
        for (file, _) in service.entries.iter().chain(&service.script_entries) {
            queue.extend(program.of_file(*file));
        }
        if service.entries.iter().any(|(file, _)| program.of_file(*file).is_some()) {
            with_entry.insert(id);
        }
    }
    for &file in extra_entries {
        if let Some(module) = program.of_file(file) {
            with_entry.insert(program.project.file(file).service);
            queue.push(module);
        }
    }
    for module in program.ids() {
        let file = program.project.file(program.loaded(module).file);
        let importer_counts = !matches!(file.area, crate::project::Area::Test | crate::project::Area::Example);
        for target in &program.loaded(module).targets {
            if let Target::Module(target) | Target::Within(target, _) = target
                && *target != module
                && importer_counts
            {
                reach.imported_by[target.0 as usize] += 1;
            }
        }
        if !with_entry.contains(&file.service) {
            queue.push(module);
        }
    }
    flood(program, &mut reach, queue);
    let mut loose = services_with_computed_imports(program, &reach);
    loose.extend(services_with_lost_entries(program));
    for module in program.ids() {
        let service = program.project.file(program.loaded(module).file).service;
        if !reach.reached[module.0 as usize] && loose.contains(&service) {
            reach.uncertain[module.0 as usize] = true;
        }
    }
    let rest: Vec<ModuleId> = program.ids().filter(|m| reach.uncertain[m.0 as usize]).collect();
    flood(program, &mut reach, rest);
    reach
}

fn flood(program: &Program<'_>, reach: &mut Reach, mut queue: Vec<ModuleId>) {
    while let Some(module) = queue.pop() {
        if std::mem::replace(&mut reach.reached[module.0 as usize], true) {
            continue;
        }
        let loaded = program.loaded(module);
        for (source, target) in loaded.module.sources.iter().zip(&loaded.targets) {
            if let Target::Module(target) | Target::Within(target, _) = target
                && !source.type_only
            {
                queue.push(*target);
                queue.extend(program.packages_above(*target));
            }
        }
        queue.extend(program.packages_named_by(module).into_iter().flat_map(|package| program.modules_below(package)));
    }
}

/// Services with an entry whose relative imports all lead nowhere: it runs from where a build puts it.
fn services_with_lost_entries(program: &Program<'_>) -> FxHashSet<ServiceId> {
    let mut found = FxHashSet::default();
    for (index, service) in program.project.services.iter().enumerate() {
        let entries = service.entries.iter().filter_map(|(file, _)| program.of_file(*file));
        let is_lost = |id: ModuleId| {
            let loaded = program.loaded(id);
            let relative = loaded.module.sources.iter().zip(&loaded.targets);
            let mut relative = relative
                .filter(|(source, _)| !source.type_only && loaded.module.str(source.specifier).starts_with('.'))
                .peekable();
            relative.peek().is_some() && relative.all(|(_, target)| *target == Target::Missing)
        };
        if entries.into_iter().any(is_lost) {
            found.insert(ServiceId(u16::try_from(index).unwrap_or(u16::MAX)));
        }
    }
    found
}

fn services_with_computed_imports(program: &Program<'_>, reach: &Reach) -> FxHashSet<ServiceId> {
    let mut found = FxHashSet::default();
    for id in program.ids().filter(|id| reach.reached[id.0 as usize]) {
        let module = program.module(id);
        let computed = module.exprs.iter().any(|expr| match expr.kind {
            ExprKind::Call { callee, .. } => {
                matches!(module.kind(callee), ExprKind::Global(name) if module.str(name) == "require")
            }
            _ => false,
        });
        if computed {
            found.insert(program.project.file(program.loaded(id).file).service);
        }
    }
    found
}
