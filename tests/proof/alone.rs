//! Each module by itself, in each dialect of its stack: new modules are covered without new code.

use std::path::Path;
use std::process::Command;

use crate::apps::{classic, modern, with_what_it_is_for};
use crate::express::check_types;
use crate::npm;
use crate::process::succeed;
use crate::project::{ALL, Project, modules};

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn each_module_alone_has_types_that_hold() {
    for id in modules("express") {
        let project = Project::app("express");
        project.apply(&[&id]);
        npm::borrow(project.root(), "express");
        check_types(&project);
    }
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn each_module_alone_is_javascript() {
    for id in modules("express") {
        for folder in [modern(false), classic()] {
            let project = Project::new(with_what_it_is_for(&id, folder));
            project.apply(&[&id]);
            javascript(project.root()).iter().for_each(|file| {
                succeed(Command::new("node").current_dir(project.root()).arg("--check").arg(file));
            });
        }
    }
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

#[test]
#[ignore = "part of the proof: run by scripts/test"]
fn each_module_is_part_of_a_service_that_is_run() {
    let run = [Project::app("express"), Project::fixture("express-shop-unready")];
    let applied: Vec<String> = run.iter().flat_map(|project| project.apply_all("express")).collect();
    for id in modules("express") {
        assert!(applied.contains(&id), "{id} is in neither service");
    }
}

fn javascript(root: &Path) -> Vec<std::path::PathBuf> {
    let files = walkdir::WalkDir::new(root).into_iter().flatten().map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "js")).collect()
}
