//! What binds names: assignments, targets of loops, patterns of `match`.

use ruff_python_ast::{Expr, Operator, Pattern, StmtAnnAssign, StmtAugAssign};
use ruff_text_size::Ranged as _;

use super::lower::Lower;
use super::scopes::ScopeKind;
use super::statements::variable;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower<'_> {
    /// `a = b = value`
    pub(super) fn assign(&mut self, targets: &[Expr], value: &Expr, annotation: TypeId) {
        if let [target] = targets {
            if let (Some(parts), Some(values)) = (elements(target), elements(value))
                && parts.len() == values.len()
                && !parts.iter().chain(values).any(|part| matches!(part, Expr::Starred(_)))
            {
                for (part, value) in parts.iter().zip(values) {
                    self.assign_one(part, value, TypeId::NONE);
                }
                return;
            }
            return self.assign_one(target, value, annotation);
        }
        let value = self.at_root(Use::Init, |l| l.expr(value));
        for target in targets {
            self.bind(target, &mut Vec::new(), &|steps| variable(value, steps, annotation));
        }
    }

    fn assign_one(&mut self, target: &Expr, value: &Expr, annotation: TypeId) {
        let is_foreign = match target {
            Expr::Name(name) => self.is_foreign(name.id.as_str()),
            Expr::Attribute(_) | Expr::Subscript(_) => true,
            _ => false,
        };
        if is_foreign {
            self.assignment(target, value, AssignOp::Plain);
            return;
        }
        let init = self.at_root(Use::Init, |l| l.expr(value));
        if let Expr::Name(name) = target {
            self.name_value(init, name.id.as_str());
            self.note_alias(value, init);
        }
        self.bind(target, &mut Vec::new(), &|steps| variable(init, steps, annotation));
    }

    fn is_foreign(&mut self, name: &str) -> bool {
        let atom = self.atom(name);
        self.scopes.last().is_some_and(|scope| scope.foreign.contains(&atom))
    }

    /// An assignment that is an expression of its own: its target lives elsewhere.
    fn assignment(&mut self, target: &Expr, value: &Expr, op: AssignOp) {
        self.at_root(Use::Statement, |l| {
            let id = l.reserve(target.range().cover(value.range()));
            let (target, value) = l.under(id, |l| (l.assigned_target(target), l.expr(value)));
            l.finish_assignment(id, target, value, op);
        });
    }

    /// A target that is no read.
    fn assigned_target(&mut self, target: &Expr) -> ExprId {
        let Expr::Name(name) = target else { return self.expr(target) };
        let id = self.reserve(name.range);
        let atom = self.atom(name.id.as_str());
        let kind = match self.lookup(atom) {
            Some(super::lower::Name::Symbol(symbol)) => ExprKind::Ident(symbol),
            _ => ExprKind::Other,
        };
        self.set(id, kind);
        id
    }

    fn finish_assignment(&mut self, id: ExprId, target: ExprId, value: ExprId, op: AssignOp) {
        match self.builder.module.kind(target) {
            ExprKind::Ident(symbol) => {
                let range = self.range_of(target);
                let is_foreign = self.builder.module.symbol(symbol).function != self.builder.function;
                self.define_symbol(symbol, range, variable(value, &[], TypeId::NONE), is_foreign);
            }
            ExprKind::Member { object, name } if self.builder.module.kind(object) == ExprKind::This => {
                let text = self.builder.module.str(name).to_owned();
                self.name_value(value, &text);
                if let Some(class) = self.receiver_class.some() {
                    self.builder.module.classes[class.0 as usize].assigned.push((name, value));
                }
            }
            _ => {}
        }
        self.set(id, ExprKind::Assign { target, value, op });
    }

    fn range_of(&self, id: ExprId) -> ruff_text_size::TextRange {
        let expr = self.builder.module.expr(id);
        ruff_text_size::TextRange::new(expr.start.into(), expr.end.max(expr.start).into())
    }

    pub(super) fn augmented(&mut self, it: &StmtAugAssign) {
        let op = if it.op == Operator::Add { AssignOp::Add } else { AssignOp::Other };
        self.assignment(&it.target, &it.value, op);
    }

    /// `x: T = value`, `x: T`
    pub(super) fn annotated(&mut self, it: &StmtAnnAssign) {
        let annotation = self.annotation(Some(&it.annotation));
        if is_alias_marker(&it.annotation)
            && let Some(value) = &it.value
        {
            return self.assign_one(&it.target, value, TypeId::NONE);
        }
        match (&it.value, &*it.target) {
            (Some(value), target) => self.assign_one(target, value, annotation),
            (None, Expr::Name(_)) => {
                self.bind(&it.target, &mut Vec::new(), &|steps| variable(ExprId::NONE, steps, annotation));
            }
            // `self.x: T` declares a field.
            (None, Expr::Attribute(target)) => self.declare_field(target, annotation),
            _ => {}
        }
    }

    fn declare_field(&mut self, target: &ruff_python_ast::ExprAttribute, annotation: TypeId) {
        let Expr::Name(object) = &*target.value else { return };
        let object = self.atom(object.id.as_str());
        if self.lookup(object) != Some(super::lower::Name::Receiver) {
            return;
        }
        let name = self.atom(target.attr.as_str());
        if let Some(class) = self.builder.module.classes.get_mut(self.receiver_class.0 as usize) {
            let kind = MemberKind::Field(ExprId::NONE);
            class.members.push(ClassMember { name, kind, is_static: false, annotation, decorators: Vec::new() });
        }
    }

    /// Binds each name of a target; `make` gets the way to it.
    pub(super) fn bind(&mut self, target: &Expr, steps: &mut Vec<Step>, make: &dyn Fn(&[Step]) -> Definition) {
        self.deeper(target.range(), |l| l.bind_target(target, steps, make));
    }

    fn bind_target(&mut self, target: &Expr, steps: &mut Vec<Step>, make: &dyn Fn(&[Step]) -> Definition) {
        match target {
            Expr::Name(it) => self.bind_name(it, make(steps)),
            Expr::Tuple(it) => self.bind_parts(&it.elts, steps, make),
            Expr::List(it) => self.bind_parts(&it.elts, steps, make),
            Expr::Starred(it) => {
                steps.push(Step::Rest);
                self.bind(&it.value, steps, make);
                steps.pop();
            }
            other => self.bind_elsewhere(other, make(steps)),
        }
    }

    fn bind_parts(&mut self, parts: &[Expr], steps: &mut Vec<Step>, make: &dyn Fn(&[Step]) -> Definition) {
        for (index, part) in parts.iter().enumerate() {
            steps.push(Step::Index(crate::syntax::error::narrow(index)));
            self.bind(part, steps, make);
            steps.pop();
        }
    }

    fn bind_name(&mut self, it: &ruff_python_ast::ExprName, definition: Definition) {
        let field = match &definition {
            Definition::Variable { init, steps, annotation, .. } if steps.is_empty() => Some((*init, *annotation)),
            _ => None,
        };
        self.define(it.id.as_str(), it.range, definition);
        let class = match self.scopes.last().map(|scope| scope.kind) {
            Some(ScopeKind::Class(class)) => class,
            _ => return,
        };
        let (value, annotation) = field.unwrap_or((ExprId::NONE, TypeId::NONE));
        if let Some(expr) = self.builder.module.exprs.get_mut(value.0 as usize) {
            expr.role = Use::Field;
        }
        let name = self.atom(it.id.as_str());
        let kind = MemberKind::Field(value);
        let member = ClassMember { name, kind, is_static: true, annotation, decorators: Vec::new() };
        self.builder.module.classes[class.0 as usize].members.push(member);
    }

    /// A target with an object: `a.b = …`, `a[0] = …` as part of a larger pattern.
    fn bind_elsewhere(&mut self, target: &Expr, definition: Definition) {
        let whole = match definition {
            Definition::Variable { init, steps, .. } if steps.is_empty() => init,
            _ => ExprId::NONE,
        };
        self.at_root(Use::Statement, |l| {
            let id = l.reserve(target.range());
            let (target, value) = l.under(id, |l| {
                let lowered = l.expr(target);
                (lowered, whole.some().unwrap_or_else(|| l.reserve(target.range())))
            });
            l.finish_assignment(id, target, value, AssignOp::Plain);
        });
    }

    /// A pattern of `match`; a name that takes the whole subject is a variable with its value.
    pub(super) fn case_pattern(&mut self, pattern: &Pattern, subject: ExprId, is_whole: bool) {
        self.deeper(pattern.range(), |l| l.lower_pattern(pattern, subject, is_whole));
    }

    fn lower_pattern(&mut self, pattern: &Pattern, subject: ExprId, is_whole: bool) {
        let inner: Vec<&Pattern> = match pattern {
            Pattern::MatchValue(it) => {
                self.at_root(Use::Test, |l| l.expr(&it.value));
                return;
            }
            Pattern::MatchSingleton(_) => return,
            Pattern::MatchSequence(it) => it.patterns.iter().collect(),
            Pattern::MatchMapping(it) => {
                for key in &it.keys {
                    self.at_root(Use::Test, |l| l.expr(key));
                }
                self.capture(it.rest.as_ref(), ExprId::NONE);
                it.patterns.iter().collect()
            }
            Pattern::MatchClass(it) => {
                self.at_root(Use::Test, |l| l.expr(&it.cls));
                let keywords = it.arguments.keywords.iter().map(|keyword| &keyword.pattern);
                it.arguments.patterns.iter().chain(keywords).collect()
            }
            Pattern::MatchStar(it) => {
                self.capture(it.name.as_ref(), ExprId::NONE);
                return;
            }
            Pattern::MatchAs(it) => {
                self.capture(it.name.as_ref(), if is_whole { subject } else { ExprId::NONE });
                if let Some(inner) = &it.pattern {
                    self.case_pattern(inner, subject, is_whole);
                }
                return;
            }
            Pattern::MatchOr(it) => {
                for part in &it.patterns {
                    self.case_pattern(part, subject, is_whole);
                }
                return;
            }
        };
        for part in inner {
            self.case_pattern(part, subject, false);
        }
    }

    fn capture(&mut self, name: Option<&ruff_python_ast::Identifier>, value: ExprId) {
        let Some(name) = name else { return };
        let range = name.range();
        let value = value.some().unwrap_or_else(|| self.at_root(Use::Init, |l| l.reserve(range)));
        self.define(name, range, variable(value, &[], TypeId::NONE));
    }

    /// A lambda that is bound to a name has that name.
    pub(super) fn name_value(&mut self, value: ExprId, name: &str) {
        let Some(value) = value.some() else { return };
        if let ExprKind::Function(function) = self.builder.module.kind(value) {
            let atom = self.atom(name);
            self.builder.module.functions[function.0 as usize].name.get_or_insert(atom);
        }
    }
}

fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(it) => Some(&it.elts),
        Expr::List(it) => Some(&it.elts),
        _ => None,
    }
}

/// `Name: TypeAlias = …`
fn is_alias_marker(annotation: &Expr) -> bool {
    match annotation {
        Expr::Name(it) => it.id.as_str() == "TypeAlias",
        Expr::Attribute(it) => it.attr.as_str() == "TypeAlias",
        _ => false,
    }
}
