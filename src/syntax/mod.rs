//! Source text to common observations: one file per language.

pub mod blocks;
pub(crate) mod builder;
pub mod code;
pub mod depth;
pub mod diesel;
pub mod dockerfile;
pub mod dotenv;
mod error;
mod gaps;
pub mod hcl;
pub mod hir;
pub mod javascript;
pub mod json;
pub mod liquibase;
mod node;
pub mod prisma;
pub mod python;
pub mod rust;
pub mod sql;
pub mod toml_file;
pub mod xml;
pub mod yaml;

pub use error::*;
pub use node::*;
