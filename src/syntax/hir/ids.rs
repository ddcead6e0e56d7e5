//! Indexes into the arena of a module: what stands for an expression, a function, a symbol, a run of a list.

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
