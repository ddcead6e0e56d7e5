//! What a module of code says, whatever its language, without its tree: a compact arena that outlives the parser's.
//!
//! Types, parentheses, `as`, `!` and optional chaining are gone; `new` and `require` have their own nodes; every
//! expression knows its parent and what surrounds it.

/// Index of a string of the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom(pub u32);

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            pub const NONE: $name = $name(u32::MAX);

            pub fn some(self) -> Option<$name> {
                (self != Self::NONE).then_some(self)
            }
        })*
    };
}

index! {
    ExprId;
    /// Index of a function of the module; 0 is the module's own body.
    FunctionIdx;
    ClassIdx;
    SymbolIdx;
    ContextId;
    TypeId;
    SourceIdx;
}

/// A run of the module's `lists` (or of `props` for an object).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub start: u32,
    pub len: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExprKind {
    Str(Atom),
    /// Index into `numbers`.
    Num(u32),
    Bool(bool),
    Null,
    Undefined,
    Regex(Atom),
    /// `quasis` one longer than `exprs`; quasis are atoms in `lists`.
    Template {
        quasis: Run,
        exprs: u32,
    },
    Tagged {
        tag: ExprId,
        template: ExprId,
    },
    Ident(SymbolIdx),
    Global(Atom),
    This,
    Member {
        object: ExprId,
        name: Atom,
    },
    Index {
        object: ExprId,
        index: ExprId,
    },
    Call {
        callee: ExprId,
        args: Run,
    },
    New {
        callee: ExprId,
        args: Run,
    },
    Object(Run),
    Array(Run),
    Spread(ExprId),
    Function(FunctionIdx),
    Class(ClassIdx),
    Assign {
        target: ExprId,
        value: ExprId,
        op: AssignOp,
    },
    Binary {
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    },
    Logical {
        op: LogicalOp,
        left: ExprId,
        right: ExprId,
    },
    Conditional {
        test: ExprId,
        branches: Run,
    },
    Not(ExprId),
    /// Other unary operators, `typeof`, `void`, `++`.
    Unary(ExprId),
    Delete(ExprId),
    Await(ExprId),
    /// `x?`: what `x` holds, or the function's end.
    Try(ExprId),
    Require(SourceIdx),
    /// `import("x")` with a constant.
    Import(SourceIdx),
    Sequence(Run),
    /// Its expressions, in order.
    Jsx(Run),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignOp {
    Plain,
    Add,
    Or,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Multiply,
    /// The remainder; in Python it fills a text as well.
    Modulo,
    Equal,
    NotEqual,
    Compare,
    In,
    Instanceof,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOp {
    And,
    Or,
    Nullish,
}

/// What an expression without a parent expression is to its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Part of another expression.
    Inner,
    Statement,
    Return,
    Throw,
    /// Test of `if`, `while`, `switch`.
    Test,
    /// Initialiser of a variable (or default of a parameter).
    Init,
    /// What a loop runs over.
    Iterated,
    Exported,
    Heritage,
    Field,
    Decorator,
    /// A type annotation that the language evaluates.
    Annotation,
    /// The keyword arguments of a call, as one object behind the positional ones: `f(1, x=2)` has the arguments `1` and
    /// `{x: 2}`. It has a parent, unlike the other roles.
    Keywords,
}

#[derive(Debug, Clone, Copy)]
pub struct Expr {
    pub kind: ExprKind,
    pub start: u32,
    pub end: u32,
    pub parent: ExprId,
    pub context: ContextId,
    pub role: Use,
}

#[derive(Debug, Clone, Copy)]
pub enum ContextKind {
    Function(FunctionIdx),
    Loop {
        over: ExprId,
    },
    Try {
        catches: bool,
    },
    Catch,
    Finally,
    Then(ExprId),
    Else(ExprId),
    Case,
    /// The body of a Python `with`, and what it manages.
    With(ExprId),
}

#[derive(Debug, Clone, Copy)]
pub struct Context {
    pub kind: ContextKind,
    pub parent: ContextId,
    pub function: FunctionIdx,
    /// Returns or throws somewhere directly inside (not in a function inside).
    pub exits: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Prop {
    /// None for a spread or a computed key.
    pub key: Option<Atom>,
    pub value: ExprId,
    pub kind: PropKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropKind {
    Value,
    Getter,
    Spread,
    Computed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Property(Atom),
    Index(u32),
    Rest,
}

#[derive(Debug, Clone)]
pub enum Definition {
    /// An import: which source, and which of its exports.
    Import {
        source: SourceIdx,
        name: Imported,
    },
    Variable {
        init: ExprId,
        steps: Vec<Step>,
        default: ExprId,
        constant: bool,
        annotation: TypeId,
    },
    Function(FunctionIdx),
    Class(ClassIdx),
    Parameter {
        function: FunctionIdx,
        index: u32,
        steps: Vec<Step>,
        default: ExprId,
        annotation: TypeId,
    },
    Caught,
    /// One element of what a loop runs over (`of`), or one key (`in`).
    Element {
        of: ExprId,
        keys: bool,
        steps: Vec<Step>,
    },
    /// Members are constant texts or numbers.
    Enum(Vec<(Atom, ExprId)>),
    TypeOnly(TypeId),
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Imported {
    Named(Atom),
    Default,
    Namespace,
}

#[derive(Debug, Clone)]
pub struct Symbol {
    pub name: Atom,
    pub definition: Definition,
    /// Right-hand sides that are assigned to it later.
    pub assigned: Vec<ExprId>,
    /// Where it is read.
    pub reads: Vec<ExprId>,
    pub start: u32,
    pub function: FunctionIdx,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name of a plain parameter; none for a pattern.
    pub symbol: SymbolIdx,
    pub annotation: TypeId,
    pub decorators: Vec<ExprId>,
    pub rest: bool,
}

#[derive(Debug, Clone)]
pub struct Function {
    pub name: Option<Atom>,
    /// Without the receiver (`self`, `cls`), which is [`ExprKind::This`].
    pub parameters: Vec<Parameter>,
    /// What it returns, expression bodies included.
    pub returns: Vec<ExprId>,
    pub throws: Vec<ExprId>,
    pub start: u32,
    pub end: u32,
    pub parent: FunctionIdx,
    pub is_async: bool,
    pub class: ClassIdx,
    pub expr: ExprId,
    pub context: ContextId,
    pub directives: Vec<Atom>,
    pub return_type: TypeId,
    /// `this.x = value` in a constructor function.
    pub assigned: Vec<(Atom, ExprId)>,
    /// Statements in its body; 0 for an empty one.
    pub statements: u32,
    /// Of a function that stands on its own (a class keeps those of its members); in Python of methods, too.
    pub decorators: Vec<ExprId>,
}

#[derive(Debug, Clone)]
pub enum MemberKind {
    Method(FunctionIdx),
    Getter(FunctionIdx),
    Field(ExprId),
}

#[derive(Debug, Clone)]
pub struct ClassMember {
    pub name: Atom,
    pub kind: MemberKind,
    pub is_static: bool,
    pub annotation: TypeId,
    pub decorators: Vec<ExprId>,
}

#[derive(Debug, Clone)]
pub struct Class {
    pub name: Option<Atom>,
    /// What it extends. Where there is not just one base: an array of all, with keyword arguments last.
    pub heritage: ExprId,
    pub members: Vec<ClassMember>,
    pub constructor: FunctionIdx,
    /// `constructor(private x: T)`: name and parameter index.
    pub parameter_properties: Vec<(Atom, u32)>,
    /// `this.x = value` anywhere in its methods.
    pub assigned: Vec<(Atom, ExprId)>,
    pub decorators: Vec<ExprId>,
    pub start: u32,
    pub end: u32,
}

#[derive(Debug, Clone)]
pub enum TypeRoot {
    Symbol(SymbolIdx),
    Global(Atom),
    /// `import("x").Y`
    Source(SourceIdx),
}

#[derive(Debug, Clone)]
pub enum Type {
    Reference {
        root: TypeRoot,
        path: Vec<Atom>,
        args: Vec<TypeId>,
    },
    Union(Vec<TypeId>),
    Array(TypeId),
    /// `typeof x.y`
    Query {
        root: TypeRoot,
        path: Vec<Atom>,
    },
    Keyword(Atom),
    Other,
}

#[derive(Debug, Clone)]
pub struct Source {
    pub specifier: Atom,
    pub start: u32,
    pub end: u32,
    pub type_only: bool,
    pub dynamic: bool,
}

#[derive(Debug, Clone)]
pub enum ExportTarget {
    Symbol(SymbolIdx),
    Expr(ExprId),
    Reexport { source: SourceIdx, name: Imported },
}

#[derive(Debug, Clone)]
pub struct Export {
    pub name: Atom,
    pub target: ExportTarget,
    pub start: u32,
}

/// A comment that admits that something is missing (`TODO`, "placeholder", "for now").
#[derive(Debug, Clone)]
pub struct Comment {
    pub start: u32,
    pub end: u32,
}

/// How a test file looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestStats {
    pub cases: u32,
    pub skipped: u32,
    pub assertions: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    JavaScript,
    Python,
    Rust,
}

/// One module. `functions[0]` is its top level.
#[derive(Debug, Default)]
pub struct Module {
    pub language: Language,
    pub exprs: Vec<Expr>,
    pub lists: Vec<u32>,
    pub props: Vec<Prop>,
    pub numbers: Vec<f64>,
    pub strings: Vec<Box<str>>,
    pub functions: Vec<Function>,
    pub classes: Vec<Class>,
    pub symbols: Vec<Symbol>,
    pub contexts: Vec<Context>,
    pub sources: Vec<Source>,
    pub exports: Vec<Export>,
    /// `export * from`
    pub star_exports: Vec<SourceIdx>,
    /// `module.exports = …`, latest last.
    pub commonjs: Vec<ExprId>,
    pub types: Vec<Type>,
    pub directives: Vec<Atom>,
    pub comments: Vec<Comment>,
    pub tests: TestStats,
    /// Bytes of a file of the product that only tests compile, in order of their beginnings.
    pub test_code: Vec<std::ops::Range<u32>>,
    /// Lines of text.
    pub lines: u32,
    /// Classes that only add members to the type that the expression names (`impl` of a type of another file).
    pub extensions: Vec<(ClassIdx, ExprId)>,
    /// Sources that name a module only if there is one: `from a import b` may import the module `a.b`.
    pub submodules: Vec<SourceIdx>,
    /// Texts that may name a module (`"app.main:app"`, `"shop.middleware.Audit"`): what reads them may load it.
    pub named_modules: Vec<SourceIdx>,
    /// Names that nothing in the module defines, but a star import may.
    pub from_star: Vec<SymbolIdx>,
    /// The bodies of `if __name__ == "__main__"`.
    pub main_guards: Vec<ContextId>,
    /// Annotations that are evaluated as well, by the id of the type, ascending.
    pub written_types: Vec<(TypeId, ExprId)>,
    /// Values that name a type: `Alias = Annotated[X, …]`, `Alias = A | B`. Ascending.
    pub alias_types: Vec<(ExprId, TypeId)>,
    /// Every `yield`, in order, with its function. What it yields counts among the function's returns.
    pub yields: Vec<(FunctionIdx, ExprId)>,
    /// By class, the expression that stands for it, for languages whose declarations have one.
    pub class_exprs: Vec<ExprId>,
    /// Where the first expression or statement starts that nests too deeply and was left out.
    pub too_deep: Option<u32>,
}

impl Module {
    /// Begins a module: its top level is function 0 in context 0.
    pub fn open(&mut self, language: Language, end: u32, statements: u32) {
        self.language = language;
        self.functions.push(Function {
            name: None,
            parameters: Vec::new(),
            returns: Vec::new(),
            throws: Vec::new(),
            start: 0,
            end,
            parent: FunctionIdx::NONE,
            is_async: true,
            class: ClassIdx::NONE,
            expr: ExprId::NONE,
            context: ContextId(0),
            directives: Vec::new(),
            return_type: TypeId::NONE,
            assigned: Vec::new(),
            statements,
            decorators: Vec::new(),
        });
        let kind = ContextKind::Function(FunctionIdx(0));
        self.contexts.push(Context { kind, parent: ContextId::NONE, function: FunctionIdx(0), exits: false });
    }

    pub fn str(&self, atom: Atom) -> &str {
        &self.strings[atom.0 as usize]
    }

    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }

    pub fn kind(&self, id: ExprId) -> ExprKind {
        self.exprs[id.0 as usize].kind
    }

    pub fn function(&self, id: FunctionIdx) -> &Function {
        &self.functions[id.0 as usize]
    }

    pub fn class(&self, id: ClassIdx) -> &Class {
        &self.classes[id.0 as usize]
    }

    pub fn symbol(&self, id: SymbolIdx) -> &Symbol {
        &self.symbols[id.0 as usize]
    }

    pub fn ty(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id.0 as usize)
    }

    /// The expressions of a run.
    pub fn list(&self, run: Run) -> impl ExactSizeIterator<Item = ExprId> + Clone + '_ {
        self.lists[run.start as usize..(run.start + run.len) as usize].iter().map(|&id| ExprId(id))
    }

    pub fn object(&self, run: Run) -> &[Prop] {
        &self.props[run.start as usize..(run.start + run.len) as usize]
    }

    /// The expressions of a template literal.
    pub fn holes(&self, quasis: Run, exprs: u32) -> impl ExactSizeIterator<Item = ExprId> + Clone + '_ {
        let len = quasis.len.saturating_sub(1);
        self.list(Run { start: exprs, len })
    }

    pub fn function_of(&self, id: ExprId) -> FunctionIdx {
        self.contexts[self.expr(id).context.0 as usize].function
    }

    /// The contexts around an expression, innermost first, up to and including its function's.
    pub fn contexts_of(&self, id: ExprId) -> impl Iterator<Item = (ContextId, &Context)> {
        self.contexts_from(self.expr(id).context)
    }

    pub fn contexts_from(&self, start: ContextId) -> impl Iterator<Item = (ContextId, &Context)> {
        let mut next = start.some();
        std::iter::from_fn(move || {
            let id = next?;
            let context = &self.contexts[id.0 as usize];
            next = match context.kind {
                ContextKind::Function(_) => None,
                _ => context.parent.some(),
            };
            Some((id, context))
        })
    }

    /// The sources that are imports without doubt.
    pub fn imported(&self) -> impl Iterator<Item = &Source> {
        let is_possible = |index: usize| {
            let index = SourceIdx(u32::try_from(index).unwrap_or(u32::MAX));
            self.submodules.binary_search(&index).is_ok()
        };
        self.sources.iter().enumerate().filter(move |(index, _)| !is_possible(*index)).map(|(_, source)| source)
    }

    /// The annotation of that type as an expression, for languages that evaluate it: `Annotated[X, Depends(f)]`.
    pub fn written_type(&self, ty: TypeId) -> Option<ExprId> {
        let at = self.written_types.binary_search_by_key(&ty, |(ty, _)| *ty).ok()?;
        Some(self.written_types[at].1)
    }

    /// The type that a value names, if it is an alias of one.
    pub fn alias_type(&self, value: ExprId) -> Option<TypeId> {
        let at = self.alias_types.binary_search_by_key(&value, |(value, _)| *value).ok()?;
        Some(self.alias_types[at].1)
    }

    /// Does the expression stand behind a `yield` of its function, where what is set up is taken down again?
    pub fn is_after_yield(&self, id: ExprId) -> bool {
        let (function, start) = (self.function_of(id), self.expr(id).start);
        self.yields.iter().any(|&(owner, at)| owner == function && self.expr(at).end <= start)
    }

    /// Does the expression stand in `if __name__ == "__main__"`, which runs only in a program of its own?
    pub fn is_main_guarded(&self, id: ExprId) -> bool {
        let mut next = self.expr(id).context.some();
        while let Some(context) = next {
            if self.main_guards.contains(&context) {
                return true;
            }
            next = self.contexts[context.0 as usize].parent.some();
        }
        false
    }

    /// The keyword arguments among the arguments of a call.
    pub fn keywords(&self, args: Run) -> Option<ExprId> {
        let last = self.list(args).last()?;
        (self.expr(last).role == Use::Keywords).then_some(last)
    }

    /// The callee and arguments of a call or `new`.
    pub fn call(&self, id: ExprId) -> Option<(ExprId, Run)> {
        match self.kind(id) {
            ExprKind::Call { callee, args } | ExprKind::New { callee, args } => Some((callee, args)),
            _ => None,
        }
    }

    /// The constant text of an expression, if it is a literal.
    pub fn literal(&self, id: ExprId) -> Option<&str> {
        match self.kind(id) {
            ExprKind::Str(atom) => Some(self.str(atom)),
            ExprKind::Template { quasis, .. } if quasis.len == 1 => {
                Some(self.str(Atom(self.lists[quasis.start as usize])))
            }
            _ => None,
        }
    }
}
