//! Controls and the rules that judge them, as data: loading, conditions, evaluation, examples.

pub mod conditions;
pub mod document;
mod error;
mod lexicon;
mod load;
mod outcome;
mod ruleset;
mod schema;
mod template;

pub use error::{Problem, RuleError, nearest};
pub use lexicon::{LexiconId, Lexicons, words};
pub use outcome::*;
pub use ruleset::{RuleErrors, RuleSet};
pub use schema::*;
pub use template::Template;
