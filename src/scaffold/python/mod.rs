//! Python: reading what is there, and writing as the project writes.

mod arguments;
mod dress;
mod outline;
pub mod shapes;

pub use arguments::call_at;
pub use dress::dress;
pub use outline::outline;
