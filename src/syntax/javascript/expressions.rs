//! Expressions.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, AssignmentTarget, AssignmentTargetMaybeDefault, AssignmentTargetProperty,
    CallExpression, ChainElement, Expression, JSXAttributeItem, JSXAttributeValue, JSXChild, JSXElement,
    MemberExpression, ObjectExpression, ObjectPropertyKind, PropertyKey, PropertyKind, SimpleAssignmentTarget,
    TemplateLiteral,
};
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};

use super::lower::Lower;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower<'_> {
    pub(super) fn expr(&mut self, expression: &Expression<'_>) -> ExprId {
        let span = expression.span();
        self.deeper(span, |l| l.lower_expr(expression)).unwrap_or_else(|| self.other(span))
    }

    fn lower_expr(&mut self, expression: &Expression<'_>) -> ExprId {
        match expression {
            Expression::ParenthesizedExpression(it) => self.expr(&it.expression),
            Expression::TSAsExpression(it) => self.expr(&it.expression),
            Expression::TSSatisfiesExpression(it) => self.expr(&it.expression),
            Expression::TSTypeAssertion(it) => self.expr(&it.expression),
            Expression::TSNonNullExpression(it) => self.expr(&it.expression),
            Expression::TSInstantiationExpression(it) => self.expr(&it.expression),
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::CallExpression(call) => self.call(call),
                ChainElement::TSNonNullExpression(inner) => self.expr(&inner.expression),
                other => match other.as_member_expression() {
                    Some(member) => self.member(member),
                    None => self.other(it.span),
                },
            },
            Expression::CallExpression(it) => self.call(it),
            Expression::ArrowFunctionExpression(it) => self.arrow(it),
            Expression::FunctionExpression(it) => self.function_expression(it),
            Expression::ClassExpression(it) => {
                let id = self.reserve(it.span);
                let class = self.under(id, |l| l.class(it));
                self.set(id, ExprKind::Class(class));
                id
            }
            Expression::JSXElement(it) => self.jsx(it.span, |l, out| l.jsx_element(it, out)),
            Expression::JSXFragment(it) => self.jsx(it.span, |l, out| l.jsx_children(&it.children, out)),
            other => match other.as_member_expression() {
                Some(member) => self.member(member),
                None => self.simple(other),
            },
        }
    }

    fn other(&mut self, span: Span) -> ExprId {
        self.reserve(span)
    }

    fn simple(&mut self, expression: &Expression<'_>) -> ExprId {
        let id = self.reserve(expression.span());
        let kind = self.under(id, |l| l.kind_of(expression, id));
        self.set(id, kind);
        id
    }

    fn kind_of(&mut self, expression: &Expression<'_>, id: ExprId) -> ExprKind {
        match expression {
            Expression::BooleanLiteral(it) => ExprKind::Bool(it.value),
            Expression::NullLiteral(_) => ExprKind::Null,
            Expression::NumericLiteral(it) => self.number(it.value),
            Expression::StringLiteral(it) => ExprKind::Str(self.atom(&it.value)),
            Expression::RegExpLiteral(it) => ExprKind::Regex(self.atom(&it.regex.pattern.text)),
            Expression::TemplateLiteral(it) => self.template(it),
            Expression::Identifier(it) => self.identifier(&it.name, it.reference_id.get(), Some(id)),
            Expression::ThisExpression(_) => ExprKind::This,
            Expression::ArrayExpression(it) => self.array(&it.elements),
            Expression::ObjectExpression(it) => self.object(it),
            Expression::AssignmentExpression(it) => {
                let target = self.target(&it.left);
                let value = self.expr(&it.right);
                self.assignment(target, value, it.operator)
            }
            Expression::AwaitExpression(it) => ExprKind::Await(self.expr(&it.argument)),
            Expression::YieldExpression(it) => match &it.argument {
                Some(argument) => ExprKind::Await(self.expr(argument)),
                None => ExprKind::Undefined,
            },
            Expression::BinaryExpression(it) => {
                let left = self.expr(&it.left);
                let right = self.expr(&it.right);
                ExprKind::Binary { op: binary(it.operator), left, right }
            }
            Expression::LogicalExpression(it) => {
                let op = match it.operator {
                    LogicalOperator::And => LogicalOp::And,
                    LogicalOperator::Or => LogicalOp::Or,
                    LogicalOperator::Coalesce => LogicalOp::Nullish,
                };
                let left = self.expr(&it.left);
                let right = self.expr(&it.right);
                ExprKind::Logical { op, left, right }
            }
            Expression::ConditionalExpression(it) => {
                let test = self.expr(&it.test);
                let yes = self.expr(&it.consequent);
                let no = self.expr(&it.alternate);
                ExprKind::Conditional { test, branches: self.list(&[yes, no]) }
            }
            Expression::NewExpression(it) => {
                let callee = self.expr(&it.callee);
                let args = self.arguments(&it.arguments);
                ExprKind::New { callee, args }
            }
            Expression::SequenceExpression(it) => {
                let items: Vec<ExprId> = it.expressions.iter().map(|e| self.expr(e)).collect();
                ExprKind::Sequence(self.list(&items))
            }
            Expression::TaggedTemplateExpression(it) => {
                let tag = self.expr(&it.tag);
                let template = self.reserve(it.quasi.span);
                let kind = self.under(template, |l| l.template(&it.quasi));
                self.set(template, kind);
                ExprKind::Tagged { tag, template }
            }
            Expression::UnaryExpression(it) => {
                let argument = self.expr(&it.argument);
                match it.operator {
                    UnaryOperator::LogicalNot => ExprKind::Not(argument),
                    UnaryOperator::Delete => ExprKind::Delete(argument),
                    UnaryOperator::UnaryNegation => match self.builder.module.kind(argument) {
                        ExprKind::Num(index) => self.number(-self.builder.module.numbers[index as usize]),
                        _ => ExprKind::Unary(argument),
                    },
                    _ => ExprKind::Unary(argument),
                }
            }
            Expression::UpdateExpression(it) => match self.simple_target(&it.argument) {
                Some(target) => ExprKind::Unary(target),
                None => ExprKind::Other,
            },
            Expression::ImportExpression(it) => match &it.source {
                Expression::StringLiteral(source) => ExprKind::Import(self.source(&source.value, it.span, false, true)),
                other => ExprKind::Unary(self.expr(other)),
            },
            _ => ExprKind::Other,
        }
    }

    pub(super) fn identifier(
        &mut self,
        name: &str,
        reference: Option<oxc_syntax::reference::ReferenceId>,
        read_by: Option<ExprId>,
    ) -> ExprKind {
        match self.symbol_of(reference) {
            Some(symbol) => {
                if let (Some(id), Some(entry)) = (read_by, self.builder.module.symbols.get_mut(symbol.0 as usize)) {
                    entry.reads.push(id);
                }
                ExprKind::Ident(symbol)
            }
            None if name == "undefined" => ExprKind::Undefined,
            None => ExprKind::Global(self.atom(name)),
        }
    }

    fn template(&mut self, it: &TemplateLiteral<'_>) -> ExprKind {
        let quasis: Vec<Atom> =
            it.quasis.iter().map(|q| self.atom(q.value.cooked.as_ref().unwrap_or(&q.value.raw))).collect();
        let exprs: Vec<ExprId> = it.expressions.iter().map(|e| self.expr(e)).collect();
        let quasis = self.atoms(&quasis);
        let exprs = self.list(&exprs).start;
        ExprKind::Template { quasis, exprs }
    }

    fn array(&mut self, elements: &[ArrayExpressionElement<'_>]) -> ExprKind {
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let id = match element {
                ArrayExpressionElement::SpreadElement(it) => self.spread(&it.argument, it.span),
                ArrayExpressionElement::Elision(it) => self.other(it.span),
                other => match other.as_expression() {
                    Some(expression) => self.expr(expression),
                    None => continue,
                },
            };
            items.push(id);
        }
        ExprKind::Array(self.list(&items))
    }

    fn spread(&mut self, argument: &Expression<'_>, span: Span) -> ExprId {
        let id = self.reserve(span);
        let inner = self.under(id, |l| l.expr(argument));
        self.set(id, ExprKind::Spread(inner));
        id
    }

    fn object(&mut self, it: &ObjectExpression<'_>) -> ExprKind {
        let mut props = Vec::with_capacity(it.properties.len());
        for property in &it.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expr(&spread.argument);
                    props.push(Prop { key: None, value, kind: PropKind::Spread });
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let name = self.key(&property.key, property.computed);
                    let value = self.expr(&property.value);
                    if let Some(atom) = name {
                        let text = self.builder.module.str(atom).to_owned();
                        self.name_function(value, Some(&text));
                    }
                    let kind = match (name, property.kind) {
                        (None, _) => PropKind::Computed,
                        (_, PropertyKind::Get) => PropKind::Getter,
                        _ => PropKind::Value,
                    };
                    props.push(Prop { key: name, value, kind });
                }
            }
        }
        ExprKind::Object(self.props(props))
    }

    /// The constant name of a key; a computed one is evaluated and has none.
    pub(super) fn key(&mut self, key: &PropertyKey<'_>, computed: bool) -> Option<Atom> {
        if let Some(name) = key.static_name() {
            return Some(self.atom(&name));
        }
        if let PropertyKey::PrivateIdentifier(it) = key {
            let name = format!("#{}", it.name);
            return Some(self.atom(&name));
        }
        if computed && let Some(expression) = key.as_expression() {
            self.expr(expression);
        }
        None
    }

    fn member(&mut self, member: &MemberExpression<'_>) -> ExprId {
        let id = self.reserve(member.span());
        let kind = self.under(id, |l| match member {
            MemberExpression::StaticMemberExpression(it) => {
                let object = l.expr(&it.object);
                ExprKind::Member { object, name: l.atom(&it.property.name) }
            }
            MemberExpression::PrivateFieldExpression(it) => {
                let object = l.expr(&it.object);
                let name = format!("#{}", it.field.name);
                ExprKind::Member { object, name: l.atom(&name) }
            }
            MemberExpression::ComputedMemberExpression(it) => {
                let object = l.expr(&it.object);
                if let Expression::StringLiteral(text) = &it.expression {
                    return ExprKind::Member { object, name: l.atom(&text.value) };
                }
                let index = l.expr(&it.expression);
                ExprKind::Index { object, index }
            }
        });
        self.set(id, kind);
        id
    }

    fn call(&mut self, it: &CallExpression<'_>) -> ExprId {
        let id = self.reserve(it.span);
        if let (Expression::Identifier(callee), [Argument::StringLiteral(source)]) =
            (&it.callee, it.arguments.as_slice())
            && callee.name == "require"
            && self.symbol_of(callee.reference_id.get()).is_none()
        {
            let source = self.source(&source.value, it.span, false, false);
            self.set(id, ExprKind::Require(source));
            return id;
        }
        let kind = self.under(id, |l| {
            let callee = l.expr(&it.callee);
            let args = l.arguments(&it.arguments);
            ExprKind::Call { callee, args }
        });
        self.set(id, kind);
        self.count_tests(it);
        id
    }

    fn count_tests(&mut self, it: &CallExpression<'_>) {
        let name = match &it.callee {
            Expression::Identifier(name) => name.name.as_str(),
            Expression::StaticMemberExpression(member) => match &member.object {
                Expression::Identifier(object) => match (object.name.as_str(), member.property.name.as_str()) {
                    ("it" | "test", "skip" | "todo") | ("describe", "skip") => {
                        self.builder.module.tests.skipped += 1;
                        return;
                    }
                    ("it" | "test", _) => "test",
                    ("assert" | "expect" | "chai" | "sinon" | "t" | "cy", _) => "expect",
                    _ => return,
                },
                _ if member.property.name == "expect" => "expect",
                _ => return,
            },
            _ => return,
        };
        match name {
            "it" | "test" | "specify" => self.builder.module.tests.cases += 1,
            "xit" | "xtest" => self.builder.module.tests.skipped += 1,
            "expect" | "assert" => self.builder.module.tests.assertions += 1,
            _ => {}
        }
    }

    fn arguments(&mut self, arguments: &[Argument<'_>]) -> Run {
        let mut items = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let id = match argument {
                Argument::SpreadElement(it) => self.spread(&it.argument, it.span),
                other => match other.as_expression() {
                    Some(expression) => self.expr(expression),
                    None => continue,
                },
            };
            items.push(id);
        }
        self.list(&items)
    }

    fn assignment(&mut self, target: ExprId, value: ExprId, operator: AssignmentOperator) -> ExprKind {
        let op = match operator {
            AssignmentOperator::Assign => AssignOp::Plain,
            AssignmentOperator::Addition => AssignOp::Add,
            AssignmentOperator::LogicalOr | AssignmentOperator::LogicalNullish => AssignOp::Or,
            _ => AssignOp::Other,
        };
        match self.builder.module.kind(target) {
            ExprKind::Ident(symbol) => {
                let name = self.builder.module.str(self.builder.module.symbol(symbol).name).to_owned();
                self.name_function(value, Some(&name));
                self.builder.module.symbols[symbol.0 as usize].assigned.push(value);
            }
            ExprKind::Member { object, name } => {
                let text = self.builder.module.str(name).to_owned();
                self.name_function(value, Some(&text));
                if self.builder.module.kind(object) == ExprKind::This {
                    match self.class.some() {
                        Some(class) => self.builder.module.classes[class.0 as usize].assigned.push((name, value)),
                        None => {
                            self.builder.module.functions[self.this_function.0 as usize].assigned.push((name, value))
                        }
                    }
                }
                self.commonjs_export(object, name, value);
            }
            _ => {}
        }
        ExprKind::Assign { target, value, op }
    }

    fn target(&mut self, target: &AssignmentTarget<'_>) -> ExprId {
        if let Some(simple) = target.as_simple_assignment_target() {
            return self.simple_target(simple).unwrap_or_else(|| self.other(target.span()));
        }
        let id = self.reserve(target.span());
        self.deeper(target.span(), |l| l.under(id, |l| l.pattern_targets(target)));
        id
    }

    /// The targets of `[a, b.c] = …` and `({ a, b: c } = …)`: assigned something that is not followed.
    fn pattern_targets(&mut self, target: &AssignmentTarget<'_>) {
        let mut parts: Vec<&AssignmentTarget<'_>> = Vec::new();
        match target {
            AssignmentTarget::ArrayAssignmentTarget(it) => {
                parts.extend(it.elements.iter().flatten().filter_map(target_of));
            }
            AssignmentTarget::ObjectAssignmentTarget(it) => {
                for property in &it.properties {
                    match property {
                        AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(it) => {
                            let id = self.reserve(it.span);
                            if let Some(symbol) = self.symbol_of(it.binding.reference_id.get()) {
                                self.builder.module.symbols[symbol.0 as usize].assigned.push(id);
                            }
                        }
                        AssignmentTargetProperty::AssignmentTargetPropertyProperty(it) => {
                            parts.extend(target_of(&it.binding));
                        }
                    }
                }
            }
            _ => {}
        }
        for part in parts {
            let id = self.target(part);
            if let ExprKind::Ident(symbol) = self.builder.module.kind(id) {
                let unknown = self.other(part.span());
                self.builder.module.symbols[symbol.0 as usize].assigned.push(unknown);
            }
        }
    }

    fn simple_target(&mut self, target: &SimpleAssignmentTarget<'_>) -> Option<ExprId> {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(it) => {
                let id = self.reserve(it.span);
                let kind = self.identifier(&it.name, it.reference_id.get(), None);
                self.set(id, kind);
                Some(id)
            }
            SimpleAssignmentTarget::TSAsExpression(it) => Some(self.expr(&it.expression)),
            SimpleAssignmentTarget::TSNonNullExpression(it) => Some(self.expr(&it.expression)),
            SimpleAssignmentTarget::TSSatisfiesExpression(it) => Some(self.expr(&it.expression)),
            SimpleAssignmentTarget::TSTypeAssertion(it) => Some(self.expr(&it.expression)),
            other => other.as_member_expression().map(|member| self.member(member)),
        }
    }

    fn jsx(&mut self, span: Span, fill: impl FnOnce(&mut Self, &mut Vec<ExprId>)) -> ExprId {
        let id = self.reserve(span);
        let mut items = Vec::new();
        self.under(id, |l| fill(l, &mut items));
        let run = self.list(&items);
        self.set(id, ExprKind::Jsx(run));
        id
    }

    fn jsx_element(&mut self, element: &JSXElement<'_>, out: &mut Vec<ExprId>) {
        if let Some(name) = element.opening_element.name.get_identifier() {
            let id = self.reserve(name.span);
            let kind = self.identifier(&name.name, name.reference_id.get(), Some(id));
            self.set(id, kind);
            out.push(id);
        }
        for attribute in &element.opening_element.attributes {
            match attribute {
                JSXAttributeItem::SpreadAttribute(it) => out.push(self.expr(&it.argument)),
                JSXAttributeItem::Attribute(it) => {
                    if let Some(JSXAttributeValue::ExpressionContainer(container)) = &it.value
                        && let Some(expression) = container.expression.as_expression()
                    {
                        out.push(self.expr(expression));
                    }
                }
            }
        }
        self.jsx_children(&element.children, out);
    }

    fn jsx_children(&mut self, children: &[JSXChild<'_>], out: &mut Vec<ExprId>) {
        for child in children {
            match child {
                JSXChild::Element(it) => {
                    self.deeper(it.span, |l| l.jsx_element(it, out));
                }
                JSXChild::Fragment(it) => {
                    self.deeper(it.span, |l| l.jsx_children(&it.children, out));
                }
                JSXChild::ExpressionContainer(it) => {
                    if let Some(expression) = it.expression.as_expression() {
                        out.push(self.expr(expression));
                    }
                }
                JSXChild::Spread(it) => out.push(self.expr(&it.expression)),
                JSXChild::Text(_) => {}
            }
        }
    }
}

fn target_of<'t, 'a>(target: &'t AssignmentTargetMaybeDefault<'a>) -> Option<&'t AssignmentTarget<'a>> {
    match target {
        AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(it) => Some(&it.binding),
        other => other.as_assignment_target(),
    }
}

fn binary(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Addition => BinaryOp::Add,
        BinaryOperator::Multiplication => BinaryOp::Multiply,
        BinaryOperator::Equality | BinaryOperator::StrictEquality => BinaryOp::Equal,
        BinaryOperator::Inequality | BinaryOperator::StrictInequality => BinaryOp::NotEqual,
        BinaryOperator::LessThan
        | BinaryOperator::LessEqualThan
        | BinaryOperator::GreaterThan
        | BinaryOperator::GreaterEqualThan => BinaryOp::Compare,
        BinaryOperator::In => BinaryOp::In,
        BinaryOperator::Instanceof => BinaryOp::Instanceof,
        _ => BinaryOp::Other,
    }
}
