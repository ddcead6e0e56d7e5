//! What the code says: typed observations with spans, and how they hang together.

pub mod code;
pub mod graph;
mod model;
pub mod paths;
pub mod program;
pub mod resolve;
pub mod stacks;
mod values;
pub mod shapes;

pub use model::*;
