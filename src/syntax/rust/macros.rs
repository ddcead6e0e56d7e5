//! Macro calls and attributes: their arguments are read as far as they look like expressions.
//!
//! A macro is a call of its path. Format strings are templates, `name = value` is a property of one object behind the
//! other arguments, and what cannot be read is left out.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr as Syn, Ident, Macro, Meta, Token};

use super::lower::Lower;
use super::scopes::Space;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// Macros of the standard library that say something.
const STANDARD: &[&str] = &["println", "eprintln", "print", "eprint", "dbg", "panic"];

/// One argument.
enum Piece {
    Expr(Syn),
    Named(Ident, Syn),
    Block(syn::Block),
}

impl Lower {
    pub(super) fn macro_call(&mut self, it: &Macro) -> ExprId {
        match self.deeper(it, |l| l.lower_macro(it)) {
            Some(id) => id,
            None => self.reserve(Span::call_site()),
        }
    }

    fn lower_macro(&mut self, it: &Macro) -> ExprId {
        let close = closing(it);
        let last = it.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        match last.as_str() {
            "vec" => {
                let pieces = pieces(it.tokens.clone());
                let id = self.reserve(close);
                let (items, _) = self.under(id, |l| l.arguments(pieces));
                let run = self.list(&items);
                self.set(id, ExprKind::Array(run));
                self.stretch_over_macro(id, it)
            }
            "format" | "format_args" => {
                let (mut items, named) = self.arguments(pieces(it.tokens.clone()));
                self.fold_format(&mut items, &named);
                match items.first() {
                    Some(&id) => self.stretch_over_macro(id, it),
                    None => self.reserve(close),
                }
            }
            "json" => {
                let id = self.json(it.tokens.clone(), close);
                self.stretch_over_macro(id, it)
            }
            _ => self.any_macro(it, close, &last),
        }
    }

    fn stretch_over_macro(&mut self, id: ExprId, it: &Macro) -> ExprId {
        if let Some(first) = it.path.segments.first() {
            self.stretch_to(id, first.ident.span());
        }
        self.stretch_to(id, closing(it));
        id
    }

    fn any_macro(&mut self, it: &Macro, close: Span, last: &str) -> ExprId {
        let id = self.reserve(close);
        let callee = self.under(id, |l| l.macro_callee(&it.path));
        let run = self.under(id, |l| l.call_arguments(it.tokens.clone()));
        self.stretch(id, callee, id);
        self.set(id, ExprKind::Call { callee, args: run });
        let name = self.atom(last);
        self.builder.module.macro_calls.push((name, self.builder.context));
        if matches!(last, "panic" | "bail" | "unreachable" | "todo" | "unimplemented") {
            self.mark_exit();
            self.current_function().throws.push(id);
        }
        id
    }

    /// What a macro's name stands for: a macro of this file, or whatever else has the name.
    fn macro_callee(&mut self, path: &syn::Path) -> ExprId {
        if let Some(ident) = path.get_ident() {
            let name = self.macro_name(ident);
            if let Some(symbol) = self.find(Space::Value, name) {
                return self.read(symbol, ident.span());
            }
            let plain = self.name(ident);
            if STANDARD.contains(&self.builder.module.str(plain)) && self.find(Space::Value, plain).is_none() {
                return self.leaf(ident.span(), ExprKind::Global(plain));
            }
        }
        self.path(path, Space::Value)
    }

    fn call_arguments(&mut self, tokens: TokenStream) -> Run {
        let (mut items, named) = self.arguments(pieces(tokens));
        self.fold_format(&mut items, &[]);
        if !named.is_empty() {
            items.push(self.named_arguments(named));
        }
        self.list(&items)
    }

    /// The same without formats: the braces of `#[get("/users/{id}")]` hold no values.
    fn attribute_arguments(&mut self, tokens: TokenStream) -> Run {
        let (mut items, named) = self.arguments(pieces(tokens));
        if !named.is_empty() {
            items.push(self.named_arguments(named));
        }
        self.list(&items)
    }

    fn named_arguments(&mut self, named: Vec<Prop>) -> ExprId {
        let start = named.first().map_or(ExprId::NONE, |prop| prop.value);
        let end = named.last().map_or(ExprId::NONE, |prop| prop.value);
        let id = self.leaf(Span::call_site(), ExprKind::Other);
        if let Some(place) = self.builder.module.exprs.get(start.0 as usize).map(|expr| (expr.start, expr.end))
            && let Some(expr) = self.builder.module.exprs.get_mut(id.0 as usize)
        {
            (expr.start, expr.end) = place;
        }
        self.stretch(id, start, end);
        for prop in &named {
            if let Some(expr) = self.builder.module.exprs.get_mut(prop.value.0 as usize) {
                expr.parent = id;
                expr.role = Use::Inner;
            }
        }
        let run = self.props(named);
        self.set(id, ExprKind::Object(run));
        id
    }

    fn arguments(&mut self, pieces: Vec<Piece>) -> (Vec<ExprId>, Vec<Prop>) {
        let (mut items, mut named) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Expr(expression) => items.push(self.expr(&expression)),
                Piece::Named(name, value) => {
                    let key = Some(self.name(&name));
                    named.push(Prop { key, value: self.expr(&value), kind: PropKind::Value });
                }
                Piece::Block(block) => {
                    let block = syn::ExprBlock { attrs: Vec::new(), label: None, block };
                    items.push(self.expr(&Syn::Block(block)));
                }
            }
        }
        (items, named)
    }

    /// Makes the text among arguments a template if its holes are those of a format string. A hole is one of the named
    /// arguments (`user_id = USER_ID`) before it is a variable of that name.
    fn fold_format(&mut self, items: &mut Vec<ExprId>, named: &[Prop]) {
        for at in 0..items.len().min(4) {
            let ExprKind::Str(atom) = self.builder.module.kind(items[at]) else { continue };
            let text = self.builder.module.str(atom).to_owned();
            let Some((quasis, holes)) = parts(&text) else { continue };
            let positional = holes.iter().filter(|hole| hole.is_empty()).count();
            if holes.is_empty() || positional != items.len() - at - 1 {
                return;
            }
            self.template(items, at, (&quasis, &holes), named);
            return;
        }
    }

    fn template(&mut self, items: &mut Vec<ExprId>, at: usize, text: (&[String], &[String]), named: &[Prop]) {
        let (quasis, holes) = text;
        let id = items[at];
        let mut rest = items.split_off(at + 1).into_iter();
        let (start, end) = (self.builder.module.expr(id).start, self.builder.module.expr(id).end);
        let mut values = Vec::with_capacity(holes.len());
        for hole in holes {
            let of_name = |prop: &&Prop| prop.key.is_some_and(|key| self.builder.module.str(key) == hole);
            let given = if hole.is_empty() { rest.next() } else { named.iter().find(of_name).map(|prop| prop.value) };
            let value = match given {
                Some(value) => value,
                None => self.under(id, |l| match l.value_named(hole) {
                    Some(symbol) => l.read(symbol, Span::call_site()),
                    None => l.reserve(Span::call_site()),
                }),
            };
            if let Some(expr) = self.builder.module.exprs.get_mut(value.0 as usize) {
                expr.parent = id;
                expr.role = Use::Inner;
                if !hole.is_empty() && given.is_none() {
                    (expr.start, expr.end) = (start, end);
                }
            }
            values.push(value);
        }
        let quasis: Vec<Atom> = quasis.iter().map(|part| self.atom(part)).collect();
        let quasis = self.atoms(&quasis);
        let exprs = self.list(&values).start;
        self.set(id, ExprKind::Template { quasis, exprs });
    }

    /// `json!({ "a": b })` is the object itself.
    fn json(&mut self, tokens: TokenStream, span: Span) -> ExprId {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let value = match trees.as_slice() {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => {
                self.deeper(group.span(), |l| l.json_object(group))
            }
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
                self.deeper(group.span(), |l| l.json_array(group))
            }
            [TokenTree::Ident(name)] if name == "null" => Some(self.leaf(name.span(), ExprKind::Null)),
            _ => syn::parse2::<Syn>(trees.into_iter().collect()).ok().map(|value| self.expr(&value)),
        };
        match value {
            Some(id) => id,
            None => self.reserve(span),
        }
    }

    fn json_object(&mut self, group: &proc_macro2::Group) -> ExprId {
        let id = self.reserve(group.span());
        let props = self.under(id, |l| {
            let mut props = Vec::new();
            for entry in split(group.stream(), ',') {
                let colon = entry.iter().position(|tree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ':'));
                let Some(colon) = colon else { continue };
                let (key, value) = entry.split_at(colon);
                let key = l.json_key(key);
                let value = l.json(value.iter().skip(1).cloned().collect(), group.span_close());
                let kind = if key.is_some() { PropKind::Value } else { PropKind::Computed };
                props.push(Prop { key, value, kind });
            }
            props
        });
        let run = self.props(props);
        self.set(id, ExprKind::Object(run));
        id
    }

    fn json_key(&mut self, key: &[TokenTree]) -> Option<Atom> {
        let [TokenTree::Literal(text)] = key else { return None };
        match syn::Lit::new(text.clone()) {
            syn::Lit::Str(text) => Some(self.atom(&text.value())),
            _ => None,
        }
    }

    fn json_array(&mut self, group: &proc_macro2::Group) -> ExprId {
        let id = self.reserve(group.span());
        let items: Vec<ExprId> = self.under(id, |l| {
            split(group.stream(), ',')
                .into_iter()
                .map(|item| l.json(item.into_iter().collect(), group.span_close()))
                .collect()
        });
        let run = self.list(&items);
        self.set(id, ExprKind::Array(run));
        id
    }

    /// A macro in place of an item: `lazy_static!` declares constants, others are calls.
    pub(super) fn item_macro(&mut self, it: &Macro) {
        if it.path.segments.last().is_some_and(|last| last.ident == "lazy_static" || last.ident == "thread_local") {
            for (name, ty, value) in lazy_statics.parse2(it.tokens.clone()).unwrap_or_default() {
                self.lazy_constant(&name, &ty, &value);
            }
            return;
        }
        self.at_root(Use::Statement, |l| l.macro_call(it));
    }

    /// `#[get("/x", rank = 2)]` is a call, `#[tokio::main]` a name.
    pub(super) fn attribute(&mut self, meta: &Meta) -> ExprId {
        match meta {
            Meta::Path(path) => self.attribute_name(path),
            Meta::List(list) => {
                let id = self.reserve(list.delimiter.span().close());
                let callee = self.under(id, |l| l.attribute_name(&list.path));
                let args = self.under(id, |l| l.attribute_arguments(list.tokens.clone()));
                self.stretch(id, callee, id);
                self.set(id, ExprKind::Call { callee, args });
                id
            }
            Meta::NameValue(pair) => {
                let id = self.reserve(pair.eq_token.span);
                let callee = self.under(id, |l| l.attribute_name(&pair.path));
                let value = self.under(id, |l| l.expr(&pair.value));
                let args = self.list(&[value]);
                self.stretch(id, callee, value);
                self.set(id, ExprKind::Call { callee, args });
                id
            }
        }
    }
}

impl Lower {
    /// What an attribute's name stands for: no function, whatever it is called (`#[get("/")] fn get()`).
    fn attribute_name(&mut self, path: &syn::Path) -> ExprId {
        let Some(ident) = path.get_ident() else { return self.path(path, Space::Value) };
        let name = self.name(ident);
        let symbol = self.scopes.find(Space::Type, name).or_else(|| self.unbound(name));
        match symbol {
            Some(symbol) => self.read(symbol, ident.span()),
            None => self.path(path, Space::Value),
        }
    }
}

fn closing(it: &Macro) -> Span {
    it.delimiter.span().close()
}

/// Splits at the top-level commas.
fn split(tokens: TokenStream, separator: char) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for tree in tokens {
        match &tree {
            TokenTree::Punct(punct) if punct.as_char() == separator => parts.push(Vec::new()),
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push(tree);
                }
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whatever of the arguments reads as an expression.
fn pieces(tokens: TokenStream) -> Vec<Piece> {
    read_pieces.parse2(tokens).unwrap_or_default()
}

fn read_pieces(input: ParseStream<'_>) -> syn::Result<Vec<Piece>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        if let Some(piece) = piece(input) {
            found.push(piece);
        }
        while !input.is_empty() && !separates(input) {
            input.parse::<TokenTree>()?;
        }
        while separates(input) {
            if input.peek(Token![=>]) {
                input.parse::<Token![=>]>()?;
            } else {
                input.parse::<TokenTree>()?;
            }
        }
    }
    Ok(found)
}

fn separates(input: ParseStream<'_>) -> bool {
    input.peek(Token![,]) || input.peek(Token![;]) || input.peek(Token![=>])
}

fn piece(input: ParseStream<'_>) -> Option<Piece> {
    use syn::parse::discouraged::Speculative as _;
    let attempt = |read: &dyn Fn(ParseStream<'_>) -> syn::Result<Piece>| {
        let fork = input.fork();
        let piece = read(&fork).ok()?;
        // What goes on is no piece of its own.
        if !fork.is_empty() && !separates(&fork) && !matches!(piece, Piece::Block(_)) {
            return None;
        }
        input.advance_to(&fork);
        Some(piece)
    };
    let named = attempt(&|fork| {
        let name: Ident = fork.call(<Ident as syn::ext::IdentExt>::parse_any)?;
        fork.parse::<Token![=]>()?;
        sigil(fork)?;
        Ok(Piece::Named(name, fork.parse()?))
    });
    named
        .or_else(|| attempt(&|fork| Ok(Piece::Block(fork.parse()?))))
        .or_else(|| {
            attempt(&|fork| {
                sigil(fork)?;
                Ok(Piece::Expr(fork.parse()?))
            })
        })
        .or_else(|| {
            // An arm of `select!`: a pattern, `=`, and what is waited for.
            attempt(&|fork| {
                syn::Pat::parse_single(fork)?;
                fork.parse::<Token![=]>()?;
                Ok(Piece::Expr(fork.parse()?))
            })
        })
}

/// How `tracing` shows a value: `%x`, `?x`.
fn sigil(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![%]) {
        input.parse::<Token![%]>()?;
    } else if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
    }
    Ok(())
}

type LazyStatic = (Ident, syn::Type, Syn);

fn lazy_statics(input: ParseStream<'_>) -> syn::Result<Vec<LazyStatic>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        found.push((name, ty, input.parse()?));
        input.parse::<Option<Token![;]>>()?;
    }
    Ok(found)
}

/// The parts of a format string between its holes, and what each hole names (nothing for the next argument).
fn parts(text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let (mut quasis, mut holes) = (vec![String::new()], Vec::new());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '{' if rest.peek() == Some(&'{') => {
                rest.next();
                quasis.last_mut()?.push('{');
            }
            '}' if rest.peek() == Some(&'}') => {
                rest.next();
                quasis.last_mut()?.push('}');
            }
            '{' => {
                let hole: String = rest.by_ref().take_while(|letter| *letter != '}').collect();
                let name = hole.split(':').next().unwrap_or("").trim().to_owned();
                if !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                    return None;
                }
                holes.push(name);
                quasis.push(String::new());
            }
            other => quasis.last_mut()?.push(other),
        }
    }
    Some((quasis, holes))
}
