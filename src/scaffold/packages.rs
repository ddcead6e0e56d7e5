//! The `__init__.py` of folders that come to hold Python modules.

use super::compose::Composer;
use super::stack::joined;
use super::work::Work;
use crate::project::{FileKind, kind_of};

impl Composer<'_> {
    /// Makes packages of the new folders above a module. Folders that are there stay what they are.
    pub(super) fn make_packages(&mut self, work: &Work<'_>, path: &str) {
        if kind_of(path) != FileKind::Python {
            return;
        }
        let conventions = work.renderer.conventions();
        let tests = conventions.layout.get("tests").map_or("", String::as_str);
        let mut folder = above(path);
        while folder != conventions.import_root && folder != "." && (folder != tests || conventions.runner.packages) {
            let init = joined(&folder, "__init__.py");
            if !self.is_there(&folder) && self.text(&init).is_none() && !self.is_taken(&init) {
                self.set(&init, String::new());
            }
            folder = above(&folder);
        }
    }

    fn is_there(&self, folder: &str) -> bool {
        self.audit.project.tree.root.join(folder).symlink_metadata().is_ok()
    }
}

fn above(path: &str) -> String {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()
}
