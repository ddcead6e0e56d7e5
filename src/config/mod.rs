//! `readycheck.toml`, inline allows, and the dates that expire them.

mod allow;
mod date;
mod error;
mod model;
mod parse;
mod table;

pub use allow::{Allow, Comments, find_allows};
pub use date::Date;
pub use error::ConfigError;
pub use model::*;
pub use parse::{Known, parse};

/// The commented file that `readycheck init` writes: every key, with its default or an example.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The name of the configuration file at a project's root.
pub const FILE_NAME: &str = "readycheck.toml";
