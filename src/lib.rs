//! readycheck reads a repository, never runs it, and answers: what stands between this backend and production,
//! how do you know, and what is each fix worth?
//!
//! `project` → `syntax` → `facts` → `rules` → `score` → `report`: each layer knows only the ones before it.

pub mod audit;
pub mod cli;
pub mod config;
pub mod facts;
pub mod project;
pub mod report;
pub mod rules;
pub mod scaffold;
pub mod score;
pub mod syntax;
