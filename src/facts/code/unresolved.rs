//! Imports that lead nowhere: a relative path at which nothing stands, or a name that the module there does not export.
//!
//! Only what is certain: files that a build may write (ignored by git, or below a folder of generated code), assets
//! and imports that are allowed to fail are left alone, and so is a module that no import leads anywhere from.

use ignore::gitignore::GitignoreBuilder;
use rustc_hash::FxHashSet;

use super::extract::Raw;
use crate::facts::graph::is_audited;
use crate::facts::model::{Confidence, Value};
use crate::facts::program::{ExprRef, ModuleId, Program, Target};
use crate::project::paths::join_parts;
use crate::project::{Project, Span};
use crate::syntax::hir::{ContextKind, Definition, ExprId, ExprKind, Imported, Language, Module, Source, SourceIdx};

/// Folders and parts of names that tools write code into.
const GENERATED: &[&str] = &[
    "generated",
    "gen",
    "dist",
    "build",
    "out",
    "output",
    "lib",
    "target",
    "compiled",
    "proto",
    "protos",
    "protobuf",
    "pb",
    "grpc",
    "graphql",
    "prisma",
    "client",
    "locales",
    "paraglide",
    "assets",
    "static",
    "public",
    "bin",
    "node_modules",
    "version",
    "build-info",
];
/// What bundlers and loaders turn into modules.
const ASSETS: &[&str] = &[
    "css", "scss", "sass", "less", "styl", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "woff", "woff2",
    "ttf", "mp3", "mp4", "json", "json5", "yaml", "yml", "toml", "md", "mdx", "html", "txt", "csv", "wasm", "node",
    "vue", "svelte", "astro", "graphql", "gql", "hbs", "ejs", "pug", "sql", "proto", "d",
];
/// What marks a path that a bundler or loader understands.
const LOADER_SIGNS: &[char] = &['!', '?', ':', '*', '$', '{'];

pub fn unresolved_imports(program: &Program<'_>, out: &mut Vec<Raw>) {
    for id in program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)) {
        let loaded = program.loaded(id);
        if loaded.module.language == Language::Rust || loaded.module.too_deep.is_some() {
            continue;
        }
        let is_own = |(source, target): &(&Source, &Target)| {
            matches!(target, Target::Module(_)) && loaded.module.str(source.specifier).starts_with('.')
        };
        // A module of which no relative import leads anywhere is copied to where it runs.
        let stands_in_place = loaded.module.sources.iter().zip(&loaded.targets).any(|pair| is_own(&pair));
        let optional = optional_sources(&loaded.module);
        for (index, (source, target)) in loaded.module.sources.iter().zip(&loaded.targets).enumerate() {
            let index = SourceIdx(u32::try_from(index).unwrap_or(u32::MAX));
            if source.type_only || source.dynamic || optional.contains(&index) {
                continue;
            }
            match target {
                Target::Missing if stands_in_place && is_missing(program, id, index, source) => {
                    out.push(fact(program, id, source, "file", None));
                }
                Target::Module(module) if loaded.module.language == Language::JavaScript => {
                    for name in missing_names(program, id, index, *module) {
                        out.push(fact(program, id, source, "name", Some(name)));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Imports under a `try` or a condition.
fn optional_sources(module: &Module) -> FxHashSet<SourceIdx> {
    let exprs = (0..).map(ExprId).zip(&module.exprs);
    let conditional = |context: &ContextKind| {
        matches!(
            context,
            ContextKind::Try { .. }
                | ContextKind::Catch
                | ContextKind::Then(_)
                | ContextKind::Else(_)
                | ContextKind::Case
        )
    };
    let loaded = exprs.filter_map(|(id, expr)| match expr.kind {
        ExprKind::Require(source) | ExprKind::Import(source)
            if module.contexts_of(id).any(|(_, context)| conditional(&context.kind))
                || expr.parent != ExprId::NONE && is_conditional(module, expr.parent) =>
        {
            Some(source)
        }
        _ => None,
    });
    let mut optional: FxHashSet<SourceIdx> = loaded.collect();
    // Statements of Python are no expressions: whatever stands between the beginning of a `try` and its handler's end.
    for handler in &module.handlers {
        let within = |source: &Source| source.start >= handler.start && source.end <= handler.end;
        let sources = (0..).map(SourceIdx).zip(&module.sources);
        optional.extend(sources.filter(|(_, source)| within(source)).map(|(index, _)| index));
    }
    optional.extend(module.submodules.iter().copied());
    optional.extend(module.named_modules.iter().copied());
    optional
}

fn is_conditional(module: &Module, parent: ExprId) -> bool {
    matches!(module.kind(parent), ExprKind::Logical { .. } | ExprKind::Conditional { .. })
}

/// Is there certainly no file at a relative path, and nothing that would write one?
fn is_missing(program: &Program<'_>, id: ModuleId, index: SourceIdx, source: &Source) -> bool {
    let module = program.module(id);
    let specifier = module.str(source.specifier);
    let path = program.path(id);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let Some(wanted) = (match module.language {
        Language::Python => python_path(module, index, folder, specifier),
        _ => script_path(folder, specifier),
    }) else {
        return false;
    };
    let is_generated = |part: &str| {
        let part = part.to_ascii_lowercase();
        let stem = part.split('.').next().unwrap_or_default();
        part.starts_with('.')
            || part.starts_with('_')
            || GENERATED.contains(&stem)
            || part.split(['.', '_', '-']).any(|word| matches!(word, "generated" | "gen" | "pb" | "pb2" | "compiled"))
    };
    !wanted.is_empty()
        && !wanted.split('/').any(is_generated)
        && !stands(program.project, &wanted)
        && !is_ignored(program.project, &wanted)
}

fn script_path(folder: &str, specifier: &str) -> Option<String> {
    let is_relative = specifier.starts_with("./") || specifier.starts_with("../");
    let is_asset = specifier.rsplit_once('.').is_some_and(|(_, extension)| ASSETS.contains(&extension));
    if !is_relative || is_asset || specifier.contains(LOADER_SIGNS) || climbs_out(folder, specifier) {
        return None;
    }
    Some(join_parts(folder, specifier))
}

fn climbs_out(folder: &str, specifier: &str) -> bool {
    let depth = folder.split('/').filter(|part| !part.is_empty()).count();
    specifier.split('/').filter(|part| *part == "..").count() > depth
}

/// `from .orders import place`: the folder and the path in it. `from . import x` names no file of its own.
fn python_path(module: &Module, index: SourceIdx, folder: &str, specifier: &str) -> Option<String> {
    let path = specifier.trim_start_matches('.');
    let dots = specifier.len() - path.len();
    if dots == 0 || path.is_empty() || module.submodules.contains(&index) {
        return None;
    }
    let mut folder = folder;
    for _ in 1..dots {
        folder = folder.rsplit_once('/').map(|(outer, _)| outer).or((!folder.is_empty()).then_some(""))?;
    }
    Some(join_parts(folder, &path.replace('.', "/")))
}

/// Is there any file of that name, whatever its extension, or anything below a folder of it?
fn stands(project: &Project, wanted: &str) -> bool {
    let stem = match wanted.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() && !stem.ends_with('/') => stem,
        _ => wanted,
    };
    let begins = |prefix: &str| {
        let from = project.files.partition_point(|file| &*file.path < prefix);
        let rest = project.files.get(from..).unwrap_or_default().iter();
        rest.map(|file| &*file.path)
            .take_while(|path| path.starts_with(prefix))
            .any(|path| path[prefix.len()..].chars().next().is_none_or(|next| matches!(next, '.' | '/')))
    };
    begins(wanted) || begins(stem)
}

/// Does an ignore rule of a folder above keep such a file out of git?
fn is_ignored(project: &Project, wanted: &str) -> bool {
    let ends = wanted.match_indices('/').map(|(at, _)| at);
    std::iter::once(0).chain(ends).any(|end| {
        let folder = &wanted[..end];
        let path = if folder.is_empty() { ".gitignore".to_owned() } else { format!("{folder}/.gitignore") };
        let Some(bytes) = project.find(&path).and_then(|file| project.read(file).ok()) else { return false };
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A rule that cannot be read keeps nothing out.
            let _ = builder.add_line(None, line);
        }
        let Ok(rules) = builder.build() else { return true };
        let inside = wanted[end..].trim_start_matches('/');
        [".js", ".ts", ".py", ""]
            .iter()
            .any(|extension| rules.matched_path_or_any_parents(format!("{inside}{extension}"), false).is_ignore())
    })
}

/// The names of an import that the module does not export, where all that it exports is known.
fn missing_names<'p>(program: &'p Program<'p>, id: ModuleId, index: SourceIdx, target: ModuleId) -> Vec<&'p str> {
    let exporting = program.loaded(target);
    let is_plain = exporting.module.language == Language::JavaScript
        && exporting.module.commonjs.is_empty()
        && exporting.module.star_exports.is_empty()
        && !exporting.module.exports.is_empty()
        && exporting.module.too_deep.is_none();
    if !is_plain {
        return Vec::new();
    }
    let module = program.module(id);
    let imported = module.symbols.iter().filter_map(|symbol| match symbol.definition {
        Definition::Import { source, name: Imported::Named(name) } if source == index => {
            (!symbol.reads.is_empty()).then(|| module.str(name))
        }
        _ => None,
    });
    imported
        .filter(|name| {
            *name != "default" && !exporting.module.exports.iter().any(|e| exporting.module.str(e.name) == *name)
        })
        .collect()
}

fn fact(program: &Program<'_>, id: ModuleId, source: &Source, missing: &str, name: Option<&str>) -> Raw {
    let loaded = program.loaded(id);
    Raw {
        kind: "import".into(),
        clause: "shape import".into(),
        stack: None,
        at: ExprRef { module: id, expr: ExprId::NONE },
        span: Span { file: loaded.file, start: source.start, end: source.end },
        fields: vec![
            ("from".into(), Value::text(loaded.module.str(source.specifier))),
            ("name".into(), name.map_or(Value::ABSENT, Value::text)),
            ("missing".into(), Value::text(missing)),
        ],
        refs: Vec::new(),
        functions: Vec::new(),
        function: None,
        api: "".into(),
        certain: Confidence::High,
        within: None,
        view: None,
    }
}
