//! The report: one model, one file per format.

mod model;

pub use model::*;
