//! Expressions. References, casts and wrappers of the standard library that change nothing are gone.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{BinOp, Block, Expr as Syn, Lit, Member, RangeLimits, Stmt, UnOp};

use super::functions::Branch;
use super::lower::Lower;
use super::scopes::Space;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower {
    pub(super) fn expr(&mut self, expression: &Syn) -> ExprId {
        match self.deeper(expression, |l| l.lower_expr(expression)) {
            Some(id) => id,
            None => self.reserve(Span::call_site()),
        }
    }

    fn lower_expr(&mut self, expression: &Syn) -> ExprId {
        match expression {
            Syn::Paren(it) => self.expr(&it.expr),
            Syn::Group(it) => self.expr(&it.expr),
            Syn::Reference(it) => self.expr(&it.expr),
            Syn::RawAddr(it) => self.expr(&it.expr),
            Syn::Cast(it) => self.expr(&it.expr),
            Syn::Path(it) => self.path(&it.path, Space::Value),
            Syn::Lit(it) => self.literal(&it.lit),
            Syn::Call(it) => self.call(it),
            Syn::MethodCall(it) => self.method_call(it),
            Syn::Macro(it) => self.macro_call(&it.mac),
            Syn::Closure(it) => self.closure(it),
            Syn::Async(it) => self.async_block(it),
            Syn::Struct(it) => self.struct_literal(it),
            Syn::Field(it) => self.field(it),
            Syn::Unary(it) => self.unary(it),
            Syn::Binary(it) => self.binary(it),
            Syn::Assign(it) => self.assignment(&it.left, &it.right, AssignOp::Plain, it.eq_token.span),
            Syn::Await(it) => self.wrapped(&it.base, it.await_token.span, ExprKind::Await),
            Syn::Try(it) => self.wrapped(&it.expr, it.question_token.span, ExprKind::Try),
            Syn::Array(it) => self.array(it.elems.iter(), it.bracket_token.span.join()),
            Syn::Tuple(it) if it.elems.is_empty() => self.leaf(it.paren_token.span.join(), ExprKind::Undefined),
            Syn::Tuple(it) => self.array(it.elems.iter(), it.paren_token.span.join()),
            Syn::Repeat(it) => self.array([&*it.expr].into_iter(), it.bracket_token.span.join()),
            Syn::Index(it) => {
                let id = self.reserve(it.bracket_token.span.close());
                let (object, index) = self.under(id, |l| (l.expr(&it.expr), l.expr(&it.index)));
                self.stretch(id, object, id);
                self.set(id, ExprKind::Index { object, index });
                id
            }
            Syn::Range(it) => self.span_of_values(it),
            Syn::Let(it) => {
                let init = self.expr(&it.expr);
                self.bind_value(&it.pat, init);
                init
            }
            Syn::If(it) => self.conditional(expression, it.if_token.span),
            Syn::Match(it) => self.conditional(expression, it.match_token.span),
            Syn::Block(it) => self.block_value(&it.block),
            Syn::Unsafe(it) => self.block_value(&it.block),
            Syn::Const(it) => self.block_value(&it.block),
            Syn::TryBlock(it) => self.block_value(&it.block),
            Syn::Return(_) | Syn::Break(_) | Syn::Continue(_) | Syn::ForLoop(_) | Syn::While(_) | Syn::Loop(_) => {
                self.statement(expression);
                self.leaf(Span::call_site(), ExprKind::Undefined)
            }
            other => self.reserve(other.span()),
        }
    }

    pub(super) fn statement(&mut self, expression: &Syn) {
        self.deeper(expression, |l| l.lower_statement(expression));
    }

    fn lower_statement(&mut self, expression: &Syn) {
        match expression {
            Syn::If(_) | Syn::Match(_) => self.branches(expression, &mut |l, branch| match branch {
                Branch::Block(block) => l.block(block),
                Branch::Expr(expression) => l.statement(expression),
            }),
            Syn::Block(it) => self.block(&it.block),
            Syn::Unsafe(it) => self.block(&it.block),
            Syn::Return(it) => match &it.expr {
                Some(value) => {
                    let id = self.at_root(Use::Return, |l| l.expr(value));
                    self.give_back(id, Some(value));
                }
                None => self.mark_exit(),
            },
            Syn::Break(it) => {
                if let Some(value) = &it.expr {
                    self.at_root(Use::Statement, |l| l.expr(value));
                }
            }
            Syn::ForLoop(it) => self.scoped(|l| {
                let over = l.at_root(Use::Iterated, |l| l.expr(&it.expr));
                l.within(ContextKind::Loop { over }, |l| {
                    l.bind(&it.pat, &|steps| Definition::Element { of: over, keys: false, steps: steps.to_vec() });
                    l.block(&it.body);
                });
            }),
            Syn::While(it) => self.within(ContextKind::Loop { over: ExprId::NONE }, |l| {
                l.scoped(|l| {
                    l.at_root(Use::Test, |l| l.expr(&it.cond));
                    l.block(&it.body);
                });
            }),
            Syn::Loop(it) => self.within(ContextKind::Loop { over: ExprId::NONE }, |l| l.block(&it.body)),
            Syn::Continue(_) => {}
            other => {
                self.at_root(Use::Statement, |l| l.expr(other));
            }
        }
    }

    /// A block whose value nobody takes.
    fn block(&mut self, block: &Block) {
        self.scoped(|l| match l.statements(block) {
            Some(Stmt::Expr(last, _)) => l.statement(last),
            Some(Stmt::Macro(last)) => {
                l.at_root(Use::Statement, |l| l.macro_call(&last.mac));
            }
            _ => {}
        });
    }

    fn block_value(&mut self, block: &Block) -> ExprId {
        self.scoped(|l| match l.statements(block) {
            Some(Stmt::Expr(last, _)) => l.expr(last),
            Some(Stmt::Macro(last)) => l.macro_call(&last.mac),
            _ => l.leaf(block.brace_token.span.close(), ExprKind::Undefined),
        })
    }

    /// The branches of `if` and `match`, each in its context.
    pub(super) fn branches(&mut self, expression: &Syn, each: &mut dyn FnMut(&mut Self, Branch<'_>)) {
        match expression {
            Syn::If(it) => {
                self.branches_of_if(it, each);
            }
            Syn::Match(it) => {
                self.branches_of_match(it, each);
            }
            _ => {}
        }
    }

    fn branches_of_if(&mut self, it: &syn::ExprIf, each: &mut dyn FnMut(&mut Self, Branch<'_>)) -> ExprId {
        let test = self.scoped(|l| {
            let test = l.at_root(Use::Test, |l| l.expr(&it.cond));
            l.within(ContextKind::Then(test), |l| each(l, Branch::Block(&it.then_branch)));
            test
        });
        if let Some((_, otherwise)) = &it.else_branch {
            self.within(ContextKind::Else(test), |l| each(l, Branch::Expr(otherwise)));
        }
        test
    }

    fn branches_of_match(&mut self, it: &syn::ExprMatch, each: &mut dyn FnMut(&mut Self, Branch<'_>)) -> ExprId {
        let of = self.at_root(Use::Test, |l| l.expr(&it.expr));
        for arm in &it.arms {
            let kind = if Self::is_error_pattern(&arm.pat) { ContextKind::Catch } else { ContextKind::Case };
            self.within(kind, |l| {
                l.scoped(|l| {
                    l.bind_value(&arm.pat, of);
                    each(l, Branch::Expr(&arm.body));
                });
            });
        }
        of
    }

    fn conditional(&mut self, expression: &Syn, span: Span) -> ExprId {
        let id = self.reserve(span);
        let mut values = Vec::new();
        let mut each = |l: &mut Self, branch: Branch<'_>| {
            let value = l.under(id, |l| match branch {
                Branch::Block(block) => l.block_value(block),
                Branch::Expr(expression) => l.expr(expression),
            });
            values.push(value);
        };
        let test = match expression {
            Syn::If(it) => self.branches_of_if(it, &mut each),
            Syn::Match(it) => self.branches_of_match(it, &mut each),
            _ => return id,
        };
        let last = values.last().copied().unwrap_or(id);
        self.stretch(id, id, last);
        let branches = self.list(&values);
        self.set(id, ExprKind::Conditional { test, branches });
        id
    }

    fn bind_value(&mut self, pattern: &syn::Pat, init: ExprId) {
        self.bind(pattern, &|steps| Definition::Variable {
            init,
            steps: steps.to_vec(),
            default: ExprId::NONE,
            constant: true,
            annotation: TypeId::NONE,
        });
    }

    fn wrapped(&mut self, inner: &Syn, end: Span, kind: fn(ExprId) -> ExprKind) -> ExprId {
        let id = self.reserve(end);
        let inner = self.under(id, |l| l.expr(inner));
        self.stretch(id, inner, id);
        self.set(id, kind(inner));
        id
    }

    pub(super) fn literal(&mut self, lit: &Lit) -> ExprId {
        let kind = match lit {
            Lit::Str(it) => ExprKind::Str(self.atom(&it.value())),
            Lit::ByteStr(it) => ExprKind::Str(self.atom(&String::from_utf8_lossy(&it.value()))),
            Lit::Char(it) => ExprKind::Str(self.atom(&it.value().to_string())),
            Lit::Int(it) => it.base10_digits().parse().map_or(ExprKind::Other, |value| self.number(value)),
            Lit::Float(it) => it.base10_digits().parse().map_or(ExprKind::Other, |value| self.number(value)),
            Lit::Bool(it) => ExprKind::Bool(it.value),
            _ => ExprKind::Other,
        };
        self.leaf(lit.span(), kind)
    }

    pub(super) fn array<'e>(&mut self, items: impl Iterator<Item = &'e Syn>, span: Span) -> ExprId {
        let id = self.reserve(span);
        let items: Vec<ExprId> = self.under(id, |l| items.map(|item| l.expr(item)).collect());
        let run = self.list(&items);
        self.set(id, ExprKind::Array(run));
        id
    }

    fn span_of_values(&mut self, it: &syn::ExprRange) -> ExprId {
        let span = match &it.limits {
            RangeLimits::HalfOpen(token) => token.spans[0],
            RangeLimits::Closed(token) => token.spans[0],
        };
        let id = self.reserve(span);
        let ends: Vec<ExprId> =
            self.under(id, |l| [&it.start, &it.end].into_iter().flatten().map(|end| l.expr(end)).collect());
        if let [left, right] = ends[..] {
            self.stretch(id, left, right);
            self.set(id, ExprKind::Binary { op: BinaryOp::Other, left, right });
        }
        id
    }

    fn call(&mut self, it: &syn::ExprCall) -> ExprId {
        if let (Syn::Path(path), Some(only)) = (&*it.func, it.args.first())
            && it.args.len() == 1
            && is_wrapper(&path.path)
        {
            return self.expr(only);
        }
        let id = self.reserve(it.paren_token.span.close());
        let callee = self.under(id, |l| l.expr(&it.func));
        let items: Vec<ExprId> = self.under(id, |l| it.args.iter().map(|argument| l.expr(argument)).collect());
        let args = self.list(&items);
        self.stretch(id, callee, id);
        self.set(id, ExprKind::Call { callee, args });
        id
    }

    fn method_call(&mut self, it: &syn::ExprMethodCall) -> ExprId {
        let method = it.method.to_string();
        if it.args.is_empty() && is_conversion(&method) {
            return self.expr(&it.receiver);
        }
        if let Some(id) = self.with_default(it, &method) {
            return id;
        }
        let id = self.reserve(it.paren_token.span.close());
        let callee = self.under(id, |l| {
            let member = l.reserve(it.method.span());
            let object = l.under(member, |l| l.expr(&it.receiver));
            let name = l.name(&it.method);
            l.set(member, ExprKind::Member { object, name });
            l.stretch(member, object, member);
            member
        });
        let items: Vec<ExprId> = self.under(id, |l| it.args.iter().map(|argument| l.expr(argument)).collect());
        let args = self.list(&items);
        self.stretch(id, callee, id);
        self.set(id, ExprKind::Call { callee, args });
        id
    }

    /// `x.unwrap_or(y)` and `x.unwrap_or_else(|_| y)`: `y` where there is no `x`.
    fn with_default(&mut self, it: &syn::ExprMethodCall, method: &str) -> Option<ExprId> {
        let default = match (method, it.args.first()?) {
            ("unwrap_or", default) => default,
            ("unwrap_or_else", Syn::Closure(closure)) => match &*closure.body {
                Syn::Block(_) => return None,
                body => body,
            },
            _ => return None,
        };
        let id = self.reserve(it.paren_token.span.close());
        let (left, right) = self.under(id, |l| (l.expr(&it.receiver), l.expr(default)));
        self.stretch(id, left, id);
        self.set(id, ExprKind::Logical { op: LogicalOp::Nullish, left, right });
        Some(id)
    }

    /// `X { a, ..b }`: what makes an X takes an object.
    fn struct_literal(&mut self, it: &syn::ExprStruct) -> ExprId {
        let id = self.reserve(it.brace_token.span.close());
        let callee = self.under(id, |l| l.path(&it.path, Space::Type));
        let object = self.under(id, |l| l.fields_of_literal(it));
        self.stretch(id, callee, id);
        let args = self.list(&[object]);
        self.set(id, ExprKind::New { callee, args });
        id
    }

    fn fields_of_literal(&mut self, it: &syn::ExprStruct) -> ExprId {
        let id = self.reserve(it.brace_token.span.join());
        let props = self.under(id, |l| {
            let mut props: Vec<Prop> = Vec::with_capacity(it.fields.len() + 1);
            if let Some(rest) = &it.rest {
                props.push(Prop { key: None, value: l.expr(rest), kind: PropKind::Spread });
            }
            for field in &it.fields {
                let key = l.member_name(&field.member);
                props.push(Prop { key: Some(key), value: l.expr(&field.expr), kind: PropKind::Value });
            }
            props
        });
        let run = self.props(props);
        self.set(id, ExprKind::Object(run));
        id
    }

    fn member_name(&mut self, member: &Member) -> Atom {
        match member {
            Member::Named(name) => self.name(name),
            Member::Unnamed(index) => self.atom(&index.index.to_string()),
        }
    }

    fn field(&mut self, it: &syn::ExprField) -> ExprId {
        let id = self.reserve(it.member.span());
        let object = self.under(id, |l| l.expr(&it.base));
        let name = self.member_name(&it.member);
        self.stretch(id, object, id);
        self.set(id, ExprKind::Member { object, name });
        id
    }

    fn unary(&mut self, it: &syn::ExprUnary) -> ExprId {
        let span = match &it.op {
            UnOp::Not(token) => token.span,
            UnOp::Neg(token) => token.span,
            // What a reference points to is what it is.
            _ => return self.expr(&it.expr),
        };
        let id = self.reserve(span);
        let inner = self.under(id, |l| l.expr(&it.expr));
        self.stretch(id, id, inner);
        let kind = match (&it.op, self.builder.module.kind(inner)) {
            (UnOp::Not(_), _) => ExprKind::Not(inner),
            (_, ExprKind::Num(index)) => {
                let value = self.builder.module.numbers.get(index as usize).copied().unwrap_or_default();
                self.number(-value)
            }
            _ => ExprKind::Unary(inner),
        };
        self.set(id, kind);
        id
    }

    fn binary(&mut self, it: &syn::ExprBinary) -> ExprId {
        if is_assignment(&it.op) {
            let op = if matches!(it.op, BinOp::AddAssign(_)) { AssignOp::Add } else { AssignOp::Other };
            return self.assignment(&it.left, &it.right, op, it.op.span());
        }
        let id = self.reserve(it.op.span());
        let (left, right) = self.under(id, |l| (l.expr(&it.left), l.expr(&it.right)));
        self.stretch(id, left, right);
        let kind = match it.op {
            BinOp::And(_) => ExprKind::Logical { op: LogicalOp::And, left, right },
            BinOp::Or(_) => ExprKind::Logical { op: LogicalOp::Or, left, right },
            _ => ExprKind::Binary { op: operator(&it.op), left, right },
        };
        self.set(id, kind);
        id
    }

    fn assignment(&mut self, left: &Syn, right: &Syn, op: AssignOp, span: Span) -> ExprId {
        let id = self.reserve(span);
        let (target, value) = self.under(id, |l| (l.expr(left), l.expr(right)));
        self.stretch(id, target, value);
        match self.builder.module.kind(target) {
            ExprKind::Ident(symbol) => {
                if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) {
                    entry.assigned.push(value);
                }
            }
            ExprKind::Member { object, name } if self.builder.module.kind(object) == ExprKind::This => {
                if let Some(entry) = self.builder.module.classes.get_mut(self.class.0 as usize) {
                    entry.assigned.push((name, value));
                }
            }
            _ => {}
        }
        self.set(id, ExprKind::Assign { target, value, op });
        id
    }
}

/// Constructors of the standard library whose result is what they are given.
fn is_wrapper(path: &syn::Path) -> bool {
    let mut names = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    matches!(
        (names.next().as_deref(), names.next().as_deref()),
        (Some("Ok" | "Some"), None | Some("Result" | "Option"))
            | (Some("new" | "from" | "pin"), Some("Box" | "Arc" | "Rc" | "String"))
    )
}

/// Methods of the standard library that give what they are called on, in another form.
fn is_conversion(method: &str) -> bool {
    matches!(
        method,
        "to_string"
            | "to_owned"
            | "into"
            | "clone"
            | "cloned"
            | "copied"
            | "as_str"
            | "as_ref"
            | "as_mut"
            | "as_deref"
            | "as_bytes"
            | "iter"
            | "into_iter"
            | "iter_mut"
            | "borrow"
            | "to_vec"
            | "into_bytes"
            | "boxed"
            | "as_slice"
            | "into_inner"
            | "deref"
    )
}

fn is_assignment(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

fn operator(op: &BinOp) -> BinaryOp {
    match op {
        BinOp::Add(_) => BinaryOp::Add,
        BinOp::Mul(_) => BinaryOp::Multiply,
        BinOp::Eq(_) => BinaryOp::Equal,
        BinOp::Ne(_) => BinaryOp::NotEqual,
        BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => BinaryOp::Compare,
        _ => BinaryOp::Other,
    }
}
