//! The only place that changes files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Every change of the tree goes through one of these, so that tests can stop at each of them.
pub trait Disk {
    /// A new file, written through to the disk.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Puts a file at the place of another, in one step.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Fails unless it is empty.
    fn remove_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Gives a file the permissions of another.
    fn take_permissions(&mut self, path: &Path, of: &Path) -> io::Result<()>;
}

pub struct RealDisk;

impl Disk for RealDisk {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        // Best effort: not every system can flush a folder.
        if let Some(folder) = to.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn take_permissions(&mut self, path: &Path, of: &Path) -> io::Result<()> {
        fs::set_permissions(path, fs::metadata(of)?.permissions())
    }
}
