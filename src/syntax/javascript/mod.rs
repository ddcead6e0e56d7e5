//! JavaScript, TypeScript and JSX through oxc.

mod expressions;
mod functions;
mod hir;
mod lower;
mod modules;
mod nesting;
mod types;

pub use hir::*;
pub use lower::{LEVELS, ParseError, parse};
pub use nesting::STACK;
