//! What a module of code says, whatever its language, without its tree: a compact arena that outlives the parser's.
//!
//! Types, parentheses, `as`, `!` and optional chaining are gone; `new` and `require` have their own nodes; every
//! expression knows its parent and what surrounds it.

use smallvec::SmallVec;

mod contexts;
mod declarations;
mod exchange;
mod exprs;
mod ids;
mod strings;

pub use contexts::*;
pub use declarations::*;
pub use exchange::*;
pub use exprs::*;
pub use ids::*;
pub use strings::*;

/// A comment that admits that something is missing (`TODO`, "placeholder", "for now").
#[derive(Debug, Clone)]
pub struct Comment {
    pub start: u32,
    pub end: u32,
    /// It says that the code only stands in for what it should do ("placeholder", "integrate the provider here").
    pub stands_in: bool,
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
    pub strings: Strings,
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
    /// The comment in the first line of a file of Python, where tools say what they made and when.
    pub head: Option<Box<str>>,
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
    /// Macros of the project that leave the function which calls them, whatever they are given.
    pub leaving_macros: Vec<Atom>,
    /// Where macros are called, by name.
    pub macro_calls: Vec<(Atom, ContextId)>,
    /// The first type that a call is written with (`get::<User>()`), by the call; ascending.
    pub call_types: Vec<(ExprId, TypeId)>,
    /// What takes the errors of every `try`.
    pub handlers: Vec<Handler>,
    /// The branches of Rust's `match`.
    pub arms: Vec<Arm>,
    /// By class, the expression that stands for it, for languages whose declarations have one.
    pub class_exprs: Vec<ExprId>,
    /// Where the first expression or statement starts that nests too deeply and was left out.
    pub too_deep: Option<u32>,
    /// Nothing is left of the module but what [`Module::outline`] keeps.
    pub is_outline: bool,
}

impl Module {
    /// Begins a module: its top level is function 0 in context 0.
    pub fn open(&mut self, language: Language, end: u32, statements: u32) {
        self.language = language;
        self.functions.push(Function { is_async: true, context: ContextId(0), statements, ..Function::new(0, end) });
        let kind = ContextKind::Function(FunctionIdx(0));
        self.contexts.push(Context { kind, parent: ContextId::NONE, function: FunctionIdx(0), exits: false });
    }

    /// What the module imports, how its tests look and how long it is: all that anybody asks of a module whose code is
    /// not audited and that no other code imports.
    pub fn outline(&self) -> Module {
        let mut outline = Module {
            sources: self.sources.clone(),
            submodules: self.submodules.clone(),
            named_modules: self.named_modules.clone(),
            tests: self.tests,
            lines: self.lines,
            is_outline: true,
            ..Module::default()
        };
        for source in &mut outline.sources {
            source.specifier = outline.strings.push(self.str(source.specifier)).unwrap_or(Atom(0));
        }
        let top = self.function(FunctionIdx(0));
        outline.open(self.language, top.end, top.statements);
        outline
    }

    /// Marks a context as one that is left, with what it ends.
    pub fn leave(&mut self, context: ContextId) {
        let mut next = Some(context);
        while let Some(id) = next {
            let Some(context) = self.contexts.get_mut(id.0 as usize) else { return };
            context.exits = true;
            next = match context.kind {
                ContextKind::Function(_) => None,
                ContextKind::Then(_) | ContextKind::Else(_) | ContextKind::Case | ContextKind::Catch => None,
                ContextKind::Loop { .. } | ContextKind::Try { .. } => context.parent.some(),
                ContextKind::Finally | ContextKind::With(_) => context.parent.some(),
            };
        }
    }

    /// The first type that a call is written with.
    pub fn call_type(&self, call: ExprId) -> Option<TypeId> {
        let at = self.call_types.binary_search_by_key(&call, |(call, _)| *call).ok()?;
        Some(self.call_types.get(at)?.1)
    }

    /// The `match` arm that a context is the branch of.
    pub fn arm(&self, context: ContextId) -> Option<&Arm> {
        let at = self.arms.binary_search_by_key(&context, |arm| arm.context).ok()?;
        self.arms.get(at)
    }

    pub fn str(&self, atom: Atom) -> &str {
        self.strings.get(atom)
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

    /// The variables that a value is bound to where it stands, one or those of a pattern.
    pub fn variables_of(&self, value: ExprId) -> SmallVec<[SymbolIdx; 4]> {
        let of_value =
            |definition: &Definition| matches!(definition, Definition::Variable { init, .. } if *init == value);
        let symbols = (0..).map(SymbolIdx).zip(&self.symbols);
        symbols.filter(|(_, symbol)| of_value(&symbol.definition)).map(|(id, _)| id).collect()
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
