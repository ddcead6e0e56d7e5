//! What names stand for: symbols and their definitions, functions, classes, and the types that annotations write.

use smallvec::SmallVec;

use super::ids::{Atom, ClassIdx, ContextId, ExprId, FunctionIdx, SourceIdx, SymbolIdx, TypeId};

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
    /// An error that was caught, with the kinds that are (none where any is).
    Caught(ExprId),
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
    pub reads: SmallVec<[ExprId; 2]>,
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

impl Function {
    /// A function without a body, of no class, at that place in the text.
    pub fn new(start: u32, end: u32) -> Function {
        Function {
            name: None,
            parameters: Vec::new(),
            returns: Vec::new(),
            throws: Vec::new(),
            start,
            end,
            parent: FunctionIdx::NONE,
            is_async: false,
            class: ClassIdx::NONE,
            expr: ExprId::NONE,
            context: ContextId::NONE,
            directives: Vec::new(),
            return_type: TypeId::NONE,
            assigned: Vec::new(),
            statements: 0,
            decorators: Vec::new(),
        }
    }
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
