//! Python: reading what is there, and writing as the project writes.

mod dress;
mod outline;

pub use dress::dress;
pub use outline::outline;
