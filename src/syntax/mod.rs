//! Source text to common observations: one file per language.

mod node;

pub use node::*;
