//! Numbers of Rust: what a type says that no text gets through, wherever the value comes from.
//!
//! In goes an expression, out comes whether it can only be a number (or a flag).

use crate::facts::model::Origins;
use crate::facts::program::{ExprRef, ModuleId};
use crate::facts::resolve::{Evaluator, Thing, gives_what_it_holds};
use crate::syntax::hir::{Definition, ExprId, ExprKind, MemberKind, Module, Step, Type, TypeId, TypeRoot};

/// Expressions and types inside others that are followed.
const MAX_DEPTH: u8 = 12;
/// Methods that give a number where they are called on one.
const KEEPING: &[&str] = &["clone", "unwrap_or", "min", "max", "clamp", "abs", "pow"];

impl Evaluator<'_> {
    pub(super) fn is_number(&mut self, at: ExprRef, depth: u8) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let module = self.program.module(at.module);
        let here = |expr| ExprRef { module: at.module, expr };
        match module.kind(at.expr) {
            ExprKind::Num(_) | ExprKind::Bool(_) => true,
            ExprKind::Try(inner) | ExprKind::Await(inner) | ExprKind::Unary(inner) => {
                self.is_number(here(inner), depth + 1)
            }
            // `x.unwrap_or(0)` has the type of what it may be.
            ExprKind::Binary { left, .. } | ExprKind::Logical { left, .. } => self.is_number(here(left), depth + 1),
            ExprKind::Ident(symbol) => match &module.symbol(symbol).definition {
                Definition::Parameter { annotation, steps, .. } => {
                    self.is_number_type(at.module, *annotation, steps, depth + 1)
                }
                Definition::Variable { annotation, init, steps, .. } => {
                    self.is_number_type(at.module, *annotation, &[], depth + 1)
                        || steps.is_empty() && *init != ExprId::NONE && self.is_number(here(*init), depth + 1)
                }
                _ => false,
            },
            ExprKind::Member { object, name } => {
                let field = [Step::Property(name)];
                let ty = declared_type(module, object);
                ty.is_some_and(|ty| self.is_number_type(at.module, ty, &field, depth + 1))
            }
            ExprKind::Call { callee, args } => {
                let ExprKind::Member { object, name } = module.kind(callee) else { return false };
                let name = module.str(name);
                match name {
                    "parse" => module.call_type(at.expr).is_some_and(|ty| is_number_word(module, ty)),
                    "from_str" | "from" | "from_str_radix" => {
                        matches!(module.kind(object), ExprKind::Global(ty) if is_number_name(module.str(ty)))
                    }
                    _ if KEEPING.contains(&name) || gives_what_it_holds(name, args.len) => {
                        self.is_number(here(object), depth + 1)
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Is what stands at `steps` inside a value of that type a number? Wrappers of one are what they hold.
    fn is_number_type(&mut self, module: ModuleId, ty: TypeId, steps: &[Step], depth: u8) -> bool {
        let hir = self.program.module(module);
        if depth > MAX_DEPTH {
            return false;
        }
        match (hir.ty(ty), steps) {
            (Some(Type::Keyword(_)), []) => is_number_word(hir, ty),
            (Some(Type::Reference { root: TypeRoot::Global(name), args, .. }), [Step::Index(index), rest @ ..])
                if hir.str(*name) == "tuple" =>
            {
                let item = args.get(*index as usize).copied();
                item.is_some_and(|item| self.is_number_type(module, item, rest, depth + 1))
            }
            (Some(Type::Reference { args, .. }), _) if args.len() == 1 => {
                let inner = args[0];
                self.is_number_type(module, inner, steps, depth + 1)
            }
            (Some(Type::Reference { .. }), []) => self.is_written_like_number(module, ty),
            (Some(Type::Reference { .. }), [Step::Property(name), rest @ ..]) => {
                let name = hir.str(*name);
                let things = self.type_things(module, ty, 0);
                things.into_iter().any(|thing| {
                    let Thing::Instance(owner, class) = thing else { return false };
                    let of = self.program.module(owner);
                    let is_field = |kind: &MemberKind| matches!(kind, MemberKind::Field(_));
                    let field = of.class(class).members.iter().find(|it| of.str(it.name) == name && is_field(&it.kind));
                    field.is_some_and(|field| self.is_number_type(owner, field.annotation, rest, depth + 1))
                })
            }
            _ => false,
        }
    }

    /// A type of a library whose values have a fixed spelling, as a stack says (`uuid::Uuid`).
    pub(super) fn is_written_like_number(&mut self, module: ModuleId, ty: TypeId) -> bool {
        let things = self.type_things(module, ty, 0);
        things.into_iter().any(|thing| {
            let Thing::Path { path, .. } = thing else { return false };
            self.declared_origin(path, Origins::default()).is_some_and(|origins| origins.has(Origins::NUMERIC))
        })
    }
}

/// The type that a variable or parameter is declared with.
fn declared_type(module: &Module, expr: ExprId) -> Option<TypeId> {
    let ExprKind::Ident(symbol) = module.kind(expr) else { return None };
    match &module.symbol(symbol).definition {
        Definition::Parameter { annotation, steps, .. } | Definition::Variable { annotation, steps, .. } => {
            steps.is_empty().then_some(*annotation)
        }
        _ => None,
    }
}

fn is_number_word(module: &Module, ty: TypeId) -> bool {
    matches!(module.ty(ty), Some(Type::Keyword(name)) if is_number_name(module.str(*name)))
}

/// `u16`, `f64`, `bool`: a primitive that is no text.
fn is_number_name(name: &str) -> bool {
    let width = name.strip_prefix(['u', 'i', 'f']);
    name == "bool" || width.is_some_and(|width| matches!(width, "8" | "16" | "32" | "64" | "128" | "size"))
}
