//! Facts from code: clauses over calls, reads and exports, then the shapes that no clause can say.

mod answers;
mod assemble;
mod chains;
mod conditions;
mod declared;
mod described;
mod env;
mod extract;
mod handed_back;
mod headers;
mod holding;
mod idle;
mod kept;
mod lists;
mod models;
mod names;
mod plain_paths;
mod project_fields;
mod published;
mod random;
mod refusals;
mod registered;
mod registrations;
mod resources;
mod responses;
mod returned;
mod roles;
mod routes;
mod state;
mod statuses;
mod stored;
mod thrown;
mod uses;
mod wrappers;

pub use assemble::{CodeFacts, code_facts};
pub use resources::{called_by_inherited, request_methods};
