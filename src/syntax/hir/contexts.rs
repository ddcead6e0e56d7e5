//! What surrounds an expression: functions, loops, branches, `try`.

use super::ids::{ContextId, ExprId, FunctionIdx};

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

/// What takes the errors of a `try`: `catch (error) { … }`, `except ValueError: …`.
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    pub context: ContextId,
    /// From the beginning of the `try` to the end of the handler.
    pub start: u32,
    pub end: u32,
    /// The kinds of errors that it takes; none where it takes any.
    pub kinds: ExprId,
    /// Its statements, without those that say nothing (`pass`, `...`).
    pub statements: u32,
    /// A comment stands in it.
    pub explained: bool,
}

/// A branch of a `match`.
#[derive(Debug, Clone)]
pub struct Arm {
    pub context: ContextId,
    /// What is matched.
    pub of: ExprId,
    /// The names of its patterns that nothing stands around: `Self::Expired`, `Err`.
    pub patterns: Vec<ExprId>,
}
