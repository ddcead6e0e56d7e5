//! What the code says: typed observations with spans, and how they hang together.

mod model;
pub mod shapes;

pub use model::*;
