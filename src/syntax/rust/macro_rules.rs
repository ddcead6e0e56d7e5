//! `macro_rules!`: a macro is a function of what it expands to, so that its calls lead somewhere.
//!
//! Each arm is a part of the body, its parameters stand as names, and what repeats is read once. An arm that declares
//! items, or does not read as statements, is left out.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::parse::Parser as _;
use syn::{Block, Expr as Syn, Stmt};

use super::functions::Shape;
use super::lower::{Lower, range};
use super::scopes::Space;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// Groups inside groups that are followed.
const MAX_DEPTH: u8 = 32;

/// One way in which a macro can be called.
struct Arm {
    parameters: Vec<Ident>,
    body: Block,
}

impl Lower {
    /// The name under which a macro is declared: macros have names of their own beside values.
    pub(super) fn macro_name(&mut self, ident: &Ident) -> Atom {
        self.atom(&format!("{ident}!"))
    }

    pub(super) fn declared_macro(&mut self, it: &syn::ItemMacro, symbol: SymbolIdx) {
        let Some(ident) = &it.ident else { return };
        let arms = arms(it.mac.tokens.clone());
        if arms.is_empty() {
            return;
        }
        let end = range(it.mac.delimiter.span().close()).1;
        let name = Some(self.name(ident));
        let expr = self.at_root(Use::Statement, |l| l.reserve(ident.span()));
        self.stretch_to(expr, it.mac.delimiter.span().close());
        let span = (range(ident.span()).0, end);
        let shape = Shape { name, span, is_async: false, class: ClassIdx::NONE, expr };
        let function = self.function_with(shape, TypeId::NONE, |l, index| {
            for arm in &arms {
                l.scoped(|l| {
                    l.macro_parameters(&arm.parameters, index);
                    l.tail_block(&arm.body);
                });
            }
        });
        self.set(expr, ExprKind::Function(function));
        self.define(symbol, Definition::Function(function));
        if arms.iter().all(|arm| leaves(&arm.body)) {
            let name = self.name(ident);
            self.builder.module.leaving_macros.push(name);
        }
    }

    fn macro_parameters(&mut self, names: &[Ident], function: FunctionIdx) {
        for (index, ident) in (0u32..).zip(names) {
            let name = self.name(ident);
            let symbol = self.declare(&[Space::Value], name, range(ident.span()).0);
            let (steps, default, annotation) = (Vec::new(), ExprId::NONE, TypeId::NONE);
            self.define(symbol, Definition::Parameter { function, index, steps, default, annotation });
            let known = self.builder.module.functions[function.0 as usize].parameters.len();
            if index as usize >= known {
                let parameter = Parameter { symbol, annotation, decorators: Vec::new(), rest: false };
                self.builder.module.functions[function.0 as usize].parameters.push(parameter);
            }
        }
    }
}

fn arms(tokens: TokenStream) -> Vec<Arm> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut groups = trees.into_iter().filter_map(|tree| match tree {
        TokenTree::Group(group) => Some(group),
        _ => None,
    });
    let mut found = Vec::new();
    while let (Some(matcher), Some(transcriber)) = (groups.next(), groups.next()) {
        let mut parameters = Vec::new();
        collect_parameters(matcher.stream(), &mut parameters, 0);
        let statements = Block::parse_within.parse2(expanded(transcriber.stream(), 0));
        let Ok(stmts) = statements else { continue };
        if stmts.iter().any(declares) {
            continue;
        }
        let brace_token = syn::token::Brace { span: transcriber.delim_span() };
        found.push(Arm { parameters, body: Block { brace_token, stmts } });
    }
    found
}

/// The names behind `$` in a pattern: `$kind:ident, $msg:expr`.
fn collect_parameters(tokens: TokenStream, found: &mut Vec<Ident>, depth: u8) {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                if let Some(TokenTree::Ident(name)) = trees.peek() {
                    found.push(name.clone());
                }
            }
            TokenTree::Group(group) if depth < MAX_DEPTH => collect_parameters(group.stream(), found, depth + 1),
            _ => {}
        }
    }
}

/// What a macro expands to, with its parameters as plain names and what repeats once.
fn expanded(tokens: TokenStream, depth: u8) -> TokenStream {
    if depth >= MAX_DEPTH {
        return TokenStream::new();
    }
    let mut out = TokenStream::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '$' => match trees.next() {
                Some(TokenTree::Group(group)) => {
                    out.extend(expanded(group.stream(), depth + 1));
                    skip_repetition(&mut trees);
                }
                other => out.extend(other),
            },
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), expanded(group.stream(), depth + 1));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// The separator and sign behind `$( … )`.
fn skip_repetition(trees: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let is_sign =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if matches!(punct.as_char(), '*' | '+' | '?'));
    if !trees.peek().is_some_and(is_sign) {
        trees.next();
    }
    if trees.peek().is_some_and(is_sign) {
        trees.next();
    }
}

fn declares(statement: &Stmt) -> bool {
    match statement {
        Stmt::Item(_) => true,
        Stmt::Expr(Syn::Block(it), _) => it.block.stmts.iter().any(declares),
        _ => false,
    }
}

/// Does the code around never go on after this?
fn leaves(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(Syn::Return(_) | Syn::Break(_) | Syn::Continue(_), _)) => true,
        Some(Stmt::Expr(Syn::Block(it), _)) => leaves(&it.block),
        _ => false,
    }
}
