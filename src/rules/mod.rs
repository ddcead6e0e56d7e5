//! Controls and the rules that judge them, as data: loading, conditions, evaluation, examples.

mod outcome;

pub use outcome::*;
