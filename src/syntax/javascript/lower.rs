//! From oxc's tree and its semantic model to the module that the fact layer reads.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    BlockStatement, ForStatementInit, ForStatementLeft, IfStatement, Statement, SwitchStatement, TryStatement,
    VariableDeclaration,
};
use oxc_parser::Parser;
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::{GetSpan as _, SourceType, Span};
use oxc_syntax::reference::ReferenceId;
use oxc_syntax::symbol::SymbolId;

use super::nesting;
use crate::syntax::SyntaxError;
use crate::syntax::builder::{Builder, Extent, Lowering};
use crate::syntax::error::narrow;
use crate::syntax::gaps::{admits_a_gap, stands_in};
use crate::syntax::hir::*;

/// Reads one module. The path decides the dialect (`.ts`, `.tsx`, `.js` with JSX allowed, …).
///
/// The parser recurses: the calling thread has a stack of [`nesting::STACK`] bytes, and texts that could need more are
/// read on another. Expressions and statements beyond [`LEVELS`](crate::syntax::builder::LEVELS) are left out ([`Module::too_deep`]).
pub fn parse(path: &str, text: &str, allocator: &Allocator) -> Result<Module, SyntaxError> {
    if nesting::fits(text) {
        return parse_here(path, text, allocator, |_| None);
    }
    nesting::on_large_stack(text, || parse_here(path, text, &Allocator::default(), nesting::too_deep))
}

fn parse_here(
    path: &str,
    text: &str,
    allocator: &Allocator,
    too_deep: impl FnOnce(&oxc_ast::ast::Program<'_>) -> Option<u32>,
) -> Result<Module, SyntaxError> {
    let dialect = SourceType::from_path(Path::new(path)).unwrap_or_else(|_| SourceType::mjs());
    let dialect = if dialect.is_javascript() { dialect.with_jsx(true) } else { dialect };
    let first = Parser::new(allocator, text, dialect).parse();
    let parsed = if first.panicked && dialect.is_javascript() {
        // A `.js` file may be a sloppy script or hold Flow-like types: a second dialect often reads it.
        let second = Parser::new(allocator, text, SourceType::tsx()).parse();
        if second.panicked { first } else { second }
    } else {
        first
    };
    if parsed.panicked {
        let error = parsed.diagnostics.iter().next();
        let offset = error.and_then(|e| e.labels.first()).map_or(0, |label| label.offset());
        let message = error.map_or_else(|| "syntax error".to_owned(), |e| e.message.to_string());
        return Err(SyntaxError::malformed(text, offset as usize, message));
    }
    if let Some(offset) = too_deep(&parsed.program) {
        return Err(SyntaxError::too_deep(text, offset as usize));
    }
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    let scoping = semantic.into_scoping();
    let mut lower = Lower::new(text, &scoping, &parsed.program);
    lower.program(&parsed.program);
    Ok(lower.builder.finish(text))
}

pub(super) struct Lower<'s> {
    text: &'s str,
    scoping: &'s Scoping,
    pub(super) builder: Builder,
    pub(super) class: ClassIdx,
    /// The function whose `this` is meant: the nearest that is no arrow.
    pub(super) this_function: FunctionIdx,
}

impl Lowering for Lower<'_> {
    fn builder(&mut self) -> &mut Builder {
        &mut self.builder
    }
}

impl Extent for Span {
    fn extent(self) -> (u32, u32) {
        (self.start, self.end)
    }
}

impl<'s> Lower<'s> {
    fn new(text: &'s str, scoping: &'s Scoping, program: &oxc_ast::ast::Program<'_>) -> Self {
        let mut lower = Lower {
            text,
            scoping,
            builder: Builder::new(Language::JavaScript, program.span.end as usize, program.body.len()),
            class: ClassIdx::NONE,
            this_function: FunctionIdx(0),
        };
        for symbol in scoping.symbol_ids() {
            let name = lower.atom(scoping.symbol_name(symbol));
            lower.new_symbol(name, scoping.symbol_span(symbol).start, Definition::Unknown);
        }
        lower
    }

    fn program(&mut self, program: &oxc_ast::ast::Program<'_>) {
        for directive in &program.directives {
            let atom = self.atom(&directive.directive);
            self.builder.module.directives.push(atom);
        }
        for comment in &program.comments {
            let text = self.text.get(comment.span.start as usize..comment.span.end as usize).unwrap_or("");
            if admits_a_gap(text) {
                self.builder.module.comments.push(Comment {
                    start: comment.span.start,
                    end: comment.span.end,
                    stands_in: stands_in(text),
                });
            }
        }
        self.statements(&program.body);
    }

    pub(super) fn symbol_of(&self, reference: Option<ReferenceId>) -> Option<SymbolIdx> {
        let symbol = self.scoping.get_reference(reference?).symbol_id()?;
        Some(index_of(symbol))
    }

    pub(super) fn define(&mut self, symbol: Option<SymbolId>, definition: Definition) {
        let Some(symbol) = symbol.map(index_of) else { return };
        let function = self.builder.function;
        if let Some(entry) = self.builder.module.symbols.get_mut(symbol.0 as usize) {
            // The first definition of a merged symbol (overloads, type and value of one name) stands,
            // unless a later one has a value.
            if matches!(entry.definition, Definition::Unknown | Definition::TypeOnly(_)) {
                entry.definition = definition;
                entry.function = function;
            } else if let Definition::Variable { init, .. } = &definition
                && *init != ExprId::NONE
            {
                entry.assigned.push(*init);
            }
        }
    }

    pub(super) fn statements(&mut self, statements: &[Statement<'_>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement<'_>) {
        self.deeper(statement.span(), |l| l.lower_statement(statement));
    }

    fn lower_statement(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::BlockStatement(block) => self.statements(&block.body),
            Statement::ExpressionStatement(it) => {
                self.at_root(Use::Statement, |l| l.expr(&it.expression));
            }
            Statement::IfStatement(it) => self.if_statement(it),
            Statement::ReturnStatement(it) => {
                self.mark_exit();
                if let Some(argument) = &it.argument {
                    let id = self.at_root(Use::Return, |l| l.expr(argument));
                    self.current_function().returns.push(id);
                }
            }
            Statement::ThrowStatement(it) => {
                self.mark_exit();
                let id = self.at_root(Use::Throw, |l| l.expr(&it.argument));
                self.current_function().throws.push(id);
            }
            Statement::TryStatement(it) => self.try_statement(it),
            Statement::SwitchStatement(it) => self.switch_statement(it),
            Statement::LabeledStatement(it) => self.statement(&it.body),
            Statement::WithStatement(it) => self.statement(&it.body),
            Statement::ForStatement(it) => {
                match &it.init {
                    Some(ForStatementInit::VariableDeclaration(declaration)) => self.variables(declaration),
                    Some(init) => {
                        if let Some(expression) = init.as_expression() {
                            self.at_root(Use::Statement, |l| l.expr(expression));
                        }
                    }
                    None => {}
                }
                self.within(ContextKind::Loop { over: ExprId::NONE }, |l| {
                    for part in [&it.test, &it.update].into_iter().flatten() {
                        l.at_root(Use::Test, |l| l.expr(part));
                    }
                    l.statement(&it.body);
                });
            }
            Statement::ForOfStatement(it) => self.for_each(&it.left, &it.right, &it.body, false),
            Statement::ForInStatement(it) => self.for_each(&it.left, &it.right, &it.body, true),
            Statement::WhileStatement(it) => self.while_loop(&it.test, &it.body),
            Statement::DoWhileStatement(it) => self.while_loop(&it.test, &it.body),
            other => self.declaration_or_module(other),
        }
    }

    fn if_statement(&mut self, it: &IfStatement<'_>) {
        let test = self.at_root(Use::Test, |l| l.expr(&it.test));
        self.within(ContextKind::Then(test), |l| l.statement(&it.consequent));
        if let Some(alternate) = &it.alternate {
            self.within(ContextKind::Else(test), |l| l.statement(alternate));
        }
    }

    fn try_statement(&mut self, it: &TryStatement<'_>) {
        self.within(ContextKind::Try { catches: it.handler.is_some() }, |l| l.block(&it.block));
        if let Some(handler) = &it.handler {
            self.within(ContextKind::Catch, |l| {
                if let Some(parameter) = &handler.param {
                    l.bind(&parameter.pattern, &mut Vec::new(), ExprId::NONE, &|_, _| Definition::Caught(ExprId::NONE));
                }
                l.block(&handler.body);
                let inside = handler.body.span;
                let text = l.text.get(inside.start as usize..inside.end as usize).unwrap_or_default();
                l.builder.module.handlers.push(Handler {
                    context: l.builder.context,
                    start: it.span.start,
                    end: handler.span.end,
                    kinds: ExprId::NONE,
                    statements: narrow(handler.body.body.len()),
                    explained: text.contains("//") || text.contains("/*"),
                });
            });
        }
        if let Some(finalizer) = &it.finalizer {
            self.within(ContextKind::Finally, |l| l.block(finalizer));
        }
    }

    fn block(&mut self, block: &BlockStatement<'_>) {
        self.statements(&block.body);
    }

    fn switch_statement(&mut self, it: &SwitchStatement<'_>) {
        self.at_root(Use::Test, |l| l.expr(&it.discriminant));
        for case in &it.cases {
            self.within(ContextKind::Case, |l| {
                if let Some(test) = &case.test {
                    l.at_root(Use::Test, |l| l.expr(test));
                }
                l.statements(&case.consequent);
            });
        }
    }

    fn while_loop(&mut self, test: &oxc_ast::ast::Expression<'_>, body: &Statement<'_>) {
        self.within(ContextKind::Loop { over: ExprId::NONE }, |l| {
            l.at_root(Use::Test, |l| l.expr(test));
            l.statement(body);
        });
    }

    fn for_each(
        &mut self,
        left: &ForStatementLeft<'_>,
        right: &oxc_ast::ast::Expression<'_>,
        body: &Statement<'_>,
        keys: bool,
    ) {
        let over = self.at_root(Use::Iterated, |l| l.expr(right));
        self.within(ContextKind::Loop { over }, |l| {
            if let ForStatementLeft::VariableDeclaration(declaration) = left {
                for declarator in &declaration.declarations {
                    l.bind(&declarator.id, &mut Vec::new(), ExprId::NONE, &|steps, _| Definition::Element {
                        of: over,
                        keys,
                        steps: steps.to_vec(),
                    });
                }
            }
            l.statement(body);
        });
    }

    pub(super) fn variables(&mut self, declaration: &VariableDeclaration<'_>) {
        let constant = declaration.kind.is_const() || declaration.kind.is_using();
        for declarator in &declaration.declarations {
            let annotation = self.annotation(declarator.type_annotation.as_deref());
            let init = match &declarator.init {
                Some(init) => self.at_root(Use::Init, |l| l.expr(init)),
                None => ExprId::NONE,
            };
            self.name_function(init, declarator.id.get_identifier_name().as_deref());
            self.bind(&declarator.id, &mut Vec::new(), ExprId::NONE, &|steps, default| Definition::Variable {
                init,
                steps: steps.to_vec(),
                default,
                constant,
                annotation,
            });
        }
    }

    /// A function or class that is bound to a name and has none of its own takes it.
    pub(super) fn name_function(&mut self, value: ExprId, name: Option<&str>) {
        let (Some(id), Some(name)) = (value.some(), name) else { return };
        let atom = self.atom(name);
        match self.builder.module.kind(id) {
            ExprKind::Function(function) => {
                let slot = &mut self.builder.module.functions[function.0 as usize].name;
                slot.get_or_insert(atom);
            }
            ExprKind::Class(class) => {
                let slot = &mut self.builder.module.classes[class.0 as usize].name;
                slot.get_or_insert(atom);
            }
            // `const f = asyncHandler(async () => …)`: the function that is wrapped is known by that name.
            ExprKind::Call { args, .. } => {
                let inner: Vec<ExprId> = self.builder.module.list(args).collect();
                for argument in inner {
                    if let ExprKind::Function(function) = self.builder.module.kind(argument) {
                        let slot = &mut self.builder.module.functions[function.0 as usize].name;
                        slot.get_or_insert(atom);
                    }
                }
            }
            _ => {}
        }
    }
}

pub(super) fn index_of(symbol: SymbolId) -> SymbolIdx {
    SymbolIdx(u32::try_from(symbol.index()).unwrap_or(u32::MAX))
}
