//! Progress on standard error, for people only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::audit::Stage;

/// A spinner that disappears when it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if visible {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress(bar)
    }

    pub fn show(&self, stage: Stage) {
        self.0.set_message(match stage {
            Stage::Files => "looking at the files",
            Stage::Facts => "reading the code",
            Stage::Rules => "checking the rules",
            Stage::Score => "counting",
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
