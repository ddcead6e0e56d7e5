use std::fs;

use tempfile::TempDir;

use super::*;
use crate::project::FileKind;
use crate::project::git_index::tests::{Version, index_of};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, contents) in files {
        write(dir.path(), path, contents);
    }
    dir
}

fn write(root: &Path, path: &str, contents: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn list(root: &Path) -> Project {
    discover(Tree::on_disk(root), &WalkOptions::default()).unwrap()
}

fn paths(project: &Project) -> Vec<&str> {
    project.files.iter().map(|file| &*file.path).collect()
}

fn tracked(project: &Project, path: &str) -> Tracked {
    project.files.iter().find(|file| &*file.path == path).unwrap().tracked
}

#[test]
fn hidden_files_are_listed_and_installed_ones_are_not() {
    let dir = folder(&[
        (".env", ""),
        (".github/workflows/ci.yml", ""),
        ("node_modules/a/index.js", ""),
        ("src/index.js", ""),
        (".git/HEAD", ""),
    ]);
    assert_eq!(paths(&list(dir.path())), [".env", ".github/workflows/ci.yml", "src/index.js"]);
}

#[test]
fn ignored_files_come_back_only_if_git_holds_them() {
    let dir = folder(&[
        (".gitignore", ".env\nlocal/\n"),
        (".env", "A=1"),
        ("local/x.js", ""),
        ("new.js", ""),
        ("a.js", ""),
        ("node_modules/kept/index.js", ""),
        (".git/HEAD", ""),
    ]);
    let index = index_of(Version::Two, &[".env", ".gitignore", "a.js", "gone.js", "node_modules/kept/index.js"]);
    write(dir.path(), ".git/index", index);
    let project = list(dir.path());
    assert_eq!(paths(&project), [".env", ".gitignore", "a.js", "new.js", "node_modules/kept/index.js"]);
    assert_eq!(tracked(&project, ".env"), Tracked::YesThoughIgnored);
    assert_eq!(tracked(&project, "a.js"), Tracked::Yes);
    assert_eq!(tracked(&project, "new.js"), Tracked::No);
}

#[test]
fn without_an_index_everything_counts_as_tracked() {
    let dir = folder(&[(".gitignore", ".env\n"), (".env", ""), ("a.js", "")]);
    let project = list(dir.path());
    assert_eq!(tracked(&project, ".env"), Tracked::YesThoughIgnored);
    assert_eq!(tracked(&project, "a.js"), Tracked::Yes);
}

#[test]
fn a_broken_index_does_not_stop_the_walk() {
    let dir = folder(&[("a.js", ""), (".git/HEAD", ""), (".git/index", "DIRC")]);
    let project = list(dir.path());
    assert_eq!(paths(&project), ["a.js"]);
    assert_eq!(project.diagnostics[0].kind, "git");
}

#[test]
fn rules_of_folders_above_or_of_other_tools_do_not_count() {
    let dir = folder(&[(".gitignore", "*.js\n"), ("in/.ignore", "a.js\n"), ("in/a.js", "")]);
    assert_eq!(paths(&list(&dir.path().join("in"))), [".ignore", "a.js"]);
}

#[test]
fn excluded_files_are_left_out_even_if_git_holds_them() {
    let dir = folder(&[("legacy/a.js", ""), ("src/a.js", ""), ("src/b.gen.js", ""), (".git/HEAD", "")]);
    write(dir.path(), ".git/index", index_of(Version::Two, &["legacy/a.js", "src/a.js"]));
    let options = WalkOptions { exclude: vec!["./legacy".into(), "*.gen.js".into()], ..WalkOptions::default() };
    assert_eq!(paths(&discover(Tree::on_disk(dir.path()), &options).unwrap()), ["src/a.js"]);
    let broken = WalkOptions { exclude: vec!["a{b".into()], ..WalkOptions::default() };
    let error = discover(Tree::on_disk(dir.path()), &broken).unwrap_err();
    assert!(matches!(error, WalkError::Exclude { pattern, .. } if pattern == "a{b"));
}

#[test]
fn a_missing_folder_and_a_file_are_told_apart() {
    let dir = folder(&[("a.js", "")]);
    assert!(matches!(find_root(&dir.path().join("none")), Err(WalkError::Missing(_))));
    assert!(matches!(find_root(&dir.path().join("a.js")), Err(WalkError::NotAFolder(_))));
    let gone = discover(Tree::on_disk(dir.path().join("none")), &WalkOptions::default());
    assert!(matches!(gone, Err(WalkError::Missing(_))));
    let file = discover(Tree::on_disk(dir.path().join("a.js")), &WalkOptions::default());
    assert!(matches!(file, Err(WalkError::NotAFolder(_))));
}

#[test]
fn the_root_is_the_repository_and_the_scope_what_was_asked() {
    let dir = folder(&[(".git/HEAD", ""), ("apps/api/a.js", ""), ("b.js", "")]);
    let (root, scope) = find_root(&dir.path().join("apps/api")).unwrap();
    assert_eq!(root, dir.path().canonicalize().unwrap());
    assert_eq!(scope.as_deref(), Some("apps/api"));
    let project = discover(Tree::on_disk(root), &WalkOptions { scope, ..WalkOptions::default() }).unwrap();
    let in_scope: Vec<_> = project.files.iter().map(|file| (&*file.path, file.in_scope)).collect();
    assert_eq!(in_scope, [("apps/api/a.js", true), ("b.js", false)]);
    assert_eq!(find_root(dir.path()).unwrap().1, None);
}

#[test]
fn fixtures_and_examples_are_projects_of_their_own() {
    let dir = folder(&[(".git/HEAD", ""), ("fixtures/shop/a.js", ""), ("packages/one/examples/two/a.js", "")]);
    for path in ["fixtures/shop", "packages/one/examples/two"] {
        let asked = dir.path().join(path).canonicalize().unwrap();
        assert_eq!(find_root(&asked).unwrap(), (asked, None));
    }
}

#[test]
fn conventions_count_from_the_scope() {
    let dir = folder(&[("fixtures/shop/src/a.js", ""), ("fixtures/shop/test/a.js", ""), ("fixtures/other/a.js", "")]);
    let options = WalkOptions { scope: Some("fixtures/shop".into()), ..WalkOptions::default() };
    let project = discover(Tree::on_disk(dir.path()), &options).unwrap();
    let areas: Vec<_> = project.files.iter().map(|file| file.area).collect();
    assert_eq!(areas, [Area::Test, Area::Server, Area::Test]);
}

#[test]
fn an_empty_folder_is_an_empty_project() {
    let dir = folder(&[]);
    let project = list(dir.path());
    assert!(project.files.is_empty() && project.diagnostics.is_empty());
    assert_eq!(project.services[0].path, ".");
}

#[test]
fn a_virtual_tree_lists_its_files_and_an_overlay_adds_to_the_disk() {
    let project = discover(Tree::in_memory([("b.js", ""), ("a.ts", "x")]), &WalkOptions::default()).unwrap();
    assert_eq!(paths(&project), ["a.ts", "b.js"]);
    assert_eq!(project.files[0].size, 1);
    let dir = folder(&[("a.js", "disk")]);
    let mut tree = Tree::on_disk(dir.path());
    tree.overlay.insert("a.js".into(), Arc::from(&b"longer than disk"[..]));
    tree.overlay.insert("new/b.js".into(), Arc::from(&b""[..]));
    let project = discover(tree, &WalkOptions::default()).unwrap();
    assert_eq!(paths(&project), ["a.js", "new/b.js"]);
    assert_eq!(project.files[0].size, 16);
}

#[test]
fn scripts_without_extension_are_known_by_their_interpreter() {
    let dir = folder(&[("bin/www", "#!/usr/bin/env node\nrequire('../app')"), ("LICENSE", "MIT")]);
    let kinds: Vec<_> = list(dir.path()).files.iter().map(|file| file.kind).collect();
    assert_eq!(kinds, [FileKind::Text, FileKind::JavaScript]);
}

#[test]
fn the_order_does_not_depend_on_threads() {
    let dir = tempfile::tempdir().unwrap();
    for folder in 0..100 {
        let folder = dir.path().join(format!("d{}", folder * 7919 % 100));
        fs::create_dir(&folder).unwrap();
        for file in 0..100 {
            fs::write(folder.join(format!("f{file}.js")), "").unwrap();
        }
    }
    let with = |jobs| discover(Tree::on_disk(dir.path()), &WalkOptions { jobs, ..WalkOptions::default() }).unwrap();
    let (one, two) = (with(1), with(2));
    assert_eq!(one.files.len(), 10_000);
    assert_eq!(paths(&one), paths(&two));
    assert!(paths(&one).is_sorted());
}

#[test]
fn too_many_files_drop_what_matters_least() {
    let files = [("dist/a.js", ""), ("src/a.js", ""), ("src/b.js", ""), ("vendor/a.js", "")];
    let mut project = list(folder(&files).path());
    keep_most_relevant(&mut project.files, 3);
    assert_eq!(paths(&project), ["dist/a.js", "src/a.js", "src/b.js"]);
}

#[test]
fn an_unreadable_folder_is_a_diagnostic() {
    let denied = ignore::Error::Io(std::io::ErrorKind::PermissionDenied.into());
    let error = ignore::Error::WithPath { path: "/r/private".into(), err: Box::new(denied) };
    let problem = walk_problem(Path::new("/r"), &ignore::Error::WithDepth { depth: 1, err: Box::new(error) });
    assert_eq!((problem.kind.as_str(), problem.path.as_str()), ("unreadable", "private"));
    assert!(problem.message.contains("permission denied"), "{}", problem.message);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_never_followed_and_those_that_lead_out_are_named() {
        let outside = folder(&[("secret.js", "")]);
        let dir = folder(&[("src/a.js", "")]);
        symlink("..", dir.path().join("src/up")).unwrap();
        symlink("self", dir.path().join("self")).unwrap();
        symlink(outside.path(), dir.path().join("out")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        symlink("src/a.js", dir.path().join("alias.js")).unwrap();
        let project = list(dir.path());
        assert_eq!(paths(&project), ["src/a.js"]);
        let named: Vec<_> = project.diagnostics.iter().map(|d| (d.kind.as_str(), d.path.as_str())).collect();
        assert_eq!(named, [("link", "out"), ("link", "self")]);
    }

    #[test]
    fn a_tracked_path_behind_a_link_is_not_added_back() {
        let outside = folder(&[("a.js", "")]);
        let dir = folder(&[(".git/HEAD", "")]);
        write(dir.path(), ".git/index", index_of(Version::Two, &["out/a.js"]));
        symlink(outside.path(), dir.path().join("out")).unwrap();
        assert!(list(dir.path()).files.is_empty());
    }

    #[test]
    fn pipes_are_named_and_never_opened_even_as_ignore_files() {
        let dir = folder(&[("a.js", ""), ("sub/b.js", ""), (".git/HEAD", "")]);
        write(dir.path(), ".git/index", index_of(Version::Two, &["a.js"]));
        for pipe in ["pipe", "sub/.gitignore"] {
            assert!(std::process::Command::new("mkfifo").arg(dir.path().join(pipe)).status().unwrap().success());
        }
        let project = list(dir.path());
        assert_eq!(paths(&project), ["a.js", "sub/b.js"]);
        let named: Vec<_> = project.diagnostics.iter().map(|d| d.path.as_str()).collect();
        assert_eq!(named, [".gitignore", "pipe", "sub/.gitignore"]);
    }

    #[test]
    fn strange_names_are_listed_or_named() {
        let dir = folder(&[("a\u{1b}[31m\nb.js", "")]);
        fs::write(dir.path().join(OsStr::from_bytes(b"bad\xFF.js")), "").unwrap();
        let project = list(dir.path());
        assert_eq!(paths(&project), ["a\u{1b}[31m\nb.js"]);
        assert_eq!(project.diagnostics[0].path, "bad\u{FFFD}.js");
    }

    #[test]
    fn a_folder_without_rights_does_not_stop_the_walk() {
        let dir = folder(&[("a.js", ""), ("private/b.js", "")]);
        let private = dir.path().join("private");
        fs::set_permissions(&private, fs::Permissions::from_mode(0o000)).unwrap();
        // Root reads it all the same.
        let denied = fs::read_dir(&private).is_err();
        let project = list(dir.path());
        fs::set_permissions(&private, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(paths(&project).contains(&"private/b.js"), !denied);
        assert_eq!(project.diagnostics.iter().any(|d| d.path == "private"), denied);
        assert!(paths(&project).contains(&"a.js"));
    }
}
