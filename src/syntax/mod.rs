//! Source text to common observations: one file per language.

pub(crate) mod builder;
pub mod code;
pub mod depth;
pub mod dockerfile;
pub mod dotenv;
mod error;
mod gaps;
pub mod hir;
pub mod javascript;
pub mod json;
mod node;
pub mod prisma;
pub mod python;
pub mod rust;
pub mod toml_file;
pub mod yaml;

pub use error::*;
pub use node::*;
