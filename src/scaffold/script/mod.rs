//! JavaScript and TypeScript: reading what is there, and writing as the project writes.

mod arguments;
mod declared;
mod dress;
mod outline;
mod requires;
pub mod shapes;
mod untype;

pub use arguments::options_at;
pub use declared::{Declared, declared};
pub use dress::dress;
pub use outline::outline;
pub use shapes::{List, Slot, Wrapping};
