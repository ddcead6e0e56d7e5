//! Writes the missing part: modules are rendered in the project's own hand, wired into its code, audited before
//! anything is written, and remembered so that they can be updated and undone.
//!
//! plan → overlay → re-audit → diff or apply → lock. Modules are data: `templates/`, described in `docs/scaffold.md`.

mod anchors;
mod apply;
mod arguments;
mod chain;
mod command;
mod compose;
mod containers;
mod context;
mod conventions;
mod crates;
mod dependencies;
mod deployment;
mod disk;
mod edits;
mod fix;
pub mod git;
mod history;
mod imports;
mod language;
mod library;
mod manifest;
mod module;
mod outline;
mod packages;
mod plan;
mod python;
mod regenerate;
mod render;
mod result;
mod revisions;
mod rewrite;
mod rust;
mod schema;
mod script;
mod spot;
mod spots;
mod stack;
mod status;
mod store;
mod transaction;
mod values;
mod variables;
mod verify;
mod work;

pub use apply::{Applied, Guard, apply, has_leftovers, recover};
pub use compose::{Change, Draft, Step};
pub use fix::{Certainty, Fix, FixPlan, FixRequest, FixedSite, SiteFate, fix, offers};
pub use library::Library;
pub use module::{EFFECTS, Effect, Module};
pub use plan::{LeftOut, Plan, Planned, Reaudit, Request, plan, service_of};
pub use regenerate::regenerate;
pub use rewrite::{Fate, OnConflict, Rewrite, Rewritten, eject, undo, update};
pub use stack::Stack;
pub use status::{FileStatus, ModuleStatus, status};
pub use store::Lock;
pub use verify::{Promise, Turn, state_of};
