//! Anchors that stand in a file of a known name or around handlers: as `templates/stacks/*.toml` says them.

use super::stack::{FactPattern, fact_pattern};
use crate::rules::Problem;
use crate::rules::document::{as_table, as_text, at, at_key, choice, only_keys, text_of, texts_of};
use crate::syntax::{Entry, Node, NodeData};

/// The keys that tell such an anchor.
pub const SPOT_KEYS: &[&str] = &[
    "file",
    "module",
    "create",
    "extension",
    "function",
    "behind",
    "at",
    "export",
    "list",
    "holder",
    "value",
    "wrap",
    "stem",
    "named",
    "unless",
];

/// A place that the stack names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// In the body of a function that a file exports: `register()` of instrumentation.ts.
    /// In Rust, also of one that it keeps, behind what calls one of those names there.
    Body { file: Named, function: String, at: End, behind: Vec<String> },
    /// Above what a file exports as its default.
    Above { file: Named },
    /// Below everything else in a file.
    Bottom { file: Named },
    /// Among the properties of the object that a file exports as its default.
    Property { file: Named },
    /// In the list that a function of that object returns: `headers()` of next.config.ts.
    List { file: Named, list: String, holder: String },
    /// In the list or dictionary that a name at the top of a file holds: `MIDDLEWARE`, `urlpatterns`.
    Value { file: Named, name: String, at: End },
    /// Around each exported handler.
    Handlers(Handlers),
}

/// A file by its path without extension, as the layout says it (`{src}/instrumentation`), by its whole name, or by a
/// fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub file: String,
    pub told: Option<Told>,
    /// What it holds where there is none yet; without, there has to be one.
    pub create: Option<String>,
    /// Of the one that is created, where it is not that of the project's sources.
    pub extension: Option<String>,
}

/// A file that the only fact of its kind tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The one that it stands in.
    Holding(FactPattern),
    /// The module that its value names with dots.
    Naming(FactPattern),
}

/// Exported functions that facts tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handlers {
    pub facts: FactPattern,
    /// The name of their files, without extension.
    pub stem: String,
    /// The field of the fact that says the name of the export.
    pub named: String,
    /// Files that export one of these are left alone.
    pub unless: Vec<Constant>,
}

/// `export const runtime = "edge"`; any value where none is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constant {
    pub name: String,
    pub value: Option<String>,
    /// Why, for the reader.
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Before everything else.
    Start,
    /// After everything else, but before what it returns.
    Finish,
}

const ENDS: &[(&str, End)] = &[("start", End::Start), ("end", End::Finish)];
const DEFAULT: &[(&str, ())] = &[("default", ())];
const ABOVE: &[(&str, ())] = &[("above", ())];
const BOTTOM: &[(&str, ())] = &[("bottom", ())];

impl Spot {
    /// The file that it stands in, if that has a name.
    pub fn file(&self) -> Option<&Named> {
        match self {
            Spot::Body { file, .. }
            | Spot::Above { file }
            | Spot::Bottom { file }
            | Spot::Property { file }
            | Spot::List { file, .. }
            | Spot::Value { file, .. } => Some(file),
            Spot::Handlers(_) => None,
        }
    }
}

/// The spot that an anchor's table describes, if it has the keys of one.
pub fn spot(entry: &Entry, node: &Node) -> Result<Option<Spot>, Problem> {
    let missing = |key: &str| at_key(entry, format!("`{key}` is missing"));
    if let Some(wrap) = node.get("wrap") {
        let text = |key: &str| text_of(node, key)?.ok_or_else(|| missing(key));
        let unless = node.get("unless").map_or(&[][..], Node::items);
        return Ok(Some(Spot::Handlers(Handlers {
            facts: fact_pattern(wrap)?,
            stem: text("stem")?,
            named: text("named")?,
            unless: unless.iter().map(constant).collect::<Result<_, _>>()?,
        })));
    }
    let Some(file) = named(node)? else {
        return match SPOT_KEYS.iter().find(|key| node.get(key).is_some()) {
            Some(key) => Err(at_key(entry, format!("`{key}` goes with `file`, `module` or `wrap`"))),
            None => Ok(None),
        };
    };
    if let Some(name) = text_of(node, "value")? {
        let end = node.get("at").ok_or_else(|| missing("at"))?;
        return Ok(Some(Spot::Value { file, name, at: choice(end, "the place", ENDS)? }));
    }
    if let Some(function) = text_of(node, "function")? {
        let end = node.get("at").ok_or_else(|| missing("at"))?;
        let at = choice(end, "the place", ENDS)?;
        return Ok(Some(Spot::Body { file, function, at, behind: texts_of(node, "behind")? }));
    }
    let Some(export) = node.get("export") else {
        choice(node.get("at").ok_or_else(|| missing("export"))?, "the place", BOTTOM)?;
        return Ok(Some(Spot::Bottom { file }));
    };
    choice(export, "`export`", DEFAULT)?;
    if let Some(end) = node.get("at") {
        choice(end, "the place", ABOVE)?;
        return Ok(Some(Spot::Above { file }));
    }
    Ok(Some(match text_of(node, "list")? {
        Some(list) => {
            let holder = text_of(node, "holder")?.ok_or_else(|| missing("holder"))?;
            Spot::List { file, list, holder }
        }
        None => Spot::Property { file },
    }))
}

/// The file of a spot: by its name, or by what tells it.
fn named(node: &Node) -> Result<Option<Named>, Problem> {
    let created =
        Named { create: text_of(node, "create")?, extension: text_of(node, "extension")?, ..Named::default() };
    if let Some(module) = node.get("module") {
        return Ok(Some(Named { told: Some(Told::Naming(fact_pattern(module)?)), ..created }));
    }
    Ok(match node.get("file") {
        None => None,
        Some(file) if matches!(file.data, NodeData::Map(_)) => {
            Some(Named { told: Some(Told::Holding(fact_pattern(file)?)), ..created })
        }
        Some(file) => Some(Named { file: as_text(file, "`file`")?.to_owned(), ..created }),
    })
}

fn constant(node: &Node) -> Result<Constant, Problem> {
    only_keys(as_table(node, "a constant")?, "a constant", &["name", "is", "because"])?;
    let required = |key: &str| text_of(node, key)?.ok_or_else(|| at(node, format!("`{key}` is missing")));
    let value = texts_of(node, "is")?.into_iter().next();
    Ok(Constant { name: required("name")?, value, because: required("because")? })
}
