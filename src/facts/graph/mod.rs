//! Who calls whom, when code runs, and which modules an entry point reaches.
//!
//! In goes the program with its stacks, out come the links between its functions, the phase of each, and what is reached.

mod callables;
mod calls;
mod links;
mod origin;
mod phases;
mod reach;

pub use callables::Callable;
pub use calls::{add_call_edges, nesting_edges};
pub use links::{exports_of, halves, is_audited, is_callable_argument, is_parameter, links};
pub use phases::phases;
pub use reach::{Reach, reach};
