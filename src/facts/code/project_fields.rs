//! Evaluates projections: the part of a piece of syntax that becomes a field.

use smallvec::SmallVec;

use super::declared::type_paths;
use super::extract::{Place, Target};
use super::figures::mentioned;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::Evaluator;
use crate::facts::stacks::{At, Choice, Item, Projection, Sort, Source};
use crate::syntax::hir::{Atom, ExprId, ExprKind, Language, LogicalOp, MemberKind};

impl Evaluator<'_> {
    /// The value of a projection; its default where nothing stands.
    pub(super) fn project(&mut self, projection: &Projection, place: Place<'_>) -> Value {
        match projection.choices.as_slice() {
            [choice] => self.choose(choice, place),
            choices => Value::list(choices.iter().map(|choice| self.choose(choice, place)).collect()),
        }
    }

    fn choose(&mut self, choice: &Choice, place: Place<'_>) -> Value {
        for item in &choice.alternatives {
            let value = self.item(item, place);
            if !value.is_absent() {
                return value;
            }
        }
        choice.default.clone().unwrap_or(Value::ABSENT)
    }

    /// The projection of an export: only its name, place and value are there.
    pub(super) fn project_export(&mut self, projection: &Projection, place: Place<'_>, module: ModuleId) -> Value {
        for item in projection.items() {
            let value = match &item.source {
                Source::Name => place.name.map_or(Value::ABSENT, Value::text),
                Source::FileRoute => Value::text(file_route(self.program.path(module), self.root_of(module))),
                Source::FileConfig => self.file_config(module, &item.steps),
                Source::Literal(value) => value.clone(),
                _ => Value::ABSENT,
            };
            if !value.is_absent() {
                return value;
            }
        }
        projection.choices.iter().find_map(|choice| choice.default.clone()).unwrap_or(Value::ABSENT)
    }

    fn root_of(&self, module: ModuleId) -> &str {
        let file = self.program.project.file(self.program.loaded(module).file);
        &self.program.project.service(file.service).path
    }

    /// `export const config = { matcher: … }`
    fn file_config(&mut self, module: ModuleId, steps: &[String]) -> Value {
        let Some(crate::facts::program::Exported::Symbol(owner, symbol)) = self.program.export_named(module, "config")
        else {
            return Value::ABSENT;
        };
        let definition = &self.program.module(owner).symbol(symbol).definition;
        let crate::syntax::hir::Definition::Variable { init, .. } = definition else { return Value::ABSENT };
        let value = self.value(ExprRef { module: owner, expr: *init });
        steps.iter().fold(value, |value, step| value.field(step))
    }

    fn declared_value(&mut self, source: &Source, place: Place<'_>) -> Value {
        let Some(target) = place.target else { return Value::ABSENT };
        match source {
            Source::Value => target.value.map_or(Value::ABSENT, |value| self.value(value)),
            Source::Elements => match target.value.map(|value| self.value(value)) {
                Some(value @ Value { data: Data::List(_), .. }) => value,
                Some(value) => Value::list(vec![value]),
                None => Value::ABSENT,
            },
            Source::Target => Target::name_of(self, target.at).map_or(Value::ABSENT, Value::text),
            Source::Class => {
                let name = target.class.and_then(|class| Target::name_of(self, class));
                name.map_or(Value::ABSENT, Value::text)
            }
            Source::Type => {
                let paths = type_paths(self, target.at.module, target.ty);
                paths.first().map_or(Value::ABSENT, |&path| Value::text(self.paths.text(path)))
            }
            _ => Value::ABSENT,
        }
    }

    /// An attribute in the body of the class, or in one inside it: `$class.Meta.abstract`.
    fn class_attribute(&mut self, place: Place<'_>, steps: &[String]) -> Value {
        let Some(mut at) = place.target.and_then(|target| target.class) else { return Value::ABSENT };
        for step in steps {
            let module = self.program.module(at.module);
            let ExprKind::Class(class) = module.kind(at.expr) else { return Value::UNKNOWN };
            let member = module.class(class).members.iter().rev().find(|member| module.str(member.name) == step);
            match member.map(|member| &member.kind) {
                Some(MemberKind::Field(value)) if value.some().is_some() => at.expr = *value,
                Some(_) => return Value::UNKNOWN,
                None => return Value::ABSENT,
            }
        }
        self.value(at)
    }

    fn item(&mut self, item: &Item, place: Place<'_>) -> Value {
        if item.named {
            return self.named_value(item, place);
        }
        if let At::After(names) = &item.at
            && let Some(bound) = self.slice_bound(place.at, names)
        {
            return bound;
        }
        let Some(at) = self.move_to(&item.at, place.at) else {
            let elsewhere = match item.at {
                At::After(_) => self.is_handed_on(place.at),
                At::MakerChain(_) => self.maker_of_receiver(place.at).is_none(),
                _ => false,
            };
            return if elsewhere { Value::UNKNOWN } else { Value::ABSENT };
        };
        let value = match &item.source {
            Source::Literal(value) => value.clone(),
            Source::Record(fields) => {
                let fields = fields.iter().map(|(name, p)| (name.clone(), self.project(p, place))).collect();
                let record = crate::facts::model::Record::closed(fields);
                Value { data: Data::Record(std::sync::Arc::new(record)), origins: Default::default() }
            }
            Source::Callee | Source::Member => self.called_name(at, place),
            Source::Name => place.name.map_or(Value::ABSENT, Value::text),
            Source::Opt => return self.option(at, &item.steps, item.keys),
            Source::Own => return self.own_option(at, &item.steps),
            Source::Beside => self.beside(at).map_or(Value::ABSENT, |value| self.value(value)),
            Source::Assigned => self.assigned_to(at).map_or(Value::ABSENT, |value| self.value(value)),
            Source::Arg(index) => match self.argument(at, *index) {
                // A callback has none of the options that are asked for.
                Some(argument) if !item.steps.is_empty() && self.is_function_literal(argument) => return Value::ABSENT,
                Some(argument) => self.value_or_texts(argument),
                None if self.arguments(at).iter().any(|a| matches!(self.program.kind(*a), ExprKind::Spread(_))) => {
                    Value::UNKNOWN
                }
                None => Value::ABSENT,
            },
            Source::ArgsFrom(from) => {
                let arguments: SmallVec<[ExprRef; 4]> = self.arguments(at).into_iter().skip(*from).collect();
                if arguments.is_empty() {
                    return Value::ABSENT;
                }
                let values: Vec<Value> = arguments.into_iter().map(|argument| self.value(argument)).collect();
                let origins = values.iter().fold(Origins::default(), |o, v| o.with(v.origins));
                Value { data: Data::List(values.into()), origins }
            }
            Source::ArgOf(sort) => self.argument_of(at, *sort),
            Source::Recv => match self.receiver(at) {
                Some(receiver) => self.model_name(receiver),
                None => Value::ABSENT,
            },
            Source::Root(None) => self.root_name(at),
            Source::Root(Some(index)) => match self.argument(at, *index) {
                Some(argument) => self.root_name(argument),
                None => Value::UNKNOWN,
            },
            Source::Where(names) => return self.where_columns(at, names),
            Source::Sorted(names) => return self.sorted_columns(at, names),
            Source::Batch(names) => return self.takes_list(at, names),
            Source::Given(names) => return self.given_to(at, names),
            Source::Fallback => self.fallback(place),
            Source::Raced => self.raced(at),
            Source::Mentioned => Value::texts(mentioned(self.program.module(at.module), at.expr)),
            Source::TagText => self.tag_text(at),
            Source::TagHoles => self.tag_holes(at),
            Source::FileRoute => Value::text(file_route(self.program.path(at.module), self.root_of(at.module))),
            Source::FileHead => self.program.module(at.module).head.as_deref().map_or(Value::ABSENT, Value::text),
            Source::FileConfig => self.file_config(at.module, &item.steps),
            Source::Class if !item.steps.is_empty() => return self.class_attribute(place, &item.steps),
            Source::Value | Source::Elements | Source::Target | Source::Class | Source::Type
                if place.target.is_some() =>
            {
                self.declared_value(&item.source, place)
            }
            Source::Setting => return self.setting_value(at.module, &item.steps.join(".")),
            Source::Made | Source::Value => self.value(at),
            Source::Elements | Source::Target | Source::Class | Source::Type | Source::List => Value::ABSENT,
        };
        let value = descend(value, &item.steps);
        if item.keys { keys(&value) } else { value }
    }

    /// The text of an item, else the name that stands there.
    fn named_value(&mut self, item: &Item, place: Place<'_>) -> Value {
        let value = self.item(&Item { named: false, ..item.clone() }, place);
        if !value.is_unknown() {
            return value;
        }
        let Some(&at) = self.item_refs(item, place).first() else { return value };
        self.value_or_name(at)
    }

    /// The value of an expression; if nobody can tell, what it is called.
    pub(super) fn value_or_name(&mut self, at: ExprRef) -> Value {
        let value = self.value(at);
        let name = super::names::last_name(self.program.module(at.module), at.expr);
        if value.is_unknown() && !name.is_empty() { Value::text(name) } else { value }
    }

    /// The value of an argument; of a loop's variable the texts that it has in turn.
    pub(super) fn value_or_texts(&mut self, at: ExprRef) -> Value {
        let value = self.value(at);
        if !matches!(value.data, Data::Unknown) || !value.origins.has(Origins::LOOP_VARIABLE) {
            return value;
        }
        let texts = self.texts_in_loop(at);
        if texts.is_empty() { value } else { Value { origins: value.origins, ..Value::texts(&texts) } }
    }

    /// The name of what is asked: the property (`prisma.user`), the argument that names it (`model("User", …)`), else
    /// the variable.
    fn model_name(&mut self, at: ExprRef) -> Value {
        let maker = self.maker(at);
        if maker != at
            && let Some(first) = self.argument(maker, 0)
            && let value @ Value { data: Data::Text(_), .. } = self.value(first)
        {
            return value;
        }
        let name = super::names::last_name(self.program.module(at.module), at.expr);
        if name.is_empty() { Value::UNKNOWN } else { Value::text(name) }
    }

    fn called_name(&mut self, at: ExprRef, place: Place<'_>) -> Value {
        if let Some(name) = place.name {
            return Value::text(name);
        }
        let module = self.program.module(at.module);
        let named = match module.kind(at.expr) {
            ExprKind::Call { callee, .. } | ExprKind::New { callee, .. } => callee,
            ExprKind::Tagged { tag, .. } => tag,
            _ => at.expr,
        };
        match module.kind(named) {
            ExprKind::Member { name, .. } => Value::text(module.str(name)),
            ExprKind::Index { index, .. } => self.value(ExprRef { module: at.module, expr: index }),
            _ => {
                let paths = self.paths_of(ExprRef { module: at.module, expr: named });
                paths.first().map_or(Value::ABSENT, |&path| Value::text(self.paths.last_name(path)))
            }
        }
    }

    fn argument_of(&mut self, at: ExprRef, sort: Sort) -> Value {
        for argument in self.arguments(at) {
            let value = self.value(argument);
            let fits = match (sort, &value.data) {
                (Sort::Text, Data::Text(_)) => true,
                (Sort::Text, Data::List(items)) => {
                    items.iter().all(|item| item.as_text().is_some()) && !items.is_empty()
                }
                (Sort::Object, Data::Record(_)) => true,
                _ => false,
            };
            if fits {
                return value;
            }
            // A text that is put together is there, but what it says is not known.
            let origin = self.origin(argument);
            if sort == Sort::Text
                && matches!(self.program.kind(origin), ExprKind::Template { .. } | ExprKind::Binary { .. })
            {
                return Value { data: Data::Unknown, origins: value.origins };
            }
        }
        Value::ABSENT
    }

    /// The options object of a call: its last argument that is an object, or may be one.
    pub(super) fn options(&mut self, at: ExprRef) -> Value {
        if self.program.module(at.module).language == Language::Python {
            return self.keywords(at).map_or(Value::ABSENT, |keywords| self.value(keywords));
        }
        let mut open = false;
        for argument in self.arguments(at).into_iter().rev() {
            let kind = self.program.kind(argument);
            let value = self.value(argument);
            match value.data {
                Data::Record(_) => return value,
                // What is joined to a text is no options object.
                Data::Unknown if may_be_options(kind) && !value.origins.has(Origins::BUILT) => open = true,
                _ => {}
            }
        }
        if open { Value::UNKNOWN } else { Value::ABSENT }
    }

    /// An option of the call itself, or of what the constructor of the project's class hands on.
    fn own_option(&mut self, at: ExprRef, steps: &[String]) -> Value {
        let direct = descend(self.options(at), steps);
        if !direct.is_absent() || !self.is_python(at) {
            return direct;
        }
        match self.made_through(at) {
            Some(inner) => descend(self.options(inner), steps),
            None => direct,
        }
    }

    pub(super) fn is_python(&self, at: ExprRef) -> bool {
        self.program.module(at.module).language == Language::Python
    }

    fn option(&mut self, at: ExprRef, steps: &[String], only_keys: bool) -> Value {
        let direct = self.own_option(at, steps);
        let value = if direct.is_absent() {
            // What the receiver was made with: `axios.create({ timeout })`, `z.object({ … }).strict()`.
            let maker = self.receiver(at).map(|receiver| self.maker(receiver)).filter(|maker| *maker != at);
            match maker {
                Some(maker) if self.program.module(maker.module).call(maker.expr).is_some() => {
                    let made = self.options(maker);
                    steps.iter().fold(made, |value, step| value.field(step))
                }
                _ => direct,
            }
        } else {
            direct
        };
        if only_keys { keys(&value) } else { value }
    }

    /// `read || other`, `read ?? other`, through conversions around the read.
    fn fallback(&mut self, place: Place<'_>) -> Value {
        if place.name.is_some() {
            return place.default.map_or(Value::ABSENT, |default| self.value(default));
        }
        let module = self.program.module(place.at.module);
        let mut child = place.at.expr;
        for _ in 0..4 {
            let Some(parent) = module.expr(child).parent.some() else { return Value::ABSENT };
            match module.kind(parent) {
                ExprKind::Logical { op: LogicalOp::Or | LogicalOp::Nullish, left, right } if left == child => {
                    let value = self.value(ExprRef { module: place.at.module, expr: right });
                    // `a || b || "c"` falls back to the last.
                    if matches!(value.data, Data::Text(_) | Data::Number(_) | Data::Bool(_)) {
                        return value;
                    }
                    child = parent;
                    if module.expr(parent).parent == ExprId::NONE {
                        return value;
                    }
                }
                ExprKind::Logical { op: LogicalOp::Or | LogicalOp::Nullish, right, .. } if right == child => {
                    child = parent
                }
                ExprKind::Conditional { test, branches } if test == child => {
                    let mut branches = module.list(branches);
                    let (yes, no) = (branches.next(), branches.next());
                    // `X ? X : "other"` falls back; `X ? "on" : "off"` only asks.
                    let read = super::names::last_name(module, place.at.expr);
                    if yes.is_none_or(|yes| super::names::last_name(module, yes) != read) {
                        return Value::ABSENT;
                    }
                    return no.map_or(Value::ABSENT, |no| self.value(ExprRef { module: place.at.module, expr: no }));
                }
                ExprKind::Call { .. } | ExprKind::Unary(_) => child = parent,
                _ => return Value::ABSENT,
            }
        }
        Value::ABSENT
    }

    /// An element of the array that `Promise.race` is given.
    fn raced(&self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let mut expr = at.expr;
        for _ in 0..8 {
            let Some(parent) = module.expr(expr).parent.some() else { break };
            if let Some((callee, _)) = module.call(parent)
                && let ExprKind::Member { name, .. } = module.kind(callee)
                && callee != expr
            {
                return if module.str(name) == "race" { Value::bool(true) } else { Value::ABSENT };
            }
            expr = parent;
        }
        Value::ABSENT
    }

    fn tag_text(&self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let ExprKind::Tagged { template, .. } = module.kind(at.expr) else { return Value::ABSENT };
        let ExprKind::Template { quasis, .. } = module.kind(template) else { return Value::ABSENT };
        let texts = &module.lists[quasis.start as usize..(quasis.start + quasis.len) as usize];
        let joined: Vec<&str> = texts.iter().map(|atom| module.str(Atom(*atom))).collect();
        Value::text(joined.join("?"))
    }

    fn tag_holes(&mut self, at: ExprRef) -> Value {
        let module = self.program.module(at.module);
        let ExprKind::Tagged { template, .. } = module.kind(at.expr) else { return Value::ABSENT };
        let ExprKind::Template { quasis, exprs } = module.kind(template) else { return Value::ABSENT };
        let holes: SmallVec<[ExprId; 4]> = module.holes(quasis, exprs).collect();
        let values: Vec<Value> =
            holes.into_iter().map(|expr| self.value(ExprRef { module: at.module, expr })).collect();
        let origins = values.iter().fold(Origins::default(), |o, v| o.with(v.origins));
        Value { data: Data::List(values.into()), origins }
    }
}

/// Follows members; `*` stands for any one that has what follows.
fn descend(value: Value, steps: &[String]) -> Value {
    match steps {
        [] => value,
        [any, rest @ ..] if any == "*" => match &value.data {
            Data::Record(record) => {
                let known = record.fields.iter().filter(|(_, field)| matches!(field.data, Data::Record(_)));
                let mut found = known.map(|(_, field)| descend(field.clone(), rest));
                found.find(|value| !value.is_absent()).unwrap_or(Value::ABSENT)
            }
            _ => Value::ABSENT,
        },
        [step, rest @ ..] => match (&value.data, step.parse::<usize>()) {
            (Data::List(items), Ok(index)) => descend(items.get(index).cloned().unwrap_or(Value::ABSENT), rest),
            _ => descend(value.field(step), rest),
        },
    }
}

fn may_be_options(kind: ExprKind) -> bool {
    matches!(kind, ExprKind::Ident(_) | ExprKind::Call { .. } | ExprKind::Member { .. } | ExprKind::Spread(_))
}

fn keys(value: &Value) -> Value {
    match &value.data {
        Data::Record(record) if !record.open => Value::texts(record.fields.iter().map(|(name, _)| name)),
        Data::Record(_) | Data::Unknown => Value::UNKNOWN,
        _ => Value::ABSENT,
    }
}

/// The URL path of a file below `app/`, `pages/` or `routes/`: `src/app/api/(x)/users/[id]/route.ts` → `/api/users/:id`.
fn file_route(path: &str, service: &str) -> String {
    let relative = path.strip_prefix(service).and_then(|p| p.strip_prefix('/')).unwrap_or(path);
    let relative = relative.strip_prefix("src/").unwrap_or(relative);
    let inner = relative.split_once('/').map_or("", |(_, rest)| rest);
    let inner = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
    let mut route = String::new();
    for segment in inner.split('/') {
        let is_group = segment.starts_with('(') && segment.ends_with(')');
        if is_group || segment.starts_with('@') || matches!(segment, "route" | "index" | "page" | "") {
            continue;
        }
        route.push('/');
        match segment.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            Some(name) => {
                let plain = name.trim_start_matches('[').trim_end_matches(']');
                route.push(':');
                route.push_str(plain.trim_start_matches("..."));
                if plain.starts_with("...") {
                    route.push('*');
                }
            }
            None => route.push_str(segment),
        }
    }
    if route.is_empty() { "/".to_owned() } else { route }
}

#[cfg(test)]
mod tests {
    use super::file_route;

    #[test]
    fn files_stand_for_paths() {
        assert_eq!(file_route("src/app/api/(admin)/users/[id]/route.ts", "."), "/api/users/:id");
        assert_eq!(file_route("apps/web/app/api/auth/[...nextauth]/route.ts", "apps/web"), "/api/auth/:nextauth*");
        assert_eq!(file_route("pages/api/hello.ts", "."), "/api/hello");
        assert_eq!(file_route("pages/api/index.ts", "."), "/api");
    }
}
