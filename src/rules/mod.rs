//! Controls and the rules that judge them, as data: loading, conditions, evaluation, examples.

pub mod conditions;
pub mod document;
mod error;
mod evaluate;
mod examples;
mod json_schema;
mod lexicon;
mod load;
mod outcome;
mod ruleset;
mod scan;
mod schema;
mod template;

pub use error::{Problem, RuleError, nearest};
pub use evaluate::{Evaluated, Judgement, Outcome, RuleVerdict, Snippets, evaluate, judge};
pub use examples::{ExampleFailure, ExampleReport, Mutant, Understand, find_mutants, run_examples};
pub use json_schema::schema as rule_file_schema;
pub use lexicon::{LexiconId, Lexicons, words};
pub use outcome::*;
pub use ruleset::{RuleErrors, RuleSet};
pub use scan::{Match, SyntaxScanner, TextScanner, entropy};
pub use schema::*;
pub use template::Template;
