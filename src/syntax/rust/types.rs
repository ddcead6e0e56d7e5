//! Types: names with their arguments; references and smart pointers are what they point to.

use syn::{GenericArgument, PathArguments, ReturnType, Type as Syn, TypeParamBound};

use super::lower::Lower;
use super::scopes::Space;
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

impl Lower {
    pub(super) fn type_of(&mut self, ty: &Syn) -> TypeId {
        self.deeper(ty, |l| l.lower_type(ty)).unwrap_or(TypeId::NONE)
    }

    fn lower_type(&mut self, ty: &Syn) -> TypeId {
        let lowered = match ty {
            Syn::Path(it) => return self.named(&it.path),
            Syn::Reference(it) => return self.type_of(&it.elem),
            Syn::Paren(it) => return self.type_of(&it.elem),
            Syn::Group(it) => return self.type_of(&it.elem),
            Syn::Array(it) => Type::Array(self.type_of(&it.elem)),
            Syn::Slice(it) => Type::Array(self.type_of(&it.elem)),
            Syn::Tuple(it) => {
                let items = it.elems.iter().map(|item| self.type_of(item)).collect();
                Type::Reference { root: TypeRoot::Global(self.atom("tuple")), path: Vec::new(), args: items }
            }
            Syn::ImplTrait(it) => self.bounds(it.bounds.iter()),
            Syn::TraitObject(it) => self.bounds(it.bounds.iter()),
            _ => Type::Other,
        };
        self.push_type(lowered)
    }

    fn bounds<'t>(&mut self, bounds: impl Iterator<Item = &'t TypeParamBound>) -> Type {
        let parts = bounds
            .filter_map(|bound| match bound {
                TypeParamBound::Trait(bound) => Some(self.named(&bound.path)),
                _ => None,
            })
            .collect();
        Type::Union(parts)
    }

    pub(super) fn named(&mut self, path: &syn::Path) -> TypeId {
        let args = path.segments.last().map_or_else(Vec::new, |segment| self.arguments_of(&segment.arguments));
        let last = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if let (true, [inner]) = (is_pointer(&last), args.as_slice()) {
            return *inner;
        }
        let lowered = match (path.get_ident(), args.as_slice()) {
            (Some(_), []) if last == "String" || is_primitive(&last) => Type::Keyword(self.atom(&last)),
            (Some(name), [inner]) if name == "Vec" => Type::Array(*inner),
            _ => {
                let (root, path) = self.type_path(path);
                Type::Reference { root, path, args }
            }
        };
        self.push_type(lowered)
    }

    fn arguments_of(&mut self, arguments: &PathArguments) -> Vec<TypeId> {
        match arguments {
            PathArguments::AngleBracketed(list) => self.generic_arguments(list),
            PathArguments::Parenthesized(list) => list.inputs.iter().map(|input| self.type_of(&input.ty)).collect(),
            PathArguments::None => Vec::new(),
        }
    }

    pub(super) fn generic_arguments(&mut self, list: &syn::AngleBracketedGenericArguments) -> Vec<TypeId> {
        list.args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(self.type_of(ty)),
                _ => None,
            })
            .collect()
    }

    pub(super) fn return_type(&mut self, output: &ReturnType) -> TypeId {
        match output {
            ReturnType::Default => TypeId::NONE,
            ReturnType::Type(_, ty) => self.type_of(ty),
        }
    }

    /// The names that generic parameters bring, as what their bounds say.
    pub(super) fn generics(&mut self, generics: &syn::Generics) {
        for parameter in generics.type_params() {
            let name = self.name(&parameter.ident);
            let start = super::lower::range(parameter.ident.span()).0;
            let symbol = self.declare(&[Space::Type], name, start);
            let bounds = self.bounds(parameter.bounds.iter());
            let bounds = self.push_type(bounds);
            self.define(symbol, Definition::TypeOnly(bounds));
        }
    }
}

/// What only points to what it holds.
fn is_pointer(name: &str) -> bool {
    matches!(name, "Box" | "Arc" | "Rc" | "Pin" | "Cow")
}

/// The types that are part of the language and need no name in scope.
pub(super) fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "bool"
            | "char"
            | "str"
            | "f32"
            | "f64"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
    )
}
