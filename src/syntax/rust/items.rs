//! Items: what a file or an inline module declares. Types are classes; the `impl` blocks of one type are one class.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Attribute, Fields, ImplItem, Item, Meta, TraitItem, Type as SynType};

use super::functions::Shape;
use super::lower::{Lower, range};
use super::scopes::Space;
use super::test_stats::{attributes_of, is_for_tests, is_not_deployed, is_test, is_test_code};
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// Traits whose methods say nothing of what a program does.
const PLAIN_DERIVES: &[&str] =
    &["Debug", "Clone", "Copy", "Default", "PartialEq", "Eq", "Hash", "PartialOrd", "Ord", "Serialize", "Deserialize"];
const VALUE: &[Space] = &[Space::Value];
const TYPE: &[Space] = &[Space::Type];
const BOTH: &[Space] = &[Space::Value, Space::Type];

impl Lower {
    /// Items see each other whatever their order, so names come first.
    pub(super) fn items<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        let is_built = |item: &&Item| !is_test_code(item) && !is_not_deployed(attributes_of(item));
        let items: Vec<&Item> = items.filter(is_built).collect();
        let mut symbols = vec![SymbolIdx::NONE; items.len()];
        // What a `use` starts at may be declared behind it.
        for of_uses in [false, true] {
            for (item, symbol) in items.iter().zip(&mut symbols) {
                if matches!(item, Item::Use(_)) == of_uses {
                    *symbol = self.declare_item(item);
                }
            }
        }
        // What `impl` blocks belong to is known before any body is read.
        for (item, symbol) in items.iter().zip(&symbols) {
            self.deeper(*item, |l| l.type_item(item, *symbol));
        }
        for (item, symbol) in items.iter().zip(&symbols) {
            self.deeper(*item, |l| l.item(item, *symbol));
        }
    }

    fn declare_item(&mut self, item: &Item) -> SymbolIdx {
        let (spaces, ident) = match item {
            Item::Fn(it) => (VALUE, &it.sig.ident),
            Item::Const(it) => (VALUE, &it.ident),
            Item::Static(it) => (VALUE, &it.ident),
            Item::Struct(it) => (BOTH, &it.ident),
            Item::Enum(it) => (TYPE, &it.ident),
            Item::Union(it) => (TYPE, &it.ident),
            Item::Trait(it) => (TYPE, &it.ident),
            Item::Type(it) => (TYPE, &it.ident),
            Item::Mod(it) => (TYPE, &it.ident),
            Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => {
                let name = self.macro_name(ident);
                let start = range(ident.span()).0;
                let symbol = self.declare(VALUE, name, start);
                let target = ExportTarget::Symbol(symbol);
                self.builder.module.exports.push(Export { name, target, start });
                return symbol;
            }
            Item::Use(it) => {
                self.declare_use(&it.tree);
                return SymbolIdx::NONE;
            }
            Item::ExternCrate(it) => return self.extern_crate(it),
            _ => return SymbolIdx::NONE,
        };
        let name = self.name(ident);
        if matches!(item, Item::Mod(it) if it.content.is_none()) {
            self.files.insert(name);
        }
        let start = range(ident.span()).0;
        let symbol = self.declare(spaces, name, start);
        self.export(name, symbol, start);
        symbol
    }

    fn extern_crate(&mut self, it: &syn::ItemExternCrate) -> SymbolIdx {
        let specifier = it.ident.to_string();
        let source = self.source(&specifier, it.ident.span());
        if it.attrs.iter().any(|attribute| attribute.path().is_ident("macro_use")) {
            self.builder.module.star_exports.push(source);
        }
        let local = it.rename.as_ref().map_or(&it.ident, |(_, name)| name);
        let name = self.name(local);
        let symbol = self.declare(TYPE, name, range(local.span()).0);
        self.define(symbol, Definition::Import { source, name: Imported::Namespace });
        symbol
    }

    /// Types and modules of other files, which everything else refers to.
    fn type_item(&mut self, item: &Item, symbol: SymbolIdx) {
        match item {
            Item::Struct(it) => {
                let class = self.open_class(Some(&it.ident), &it.attrs, it.struct_token.span, symbol);
                self.scoped(|l| {
                    l.generics(&it.generics);
                    l.fields(&it.fields, class);
                });
                self.close_class(class, it.fields.span());
            }
            Item::Union(it) => {
                self.open_class(Some(&it.ident), &it.attrs, it.union_token.span, symbol);
            }
            Item::Enum(it) => {
                let class = self.open_class(Some(&it.ident), &it.attrs, it.enum_token.span, symbol);
                for variant in &it.variants {
                    let decorators = self.attributes(&variant.attrs);
                    let name = self.name(&variant.ident);
                    self.add_member(class, name, MemberKind::Field(ExprId::NONE), true, TypeId::NONE, decorators);
                }
                self.close_class(class, it.brace_token.span.close());
            }
            Item::Trait(it) => {
                self.open_class(Some(&it.ident), &it.attrs, it.trait_token.span, symbol);
            }
            Item::Type(it) => {
                let ty = self.scoped(|l| {
                    l.generics(&it.generics);
                    l.type_of(&it.ty)
                });
                self.define(symbol, Definition::TypeOnly(ty));
            }
            Item::Mod(it) if it.content.is_none() => self.module_file(it, symbol),
            _ => {}
        }
    }

    fn item(&mut self, item: &Item, symbol: SymbolIdx) {
        match item {
            Item::Fn(it) => {
                let decorators = self.attributes(&it.attrs);
                let function = self.function_item(&it.sig, &it.block, ClassIdx::NONE);
                self.builder.module.functions[function.0 as usize].decorators = decorators;
                self.define(symbol, Definition::Function(function));
            }
            Item::Const(it) => self.constant(symbol, &it.ty, &it.expr),
            Item::Static(it) => self.constant(symbol, &it.ty, &it.expr),
            Item::Mod(it) => {
                if let Some((_, items)) = &it.content {
                    self.inline_module(it, items, symbol);
                }
            }
            Item::Impl(it) => self.implementation(it),
            Item::Trait(it) => self.trait_methods(it, symbol),
            Item::Macro(it) if it.ident.is_none() => self.item_macro(&it.mac),
            Item::Macro(it) => self.declared_macro(it, symbol),
            _ => {}
        }
    }

    fn constant(&mut self, symbol: SymbolIdx, ty: &SynType, value: &syn::Expr) {
        let annotation = self.type_of(ty);
        let init = self.at_root(Use::Init, |l| l.expr(value));
        let definition =
            Definition::Variable { init, steps: Vec::new(), default: ExprId::NONE, constant: true, annotation };
        self.define(symbol, definition);
    }

    /// A `static` that a macro such as `lazy_static!` declares.
    pub(super) fn lazy_constant(&mut self, ident: &syn::Ident, ty: &SynType, value: &syn::Expr) {
        let name = self.name(ident);
        let start = range(ident.span()).0;
        let symbol = self.declare(VALUE, name, start);
        self.export(name, symbol, start);
        self.constant(symbol, ty, value);
    }

    /// `mod x;`: a name for another file.
    fn module_file(&mut self, it: &syn::ItemMod, symbol: SymbolIdx) {
        let explicit = it.attrs.iter().find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        let name = it.ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        let inside: String = self.module_path.iter().map(|part| format!("{part}/")).collect();
        let specifier = match explicit {
            Some(path) => format!("path {inside}{path}"),
            None => format!("mod {inside}{name}"),
        };
        let source = self.source(&specifier, it.ident.span());
        self.define(symbol, Definition::Import { source, name: Imported::Namespace });
    }

    /// `mod x { … }`: a class of what it declares.
    fn inline_module(&mut self, it: &syn::ItemMod, items: &[Item], symbol: SymbolIdx) {
        let class = self.open_class(Some(&it.ident), &it.attrs, it.mod_token.span, symbol);
        let first = self.builder.module.symbols.len();
        self.module_depth += 1;
        self.module_path.push(it.ident.to_string());
        self.scoped(|l| {
            l.items(items.iter());
            let declared: Vec<(Atom, SymbolIdx)> = items.iter().filter_map(|item| l.declared_by(item, first)).collect();
            for (name, symbol) in declared {
                let value = l.at_root(Use::Exported, |l| l.leaf(it.ident.span(), ExprKind::Ident(symbol)));
                l.add_member(class, name, MemberKind::Field(value), true, TypeId::NONE, Vec::new());
            }
        });
        self.module_path.pop();
        self.module_depth -= 1;
        if let Some((brace, _)) = &it.content {
            self.close_class(class, brace.span.close());
        }
    }

    /// The name of an item of the innermost module, and its symbol if it was made since `first`.
    fn declared_by(&mut self, item: &Item, first: usize) -> Option<(Atom, SymbolIdx)> {
        let (space, ident) = match item {
            Item::Fn(it) => (Space::Value, &it.sig.ident),
            Item::Const(it) => (Space::Value, &it.ident),
            Item::Static(it) => (Space::Value, &it.ident),
            Item::Struct(it) => (Space::Type, &it.ident),
            Item::Enum(it) => (Space::Type, &it.ident),
            Item::Trait(it) => (Space::Type, &it.ident),
            Item::Type(it) => (Space::Type, &it.ident),
            Item::Mod(it) => (Space::Type, &it.ident),
            _ => return None,
        };
        let name = self.name(ident);
        let symbol = self.scopes.find(space, name)?;
        (symbol.0 as usize >= first).then_some((name, symbol))
    }

    pub(super) fn open_class(
        &mut self,
        ident: Option<&syn::Ident>,
        attributes: &[Attribute],
        span: Span,
        symbol: SymbolIdx,
    ) -> ClassIdx {
        let decorators = self.attributes(attributes);
        let name = ident.map(|ident| self.name(ident));
        let class = ClassIdx(crate::syntax::error::narrow(self.builder.module.classes.len()));
        let (start, end) = range(span);
        self.builder.module.classes.push(Class {
            name,
            heritage: ExprId::NONE,
            members: Vec::new(),
            constructor: FunctionIdx::NONE,
            parameter_properties: Vec::new(),
            assigned: Vec::new(),
            decorators,
            start,
            end,
        });
        for derived in self.derived_traits(attributes) {
            self.add_heritage(class, derived);
        }
        let expr = self.at_root(Use::Statement, |l| l.leaf(span, ExprKind::Class(class)));
        self.builder.module.class_exprs.push(expr);
        if symbol != SymbolIdx::NONE {
            self.define(symbol, Definition::Class(class));
        }
        class
    }

    /// The traits that a `derive` gives a type, without those of the language and of serde, which nobody asks about.
    fn derived_traits(&mut self, attributes: &[Attribute]) -> Vec<ExprId> {
        let mut found = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let _ = attribute.parse_nested_meta(|meta| {
                let name = meta.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
                if !PLAIN_DERIVES.contains(&name.as_str()) {
                    found.push(self.at_root(Use::Heritage, |l| l.path(&meta.path, Space::Type)));
                }
                Ok(())
            });
        }
        found
    }

    fn close_class(&mut self, class: ClassIdx, span: Span) {
        if let Some(entry) = self.builder.module.classes.get_mut(class.0 as usize) {
            entry.end = entry.end.max(range(span).1);
        }
    }

    pub(super) fn add_member(
        &mut self,
        class: ClassIdx,
        name: Atom,
        kind: MemberKind,
        is_static: bool,
        annotation: TypeId,
        decorators: Vec<ExprId>,
    ) {
        if let Some(entry) = self.builder.module.classes.get_mut(class.0 as usize) {
            entry.members.push(ClassMember { name, kind, is_static, annotation, decorators });
        }
    }

    fn fields(&mut self, fields: &Fields, class: ClassIdx) {
        for (index, field) in fields.iter().enumerate() {
            let decorators = self.attributes(&field.attrs);
            let name = match &field.ident {
                Some(ident) => self.name(ident),
                None => self.atom(&index.to_string()),
            };
            let annotation = self.type_of(&field.ty);
            // Where the field stands: its type is no value.
            let place = self.at_root(Use::Annotation, |l| l.leaf(field.ty.span(), ExprKind::Other));
            if annotation != TypeId::NONE {
                self.builder.module.written_types.push((annotation, place));
            }
            self.add_member(class, name, MemberKind::Field(ExprId::NONE), false, annotation, decorators);
        }
    }

    fn implementation(&mut self, it: &syn::ItemImpl) {
        let Some((class, symbol)) = self.class_of(&it.self_ty) else { return };
        self.scoped(|l| {
            l.generics(&it.generics);
            if let Some((path, _)) = &it.trait_ {
                let heritage = l.at_root(Use::Heritage, |l| l.path(path, Space::Type));
                l.add_heritage(class, heritage);
            }
            let outer = std::mem::replace(&mut l.self_type, symbol);
            for item in &it.items {
                match item {
                    ImplItem::Fn(it) if !is_test(&it.attrs) && !is_for_tests(&it.attrs) => {
                        l.method(&it.attrs, &it.sig, &it.block, class);
                    }
                    ImplItem::Const(it) => {
                        let value = l.at_root(Use::Field, |l| l.expr(&it.expr));
                        let name = l.name(&it.ident);
                        l.add_member(class, name, MemberKind::Field(value), true, TypeId::NONE, Vec::new());
                    }
                    _ => {}
                }
            }
            l.self_type = outer;
        });
    }

    /// The class of the type of an `impl`, and the name that `Self` stands for. A type of another file gets a class of
    /// its own here, which extends it.
    fn class_of(&mut self, ty: &SynType) -> Option<(ClassIdx, SymbolIdx)> {
        let path = match ty {
            SynType::Path(it) => &it.path,
            SynType::Reference(it) => match &*it.elem {
                SynType::Path(it) => &it.path,
                _ => return None,
            },
            _ => return None,
        };
        let last = path.segments.last()?;
        if let Some(ident) = path.segments.first().filter(|_| path.segments.len() == 1) {
            let name = self.name(&ident.ident);
            if let Some(symbol) = self.find(Space::Type, name)
                && let Definition::Class(class) = self.builder.module.symbol(symbol).definition
            {
                return Some((class, symbol));
            }
        }
        let name = self.name(&last.ident);
        let known = self.extended.iter().find(|(known, _)| *known == name);
        let class = match known {
            Some(&(_, class)) => class,
            None => {
                let class = self.open_class(Some(&last.ident), &[], last.ident.span(), SymbolIdx::NONE);
                let heritage = self.at_root(Use::Heritage, |l| l.path(path, Space::Type));
                self.add_heritage(class, heritage);
                self.extended.push((name, class));
                self.builder.module.extensions.push((class, heritage));
                class
            }
        };
        let symbol = self.new_symbol(name, range(last.ident.span()).0, Definition::Class(class));
        Some((class, symbol))
    }

    /// What a class extends: one, or an array of all.
    fn add_heritage(&mut self, class: ClassIdx, parent: ExprId) {
        let Some(entry) = self.builder.module.classes.get(class.0 as usize) else { return };
        let before = entry.heritage;
        let all = match before.some().map(|id| (id, self.builder.module.kind(id))) {
            None => parent,
            Some((id, ExprKind::Array(run))) => {
                let items: Vec<ExprId> = self.builder.module.list(run).chain([parent]).collect();
                let run = self.list(&items);
                self.set(id, ExprKind::Array(run));
                id
            }
            Some((id, _)) => {
                let run = self.list(&[id, parent]);
                let start = self.builder.module.expr(id).start;
                let array = self.at_root(Use::Heritage, |l| l.leaf(Span::call_site(), ExprKind::Array(run)));
                if let Some(expr) = self.builder.module.exprs.get_mut(array.0 as usize) {
                    (expr.start, expr.end) = (start, start);
                }
                array
            }
        };
        self.builder.module.classes[class.0 as usize].heritage = all;
    }

    fn trait_methods(&mut self, it: &syn::ItemTrait, symbol: SymbolIdx) {
        let Definition::Class(class) = self.builder.module.symbol(symbol).definition else { return };
        self.scoped(|l| {
            l.generics(&it.generics);
            let outer = std::mem::replace(&mut l.self_type, symbol);
            for item in &it.items {
                if let TraitItem::Fn(method) = item
                    && let Some(block) = &method.default
                {
                    l.method(&method.attrs, &method.sig, block, class);
                }
            }
            l.self_type = outer;
        });
    }

    fn method(&mut self, attributes: &[Attribute], sig: &syn::Signature, block: &syn::Block, class: ClassIdx) {
        let decorators = self.attributes(attributes);
        let is_static = sig.receiver().is_none();
        let outer = std::mem::replace(&mut self.class, class);
        let function = self.function_item(sig, block, class);
        self.class = outer;
        self.builder.module.functions[function.0 as usize].decorators.clone_from(&decorators);
        let name = self.name(&sig.ident);
        self.add_member(class, name, MemberKind::Method(function), is_static, TypeId::NONE, decorators);
    }

    fn function_item(&mut self, sig: &syn::Signature, block: &syn::Block, class: ClassIdx) -> FunctionIdx {
        let name = Some(self.name(&sig.ident));
        let span = (range(sig.fn_token.span).0, range(block.brace_token.span.close()).1);
        let is_async = sig.asyncness.is_some();
        let expr = self.at_root(Use::Statement, |l| l.reserve(sig.fn_token.span));
        self.stretch_to(expr, block.brace_token.span.close());
        let shape = Shape { name, span, is_async, class, expr };
        let function = self.scoped(|l| {
            l.generics(&sig.generics);
            let output = l.return_type(&sig.output);
            l.function_with(shape, output, |l, index| {
                l.parameters(&sig.inputs, index);
                l.body(block);
            })
        });
        self.set(expr, ExprKind::Function(function));
        function
    }

    /// Attributes that a library reads; every name of a `derive` stands for itself.
    pub(super) fn attributes(&mut self, attributes: &[Attribute]) -> Vec<ExprId> {
        let mut found = Vec::new();
        for attribute in attributes.iter().filter(|attribute| !is_builtin(attribute)) {
            if attribute.path().is_ident("derive") {
                let _ = attribute.parse_nested_meta(|meta| {
                    found.push(self.at_root(Use::Decorator, |l| l.path(&meta.path, Space::Type)));
                    Ok(())
                });
                continue;
            }
            found.push(self.at_root(Use::Decorator, |l| l.attribute(&attribute.meta)));
        }
        found
    }
}

/// Attributes for the compiler alone.
fn is_builtin(attribute: &Attribute) -> bool {
    const NAMES: &[&str] = &[
        "doc",
        "allow",
        "warn",
        "deny",
        "forbid",
        "expect",
        "inline",
        "must_use",
        "cfg",
        "cfg_attr",
        "repr",
        "path",
        "non_exhaustive",
        "automatically_derived",
        "cold",
        "track_caller",
        "macro_use",
        "macro_export",
        "deprecated",
    ];
    let path = attribute.path();
    NAMES.iter().any(|name| path.is_ident(name)) || path.segments.first().is_some_and(|first| first.ident == "rustfmt")
}
