//! Source text to common observations: one file per language.

pub mod depth;
pub mod dockerfile;
pub mod dotenv;
mod error;
pub mod javascript;
pub mod json;
mod node;
pub mod prisma;
pub mod toml_file;
pub mod yaml;

pub use error::*;
pub use node::*;
