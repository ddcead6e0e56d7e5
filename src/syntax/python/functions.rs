//! Functions, lambdas and classes.

use ruff_python_ast::{
    Comprehension, Decorator, Expr, ExprLambda, Parameter as AstParameter, Parameters, Stmt, StmtClassDef,
    StmtFunctionDef,
};
use ruff_text_size::{Ranged as _, TextRange};

use super::lower::Lower;
use super::scopes::{Bound, Scope, ScopeKind};
use crate::syntax::builder::Lowering as _;
use crate::syntax::error::narrow;
use crate::syntax::hir::*;

/// How a method is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    /// No method.
    Free,
    Instance,
    Class,
    Static,
}

/// The parts of a function that all its forms share.
struct Shape<'a> {
    range: TextRange,
    name: Option<Atom>,
    is_async: bool,
    parameters: Option<&'a Parameters>,
    returns: Option<&'a Expr>,
    decorators: Vec<ExprId>,
    expr: ExprId,
    class: ClassIdx,
    binding: Binding,
    bound: Bound<'a>,
}

impl Lower<'_> {
    pub(super) fn function_def(&mut self, it: &StmtFunctionDef) {
        let decorators = self.decorators(&it.decorator_list);
        let class = match self.scopes.last().map(|scope| scope.kind) {
            Some(ScopeKind::Class(class)) => class,
            _ => ClassIdx::NONE,
        };
        self.count_test(it);
        let binding = if class == ClassIdx::NONE { Binding::Free } else { binding_of(it) };
        // The place of a declaration is its name's, below the decorators.
        let range = TextRange::new(it.name.range().start(), it.range.end());
        let expr = self.at_root(Use::Init, |l| l.reserve(range));
        let shape = Shape {
            range,
            name: Some(self.atom(&it.name)),
            is_async: it.is_async,
            parameters: Some(&it.parameters),
            returns: it.returns.as_deref(),
            decorators: decorators.clone(),
            expr,
            class,
            binding,
            bound: Bound::of(&it.body),
        };
        let function = self.function_with(shape, |l| {
            l.current_function().statements = narrow(it.body.iter().filter(|s| !is_empty(s)).count());
            l.statements(&it.body);
        });
        self.set(expr, ExprKind::Function(function));
        self.define(&it.name, it.name.range(), Definition::Function(function));
        if let Some(class) = class.some() {
            self.method(class, function, it, binding, decorators);
        }
    }

    fn method(
        &mut self,
        class: ClassIdx,
        function: FunctionIdx,
        it: &StmtFunctionDef,
        binding: Binding,
        decorators: Vec<ExprId>,
    ) {
        let name = self.atom(&it.name);
        let entry = &mut self.builder.module.classes[class.0 as usize];
        if it.name.as_str() == "__init__" {
            entry.constructor = function;
            return;
        }
        let is_getter = it.decorator_list.iter().any(|d| matches!(decorator_name(d), "property" | "cached_property"));
        let kind = if is_getter { MemberKind::Getter(function) } else { MemberKind::Method(function) };
        let is_static = matches!(binding, Binding::Class | Binding::Static);
        entry.members.push(ClassMember { name, kind, is_static, annotation: TypeId::NONE, decorators });
    }

    pub(super) fn lambda(&mut self, it: &ExprLambda) -> ExprId {
        let id = self.reserve(it.range);
        let shape = Shape {
            range: it.range,
            name: None,
            is_async: false,
            parameters: it.parameters.as_deref(),
            returns: None,
            decorators: Vec::new(),
            expr: id,
            class: ClassIdx::NONE,
            binding: Binding::Free,
            bound: Bound::default(),
        };
        let function = self.function_with(shape, |l| {
            let value = l.at_root(Use::Return, |l| l.expr(&it.body));
            let current = l.current_function();
            current.returns.push(value);
            current.statements = 1;
        });
        self.set(id, ExprKind::Function(function));
        id
    }

    fn function_with(&mut self, shape: Shape<'_>, body: impl FnOnce(&mut Self)) -> FunctionIdx {
        let index = FunctionIdx(narrow(self.builder.module.functions.len()));
        let return_type = self.annotation(shape.returns);
        let defaults = self.defaults(shape.parameters);
        self.builder.module.functions.push(Function {
            name: shape.name,
            parent: self.builder.function,
            is_async: shape.is_async,
            class: shape.class,
            expr: shape.expr,
            return_type,
            decorators: shape.decorators,
            ..Function::new(shape.range.start().into(), shape.range.end().into())
        });
        let outer_function = std::mem::replace(&mut self.builder.function, index);
        let receiver_class = shape.class.some().unwrap_or(self.receiver_class);
        let outer_class = std::mem::replace(&mut self.receiver_class, receiver_class);
        let outer_context = self.enter(ContextKind::Function(index));
        self.builder.module.functions[index.0 as usize].context = self.builder.context;
        self.scopes.push(Scope::new(ScopeKind::Function));
        self.at_root(Use::Init, |l| {
            l.parameters(shape.parameters, index, shape.binding, &defaults);
            l.declare(&shape.bound);
            body(l);
        });
        self.scopes.pop();
        self.builder.context = outer_context;
        self.receiver_class = outer_class;
        self.builder.function = outer_function;
        index
    }

    /// Defaults and annotations are evaluated outside the function, in the order of the parameters.
    fn defaults(&mut self, parameters: Option<&Parameters>) -> Vec<(ExprId, TypeId)> {
        let Some(parameters) = parameters else { return Vec::new() };
        let mut found = Vec::new();
        for parameter in parameters.iter() {
            let default = match parameter.default() {
                Some(default) => self.at_root(Use::Init, |l| l.expr(default)),
                None => ExprId::NONE,
            };
            found.push((default, self.annotation(parameter.annotation())));
        }
        found
    }

    /// A method's own parameter (`self`, `cls`) is the receiver and not counted.
    fn parameters(
        &mut self,
        parameters: Option<&Parameters>,
        function: FunctionIdx,
        binding: Binding,
        defaults: &[(ExprId, TypeId)],
    ) {
        let Some(parameters) = parameters else { return };
        let mut has_receiver = matches!(binding, Binding::Instance | Binding::Class);
        for (parameter, &(default, annotation)) in parameters.iter().zip(defaults) {
            let rest = parameter.is_variadic();
            let parameter: &AstParameter = parameter.as_parameter();
            if std::mem::take(&mut has_receiver) && !rest {
                let name = self.atom(&parameter.name);
                if let Some(scope) = self.scopes.last_mut() {
                    scope.receiver = Some(name);
                }
                continue;
            }
            let index = narrow(self.builder.module.function(function).parameters.len());
            let steps = if rest { vec![Step::Rest] } else { Vec::new() };
            let definition = Definition::Parameter { function, index, steps, default, annotation };
            let symbol = self.define(&parameter.name, parameter.name.range(), definition);
            let parameter = Parameter { symbol, annotation, decorators: Vec::new(), rest };
            self.builder.module.functions[function.0 as usize].parameters.push(parameter);
        }
    }

    fn decorators(&mut self, decorators: &[Decorator]) -> Vec<ExprId> {
        decorators.iter().map(|d| self.at_root(Use::Decorator, |l| l.expr(&d.expression))).collect()
    }

    pub(super) fn class_def(&mut self, it: &StmtClassDef) {
        let decorators = self.decorators(&it.decorator_list);
        let heritage = self.heritage(it);
        let index = ClassIdx(narrow(self.builder.module.classes.len()));
        let name = self.atom(&it.name);
        let range = TextRange::new(it.name.range().start(), it.range.end());
        let expr = self.at_root(Use::Field, |l| l.reserve(range));
        self.set(expr, ExprKind::Class(index));
        self.builder.module.class_exprs.push(expr);
        self.builder.module.classes.push(Class {
            name: Some(name),
            heritage,
            members: Vec::new(),
            constructor: FunctionIdx::NONE,
            parameter_properties: Vec::new(),
            assigned: Vec::new(),
            decorators,
            start: range.start().into(),
            end: range.end().into(),
        });
        let inner_of = match self.scopes.last().map(|scope| scope.kind) {
            Some(ScopeKind::Class(outer)) => outer,
            _ => ClassIdx::NONE,
        };
        self.define(&it.name, it.name.range(), Definition::Class(index));
        if let Some(outer) = inner_of.some() {
            self.inner_class(outer, expr, name);
        }
        let receiver_class = std::mem::replace(&mut self.receiver_class, index);
        self.scopes.push(Scope::new(ScopeKind::Class(index)));
        self.declare(&Bound::of(&it.body));
        self.statements(&it.body);
        self.scopes.pop();
        self.receiver_class = receiver_class;
    }

    /// `class Meta:` in a class is an attribute of it.
    fn inner_class(&mut self, outer: ClassIdx, value: ExprId, name: Atom) {
        let kind = MemberKind::Field(value);
        let member = ClassMember { name, kind, is_static: true, annotation: TypeId::NONE, decorators: Vec::new() };
        self.builder.module.classes[outer.0 as usize].members.push(member);
    }

    /// The one base, else an array of all bases, with the keyword arguments last.
    fn heritage(&mut self, it: &StmtClassDef) -> ExprId {
        let Some(arguments) = it.arguments.as_deref() else { return ExprId::NONE };
        self.at_root(Use::Heritage, |l| match (&*arguments.args, arguments.keywords.is_empty()) {
            ([], true) => ExprId::NONE,
            ([base], true) => l.expr(base),
            _ => {
                let id = l.reserve(arguments.range);
                let bases = l.under(id, |l| l.arguments(arguments));
                l.set(id, ExprKind::Array(bases));
                id
            }
        })
    }

    /// A comprehension is the collection of what it makes, in a loop over what it runs over.
    pub(super) fn comprehension(
        &mut self,
        range: TextRange,
        generators: &[Comprehension],
        element: &dyn Fn(&mut Self) -> ExprKind,
    ) -> ExprId {
        let id = self.reserve(range);
        let outer = self.builder.context;
        self.scopes.push(Scope::new(ScopeKind::Comprehension));
        let kind = self.under(id, |l| {
            for generator in generators {
                let over = l.expr(&generator.iter);
                let mut bound = Bound::default();
                bound.target(&generator.target, 0);
                l.declare(&bound);
                l.enter(ContextKind::Loop { over });
                l.bind(&generator.target, &mut Vec::new(), &|steps| Definition::Element {
                    of: over,
                    keys: false,
                    steps: steps.to_vec(),
                });
                for condition in &generator.ifs {
                    l.expr(condition);
                }
            }
            element(l)
        });
        self.scopes.pop();
        self.builder.context = outer;
        self.set(id, kind);
        id
    }

    /// pytest's functions and unittest's methods. https://docs.pytest.org/en/stable/explanation/goodpractices.html
    fn count_test(&mut self, it: &StmtFunctionDef) {
        if !it.name.starts_with("test") || self.builder.function != FunctionIdx(0) {
            return;
        }
        let is_skipped = it.decorator_list.iter().any(|d| decorator_name(d).starts_with("skip"));
        let stats = &mut self.builder.module.tests;
        *if is_skipped { &mut stats.skipped } else { &mut stats.cases } += 1;
    }
}

fn binding_of(it: &StmtFunctionDef) -> Binding {
    let named = |wanted: &str| it.decorator_list.iter().any(|d| decorator_name(d) == wanted);
    if named("staticmethod") {
        Binding::Static
    } else if named("classmethod") || matches!(it.name.as_str(), "__new__" | "__init_subclass__" | "__class_getitem__")
    {
        Binding::Class
    } else {
        Binding::Instance
    }
}

/// The last name of a decorator: `skip` of `@pytest.mark.skip(reason="…")`.
fn decorator_name(decorator: &Decorator) -> &str {
    let mut expr = &decorator.expression;
    if let Expr::Call(call) = expr {
        expr = &call.func;
    }
    match expr {
        Expr::Name(it) => it.id.as_str(),
        Expr::Attribute(it) => it.attr.as_str(),
        _ => "",
    }
}

/// Documentation, `pass`, `...`.
fn is_empty(statement: &Stmt) -> bool {
    match statement {
        Stmt::Pass(_) => true,
        Stmt::Expr(it) => matches!(&*it.value, Expr::StringLiteral(_) | Expr::EllipsisLiteral(_)),
        _ => false,
    }
}
