//! JavaScript, TypeScript and JSX through oxc.

mod expressions;
mod functions;
mod hir;
mod lower;
mod modules;
mod types;

pub use hir::*;
pub use lower::{ParseError, parse};
