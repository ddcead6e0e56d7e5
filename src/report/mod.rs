//! The report: one model, one file per format.

mod json;
mod markdown;
mod model;
#[cfg(test)]
pub(crate) mod sample;
mod schema;
pub mod terminal;
pub mod text;
pub mod view;

pub use json::json;
pub use markdown::markdown;
pub use model::*;
pub use schema::schema;
pub use view::Context;
