//! Functions, classes and the patterns that bind names.

use oxc_ast::ast::{
    ArrowFunctionExpression, BindingPattern, Class, ClassElement, Decorator, FormalParameters, FunctionBody,
    MethodDefinitionKind, TSTypeAnnotation,
};
use oxc_span::{GetSpan as _, Span};

use super::lower::Lower;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// The parts of a function that all its forms share.
struct Shape<'t, 'a> {
    span: Span,
    name: Option<Atom>,
    is_async: bool,
    params: &'t FormalParameters<'a>,
    returns: Option<&'t TSTypeAnnotation<'a>>,
    expr: ExprId,
    class: ClassIdx,
    is_arrow: bool,
}

impl Lower<'_> {
    /// Binds each name of a pattern; `make` gets the way to it and its default.
    pub(super) fn bind(
        &mut self,
        pattern: &BindingPattern<'_>,
        steps: &mut Vec<Step>,
        default: ExprId,
        make: &dyn Fn(&[Step], ExprId) -> Definition,
    ) {
        self.deeper(pattern.span(), |l| l.bind_pattern(pattern, steps, default, make));
    }

    fn bind_pattern(
        &mut self,
        pattern: &BindingPattern<'_>,
        steps: &mut Vec<Step>,
        default: ExprId,
        make: &dyn Fn(&[Step], ExprId) -> Definition,
    ) {
        match pattern {
            BindingPattern::BindingIdentifier(it) => self.define(it.symbol_id.get(), make(steps, default)),
            BindingPattern::AssignmentPattern(it) => {
                let default = self.at_root(Use::Init, |l| l.expr(&it.right));
                self.bind(&it.left, steps, default, make);
            }
            BindingPattern::ObjectPattern(it) => {
                for property in &it.properties {
                    let Some(name) = self.key(&property.key, property.computed) else { continue };
                    steps.push(Step::Property(name));
                    self.bind(&property.value, steps, ExprId::NONE, make);
                    steps.pop();
                }
                if let Some(rest) = &it.rest {
                    steps.push(Step::Rest);
                    self.bind(&rest.argument, steps, ExprId::NONE, make);
                    steps.pop();
                }
            }
            BindingPattern::ArrayPattern(it) => {
                for (index, element) in it.elements.iter().enumerate() {
                    let Some(element) = element else { continue };
                    steps.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                    self.bind(element, steps, ExprId::NONE, make);
                    steps.pop();
                }
                if let Some(rest) = &it.rest {
                    steps.push(Step::Rest);
                    self.bind(&rest.argument, steps, ExprId::NONE, make);
                    steps.pop();
                }
            }
        }
    }

    pub(super) fn arrow(&mut self, it: &ArrowFunctionExpression<'_>) -> ExprId {
        let id = self.reserve(it.span);
        let shape = Shape {
            span: it.span,
            name: None,
            is_async: it.r#async,
            params: &it.params,
            returns: it.return_type.as_deref(),
            expr: id,
            // An arrow keeps the `this` of where it stands.
            class: self.class,
            is_arrow: true,
        };
        let function = self.function_with(shape, |l| match &it.body {
            oxc_ast::ast::ArrowFunctionBody::FunctionBody(body) => l.body(body),
            other => {
                if let Some(expression) = other.as_expression() {
                    let value = l.at_root(Use::Return, |l| l.expr(expression));
                    let current = l.current_function();
                    current.returns.push(value);
                    current.statements = 1;
                }
            }
        });
        self.set(id, ExprKind::Function(function));
        id
    }

    pub(super) fn function_expression(&mut self, it: &oxc_ast::ast::Function<'_>) -> ExprId {
        let id = self.reserve(it.span);
        let function = self.function_node(it, id, ClassIdx::NONE);
        self.set(id, ExprKind::Function(function));
        id
    }

    pub(super) fn function_node(
        &mut self,
        it: &oxc_ast::ast::Function<'_>,
        expr: ExprId,
        class: ClassIdx,
    ) -> FunctionIdx {
        let name = it.id.as_ref().map(|id| self.atom(&id.name));
        let shape = Shape {
            span: it.span,
            name,
            is_async: it.r#async,
            params: &it.params,
            returns: it.return_type.as_deref(),
            expr,
            class,
            is_arrow: false,
        };
        let function = self.function_with(shape, |l| {
            if let Some(body) = &it.body {
                l.body(body);
            }
        });
        if let Some(id) = &it.id
            && it.body.is_some()
        {
            self.define(id.symbol_id.get(), Definition::Function(function));
        }
        function
    }

    fn body(&mut self, body: &FunctionBody<'_>) {
        let directives: Vec<Atom> = body.directives.iter().map(|d| self.atom(&d.directive)).collect();
        let current = self.current_function();
        current.directives = directives;
        current.statements = u32::try_from(body.statements.len()).unwrap_or(u32::MAX);
        self.statements(&body.statements);
    }

    fn function_with(&mut self, shape: Shape<'_, '_>, body: impl FnOnce(&mut Self)) -> FunctionIdx {
        let index = FunctionIdx(u32::try_from(self.builder.module.functions.len()).unwrap_or(u32::MAX - 1));
        let return_type = self.annotation(shape.returns);
        self.builder.module.functions.push(Function {
            name: shape.name,
            parent: self.builder.function,
            is_async: shape.is_async,
            class: shape.class,
            expr: shape.expr,
            return_type,
            ..Function::new(shape.span.start, shape.span.end)
        });
        let outer_function = std::mem::replace(&mut self.builder.function, index);
        let outer_class = std::mem::replace(&mut self.class, shape.class);
        let this_function = if shape.is_arrow { self.this_function } else { index };
        let outer_this = std::mem::replace(&mut self.this_function, this_function);
        let outer_context = self.enter(ContextKind::Function(index));
        self.builder.module.functions[index.0 as usize].context = self.builder.context;
        self.at_root(Use::Init, |l| {
            l.parameters(shape.params, index);
            body(l);
        });
        self.builder.context = outer_context;
        self.this_function = outer_this;
        self.class = outer_class;
        self.builder.function = outer_function;
        index
    }

    fn parameters(&mut self, params: &FormalParameters<'_>, function: FunctionIdx) {
        for (index, item) in params.items.iter().enumerate() {
            let annotation = self.annotation(item.type_annotation.as_deref());
            let decorators = self.decorators(&item.decorators);
            let default = match &item.initializer {
                Some(init) => self.at_root(Use::Init, |l| l.expr(init)),
                None => ExprId::NONE,
            };
            self.parameter(&item.pattern, function, index, default, annotation, decorators, false);
            if item.accessibility.is_some() || item.readonly {
                let name = item.pattern.get_identifier_name().map(|n| self.atom(&n));
                if let (Some(name), Some(class)) = (name, self.class.some()) {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    self.builder.module.classes[class.0 as usize].parameter_properties.push((name, index));
                }
            }
        }
        if let Some(rest) = &params.rest {
            let annotation = self.annotation(rest.type_annotation.as_deref());
            let index = params.items.len();
            self.parameter(&rest.rest.argument, function, index, ExprId::NONE, annotation, Vec::new(), true);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one parameter has this many sides")]
    fn parameter(
        &mut self,
        pattern: &BindingPattern<'_>,
        function: FunctionIdx,
        index: usize,
        default: ExprId,
        annotation: TypeId,
        decorators: Vec<ExprId>,
        rest: bool,
    ) {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let mut steps = if rest { vec![Step::Rest] } else { Vec::new() };
        self.bind(pattern, &mut steps, default, &|steps, default| Definition::Parameter {
            function,
            index,
            steps: steps.to_vec(),
            default,
            annotation,
        });
        let symbol = match pattern {
            BindingPattern::BindingIdentifier(it) => it.symbol_id.get().map_or(SymbolIdx::NONE, super::lower::index_of),
            _ => SymbolIdx::NONE,
        };
        self.builder.module.functions[function.0 as usize].parameters.push(Parameter {
            symbol,
            annotation,
            decorators,
            rest,
        });
    }

    pub(super) fn decorators(&mut self, decorators: &[Decorator<'_>]) -> Vec<ExprId> {
        decorators.iter().map(|d| self.at_root(Use::Decorator, |l| l.expr(&d.expression))).collect()
    }

    pub(super) fn class(&mut self, it: &Class<'_>) -> ClassIdx {
        let index = ClassIdx(u32::try_from(self.builder.module.classes.len()).unwrap_or(u32::MAX - 1));
        let name = it.id.as_ref().map(|id| self.atom(&id.name));
        let decorators = self.decorators(&it.decorators);
        let heritage = match &it.heritage {
            Some(heritage) => self.at_root(Use::Heritage, |l| l.expr(&heritage.expression)),
            None => ExprId::NONE,
        };
        self.builder.module.classes.push(crate::syntax::hir::Class {
            name,
            heritage,
            members: Vec::new(),
            constructor: FunctionIdx::NONE,
            parameter_properties: Vec::new(),
            assigned: Vec::new(),
            decorators,
            start: it.span.start,
            end: it.span.end,
        });
        if let Some(id) = &it.id {
            self.define(id.symbol_id.get(), Definition::Class(index));
        }
        let outer = std::mem::replace(&mut self.class, index);
        for element in &it.body.body {
            self.class_element(element, index);
        }
        self.class = outer;
        index
    }

    fn class_element(&mut self, element: &ClassElement<'_>, class: ClassIdx) {
        match element {
            ClassElement::MethodDefinition(it) => {
                let decorators = self.decorators(&it.decorators);
                let Some(name) = self.key(&it.key, it.computed) else { return };
                if it.value.body.is_none() {
                    return;
                }
                let function = self.function_node(&it.value, ExprId::NONE, class);
                self.builder.module.functions[function.0 as usize].name.get_or_insert(name);
                let entry = &mut self.builder.module.classes[class.0 as usize];
                if it.kind == MethodDefinitionKind::Constructor {
                    entry.constructor = function;
                    return;
                }
                let kind = match it.kind {
                    MethodDefinitionKind::Get => MemberKind::Getter(function),
                    _ => MemberKind::Method(function),
                };
                entry.members.push(ClassMember {
                    name,
                    kind,
                    is_static: it.r#static,
                    annotation: TypeId::NONE,
                    decorators,
                });
            }
            ClassElement::PropertyDefinition(it) => {
                let decorators = self.decorators(&it.decorators);
                let Some(name) = self.key(&it.key, it.computed) else { return };
                let annotation = self.annotation(it.type_annotation.as_deref());
                let value = match &it.value {
                    Some(value) => self.at_root(Use::Field, |l| l.expr(value)),
                    None => ExprId::NONE,
                };
                let text = self.builder.module.str(name).to_owned();
                self.name_function(value, Some(&text));
                self.builder.module.classes[class.0 as usize].members.push(ClassMember {
                    name,
                    kind: MemberKind::Field(value),
                    is_static: it.r#static,
                    annotation,
                    decorators,
                });
            }
            ClassElement::StaticBlock(it) => self.statements(&it.body),
            ClassElement::AccessorProperty(_) | ClassElement::TSIndexSignature(_) => {}
        }
    }
}
