//! Parts of models as clauses saw them, by what they belong to, and what their fields name.

use rustc_hash::{FxHashMap, FxHashSet};

use super::owners::{ClassRef, Owner, Owners, around};
use crate::facts::code::extract::Raw;
use crate::facts::code::names::last_name;
use crate::facts::model::{Data, Value};
use crate::facts::program::ExprRef;
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{ExprKind, Language, Module};

/// Indices of parts among the raw facts.
#[derive(Default)]
pub(super) struct Parts {
    pub all: Vec<usize>,
    /// The calls and decorators that make a column.
    pub columns: FxHashSet<ExprRef>,
    pub column_at: FxHashMap<ExprRef, usize>,
    /// What stands inside a column (`Column(ForeignKey(…))`), by its call.
    pub by_column: FxHashMap<ExprRef, Vec<usize>>,
    /// What stands in the body of a class, or names its columns elsewhere.
    pub by_class: FxHashMap<ClassRef, Vec<usize>>,
    /// Relations and indexes that a member itself declares (`@ManyToOne() user`, `@Index() email`).
    pub by_member: FxHashMap<Owner, Vec<usize>>,
    /// What a call that makes a table is handed.
    pub by_site: FxHashMap<ExprRef, Vec<usize>>,
}

impl Parts {
    pub(super) fn of(evaluator: &mut Evaluator<'_>, raws: &[Raw], owners: &Owners) -> Parts {
        let mut parts = Parts::default();
        for (index, raw) in raws.iter().enumerate() {
            let is_part = matches!(&*raw.kind, "column" | "index" | "relation" | "check");
            if !is_part || raw.stack.is_none() || raw.get("model").is_some() || !raw.refs("of").is_empty() {
                continue;
            }
            parts.all.push(index);
            if &*raw.kind == "column" {
                parts.columns.insert(raw.at);
                parts.column_at.entry(raw.at).or_insert(index);
            }
        }
        let sites: FxHashSet<ExprRef> =
            raws.iter().filter(|raw| !raw.refs("parts").is_empty()).map(|raw| raw.at).collect();
        for index in parts.all.clone() {
            if &*raws[index].kind != "column" {
                parts.place(evaluator, &raws[index], index, owners, &sites);
            }
        }
        parts
    }

    fn place(
        &mut self,
        evaluator: &mut Evaluator<'_>,
        raw: &Raw,
        index: usize,
        owners: &Owners,
        sites: &FxHashSet<ExprRef>,
    ) {
        let module = evaluator.program.module(raw.at.module);
        let here = |expr| ExprRef { module: raw.at.module, expr };
        let outward = || around(module, raw.at.expr).map(here);
        if let Some(column) = outward().find(|at| self.columns.contains(at)) {
            self.by_column.entry(column).or_default().push(index);
        } else if let Some(site) = outward().find(|at| sites.contains(at)) {
            self.by_site.entry(site).or_default().push(index);
        } else if let Some(owner) = owners.owner(module, raw.at) {
            match owner.member {
                Some(_) if &*raw.kind != "check" && !names_columns(module, raw) => {
                    self.by_member.entry(owner).or_default().push(index);
                }
                _ => self.by_class.entry(owner.class).or_default().push(index),
            }
        } else if let Some(class) = class_of_columns(evaluator, raw.refs("columns")) {
            self.by_class.entry(class).or_default().push(index);
        }
    }
}

/// Whether a part says which columns it is about. A decorator of a member needs a list to do so: a text names the index.
fn names_columns(module: &Module, raw: &Raw) -> bool {
    let refs = raw.refs("columns");
    match module.language {
        Language::JavaScript => refs.iter().any(|at| matches!(module.kind(at.expr), ExprKind::Array(_))),
        _ => !refs.is_empty(),
    }
}

/// `Index("x", Order.customer_id)` outside the class.
fn class_of_columns(evaluator: &mut Evaluator<'_>, refs: &[ExprRef]) -> Option<ClassRef> {
    let first = *refs.first()?;
    let ExprKind::Member { object, .. } = evaluator.program.kind(first) else { return None };
    evaluator.things(ExprRef { module: first.module, expr: object }).into_iter().find_map(|thing| match thing {
        Thing::Class(module, class) => Some((module, class)),
        _ => None,
    })
}

/// The columns that expressions name: texts, lists of texts, members of the model; unknown for anything computed.
pub(super) fn column_names(evaluator: &mut Evaluator<'_>, refs: &[ExprRef]) -> Value {
    let mut names = Vec::new();
    for &at in refs {
        let value = evaluator.value(at);
        match &value.data {
            Data::List(_) => {
                if let Data::List(items) = named(&value).data {
                    names.extend(items.iter().cloned());
                }
            }
            Data::Text(text) => names.push(Value::text(plain(text))),
            _ => names.push(member_name(evaluator.program.module(at.module), at)),
        }
    }
    Value::list(names)
}

/// `Order.date`, `Order.date.desc()`
fn member_name(module: &Module, at: ExprRef) -> Value {
    let kind = module.kind(at.expr);
    let member = match kind {
        ExprKind::Call { callee, args } if args.len == 0 => match module.kind(callee) {
            ExprKind::Member { object, .. } => object,
            _ => return Value::UNKNOWN,
        },
        _ => at.expr,
    };
    match module.kind(member) {
        ExprKind::Member { name, .. } => Value::text(module.str(name)),
        _ => Value::UNKNOWN,
    }
}

/// Names of columns without the sign of their order (`-date`).
pub(super) fn named(value: &Value) -> Value {
    let Data::List(items) = &value.data else { return Value::UNKNOWN };
    let name = |item: &Value| item.as_text().map_or(Value::UNKNOWN, |text| Value::text(plain(text)));
    Value::list(items.iter().map(name).collect())
}

fn plain(name: &str) -> &str {
    name.strip_prefix('-').unwrap_or(name)
}

/// What a relation leads to: the text or the class that it names.
pub(super) fn target(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Value {
    if let Some(value @ Value { data: Data::Text(_), .. }) = raw.get("target") {
        return value.clone();
    }
    let Some(&at) = raw.refs("target").first() else { return Value::UNKNOWN };
    let module = evaluator.program.module(at.module);
    let at = match module.kind(at.expr) {
        // `() => User`
        ExprKind::Function(function) => module.function(function).returns.first().copied().unwrap_or(at.expr),
        _ => at.expr,
    };
    match last_name(module, at) {
        "" => Value::UNKNOWN,
        name => Value::text(name),
    }
}

/// What happens to the row when the one that it refers to is deleted: `cascade`, `setnull`, `restrict` …
pub(super) fn policy(evaluator: &mut Evaluator<'_>, raw: &Raw) -> Value {
    let Some(value) = raw.get("on_delete") else { return Value::ABSENT };
    if let Some(text) = value.as_text() {
        return Value::text(word(text));
    }
    let Some(&at) = raw.refs("on_delete").first() else { return value.clone() };
    match last_name(evaluator.program.module(at.module), at.expr) {
        "" => value.clone(),
        name => Value::text(word(name)),
    }
}

fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
