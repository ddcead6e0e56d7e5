//! The PATH that commands take.

use std::path::Path;
use std::{fs, io};

use miette::miette;

/// Fails with the next step unless the path is a folder.
pub fn check(path: &Path) -> miette::Result<()> {
    let shown = path.display().to_string();
    let shown = crate::report::text::terminal(&shown);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Err(miette!(help = format!("name its folder: {}", folder.display()), "`{shown}` is a file, not a folder"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(miette!(help = "name the folder of the backend", "there is no folder `{shown}`"))
        }
        Err(error) => Err(miette!(help = "name the folder of the backend", "cannot look into `{shown}`: {error}")),
    }
}
