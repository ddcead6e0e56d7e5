//! JavaScript, TypeScript and JSX through oxc.

mod expressions;
mod functions;
mod lower;
mod modules;
pub(in crate::syntax) mod nesting;
mod program;
mod types;

pub use lower::parse;
pub use nesting::STACK;
pub use program::with_program;
