//! From a folder to a project: which files there are, what each is for, which services they make up.

mod classify;
mod git;
mod git_index;
mod model;
mod tree;
mod walk;

pub use classify::{classify, declares_client};
pub use model::*;
pub use tree::{DATA_LIMIT, ReadProblem, SOURCE_LIMIT, decode, size_limit};
pub use walk::{FILE_LIMIT, WalkError, WalkOptions, discover, find_root};
