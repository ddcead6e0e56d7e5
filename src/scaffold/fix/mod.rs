//! Fixes in place: findings whose edit is certain. What is looked for and what is written instead is data
//! (`templates/fixes/`); here are the few ways to edit.
//!
//! findings → edits by the places of the syntax → overlay → re-audit → diff or apply, as for modules.

mod change;
mod closed;
mod imports;
mod pattern;
mod plan;
mod propose;
mod schema;
mod share;
mod spec;

pub use plan::{FixPlan, FixRequest, FixedSite, SiteFate, fix, offers};
pub(super) use propose::Desk;
pub use propose::FOLDER;
pub(super) use spec::Language;
pub use spec::{Certainty, Fix, read};
