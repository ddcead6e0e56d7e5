//! Expressions.

use ruff_python_ast::{
    Arguments, BoolOp, CmpOp, Expr, ExprAttribute, ExprCall, ExprCompare, ExprSubscript, ExprUnaryOp, Keyword, Number,
    Operator, UnaryOp,
};
use ruff_text_size::{Ranged as _, TextRange};

use super::lower::Lower;
use super::scopes::ScopeKind;
use super::statements::variable;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower<'_> {
    pub(super) fn expr(&mut self, expression: &Expr) -> ExprId {
        let range = expression.range();
        self.deeper(range, |l| l.lower_expr(expression)).unwrap_or_else(|| self.reserve(range))
    }

    fn lower_expr(&mut self, expression: &Expr) -> ExprId {
        match expression {
            Expr::Lambda(it) => self.lambda(it),
            Expr::ListComp(it) => self.comprehension(it.range, &it.generators, &|l| l.collected(&it.elt)),
            Expr::SetComp(it) => self.comprehension(it.range, &it.generators, &|l| l.collected(&it.elt)),
            Expr::Generator(it) => self.comprehension(it.range, &it.generators, &|l| l.collected(&it.elt)),
            Expr::DictComp(it) => self.comprehension(it.range, &it.generators, &|l| {
                if let Some(key) = &it.key {
                    l.expr(key);
                }
                let value = l.expr(&it.value);
                ExprKind::Object(l.props(vec![Prop { key: None, value, kind: PropKind::Computed }]))
            }),
            other => {
                let id = self.reserve(other.range());
                let kind = self.under(id, |l| l.kind_of(other, id));
                self.set(id, kind);
                id
            }
        }
    }

    /// Any number of what the element of a comprehension is.
    fn collected(&mut self, element: &Expr) -> ExprKind {
        let id = self.reserve(element.range());
        let inner = self.under(id, |l| l.expr(element));
        self.set(id, ExprKind::Spread(inner));
        ExprKind::Array(self.list(&[id]))
    }

    fn kind_of(&mut self, expression: &Expr, id: ExprId) -> ExprKind {
        match expression {
            Expr::BooleanLiteral(it) => ExprKind::Bool(it.value),
            Expr::NoneLiteral(_) => ExprKind::Null,
            Expr::NumberLiteral(it) => self.number_literal(&it.value),
            Expr::StringLiteral(it) => {
                let text = it.value.to_str();
                self.module_in_text(text, it.range);
                ExprKind::Str(self.atom(text))
            }
            Expr::BytesLiteral(it) => {
                let bytes: Vec<u8> = it.value.bytes().collect();
                ExprKind::Str(self.atom(&String::from_utf8_lossy(&bytes)))
            }
            Expr::FString(it) => self.f_string(it),
            Expr::TString(it) => self.t_string(it),
            Expr::Name(it) => self.read(it.id.as_str(), id),
            Expr::Attribute(it) => self.attribute(it, id),
            Expr::Subscript(it) => self.subscript(it),
            Expr::Call(it) => self.call(it),
            Expr::List(it) => self.array(&it.elts),
            Expr::Tuple(it) => self.array(&it.elts),
            Expr::Set(it) => self.array(&it.elts),
            Expr::Dict(it) => {
                let props = it.items.iter().map(|item| self.prop(item.key.as_ref(), &item.value)).collect();
                ExprKind::Object(self.props(props))
            }
            Expr::Starred(it) => ExprKind::Spread(self.expr(&it.value)),
            Expr::Await(it) => ExprKind::Await(self.expr(&it.value)),
            Expr::Yield(it) => {
                let value = it.value.as_deref().map(|value| self.expr(value));
                self.yielded(id, value)
            }
            Expr::YieldFrom(it) => {
                let value = self.expr(&it.value);
                self.yielded(id, Some(value))
            }
            Expr::Named(it) => self.walrus(&it.target, &it.value),
            Expr::BoolOp(it) => self.bool_op(it.op, &it.values),
            Expr::BinOp(it) => {
                if it.op == Operator::Mod
                    && let Some(template) = self.percent_format(&it.left, &it.right)
                {
                    return template;
                }
                let left = self.expr(&it.left);
                let right = self.expr(&it.right);
                ExprKind::Binary { op: binary(it.op), left, right }
            }
            Expr::UnaryOp(it) => self.unary(it),
            Expr::Compare(it) => self.compare(it),
            Expr::If(it) => {
                let test = self.expr(&it.test);
                let (yes, no) = (self.expr(&it.body), self.expr(&it.orelse));
                ExprKind::Conditional { test, branches: self.list(&[yes, no]) }
            }
            Expr::Slice(it) => {
                for part in [&it.lower, &it.upper, &it.step].into_iter().flatten() {
                    self.expr(part);
                }
                ExprKind::Other
            }
            _ => ExprKind::Other,
        }
    }

    fn number_literal(&mut self, number: &Number) -> ExprKind {
        match number {
            Number::Int(value) => {
                let value = value.as_i64().map_or_else(|| value.to_string().parse().ok(), |small| Some(small as f64));
                value.map_or(ExprKind::Other, |value| self.number(value))
            }
            Number::Float(value) => self.number(*value),
            Number::Complex { .. } => ExprKind::Other,
        }
    }

    /// What a function yields is what its caller gets (a dependency, a context manager), so it counts as returned.
    fn yielded(&mut self, id: ExprId, value: Option<ExprId>) -> ExprKind {
        let function = self.builder.function;
        self.builder.module.yields.push((function, id));
        match value {
            Some(value) => {
                self.current_function().returns.push(value);
                ExprKind::Await(value)
            }
            None => ExprKind::Undefined,
        }
    }

    /// `(name := value)` binds in the function around, not in a comprehension.
    fn walrus(&mut self, target: &Expr, value: &Expr) -> ExprKind {
        let value = self.expr(value);
        let Expr::Name(name) = target else { return ExprKind::Await(value) };
        let inner = self.scopes.iter().rposition(|scope| scope.kind != ScopeKind::Comprehension).unwrap_or(0);
        let hidden = self.scopes.split_off(inner + 1);
        self.define(name.id.as_str(), name.range, variable(value, &[], TypeId::NONE));
        self.scopes.extend(hidden);
        ExprKind::Await(value)
    }

    /// `a or b or c` is `(a or b) or c`.
    fn bool_op(&mut self, op: BoolOp, values: &[Expr]) -> ExprKind {
        let op = if op == BoolOp::And { LogicalOp::And } else { LogicalOp::Or };
        let lowered: Vec<ExprId> = values.iter().map(|value| self.expr(value)).collect();
        self.chained(&lowered, |left, right| ExprKind::Logical { op, left, right })
    }

    /// Joins parts from the left; the parts learn their parents.
    fn chained(&mut self, parts: &[ExprId], join: impl Fn(ExprId, ExprId) -> ExprKind) -> ExprKind {
        let Some((&first, rest)) = parts.split_first() else { return ExprKind::Other };
        let mut left = first;
        for (index, &right) in rest.iter().enumerate() {
            if index + 1 == rest.len() {
                return join(left, right);
            }
            let node = self.reserve(self.covering(left, right));
            self.set(node, join(left, right));
            self.adopt(node, left);
            self.adopt(node, right);
            left = node;
        }
        ExprKind::Await(first)
    }

    fn covering(&self, left: ExprId, right: ExprId) -> TextRange {
        let (start, end) = (self.builder.module.expr(left).start, self.builder.module.expr(right).end);
        TextRange::new(start.into(), end.max(start).into())
    }

    fn adopt(&mut self, parent: ExprId, child: ExprId) {
        if let Some(expr) = self.builder.module.exprs.get_mut(child.0 as usize) {
            expr.parent = parent;
        }
    }

    /// `a < b < c` is `a < b and b < c`, with one `b`.
    fn compare(&mut self, it: &ExprCompare) -> ExprKind {
        let mut left = self.expr(&it.left);
        let mut parts: Vec<ExprId> = Vec::with_capacity(it.ops.len());
        for (op, right) in it.ops.iter().zip(&it.comparators) {
            let right = self.expr(right);
            let kind = self.comparison(*op, left, right);
            if it.ops.len() == 1 {
                return kind;
            }
            let node = self.reserve(self.covering(left, right));
            self.set(node, kind);
            self.adopt(node, left);
            self.adopt(node, right);
            parts.push(node);
            left = right;
        }
        self.chained(&parts, |left, right| ExprKind::Logical { op: LogicalOp::And, left, right })
    }

    fn comparison(&mut self, op: CmpOp, left: ExprId, right: ExprId) -> ExprKind {
        let op = match op {
            CmpOp::Eq | CmpOp::Is => BinaryOp::Equal,
            CmpOp::NotEq | CmpOp::IsNot => BinaryOp::NotEqual,
            CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE => BinaryOp::Compare,
            CmpOp::In => BinaryOp::In,
            CmpOp::NotIn => {
                let inner = self.reserve(self.covering(left, right));
                self.set(inner, ExprKind::Binary { op: BinaryOp::In, left, right });
                self.adopt(inner, left);
                self.adopt(inner, right);
                return ExprKind::Not(inner);
            }
        };
        ExprKind::Binary { op, left, right }
    }

    fn unary(&mut self, it: &ExprUnaryOp) -> ExprKind {
        let operand = self.expr(&it.operand);
        match (it.op, self.builder.module.kind(operand)) {
            (UnaryOp::Not, _) => ExprKind::Not(operand),
            (UnaryOp::USub, ExprKind::Num(index)) => {
                let value = self.builder.module.numbers.get(index as usize).copied().unwrap_or_default();
                self.number(-value)
            }
            _ => ExprKind::Unary(operand),
        }
    }

    fn array(&mut self, elements: &[Expr]) -> ExprKind {
        let items: Vec<ExprId> = elements.iter().map(|element| self.expr(element)).collect();
        ExprKind::Array(self.list(&items))
    }

    /// An entry of a dictionary; no key is a spread.
    fn prop(&mut self, key: Option<&Expr>, value: &Expr) -> Prop {
        let (name, kind) = match key {
            None => (None, PropKind::Spread),
            Some(Expr::StringLiteral(text)) => (Some(self.atom(text.value.to_str())), PropKind::Value),
            Some(key) => {
                self.expr(key);
                (None, PropKind::Computed)
            }
        };
        let value = self.expr(value);
        if let Some(name) = name {
            let text = self.builder.module.str(name).to_owned();
            self.name_value(value, &text);
        }
        Prop { key: name, value, kind }
    }

    fn attribute(&mut self, it: &ExprAttribute, id: ExprId) -> ExprKind {
        let object = self.expr(&it.value);
        let name = self.atom(&it.attr);
        if !self.dotted.is_empty()
            && let Some(symbol) = self.dotted_module(object, name)
        {
            if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) {
                entry.reads.push(id);
            }
            return ExprKind::Ident(symbol);
        }
        ExprKind::Member { object, name }
    }

    /// The module that `object.name` is after `import a.b.c`.
    fn dotted_module(&self, object: ExprId, name: Atom) -> Option<SymbolIdx> {
        let mut chain = vec![name];
        let mut next = object;
        let first = loop {
            match self.builder.module.kind(next) {
                ExprKind::Member { object, name } if chain.len() < 32 => {
                    chain.push(name);
                    next = object;
                }
                // The start of a longer one: `a.b` of `a.b.c`, both imported.
                ExprKind::Ident(symbol) => break symbol,
                _ => return None,
            }
        };
        let start = self.dotted.iter().find(|(_, symbol)| *symbol == first);
        let mut parts: Vec<Atom> = match start {
            Some((parts, _)) => parts.clone(),
            None => vec![self.builder.module.symbol(first).name],
        };
        parts.extend(chain.iter().rev());
        let is_import = matches!(self.builder.module.symbol(first).definition, Definition::Import { .. });
        let found = self.dotted.iter().find(|(path, _)| *path == parts);
        found.filter(|_| is_import).map(|(_, symbol)| *symbol)
    }

    /// `x["name"]` reads like a property; other subscripts are an index.
    fn subscript(&mut self, it: &ExprSubscript) -> ExprKind {
        let object = self.expr(&it.value);
        if let Expr::StringLiteral(text) = &*it.slice {
            return ExprKind::Member { object, name: self.atom(text.value.to_str()) };
        }
        let index = self.expr(&it.slice);
        ExprKind::Index { object, index }
    }

    fn call(&mut self, it: &ExprCall) -> ExprKind {
        if let Some(template) = self.str_format(it) {
            return template;
        }
        self.count_assertion(&it.func);
        let callee = self.expr(&it.func);
        let args = self.arguments(&it.arguments);
        ExprKind::Call { callee, args }
    }

    /// Positional arguments, then one object with the keyword arguments, if there are any.
    pub(super) fn arguments(&mut self, arguments: &Arguments) -> Run {
        let mut items: Vec<ExprId> = arguments.args.iter().map(|argument| self.expr(argument)).collect();
        if let (Some(first), Some(last)) = (arguments.keywords.first(), arguments.keywords.last()) {
            let range = first.range().cover(last.range());
            items.push(self.keywords(range, &arguments.keywords));
        }
        self.list(&items)
    }

    fn keywords(&mut self, range: TextRange, keywords: &[Keyword]) -> ExprId {
        let id = self.reserve(range);
        let props = self.under(id, |l| keywords.iter().map(|keyword| l.keyword(keyword)).collect());
        let run = self.props(props);
        self.set(id, ExprKind::Object(run));
        if let Some(expr) = self.builder.module.exprs.get_mut(id.0 as usize) {
            expr.role = Use::Keywords;
        }
        id
    }

    fn keyword(&mut self, keyword: &Keyword) -> Prop {
        let value = self.expr(&keyword.value);
        match &keyword.arg {
            Some(name) => {
                self.name_value(value, name);
                Prop { key: Some(self.atom(name)), value, kind: PropKind::Value }
            }
            None => Prop { key: None, value, kind: PropKind::Spread },
        }
    }

    /// `self.assertEqual(…)`, `mock.assert_called_once()`, `pytest.raises(…)`; `pytest.skip(…)`.
    fn count_assertion(&mut self, callee: &Expr) {
        let Expr::Attribute(it) = callee else { return };
        let of_pytest = matches!(&*it.value, Expr::Name(name) if name.id.as_str() == "pytest");
        match it.attr.as_str() {
            "raises" | "warns" if of_pytest => self.builder.module.tests.assertions += 1,
            "skip" if of_pytest => self.builder.module.tests.skipped += 1,
            "skipTest" => self.builder.module.tests.skipped += 1,
            name if name.starts_with("assert") => self.builder.module.tests.assertions += 1,
            _ => {}
        }
    }
}

fn binary(op: Operator) -> BinaryOp {
    match op {
        Operator::Add => BinaryOp::Add,
        Operator::Mult => BinaryOp::Multiply,
        Operator::Mod => BinaryOp::Modulo,
        _ => BinaryOp::Other,
    }
}
