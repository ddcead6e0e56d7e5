//! What every subcommand works with.

use super::console::Console;
use super::engine::Engine;
use super::progress::Progress;
use crate::audit::{Audit, Options};

pub struct Session<'a, 'c> {
    pub console: &'a mut Console<'c>,
    pub engine: &'a dyn Engine,
}

impl Session<'_, '_> {
    /// Runs an audit, showing how far it is to whoever watches.
    pub fn audit(&self, options: &Options, quiet: bool) -> miette::Result<Audit> {
        let progress = Progress::new(self.console.shows_progress() && !quiet);
        self.engine.audit(options, &|stage| progress.show(stage))
    }
}
