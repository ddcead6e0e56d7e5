//! Routers that are loaded by computed names: `router.use(`/${name}`, require(`./${name}`))` for each file of a folder.

use super::registered::{Looker, RouterId};
use crate::facts::program::{ExprRef, ModuleId, Target};
use crate::facts::resolve::Thing;
use crate::syntax::hir::{Atom, ExprId, ExprKind, Imported, Language, Module, Run};

/// Modules of one folder that are looked at.
const MAX_FILES: usize = 100;

/// A router that a computed name stands for, and the path that it is mounted under.
pub(super) struct LoadedRouter {
    pub(super) prefix: Option<String>,
    pub(super) router: RouterId,
}

impl Looker<'_, '_> {
    /// The routers of the files of a folder that a mount loads by a computed name.
    pub(super) fn loaded_by_name(&mut self, mount: ExprRef, chain: &[ExprRef]) -> Vec<LoadedRouter> {
        let module = self.evaluator.program.module(mount.module);
        if module.language != Language::JavaScript || mount.expr == ExprId::NONE {
            return Vec::new();
        }
        let own = chain.iter().filter(|at| at.module == mount.module);
        let Some(folder) = own.into_iter().find_map(|at| required_folder(module, at.expr)) else { return Vec::new() };
        let around = module.call(mount.expr).and_then(|(_, args)| prefix_around(module, args));
        let mut found = Vec::new();
        for (of, stem) in self.modules_in(mount.module, &folder) {
            if let Some(router) = self.router_of_module(of) {
                let prefix = around.as_ref().map(|(before, after)| format!("{before}{stem}{after}"));
                found.push(LoadedRouter { prefix, router });
            }
        }
        found
    }

    /// The router that a module is (`module.exports = router`, `export default router`).
    fn router_of_module(&mut self, of: ModuleId) -> Option<RouterId> {
        let program = self.evaluator.program;
        let exported = [Imported::Default, Imported::Namespace];
        let exported = exported.into_iter().find_map(|name| program.export(of, program.module(of), name))?;
        let things = self.evaluator.exported(exported);
        let site = things.into_iter().find_map(|thing| match thing {
            Thing::Path { path, site: Some(site) } if self.is_router(path) => Some(site),
            _ => None,
        })?;
        Some(RouterId { site: self.base_router(site), owner: None })
    }

    /// The modules of a folder beside a module, but for itself and those that it loads by name.
    fn modules_in(&self, beside: ModuleId, folder: &str) -> Vec<(ModuleId, String)> {
        let program = self.evaluator.program;
        let own = program.path(beside);
        let base = own.rsplit_once('/').map_or("", |(base, _)| base);
        let wanted = match (base, folder) {
            (base, "") => base.to_owned(),
            ("", folder) => folder.to_owned(),
            (base, folder) => format!("{base}/{folder}"),
        };
        let named = |id: ModuleId| program.loaded(beside).targets.contains(&Target::Module(id));
        let in_folder = |id: ModuleId| {
            let path = program.path(id);
            let (at, name) = path.rsplit_once('/').unwrap_or(("", path));
            let stem = name.split('.').next().unwrap_or(name);
            (at == wanted && stem != "index").then(|| (id, stem.to_owned()))
        };
        let ids = program.ids().filter(|&id| id != beside && program.module(id).language == Language::JavaScript);
        ids.filter(|&id| !named(id)).filter_map(in_folder).take(MAX_FILES).collect()
    }
}

/// The folder of `require(`./${name}`)`, `require("./" + name)` and `require(path.join(__dirname, name))`, as it is
/// written beside the module.
fn required_folder(module: &Module, expr: ExprId) -> Option<String> {
    let (callee, args) = module.call(expr)?;
    let is_require = matches!(module.kind(callee), ExprKind::Global(name) if module.str(name) == "require");
    let argument = module.list(args).next().filter(|_| is_require)?;
    let start = match module.kind(argument) {
        ExprKind::Template { quasis, .. } if quasis.len > 1 => quasi(module, quasis, 0),
        ExprKind::Binary { left, .. } => module.literal(left)?,
        ExprKind::Call { callee, args } => {
            let is_join = matches!(module.kind(callee), ExprKind::Member { name, .. } if matches!(module.str(name), "join" | "resolve"));
            let parts: Vec<ExprId> = module.list(args).collect();
            let is_here = parts.first().is_some_and(
                |&first| matches!(module.kind(first), ExprKind::Global(name) if module.str(name) == "__dirname"),
            );
            return match parts.as_slice() {
                [_, _] if is_join && is_here => Some(String::new()),
                [_, folder, _] if is_join && is_here => Some(plain(module.literal(*folder)?)),
                _ => None,
            };
        }
        _ => return None,
    };
    start.strip_prefix("./").filter(|rest| rest.is_empty() || rest.ends_with('/')).map(plain)
}

fn plain(folder: &str) -> String {
    folder.trim_start_matches("./").trim_matches('/').to_owned()
}

fn quasi(module: &Module, quasis: Run, index: u32) -> &str {
    let atom = (index < quasis.len).then(|| module.lists.get((quasis.start + index) as usize)).flatten();
    atom.map_or("", |&atom| module.str(Atom(atom)))
}

/// What stands around the name in the path of a mount: `/` and nothing in `/${name}`.
fn prefix_around(module: &Module, args: Run) -> Option<(String, String)> {
    let first = module.list(args).next()?;
    match module.kind(first) {
        ExprKind::Template { quasis, .. } if quasis.len == 2 => {
            Some((quasi(module, quasis, 0).to_owned(), quasi(module, quasis, 1).to_owned()))
        }
        ExprKind::Binary { left, .. } => Some((module.literal(left)?.to_owned(), String::new())),
        _ => None,
    }
}
