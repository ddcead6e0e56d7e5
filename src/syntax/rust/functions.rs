//! Functions, closures and `async` blocks.

use syn::punctuated::Punctuated;
use syn::{Block, Expr as Syn, FnArg, Pat, Stmt, Token};

use super::lower::{Lower, range};
use super::scopes::Space;
use super::test_stats::is_not_deployed;
use crate::syntax::builder::Lowering as _;
use crate::syntax::error::narrow;
use crate::syntax::hir::*;

/// The parts of a function that all its forms share.
pub(super) struct Shape {
    pub(super) name: Option<Atom>,
    pub(super) span: (u32, u32),
    pub(super) is_async: bool,
    pub(super) class: ClassIdx,
    pub(super) expr: ExprId,
}

impl Lower {
    pub(super) fn function_with(
        &mut self,
        shape: Shape,
        return_type: TypeId,
        body: impl FnOnce(&mut Self, FunctionIdx),
    ) -> FunctionIdx {
        let index = FunctionIdx(narrow(self.builder.module.functions.len()));
        self.builder.module.functions.push(Function {
            name: shape.name,
            parent: self.builder.function,
            is_async: shape.is_async,
            class: shape.class,
            expr: shape.expr,
            return_type,
            ..Function::new(shape.span.0, shape.span.1)
        });
        let outer = std::mem::replace(&mut self.builder.function, index);
        self.within(ContextKind::Function(index), |l| {
            l.builder.module.functions[index.0 as usize].context = l.builder.context;
            l.at_root(Use::Init, |l| l.scoped(|l| body(l, index)));
        });
        self.builder.function = outer;
        index
    }

    pub(super) fn parameters(&mut self, inputs: &Punctuated<FnArg, Token![,]>, function: FunctionIdx) {
        let typed = inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        for (index, input) in (0u32..).zip(typed) {
            let annotation = self.type_of(&input.ty);
            self.written_type(annotation, &input.ty);
            let decorators = self.attributes(&input.attrs);
            self.parameter(&input.pat, function, index, annotation, decorators);
        }
    }

    /// Keeps the name of a parameter's type as an expression: libraries read handlers' parameters by their types.
    fn written_type(&mut self, annotation: TypeId, ty: &syn::Type) {
        let syn::Type::Path(path) = ty else { return };
        if self.builder.module.written_types.last().is_none_or(|(last, _)| *last < annotation)
            && annotation != TypeId::NONE
        {
            let written = self.at_root(Use::Annotation, |l| l.path(&path.path, Space::Type));
            self.builder.module.written_types.push((annotation, written));
        }
    }

    fn parameter(&mut self, pat: &Pat, function: FunctionIdx, index: u32, annotation: TypeId, decorators: Vec<ExprId>) {
        let first = self.builder.module.symbols.len();
        self.bind(pat, &|steps| Definition::Parameter {
            function,
            index,
            steps: steps.to_vec(),
            default: ExprId::NONE,
            annotation,
        });
        // `Json(body)` is a plain parameter, too: what it holds has one name.
        let bound = self.builder.module.symbols.get(first);
        let is_plain = bound.is_some_and(
            |symbol| matches!(&symbol.definition, Definition::Parameter { steps, .. } if steps.is_empty()),
        );
        let symbol = if is_plain { SymbolIdx(narrow(first)) } else { SymbolIdx::NONE };
        let parameter = Parameter { symbol, annotation, decorators, rest: false };
        self.builder.module.functions[function.0 as usize].parameters.push(parameter);
    }

    pub(super) fn closure(&mut self, it: &syn::ExprClosure) -> ExprId {
        let id = self.reserve(it.inputs_begin.spans[0]);
        let shape = Shape {
            name: None,
            span: (range(it.inputs_begin.spans[0]).0, 0),
            is_async: it.asyncness.is_some(),
            class: self.class,
            expr: id,
        };
        let output = self.return_type(&it.output);
        let function = self.function_with(shape, output, |l, index| {
            for (at, input) in (0u32..).zip(&it.inputs) {
                let annotation = match input {
                    Pat::Type(typed) => l.type_of(&typed.ty),
                    _ => TypeId::NONE,
                };
                l.parameter(input, index, at, annotation, Vec::new());
            }
            l.current_function().statements = 1;
            l.tail(&it.body);
        });
        self.close_function(id, function, &it.body);
        id
    }

    pub(super) fn async_block(&mut self, it: &syn::ExprAsync) -> ExprId {
        let id = self.reserve(it.async_token.span);
        self.stretch_to(id, it.block.brace_token.span.close());
        let span = (self.builder.module.expr(id).start, self.builder.module.expr(id).end);
        let shape = Shape { name: None, span, is_async: true, class: self.class, expr: id };
        let function = self.function_with(shape, TypeId::NONE, |l, _| l.body(&it.block));
        self.set(id, ExprKind::Function(function));
        id
    }

    fn close_function(&mut self, id: ExprId, function: FunctionIdx, body: &Syn) {
        let end = match body {
            Syn::Block(it) => range(it.block.brace_token.span.close()).1,
            Syn::Async(it) => range(it.block.brace_token.span.close()).1,
            // Whatever the body is made of was read last.
            _ => self
                .builder
                .module
                .exprs
                .get(id.0 as usize..)
                .into_iter()
                .flatten()
                .map(|expr| expr.end)
                .max()
                .unwrap_or(0),
        };
        if let Some(expr) = self.builder.module.exprs.get_mut(id.0 as usize) {
            expr.end = expr.end.max(end);
        }
        self.builder.module.functions[function.0 as usize].end = end;
        self.set(id, ExprKind::Function(function));
    }

    pub(super) fn body(&mut self, block: &Block) {
        self.current_function().statements = narrow(block.stmts.len());
        self.tail_block(block);
    }

    /// The statements of a block; gives its last expression, which has no `;`.
    pub(super) fn statements<'b>(&mut self, block: &'b Block) -> Option<&'b Stmt> {
        self.items(block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        }));
        let (last, before) = match block.stmts.split_last() {
            Some((last @ (Stmt::Expr(_, None) | Stmt::Macro(syn::StmtMacro { semi_token: None, .. })), before)) => {
                (Some(last), before)
            }
            _ => (None, block.stmts.as_slice()),
        };
        for statement in before {
            match statement {
                Stmt::Local(local) if is_not_deployed(&local.attrs) => {}
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expr, _) => self.statement(expr),
                Stmt::Macro(it) => {
                    self.at_root(Use::Statement, |l| l.macro_call(&it.mac));
                }
                Stmt::Item(_) => {}
            }
        }
        last
    }

    fn local(&mut self, local: &syn::Local) {
        let annotation = match &local.pat {
            Pat::Type(typed) => self.type_of(&typed.ty),
            _ => TypeId::NONE,
        };
        let mut init = ExprId::NONE;
        if let Some(value) = &local.init {
            init = self.at_root(Use::Init, |l| l.expr(&value.expr));
            if let Some((_, otherwise)) = &value.diverge {
                self.within(ContextKind::Else(init), |l| {
                    l.statement(otherwise);
                    // Whatever it does, it goes on nowhere.
                    l.mark_exit();
                });
            }
            self.name_function(init, &local.pat);
        }
        self.bind(&local.pat, &|steps| Definition::Variable {
            init,
            steps: steps.to_vec(),
            default: ExprId::NONE,
            constant: true,
            annotation,
        });
    }

    /// A closure that is bound to a name takes it.
    fn name_function(&mut self, value: ExprId, pattern: &Pat) {
        let Pat::Ident(it) = pattern else { return };
        let name = self.name(&it.ident);
        if let Some(id) = value.some()
            && let ExprKind::Function(function) = self.builder.module.kind(id)
        {
            self.builder.module.functions[function.0 as usize].name.get_or_insert(name);
        }
    }

    /// The block of a function or of a branch that ends one.
    pub(super) fn tail_block(&mut self, block: &Block) {
        self.scoped(|l| match l.statements(block) {
            Some(Stmt::Expr(last, _)) => l.tail(last),
            Some(Stmt::Macro(last)) => {
                let id = l.at_root(Use::Return, |l| l.macro_call(&last.mac));
                l.give_back(id, None);
            }
            _ => {}
        });
    }

    /// What a function gives back, branch by branch.
    pub(super) fn tail(&mut self, expression: &Syn) {
        self.deeper(expression, |l| l.lower_tail(expression));
    }

    fn lower_tail(&mut self, expression: &Syn) {
        match expression {
            Syn::If(_) | Syn::Match(_) => self.branches(expression, &mut |l, branch| l.tail_branch(branch)),
            Syn::Block(it) => self.tail_block(&it.block),
            Syn::Unsafe(it) => self.tail_block(&it.block),
            Syn::Return(_) | Syn::ForLoop(_) | Syn::While(_) | Syn::Loop(_) | Syn::Let(_) => self.statement(expression),
            Syn::Paren(it) => self.tail(&it.expr),
            other => {
                let id = self.at_root(Use::Return, |l| l.expr(other));
                self.give_back(id, Some(other));
            }
        }
    }

    fn tail_branch(&mut self, branch: Branch<'_>) {
        match branch {
            Branch::Block(block) => self.tail_block(block),
            Branch::Expr(expression) => self.tail(expression),
        }
    }

    pub(super) fn give_back(&mut self, id: ExprId, written: Option<&Syn>) {
        self.mark_exit();
        self.current_function().returns.push(id);
        if written.is_some_and(is_error) {
            self.current_function().throws.push(id);
        }
    }

    /// Names in scope for a plain identifier of a format string.
    pub(super) fn value_named(&mut self, name: &str) -> Option<SymbolIdx> {
        let name = self.atom(name);
        self.scopes.find(Space::Value, name)
    }
}

/// What one branch of `if` or `match` runs.
#[derive(Clone, Copy)]
pub(super) enum Branch<'t> {
    Block(&'t Block),
    Expr(&'t Syn),
}

fn is_error(expression: &Syn) -> bool {
    match expression {
        Syn::Call(call) => {
            matches!(&*call.func, Syn::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Err"))
        }
        _ => false,
    }
}
