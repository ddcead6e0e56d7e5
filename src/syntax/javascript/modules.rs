//! Imports, exports and declarations.

use oxc_ast::ast::{
    Declaration, ExportDefaultDeclarationKind, ImportDeclaration, ImportDeclarationSpecifier, ModuleDeclaration,
    ModuleExportName, Statement, TSEnumDeclaration, TSModuleReference, TSNamespaceDeclarationBody,
};
use oxc_span::Span;

use super::lower::{Lower, index_of};
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower<'_> {
    pub(super) fn source(&mut self, specifier: &str, span: Span, type_only: bool, dynamic: bool) -> SourceIdx {
        let specifier = self.atom(specifier);
        self.builder.module.sources.push(Source { specifier, start: span.start, end: span.end, type_only, dynamic });
        SourceIdx(u32::try_from(self.builder.module.sources.len() - 1).unwrap_or(u32::MAX - 1))
    }

    pub(super) fn declaration_or_module(&mut self, statement: &Statement<'_>) {
        if let Some(declaration) = statement.as_declaration() {
            self.declaration(declaration);
        } else if let Some(module) = statement.as_module_declaration() {
            self.module_declaration(module);
        }
    }

    fn declaration(&mut self, declaration: &Declaration<'_>) {
        match declaration {
            Declaration::VariableDeclaration(it) => {
                if !it.declare {
                    self.variables(it);
                }
            }
            Declaration::FunctionDeclaration(it) => {
                if it.body.is_some() {
                    self.function_node(it, ExprId::NONE, ClassIdx::NONE);
                }
            }
            Declaration::ClassDeclaration(it) => {
                self.class(it);
            }
            Declaration::TSEnumDeclaration(it) => self.enumeration(it),
            Declaration::TSTypeAliasDeclaration(it) => {
                let alias = self.type_of(&it.type_annotation);
                self.define(it.id.symbol_id.get(), Definition::TypeOnly(alias));
            }
            Declaration::TSInterfaceDeclaration(it) => {
                let mut heritage = Vec::with_capacity(it.extends.len());
                for parent in &it.extends {
                    let args = self.type_arguments(parent.type_arguments.as_deref());
                    let parent = self.reference(&parent.type_name, args);
                    heritage.push(self.push_type(parent));
                }
                let alias = self.push_type(Type::Union(heritage));
                self.define(it.id.symbol_id.get(), Definition::TypeOnly(alias));
            }
            Declaration::TSNamespaceDeclaration(it) => {
                if let TSNamespaceDeclarationBody::TSModuleBlock(block) = &it.body
                    && !it.declare
                {
                    self.statements(&block.body);
                }
            }
            Declaration::TSImportEqualsDeclaration(it) => {
                if let TSModuleReference::ExternalModuleReference(module) = &it.module_reference {
                    let source = self.source(&module.expression.value, it.span, it.import_kind.is_type(), false);
                    let definition = Definition::Import { source, name: Imported::Namespace };
                    self.define(it.id.symbol_id.get(), definition);
                }
            }
            Declaration::TSExternalModuleDeclaration(_) | Declaration::TSGlobalDeclaration(_) => {}
        }
    }

    fn enumeration(&mut self, it: &TSEnumDeclaration<'_>) {
        let mut members = Vec::new();
        for (index, member) in it.body.members.iter().enumerate() {
            let name = member.id.static_name();
            let name = self.atom(&name);
            let value = match &member.initializer {
                Some(init) => self.at_root(Use::Init, |l| l.expr(init)),
                None => {
                    let id = self.reserve(member.span);
                    let kind = self.number(f64::from(u32::try_from(index).unwrap_or(u32::MAX)));
                    self.set(id, kind);
                    id
                }
            };
            members.push((name, value));
        }
        self.define(it.id.symbol_id.get(), Definition::Enum(members));
    }

    fn module_declaration(&mut self, declaration: &ModuleDeclaration<'_>) {
        match declaration {
            ModuleDeclaration::ImportDeclaration(it) => self.import(it),
            ModuleDeclaration::ExportDeclaration(it) => {
                let before = self.builder.module.symbols.len();
                self.declaration(&it.declaration);
                debug_assert_eq!(before, self.builder.module.symbols.len());
                self.export_declared(&it.declaration);
            }
            ModuleDeclaration::ExportNamedDeclaration(it) => {
                for specifier in &it.specifiers {
                    let ModuleExportName::IdentifierReference(local) = &specifier.local else { continue };
                    let Some(symbol) = self.symbol_of(local.reference_id.get()) else { continue };
                    let name = self.export_name(&specifier.exported);
                    self.export(name, ExportTarget::Symbol(symbol), specifier.span);
                }
            }
            ModuleDeclaration::ExportFromDeclaration(it) => {
                let source = self.source(&it.source.value, it.source.span, it.export_kind.is_type(), false);
                for specifier in &it.specifiers {
                    let local = self.export_name(&specifier.local);
                    let name = self.export_name(&specifier.exported);
                    let is_default = self.builder.module.str(local) == "default";
                    let target = match is_default {
                        true if is_bare(&it.source.value) => {
                            ExportTarget::Expr(self.default_of(source, specifier.span))
                        }
                        true => ExportTarget::Reexport { source, name: Imported::Default },
                        false => ExportTarget::Reexport { source, name: Imported::Named(local) },
                    };
                    self.export(name, target, specifier.span);
                }
            }
            ModuleDeclaration::ExportAllDeclaration(it) => {
                let source = self.source(&it.source.value, it.source.span, it.export_kind.is_type(), false);
                match &it.exported {
                    Some(name) => {
                        let name = self.export_name(name);
                        let target = ExportTarget::Reexport { source, name: Imported::Namespace };
                        self.export(name, target, it.span);
                    }
                    None => self.builder.module.star_exports.push(source),
                }
            }
            ModuleDeclaration::ExportDefaultDeclaration(it) => self.export_default(&it.declaration, it.span),
            ModuleDeclaration::TSExportAssignment(it) => {
                let id = self.at_root(Use::Exported, |l| l.expr(&it.expression));
                self.builder.module.commonjs.push(id);
            }
            ModuleDeclaration::TSNamespaceExportDeclaration(_) => {}
        }
    }

    /// `export { default } from "pkg"` has no expression for what it hands on, which may be a handler: `require("pkg").default`.
    fn default_of(&mut self, source: SourceIdx, span: Span) -> ExprId {
        let default = self.atom("default");
        self.at_root(Use::Exported, |l| {
            let id = l.reserve(span);
            let object = l.under(id, |l| l.reserve(span));
            l.set(object, ExprKind::Require(source));
            l.set(id, ExprKind::Member { object, name: default });
            id
        })
    }

    fn export_name(&mut self, name: &ModuleExportName<'_>) -> Atom {
        let text = name.name();
        self.atom(&text)
    }

    fn export(&mut self, name: Atom, target: ExportTarget, span: Span) {
        self.builder.module.exports.push(Export { name, target, start: span.start });
    }

    fn export_declared(&mut self, declaration: &Declaration<'_>) {
        let mut names: Vec<(Option<oxc_syntax::symbol::SymbolId>, Span)> = Vec::new();
        match declaration {
            Declaration::VariableDeclaration(it) => {
                for declarator in &it.declarations {
                    for binding in declarator.id.get_binding_identifiers() {
                        names.push((binding.symbol_id.get(), binding.span));
                    }
                }
            }
            Declaration::FunctionDeclaration(it) => names.extend(it.id.iter().map(|id| (id.symbol_id.get(), id.span))),
            Declaration::ClassDeclaration(it) => names.extend(it.id.iter().map(|id| (id.symbol_id.get(), id.span))),
            Declaration::TSEnumDeclaration(it) => names.push((it.id.symbol_id.get(), it.id.span)),
            Declaration::TSTypeAliasDeclaration(it) => names.push((it.id.symbol_id.get(), it.id.span)),
            Declaration::TSInterfaceDeclaration(it) => names.push((it.id.symbol_id.get(), it.id.span)),
            _ => {}
        }
        for (symbol, span) in names {
            if let Some(symbol) = symbol.map(index_of) {
                let name = self.builder.module.symbol(symbol).name;
                self.export(name, ExportTarget::Symbol(symbol), span);
            }
        }
    }

    fn export_default(&mut self, declaration: &ExportDefaultDeclarationKind<'_>, span: Span) {
        let name = self.atom("default");
        let id = match declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => {
                let id = self.at_root(Use::Exported, |l| l.reserve(it.span));
                let function = self.function_node(it, id, ClassIdx::NONE);
                self.set(id, ExprKind::Function(function));
                id
            }
            ExportDefaultDeclarationKind::ClassDeclaration(it) => {
                let id = self.at_root(Use::Exported, |l| l.reserve(it.span));
                let class = self.class(it);
                self.set(id, ExprKind::Class(class));
                id
            }
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => return,
            other => match other.as_expression() {
                Some(expression) => self.at_root(Use::Exported, |l| l.expr(expression)),
                None => return,
            },
        };
        self.export(name, ExportTarget::Expr(id), span);
    }

    fn import(&mut self, it: &ImportDeclaration<'_>) {
        let source = self.source(&it.source.value, it.source.span, it.import_kind.is_type(), false);
        for specifier in it.specifiers.iter().flatten() {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => {
                    let text = it.imported.name();
                    let name = if text == "default" { Imported::Default } else { Imported::Named(self.atom(&text)) };
                    (&it.local, name)
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, Imported::Default),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, Imported::Namespace),
            };
            self.define(local.symbol_id.get(), Definition::Import { source, name });
        }
    }

    /// `module.exports = x`, `exports.name = x`, `module.exports.name = x`.
    pub(super) fn commonjs_export(&mut self, object: ExprId, name: Atom, value: ExprId) {
        let is_global = |module: &Module, id: ExprId, wanted: &str| matches!(module.kind(id), ExprKind::Global(atom) if module.str(atom) == wanted);
        let module = &self.builder.module;
        if is_global(module, object, "module") && module.str(name) == "exports" {
            self.builder.module.commonjs.push(value);
            return;
        }
        let through_module = matches!(module.kind(object), ExprKind::Member { object: outer, name: inner }
            if is_global(module, outer, "module") && module.str(inner) == "exports");
        if through_module || is_global(module, object, "exports") {
            let start = module.expr(value).start;
            self.builder.module.exports.push(Export { name, target: ExportTarget::Expr(value), start });
        }
    }
}

/// A package, or an alias for a folder; no path from the file.
fn is_bare(specifier: &str) -> bool {
    !specifier.starts_with(['.', '/'])
}
