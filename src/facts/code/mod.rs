//! Facts from code: clauses over calls, reads and exports, then the shapes that no clause can say.

mod assemble;
mod chains;
mod env;
mod extract;
mod headers;
mod idle;
mod kept;
mod loops;
mod names;
mod project_fields;
mod random;
mod refusals;
mod responses;
mod roles;
mod routes;
mod schemas;
mod state;
mod stored;

pub use assemble::{CodeFacts, code_facts};
