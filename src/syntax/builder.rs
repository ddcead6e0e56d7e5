//! Builds the arena of a module: what the lowering of every language shares.
//!
//! In go nodes in the order of the text, with the context and the parent that they stand in; out comes a [`Module`].

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::depth;
use super::error::narrow;
use super::hir::*;

/// How many expressions and statements may stand in each other: a bracket can hold one of each.
pub const LEVELS: usize = 2 * depth::LIMIT;

/// A module in the making, and where in it the lowering stands.
pub(super) struct Builder {
    pub(super) module: Module,
    /// By their texts, which [`Module::strings`] has.
    atoms: HashTable<Atom>,
    pub(super) context: ContextId,
    pub(super) function: FunctionIdx,
    parent: ExprId,
    role: Use,
    /// How many expressions, statements, patterns and types are open.
    level: usize,
}

impl Builder {
    /// Begins a module at its top level: a text of that length with that many statements.
    pub(super) fn new(language: Language, end: usize, statements: usize) -> Builder {
        let mut module = Module::default();
        module.open(language, narrow(end), narrow(statements));
        Builder {
            module,
            atoms: HashTable::new(),
            context: ContextId(0),
            function: FunctionIdx(0),
            parent: ExprId::NONE,
            role: Use::Statement,
            level: 0,
        }
    }

    /// The module that was made of a text.
    pub(super) fn finish(self, text: &str) -> Module {
        let mut module = self.module;
        module.lines = narrow(lines(text));
        module.exprs = fitted(module.exprs);
        module.symbols = fitted(module.symbols);
        module.functions = fitted(module.functions);
        module.contexts = fitted(module.contexts);
        module.lists = fitted(module.lists);
        module.strings.fit();
        module
    }

    fn run(&mut self, items: impl ExactSizeIterator<Item = u32>) -> Run {
        let start = narrow(self.module.lists.len());
        let len = narrow(items.len());
        self.module.lists.extend(items);
        Run { start, len }
    }
}

/// The same in no more memory than it takes. Allocators leave a block as it is of which half is in use, so shrinking
/// would not do.
fn fitted<T>(items: Vec<T>) -> Vec<T> {
    let mut fitted = Vec::with_capacity(items.len());
    fitted.extend(items);
    fitted
}

/// As many as [`str::lines`] gives.
fn lines(text: &str) -> usize {
    let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    breaks + usize::from(!text.is_empty() && !text.ends_with('\n'))
}

/// A place in the text, whatever a parser calls it.
pub(super) trait Extent {
    /// Start and end as byte offsets.
    fn extent(self) -> (u32, u32);
}

/// What lowers a tree of one language with a [`Builder`].
pub(super) trait Lowering: Sized {
    fn builder(&mut self) -> &mut Builder;

    fn atom(&mut self, text: &str) -> Atom {
        let Builder { atoms, module: Module { strings, .. }, .. } = self.builder();
        let hash = |text: &str| FxBuildHasher.hash_one(text);
        match atoms.entry(hash(text), |&atom| strings.get(atom) == text, |&atom| hash(strings.get(atom))) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                // A text of the source has at most some megabytes.
                let atom = strings.push(text).unwrap_or(Atom(0));
                place.insert(atom);
                atom
            }
        }
    }

    /// Goes into a new context and gives the one to go back to.
    fn enter(&mut self, kind: ContextKind) -> ContextId {
        let builder = self.builder();
        let id = ContextId(narrow(builder.module.contexts.len()));
        let context = Context { kind, parent: builder.context, function: builder.function, exits: false };
        builder.module.contexts.push(context);
        std::mem::replace(&mut builder.context, id)
    }

    /// Runs `body` inside a new context.
    fn within<T>(&mut self, kind: ContextKind, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.enter(kind);
        let result = body(self);
        self.builder().context = outer;
        result
    }

    /// Reserves the node of an expression, so that its parts can name it as their parent.
    fn reserve(&mut self, at: impl Extent) -> ExprId {
        let (start, end) = at.extent();
        let builder = self.builder();
        let id = ExprId(narrow(builder.module.exprs.len()));
        let role = if builder.parent == ExprId::NONE { builder.role } else { Use::Inner };
        let (parent, context) = (builder.parent, builder.context);
        builder.module.exprs.push(Expr { kind: ExprKind::Other, start, end, parent, context, role });
        id
    }

    fn set(&mut self, id: ExprId, kind: ExprKind) {
        if let Some(expr) = self.builder().module.exprs.get_mut(id.0 as usize) {
            expr.kind = kind;
        }
    }

    /// A node without parts.
    fn leaf(&mut self, at: impl Extent, kind: ExprKind) -> ExprId {
        let id = self.reserve(at);
        self.set(id, kind);
        id
    }

    /// Runs `body` with `id` as the parent of the expressions that it makes.
    fn under<T>(&mut self, id: ExprId, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.builder().parent, id);
        let result = body(self);
        self.builder().parent = outer;
        result
    }

    /// Runs `body` with no parent: what it makes stands in a statement as `role`.
    fn at_root<T>(&mut self, role: Use, body: impl FnOnce(&mut Self) -> T) -> T {
        let builder = self.builder();
        let outer_parent = std::mem::replace(&mut builder.parent, ExprId::NONE);
        let outer_role = std::mem::replace(&mut builder.role, role);
        let result = body(self);
        let builder = self.builder();
        builder.parent = outer_parent;
        builder.role = outer_role;
        result
    }

    /// Runs `body` one level deeper, unless that is too deep: then the module says so, and there is no result.
    fn deeper<T>(&mut self, at: impl Extent, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let builder = self.builder();
        if builder.level >= LEVELS {
            builder.module.too_deep.get_or_insert_with(|| at.extent().0);
            return None;
        }
        builder.level += 1;
        let result = body(self);
        self.builder().level -= 1;
        Some(result)
    }

    fn list(&mut self, items: &[ExprId]) -> Run {
        self.builder().run(items.iter().map(|id| id.0))
    }

    fn atoms(&mut self, items: &[Atom]) -> Run {
        self.builder().run(items.iter().map(|atom| atom.0))
    }

    fn props(&mut self, props: Vec<Prop>) -> Run {
        let known = &mut self.builder().module.props;
        let run = Run { start: narrow(known.len()), len: narrow(props.len()) };
        known.extend(props);
        run
    }

    fn number(&mut self, value: f64) -> ExprKind {
        let numbers = &mut self.builder().module.numbers;
        numbers.push(value);
        ExprKind::Num(narrow(numbers.len() - 1))
    }

    fn push_type(&mut self, ty: Type) -> TypeId {
        let types = &mut self.builder().module.types;
        types.push(ty);
        TypeId(narrow(types.len() - 1))
    }

    /// A symbol of the function around.
    fn new_symbol(&mut self, name: Atom, start: u32, definition: Definition) -> SymbolIdx {
        let builder = self.builder();
        let id = SymbolIdx(narrow(builder.module.symbols.len()));
        builder.module.symbols.push(Symbol {
            name,
            definition,
            assigned: Vec::new(),
            reads: SmallVec::new(),
            start,
            function: builder.function,
        });
        id
    }

    fn current_function(&mut self) -> &mut Function {
        let builder = self.builder();
        let index = (builder.function.0 as usize).min(builder.module.functions.len().saturating_sub(1));
        &mut builder.module.functions[index]
    }

    /// Notes that the contexts around return or throw, up to the nearest branch: the ones around that may go on.
    fn mark_exit(&mut self) {
        let builder = self.builder();
        builder.module.leave(builder.context);
    }
}
