//! Type annotations, as far as they name what a value is.

use oxc_ast::ast::{
    TSImportTypeQualifier, TSType, TSTypeAnnotation, TSTypeName, TSTypeParameterInstantiation, TSTypeQueryExprName,
};

use oxc_span::GetSpan as _;

use super::lower::Lower;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower<'_> {
    pub(super) fn annotation(&mut self, annotation: Option<&TSTypeAnnotation<'_>>) -> TypeId {
        annotation.map_or(TypeId::NONE, |it| self.type_of(&it.type_annotation))
    }

    pub(super) fn type_of(&mut self, ty: &TSType<'_>) -> TypeId {
        self.deeper(ty.span(), |l| l.lower_type(ty)).unwrap_or(TypeId::NONE)
    }

    fn lower_type(&mut self, ty: &TSType<'_>) -> TypeId {
        let lowered = match ty {
            TSType::TSTypeReference(it) => {
                let args = self.type_arguments(it.type_arguments.as_deref());
                self.reference(&it.type_name, args)
            }
            TSType::TSUnionType(it) => Type::Union(it.types.iter().map(|t| self.type_of(t)).collect()),
            TSType::TSIntersectionType(it) => Type::Union(it.types.iter().map(|t| self.type_of(t)).collect()),
            TSType::TSArrayType(it) => Type::Array(self.type_of(&it.element_type)),
            TSType::TSParenthesizedType(it) => return self.type_of(&it.type_annotation),
            TSType::TSTypeOperatorType(it) => return self.type_of(&it.type_annotation),
            TSType::TSTypeQuery(it) => self.query(&it.expr_name),
            TSType::TSImportType(it) => {
                let source = self.source(&it.source.value, it.span, true, false);
                let mut path = Vec::new();
                let mut next = it.qualifier.as_ref();
                while let Some(qualifier) = next {
                    match qualifier {
                        TSImportTypeQualifier::Identifier(id) => {
                            path.push(self.atom(&id.name));
                            next = None;
                        }
                        TSImportTypeQualifier::QualifiedName(name) => {
                            path.push(self.atom(&name.right.name));
                            next = Some(&name.left);
                        }
                    }
                }
                path.reverse();
                Type::Reference { root: TypeRoot::Source(source), path, args: Vec::new() }
            }
            TSType::TSAnyKeyword(_) => self.keyword("any"),
            TSType::TSUnknownKeyword(_) => self.keyword("unknown"),
            TSType::TSStringKeyword(_) => self.keyword("string"),
            TSType::TSNumberKeyword(_) => self.keyword("number"),
            TSType::TSBooleanKeyword(_) => self.keyword("boolean"),
            TSType::TSBigIntKeyword(_) => self.keyword("bigint"),
            TSType::TSUndefinedKeyword(_) => self.keyword("undefined"),
            TSType::TSNullKeyword(_) => self.keyword("null"),
            TSType::TSLiteralType(_) => self.keyword("literal"),
            _ => Type::Other,
        };
        self.push_type(lowered)
    }

    fn keyword(&mut self, name: &str) -> Type {
        Type::Keyword(self.atom(name))
    }

    pub(super) fn type_arguments(&mut self, args: Option<&TSTypeParameterInstantiation<'_>>) -> Vec<TypeId> {
        args.map_or_else(Vec::new, |args| args.params.iter().map(|t| self.type_of(t)).collect())
    }

    pub(super) fn reference(&mut self, name: &TSTypeName<'_>, args: Vec<TypeId>) -> Type {
        match self.qualified(name) {
            Some((root, path)) => Type::Reference { root, path, args },
            None => Type::Other,
        }
    }

    fn qualified(&mut self, name: &TSTypeName<'_>) -> Option<(TypeRoot, Vec<Atom>)> {
        let mut path = Vec::new();
        let mut next = name;
        loop {
            match next {
                TSTypeName::IdentifierReference(it) => {
                    let root = match self.symbol_of(it.reference_id.get()) {
                        Some(symbol) => TypeRoot::Symbol(symbol),
                        None => TypeRoot::Global(self.atom(&it.name)),
                    };
                    path.reverse();
                    return Some((root, path));
                }
                TSTypeName::QualifiedName(it) => {
                    path.push(self.atom(&it.right.name));
                    next = &it.left;
                }
                TSTypeName::ThisExpression(_) => return None,
            }
        }
    }

    fn query(&mut self, name: &TSTypeQueryExprName<'_>) -> Type {
        match name.as_ts_type_name().and_then(|name| self.qualified(name)) {
            Some((root, path)) => Type::Query { root, path },
            None => Type::Other,
        }
    }
}
