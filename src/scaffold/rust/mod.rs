//! Rust: reading what is there, and the places in it that modules are wired to.

mod body;
mod modules;
mod outline;
mod served;

pub use body::body;
pub use modules::{declare_module, declares, library_name};
pub use outline::outline;
pub use served::{call_at, gives, on_lines, served};
