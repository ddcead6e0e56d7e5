//! What the code says: typed observations with spans, and how they hang together.

mod apart;
mod checks;
pub mod code;
pub mod graph;
pub mod imports;
pub mod joins;
mod model;
pub mod paths;
pub mod program;
pub mod resolve;
pub mod shapes;
pub mod stacks;
mod turn;
pub(crate) mod values;

pub use model::*;
