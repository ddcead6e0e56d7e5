//! Expressions: their kinds and operators, what each is to its statement, and the properties of objects.

use super::ids::{Atom, ClassIdx, ContextId, ExprId, FunctionIdx, Run, SourceIdx, SymbolIdx};

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
