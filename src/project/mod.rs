//! From a folder to a project: which files there are, what each is for, which services they make up.

mod model;

pub use model::*;
