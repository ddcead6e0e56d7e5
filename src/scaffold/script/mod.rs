//! JavaScript and TypeScript: reading what is there, and writing as the project writes.

mod dress;
mod outline;
mod requires;
mod untype;

pub use dress::dress;
pub use outline::outline;
