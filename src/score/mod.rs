//! From evaluations to numbers: what each control is worth, what blocks, what to do first, whether a gate opens.
//!
//! Everything here is a pure function: evaluations, configuration and a day go in, a report comes out.

mod assemble;
mod attest;
mod blockers;
mod controls;
mod effort;
mod gate;
mod judge;
mod model;
mod plan;
mod round;
mod service;
mod site;
mod tally;
mod value;
mod verdict;
mod waive;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod sample;

pub use assemble::{Input, Locate, Place, assemble, harden};
pub use gate::{GateOutcome, GateSettings, gate};
pub use model::{Side, Sums, Term, weight};
