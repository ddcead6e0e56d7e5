//! What the code says: typed observations with spans, and how they hang together.

mod apart;
pub mod arguments;
mod checks;
pub mod classes;
pub mod code;
mod crates;
pub mod graph;
pub mod imports;
pub mod joins;
mod macros;
mod memo;
mod model;
mod origins;
pub mod paths;
pub mod program;
pub mod python;
#[cfg(test)]
mod python_tests;
pub mod resolve;
mod settings;
pub mod shapes;
pub mod stacks;
mod turn;
pub(crate) mod values;
mod vocabulary;

pub use model::*;
