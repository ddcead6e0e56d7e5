//! Dependencies and variables in the files that hold them, changed without touching the rest of their text.

mod cargo;
mod dotenv;
mod package_json;
mod python;
mod version;

pub use cargo::{add_to_cargo, shared_crates};
pub use dotenv::add_variables;
pub use package_json::{add_script, add_to_package};
pub use python::{add_to_pyproject, add_to_requirements};
pub use version::lowest;

/// What became of a dependency that a module wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Added,
    /// It is there, new enough.
    Present,
    /// It is there in an older version of the same major: raised.
    Raised {
        from: String,
    },
    /// It is there in a version that the module was not written for.
    Kept {
        version: String,
    },
}
