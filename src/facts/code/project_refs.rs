//! Where a projection points: the pieces of syntax that a field is made of, without their values.

use super::extract::Place;
use crate::facts::arguments::positional;
use crate::facts::graph::is_callable_argument;
use crate::facts::program::{ExprRef, FunctionRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::facts::stacks::{At, Item, Projection, Sort, Source};
use crate::syntax::hir::{ExprKind, Prop};

/// Receivers that are looked at for a call of some name.
const MAX_BEFORE: usize = 16;

impl Evaluator<'_> {
    /// The expressions that a projection names.
    pub(super) fn project_refs(&mut self, projection: &Projection, place: Place<'_>) -> Vec<ExprRef> {
        let mut found = Vec::new();
        for choice in &projection.choices {
            let first =
                choice.alternatives.iter().map(|item| self.item_refs(item, place)).find(|refs| !refs.is_empty());
            found.extend(first.unwrap_or_default());
        }
        found
    }

    pub(super) fn item_refs(&mut self, item: &Item, place: Place<'_>) -> Vec<ExprRef> {
        let Some(at) = self.move_to(&item.at, place.at) else { return Vec::new() };
        let found: Vec<ExprRef> = match &item.source {
            Source::Arg(index) => {
                let argument = self.argument(at, *index);
                let mut steps = item.steps.iter();
                argument
                    .and_then(|from| steps.try_fold(from, |at, name| self.inner_ref(at, name)))
                    .into_iter()
                    .collect()
            }
            Source::ArgsFrom(from) => self.arguments(at).into_iter().skip(*from).collect(),
            Source::ArgOf(Sort::Callable) => {
                let arguments = self.arguments(at);
                arguments.into_iter().filter(|argument| is_callable_argument(self, *argument)).collect()
            }
            Source::Recv => self.receiver(at).into_iter().collect(),
            Source::List => super::lists::list_around(self, at).into_iter().collect(),
            Source::Setting => self.setting_refs(at.module, &item.steps.join(".")),
            Source::Beside => self.beside(at).into_iter().collect(),
            Source::Value | Source::Elements | Source::Target | Source::Class | Source::Type
                if place.target.is_some() =>
            {
                let declared = self.declared_refs(&item.source, place);
                let mut follow = |from: ExprRef| item.steps.iter().try_fold(from, |at, name| self.inner_ref(at, name));
                declared.into_iter().filter_map(&mut follow).collect()
            }
            Source::Made | Source::Value => vec![at],
            Source::Opt if item.steps.is_empty() => return self.keywords(at).into_iter().collect(),
            Source::Opt | Source::Own => {
                let name = item.steps.first().map(String::as_str).unwrap_or_default();
                return self.option_ref(at, name).into_iter().collect();
            }
            _ => Vec::new(),
        };
        found
    }

    /// The expressions that a declaration has to offer.
    pub(super) fn declared_refs(&mut self, source: &Source, place: Place<'_>) -> Vec<ExprRef> {
        let Some(target) = place.target else { return Vec::new() };
        match source {
            Source::Value => target.value.into_iter().collect(),
            Source::Elements => target.elements(self),
            Source::Target => vec![target.at],
            Source::Class => target.class.into_iter().collect(),
            Source::Type => {
                let module = target.at.module;
                let written = self.program.module(module).written_type(target.ty);
                written.map(|expr| ExprRef { module, expr }).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The expression of one option of a call.
    pub(super) fn option_ref(&mut self, at: ExprRef, name: &str) -> Option<ExprRef> {
        let keywords = self.keywords(at).and_then(|keywords| self.property_ref(keywords, name));
        match keywords {
            Some(value) => Some(value),
            None if self.is_python(at) => {
                let inner = self.made_through(at)?;
                let keywords = self.keywords(inner)?;
                self.property_ref(keywords, name)
            }
            None => self.arguments(at).into_iter().find_map(|argument| self.property_ref(argument, name)),
        }
    }

    /// The next item of the list that it stands in.
    pub(super) fn beside(&self, at: ExprRef) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        match module.kind(module.expr(at.expr).parent.some()?) {
            ExprKind::Array(run) => {
                let next = module.list(run).skip_while(|item| *item != at.expr).nth(1)?;
                Some(ExprRef { module: at.module, expr: next })
            }
            _ => None,
        }
    }

    /// What an assignment gives to the property that it names.
    pub(super) fn assigned_to(&self, at: ExprRef) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        match module.kind(module.expr(at.expr).parent.some()?) {
            ExprKind::Assign { target, value, .. } if target == at.expr => {
                Some(ExprRef { module: at.module, expr: value })
            }
            _ => None,
        }
    }

    /// A property of an object literal, or a method of what the project's own class makes; after a method, of what that
    /// gives back.
    pub(super) fn inner_ref(&mut self, at: ExprRef, name: &str) -> Option<ExprRef> {
        if let Some(property) = self.property_ref(at, name) {
            return Some(property);
        }
        let things = match self.program.kind(at) {
            ExprKind::Function(function) => self.returns(FunctionRef { module: at.module, function }),
            _ => self.things(at),
        };
        let both = |thing: Thing| match thing {
            Thing::Class(module, class) | Thing::Instance(module, class) => {
                vec![Thing::Instance(module, class), Thing::Class(module, class)]
            }
            _ => Vec::new(),
        };
        let methods: Vec<Thing> =
            things.into_iter().flat_map(both).flat_map(|thing| self.member(thing, name)).collect();
        methods.into_iter().find_map(|method| {
            let Thing::Function(FunctionRef { module, function }) = method else { return None };
            Some(ExprRef { module, expr: self.program.module(module).function(function).expr.some()? })
        })
    }

    /// The expression of a property of what is an object literal.
    pub(super) fn property_ref(&mut self, at: ExprRef, name: &str) -> Option<ExprRef> {
        self.things(at).into_iter().find_map(|thing| {
            let Thing::Data(data) = thing else { return None };
            let module = self.program.module(data.module);
            let ExprKind::Object(run) = module.kind(data.expr) else { return None };
            let named = |prop: &&Prop| prop.key.is_some_and(|key| module.str(key) == name);
            let prop = module.object(run).iter().rev().find(named)?;
            Some(ExprRef { module: data.module, expr: prop.value })
        })
    }

    pub(super) fn arguments(&self, at: ExprRef) -> Vec<ExprRef> {
        let module = self.program.module(at.module);
        module
            .call(at.expr)
            .map(|(_, args)| positional(module, args).map(|expr| ExprRef { module: at.module, expr }).collect())
            .unwrap_or_default()
    }

    /// The object of the keyword arguments.
    pub(super) fn keywords(&self, at: ExprRef) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        let args = match module.kind(at.expr) {
            // `class Hero(SQLModel, table=True)`
            ExprKind::Class(class) => match module.kind(module.class(class).heritage.some()?) {
                ExprKind::Array(bases) => bases,
                _ => return None,
            },
            _ => module.call(at.expr)?.1,
        };
        Some(ExprRef { module: at.module, expr: module.keywords(args)? })
    }

    pub(super) fn receiver(&self, at: ExprRef) -> Option<ExprRef> {
        let module = self.program.module(at.module);
        let callee = match module.kind(at.expr) {
            ExprKind::Call { callee, .. } | ExprKind::New { callee, .. } => callee,
            ExprKind::Tagged { tag, .. } => tag,
            _ => at.expr,
        };
        match module.kind(callee) {
            ExprKind::Member { object, .. } | ExprKind::Index { object, .. } => {
                Some(ExprRef { module: at.module, expr: object })
            }
            _ => None,
        }
    }

    pub(super) fn move_to(&mut self, to: &At, at: ExprRef) -> Option<ExprRef> {
        match to {
            At::Here => Some(at),
            At::Receiver => self.receiver(at).map(|receiver| self.maker(receiver)),
            At::MakerChain(name) => {
                let maker = self.maker_of_receiver(at)?;
                self.call_before(maker, name)
            }
            At::Chain(name) => self.call_before(at, name),
            At::Around(name) => self.call_around(at, name),
            At::After(names) => self.later_call(at, names),
        }
    }

    /// The nearest call of that name in the chain of receivers.
    pub(super) fn call_before(&mut self, at: ExprRef, name: &str) -> Option<ExprRef> {
        let mut next = self.receiver(at)?;
        for _ in 0..MAX_BEFORE {
            let module = self.program.module(next.module);
            let called = module.call(next.expr).and_then(|(callee, _)| match module.kind(callee) {
                ExprKind::Member { name, .. } => Some(module.str(name)),
                _ => None,
            });
            if called == Some(name) {
                return Some(next);
            }
            next = match self.returned_chain(next) {
                Some(chain) => chain,
                None => self.receiver(next)?,
            };
        }
        None
    }

    /// The chain that a function of the project gives back: `client_builder().build()`.
    pub(super) fn returned_chain(&mut self, call: ExprRef) -> Option<ExprRef> {
        let (callee, _) = self.program.module(call.module).call(call.expr)?;
        self.things(ExprRef { module: call.module, expr: callee }).into_iter().find_map(|thing| {
            let Thing::Function(FunctionRef { module, function }) = thing else { return None };
            let expr = *self.program.module(module).function(function).returns.first()?;
            Some(ExprRef { module, expr })
        })
    }

    /// The call that made what a method is called on, if it is known.
    pub(super) fn maker_of_receiver(&mut self, at: ExprRef) -> Option<ExprRef> {
        let receiver = self.receiver(at)?;
        let maker = self.maker(receiver);
        self.program.module(maker.module).call(maker.expr).map(|_| maker)
    }

    pub(super) fn is_function_literal(&mut self, at: ExprRef) -> bool {
        let origin = self.origin(at);
        matches!(self.program.kind(origin), ExprKind::Function(_))
    }

    /// The call that made a value.
    pub(super) fn maker(&mut self, at: ExprRef) -> ExprRef {
        let site = self.things(at).into_iter().find_map(|thing| match thing {
            Thing::Path { site, .. } => site,
            _ => None,
        });
        site.unwrap_or(at)
    }
}
