//! Extractors of Rust that may or may not ask who is calling: those of crates that nobody reads, and those of the
//! project that refuse in a way that cannot be followed.

use super::routes::Wirer;
use crate::facts::graph::Callable;
use crate::facts::program::{FunctionRef, ModuleId};
use crate::facts::resolve::Thing;
use crate::syntax::hir::{ClassIdx, ExprId, ExprKind, Language, MemberKind, Module, Type, TypeId, TypeRoot, Use};

/// Words of types that are given whether or not somebody is signed in.
const OTHERS: &[&str] = &["optional", "maybe", "csrf"];

/// Names of `Result`s and outcomes by which an extractor refuses.
const REFUSALS: &[&str] = &["Err", "Error", "Failure", "Forward"];

impl Wirer<'_, '_, '_> {
    /// Does a handler take a value that is named after whoever calls, and that may well be refused?
    pub(super) fn may_ask_by_extractor(&mut self, index: usize) -> bool {
        let program = self.evaluator.program;
        let handlers = self.routes[index].callables.iter().filter_map(|callable| match callable {
            Callable::Function(function) => Some(*function),
            _ => None,
        });
        let rust = handlers.filter(|f| program.module(f.module).language == Language::Rust);
        let parameters: Vec<(ModuleId, TypeId)> = rust
            .flat_map(|FunctionRef { module, function }| {
                let parameters = &program.module(module).function(function).parameters;
                parameters.iter().map(move |parameter| (module, parameter.annotation))
            })
            .collect();
        parameters.into_iter().any(|(module, annotation)| self.may_refuse(module, annotation))
    }

    fn may_refuse(&mut self, module: ModuleId, annotation: TypeId) -> bool {
        if may_be_absent(self.evaluator.program.module(module), annotation) {
            return false;
        }
        match self.evaluator.type_things(module, annotation, 0).first() {
            Some(Thing::Path { path, .. }) => {
                let text = self.evaluator.paths.text(*path);
                let package = text.split(['.', '(']).next().unwrap_or_default();
                !self.evaluator.stacks.mentions_package(package)
                    && self.is_caller(self.evaluator.paths.last_name(*path))
            }
            Some(&(Thing::Class(module, class) | Thing::Instance(module, class))) => {
                let hir = self.evaluator.program.module(module);
                let name = hir.class(class).name.map_or("", |name| hir.str(name));
                self.is_caller(name) && refuses(hir, class)
            }
            _ => false,
        }
    }

    /// `AuthUser`, `Session`, `ApiKey`
    fn is_caller(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let words = &self.evaluator.stacks.callers;
        words.iter().any(|word| name.contains(word.as_str())) && !OTHERS.iter().any(|word| name.contains(word))
    }
}

/// `Option<User>`, `Result<User, E>`: the handler decides.
fn may_be_absent(module: &Module, ty: TypeId) -> bool {
    matches!(module.ty(ty), Some(Type::Reference { root: TypeRoot::Global(name), .. })
        if matches!(module.str(*name), "Option" | "Result"))
}

/// Does a method that makes a value of the class out of a request give back a refusal?
fn refuses(module: &Module, class: ClassIdx) -> bool {
    let methods = module.class(class).members.iter().filter_map(|member| match member.kind {
        MemberKind::Method(function) if module.str(member.name).starts_with("from_request") => Some(function),
        _ => None,
    });
    let is_refusal = |id: ExprId| match module.kind(id) {
        ExprKind::Try(_) => true,
        ExprKind::Call { callee, .. } => {
            let name = match module.kind(callee) {
                ExprKind::Member { name, .. } | ExprKind::Global(name) => module.str(name),
                _ => "",
            };
            REFUSALS.contains(&name)
        }
        _ => false,
    };
    methods.into_iter().any(|method| {
        (0..).map(ExprId).zip(&module.exprs).any(|(id, expr)| {
            let counts = expr.role == Use::Return || matches!(module.kind(id), ExprKind::Try(_));
            counts && module.function_of(id) == method && is_refusal(id)
        })
    })
}
