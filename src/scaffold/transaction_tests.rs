use std::collections::BTreeMap;

use super::super::disk::RealDisk;
use super::*;

/// Dies at a given write: that one is done by half, and nothing after it is done at all, not even tidying up.
struct Dying {
    left: usize,
    disk: RealDisk,
}

impl Dying {
    fn step(&mut self) -> io::Result<()> {
        if self.left <= 1 {
            self.left = 0;
            return Err(io::Error::other("killed"));
        }
        self.left -= 1;
        Ok(())
    }
}

impl Disk for Dying {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.left == 1 {
            let half = bytes.len() / 2;
            self.disk.write(path, bytes.get(..half).unwrap_or_default())?;
        }
        self.step()?;
        self.disk.write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.remove(path)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.make_folder(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.remove_folder(path)
    }

    fn take_permissions(&mut self, path: &Path, of: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.take_permissions(path, of)
    }
}

fn snapshot(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(root).into_iter().flatten();
    let relative = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    files
        .filter(|entry| entry.path() != root)
        .map(|entry| {
            let bytes = if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            (relative(entry.path()), bytes)
        })
        .collect()
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("app.ts"), "old").unwrap();
    fs::write(dir.path().join("gone.ts"), "gone").unwrap();
    dir
}

fn writes() -> Vec<Write> {
    let write = |path: &str, before: Option<&str>, after: Option<&str>| Write {
        path: path.to_owned(),
        before: before.map(|text| text.as_bytes().to_vec()),
        after: after.map(|text| text.as_bytes().to_vec()),
    };
    vec![
        write("src/lib/new.ts", None, Some("new")),
        write("app.ts", Some("old"), Some("edited")),
        write("gone.ts", Some("gone"), None),
        write(".readycheck/lock.toml", None, Some("lock")),
    ]
}

#[test]
fn all_changes_are_made_and_nothing_is_left_behind() {
    let dir = tree();
    commit(dir.path(), &writes(), &mut RealDisk).unwrap();
    let names: Vec<String> = snapshot(dir.path()).into_keys().collect();
    assert_eq!(names, [".readycheck", ".readycheck/lock.toml", "app.ts", "src", "src/lib", "src/lib/new.ts"]);
    assert_eq!(recover(dir.path(), &mut RealDisk).unwrap(), None);
}

#[test]
fn killed_at_any_write_the_tree_is_as_before_or_complete_after_the_next_run() {
    let complete = tree();
    commit(complete.path(), &writes(), &mut RealDisk).unwrap();
    let after = snapshot(complete.path());
    let before = snapshot(tree().path());
    let mut outcomes = Vec::new();
    for kill in 1..100 {
        let dir = tree();
        let mut dying = Dying { left: kill, disk: RealDisk };
        let result = commit(dir.path(), &writes(), &mut dying);
        let died = dying.left == 0;
        let recovered = recover(dir.path(), &mut RealDisk).unwrap();
        let now = snapshot(dir.path());
        match &recovered {
            Some(Recovered::Complete) => assert_eq!(now, after, "killed at {kill}"),
            Some(_) => assert_eq!(now, before, "killed at {kill}"),
            None => assert!(now == before || (result.is_ok() && now == after), "killed at {kill}"),
        }
        outcomes.push(recovered);
        if !died {
            break;
        }
    }
    assert!(outcomes.len() > 15 && outcomes.len() < 99, "{}", outcomes.len());
    for wanted in [Recovered::Untouched, Recovered::Undone { kept: Vec::new() }, Recovered::Complete] {
        assert!(outcomes.contains(&Some(wanted.clone())), "{wanted:?}");
    }
}

#[test]
fn a_recovery_that_is_killed_goes_on_the_next_time() {
    let before = snapshot(tree().path());
    for kill in 1..40 {
        let dir = tree();
        // Dies while the second file is put in place.
        let mut dying = Dying { left: 17, disk: RealDisk };
        assert!(commit(dir.path(), &writes(), &mut dying).is_err());
        let _ = recover(dir.path(), &mut Dying { left: kill, disk: RealDisk });
        let _ = recover(dir.path(), &mut RealDisk).unwrap();
        assert_eq!(snapshot(dir.path()), before, "killed at {kill}");
    }
}

#[test]
fn what_was_changed_since_is_kept() {
    let dir = tree();
    let mut kill = 1;
    loop {
        let dying = &mut Dying { left: kill, disk: RealDisk };
        if commit(dir.path(), &writes(), dying).is_err() && fs::read(dir.path().join("app.ts")).unwrap() == b"edited" {
            break;
        }
        let _ = recover(dir.path(), &mut RealDisk).unwrap();
        kill += 1;
        assert!(kill < 60);
    }
    fs::write(dir.path().join("app.ts"), "mine").unwrap();
    let recovered = recover(dir.path(), &mut RealDisk).unwrap();
    assert_eq!(recovered, Some(Recovered::Undone { kept: vec!["app.ts".into()] }));
    assert_eq!(fs::read(dir.path().join("app.ts")).unwrap(), b"mine");
}

/// Has room for so many bytes.
struct Full {
    room: usize,
    disk: RealDisk,
}

impl Disk for Full {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.room {
            self.disk.write(path, bytes.get(..self.room).unwrap_or_default())?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= bytes.len();
        self.disk.write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.disk.make_folder(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.disk.remove_folder(path)
    }

    fn take_permissions(&mut self, path: &Path, of: &Path) -> io::Result<()> {
        self.disk.take_permissions(path, of)
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let before = snapshot(tree().path());
    for room in (0..3_000).step_by(7) {
        let dir = tree();
        if commit(dir.path(), &writes(), &mut Full { room, disk: RealDisk }).is_ok() {
            assert!(room > 10);
            return;
        }
        assert_eq!(snapshot(dir.path()), before, "{room} bytes");
    }
    panic!("never enough room");
}

#[test]
fn nothing_is_written_outside_the_root() {
    let dir = tree();
    for path in ["../x", "/tmp/x", "a/../../x", "", "a\\..\\x", "./x/../y"] {
        let write = Write { path: path.to_owned(), before: None, after: Some(Vec::new()) };
        let failure = commit(dir.path(), &[write], &mut RealDisk).unwrap_err();
        assert!(matches!(failure, Failure::Outside { .. }), "{path}: {failure}");
    }
    assert_eq!(snapshot(dir.path()), snapshot(tree().path()));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_nothing_is_overwritten() {
    let (dir, elsewhere) = (tree(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("out")).unwrap();
    std::os::unix::fs::symlink("app.ts", dir.path().join("link.ts")).unwrap();
    let write = |path: &str, before: Option<&[u8]>| {
        let write = Write { path: path.to_owned(), before: before.map(<[u8]>::to_vec), after: Some(b"x".to_vec()) };
        commit(dir.path(), &[write], &mut RealDisk).unwrap_err().to_string()
    };
    assert!(write("out/x", None).contains("link"));
    assert!(write("link.ts", Some(b"old")).contains("link"));
    assert!(write("app.ts", None).contains("no longer what the plan saw"));
    assert!(write("app.ts", Some(b"other")).contains("no longer what the plan saw"));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn folders_that_become_empty_go_wherever_it_is_killed() {
    let undo = [
        Write { path: "src/lib/new.ts".into(), before: Some(b"new".to_vec()), after: None },
        Write { path: ".readycheck/lock.toml".into(), before: Some(b"lock".to_vec()), after: None },
    ];
    let gone = ["src/lib", "src", ".readycheck"].map(str::to_owned);
    let mut complete = 0;
    for kill in 1..60 {
        let dir = tree();
        commit(dir.path(), &writes(), &mut RealDisk).unwrap();
        let full = snapshot(dir.path());
        let _ = commit_and_clear(dir.path(), &undo, &gone, &mut Dying { left: kill, disk: RealDisk });
        let _ = recover(dir.path(), &mut RealDisk).unwrap();
        let now = snapshot(dir.path());
        let names: Vec<&String> = now.keys().collect();
        complete += usize::from(names == ["app.ts"]);
        assert!(names == ["app.ts"] || now == full, "killed at {kill}: {names:?}");
    }
    assert!(complete > 5);
}
