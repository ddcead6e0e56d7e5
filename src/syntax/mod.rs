//! Source text to common observations: one file per language.

pub mod javascript;
mod node;

pub use node::*;
