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
