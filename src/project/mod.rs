//! From a folder to a project: which files there are, what each is for, which services they make up.

mod classify;
mod command;
mod command_python;
mod entries;
mod frameworks;
mod git;
mod git_index;
mod history;
mod lookup;
mod manifests;
mod model;
mod packages;
pub(crate) mod paths;
mod platform;
mod programs;
mod python_modules;
mod refine;
pub mod requirements;
mod resolve;
mod services;
mod shell;
mod tree;
mod units;
mod walk;

pub use classify::{area_of, classify, kind_of};
pub use frameworks::unread_framework;
pub use git::is_work_tree;
pub use history::{History, Version};
pub use manifests::{Manifests, Need, needed};
pub use model::*;
pub use refine::area_of_module;
pub use services::assign_services;
pub use tree::{DATA_LIMIT, ReadProblem, SOURCE_LIMIT, decode, size_limit};
pub use walk::{FILE_LIMIT, WalkError, WalkOptions, discover, find_root};
