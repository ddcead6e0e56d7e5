//! What a module takes from others and gives to them: sources of imports, and exports.

use super::declarations::Imported;
use super::ids::{Atom, ExprId, SourceIdx, SymbolIdx};

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
