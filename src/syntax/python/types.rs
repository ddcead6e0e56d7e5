//! Type annotations, as far as they name what a value is.

use ruff_python_ast::{Expr, Operator};
use ruff_python_parser::parse_string_annotation;
use ruff_text_size::Ranged as _;

use super::lower::{Lower, Name};
use crate::syntax::builder::Lowering as _;
use crate::syntax::hir::*;

/// Types that say only how the first of their arguments is held.
const TRANSPARENT: &[&str] = &[
    "Annotated",
    "AsyncContextManager",
    "AsyncGenerator",
    "AsyncIterator",
    "Awaitable",
    "ClassVar",
    "ContextManager",
    "Coroutine",
    "Final",
    "Generator",
    "Iterator",
    "NotRequired",
    "Optional",
    "ReadOnly",
    "Required",
];
const COLLECTIONS: &[&str] = &[
    "AsyncIterable",
    "Collection",
    "Deque",
    "FrozenSet",
    "Iterable",
    "List",
    "MutableSequence",
    "Sequence",
    "Set",
    "deque",
    "frozenset",
    "list",
    "set",
];

impl Lower<'_> {
    /// The type of an annotation, and, where calls are part of it, the expression ([`Module::written_type`]).
    pub(super) fn annotation(&mut self, annotation: Option<&Expr>) -> TypeId {
        let Some(annotation) = annotation else { return TypeId::NONE };
        let ty = self.type_of(annotation);
        if ty != TypeId::NONE && !matches!(annotation, Expr::StringLiteral(_) | Expr::NoneLiteral(_)) {
            let written = self.at_root(Use::Annotation, |l| l.expr(annotation));
            self.builder.module.written_types.push((ty, written));
        }
        ty
    }

    /// `Alias = Annotated[…]`, `Alias = A | B`: the value is a type as well.
    pub(super) fn note_alias(&mut self, value: &Expr, lowered: ExprId) {
        let is_type = match value {
            Expr::Subscript(it) => {
                let head = last_name(&it.value);
                TRANSPARENT.contains(&head) || COLLECTIONS.contains(&head) || head == "Union"
            }
            Expr::BinOp(it) => it.op == Operator::BitOr,
            _ => false,
        };
        if is_type {
            let ty = self.type_of(value);
            self.builder.module.alias_types.push((lowered, ty));
        }
    }

    fn type_of(&mut self, ty: &Expr) -> TypeId {
        self.deeper(ty.range(), |l| l.lower_type(ty)).unwrap_or(TypeId::NONE)
    }

    fn lower_type(&mut self, ty: &Expr) -> TypeId {
        let lowered = match ty {
            Expr::Name(_) | Expr::Attribute(_) => self.reference(ty, Vec::new()),
            Expr::Subscript(it) => return self.generic(it),
            Expr::BinOp(it) if it.op == Operator::BitOr => {
                Type::Union(vec![self.type_of(&it.left), self.type_of(&it.right)])
            }
            Expr::NoneLiteral(_) => self.keyword_type("null"),
            Expr::StringLiteral(it) => return self.quoted(it),
            _ => Type::Other,
        };
        self.push_type(lowered)
    }

    fn keyword_type(&mut self, name: &str) -> Type {
        Type::Keyword(self.atom(name))
    }

    /// A forward reference: the text of a string is a type.
    fn quoted(&mut self, it: &ruff_python_ast::ExprStringLiteral) -> TypeId {
        let text = self.text;
        let parsed = it.as_single_part_string().and_then(|part| parse_string_annotation(text, part).ok());
        match parsed {
            Some(parsed) => self.type_of(parsed.expr()),
            None => self.push_type(Type::Other),
        }
    }

    fn generic(&mut self, it: &ruff_python_ast::ExprSubscript) -> TypeId {
        let head = last_name(&it.value);
        let args: &[Expr] = match &*it.slice {
            Expr::Tuple(tuple) => &tuple.elts,
            one => std::slice::from_ref(one),
        };
        let lowered = match (head, args) {
            ("Literal", _) => self.keyword_type("literal"),
            ("Optional", [inner]) => {
                let inner = self.type_of(inner);
                let none = self.keyword_type("null");
                let none = self.push_type(none);
                Type::Union(vec![inner, none])
            }
            ("Union", args) => Type::Union(args.iter().map(|arg| self.type_of(arg)).collect()),
            ("type" | "Type", [inner]) => match self.qualified(inner) {
                Some((root, path)) => Type::Query { root, path },
                None => Type::Other,
            },
            (head, [inner, ..]) if TRANSPARENT.contains(&head) => return self.type_of(inner),
            (head, [inner, ..]) if COLLECTIONS.contains(&head) => Type::Array(self.type_of(inner)),
            (_, args) => {
                let args = args.iter().map(|arg| self.type_of(arg)).collect();
                self.reference(&it.value, args)
            }
        };
        self.push_type(lowered)
    }

    fn reference(&mut self, name: &Expr, args: Vec<TypeId>) -> Type {
        match self.qualified(name) {
            Some((root, path)) => Type::Reference { root, path, args },
            None => Type::Other,
        }
    }

    fn qualified(&mut self, name: &Expr) -> Option<(TypeRoot, Vec<Atom>)> {
        let mut path = Vec::new();
        let mut next = name;
        loop {
            match next {
                Expr::Name(it) => {
                    let text = it.id.as_str();
                    let atom = self.atom(text);
                    path.reverse();
                    let symbol = match self.lookup(atom) {
                        Some(Name::Symbol(symbol)) => Some(symbol),
                        Some(Name::Receiver) => return None,
                        None => self.star_symbol(atom, text),
                    };
                    return Some(match symbol {
                        Some(symbol) => self.through_dotted(atom, symbol, path),
                        None => (TypeRoot::Global(atom), path),
                    });
                }
                Expr::Attribute(it) if path.len() < 32 => {
                    path.push(self.atom(it.attr.as_str()));
                    next = &it.value;
                }
                _ => return None,
            }
        }
    }

    /// `a.b.C` after `import a.b` starts at that module.
    fn through_dotted(&self, first: Atom, symbol: SymbolIdx, path: Vec<Atom>) -> (TypeRoot, Vec<Atom>) {
        let fits = |parts: &[Atom]| parts.first() == Some(&first) && path.starts_with(parts.get(1..).unwrap_or(&[]));
        let longest = self.dotted.iter().filter(|(parts, _)| fits(parts)).max_by_key(|(parts, _)| parts.len());
        match longest {
            Some((parts, module)) => (TypeRoot::Symbol(*module), path[parts.len() - 1..].to_vec()),
            None => (TypeRoot::Symbol(symbol), path),
        }
    }
}

/// The last name of `a.b.C`.
fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(it) => it.id.as_str(),
        Expr::Attribute(it) => it.attr.as_str(),
        _ => "",
    }
}
