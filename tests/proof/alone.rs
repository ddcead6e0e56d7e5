//! Each module by itself, in each dialect of its stack: new modules are covered without new code.

use std::path::Path;
use std::process::Command;

use crate::apps::{classic, modern};
use crate::express::check_types;
use crate::npm;
use crate::process::succeed;
use crate::project::{ALL, Project, modules};

fn each_module_of(stack: &str, mut check: impl FnMut(&str)) {
    let ids: Vec<String> = modules()
        .into_iter()
        .filter(|(_, stacks)| stacks.iter().any(|found| found == stack))
        .map(|(id, _)| id)
        .collect();
    assert!(!ids.is_empty(), "no module is written for {stack}");
    ids.iter().for_each(|id| check(id));
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn each_module_alone_has_types_that_hold() {
    each_module_of("express", |id| {
        let project = Project::app("express");
        project.apply(&[id]);
        npm::borrow(project.root(), "express");
        check_types(&project);
    });
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn each_module_alone_is_javascript() {
    each_module_of("express", |id| {
        for folder in [modern(false), classic()] {
            let project = Project::new(folder);
            project.apply(&[id]);
            javascript(project.root()).iter().for_each(|file| {
                succeed(Command::new("node").current_dir(project.root()).arg("--check").arg(file));
            });
        }
    });
}

/// The tests of all modules together: what was written for TypeScript has to run without types and with `require`.
#[test]
#[ignore = "needs Node: run by scripts/test"]
fn all_modules_pass_their_tests_in_javascript() {
    for (folder, lock) in [(modern(false), "express"), (classic(), "express-shop")] {
        let project = Project::new(folder);
        project.apply(&ALL);
        npm::borrow(project.root(), lock);
        succeed(&mut npm::script(project.root(), "test"));
    }
}

fn javascript(root: &Path) -> Vec<std::path::PathBuf> {
    let files = walkdir::WalkDir::new(root).into_iter().flatten().map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "js")).collect()
}
