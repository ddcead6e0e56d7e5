//! The lock files of the proof hold what the modules ask for now.

use crate::apps::copy;
use crate::npm;
use crate::project::Project;
use crate::python::check_lock;

fn check(project: &Project, stack: &str, lock: &str) {
    project.apply_all(stack);
    if npm::refreshing() {
        npm::refresh(project.root(), lock);
    }
    npm::fits(project.root(), lock);
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn lock_of_the_express_service() {
    check(&Project::app("express"), "express", "express");
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn lock_of_the_express_shop() {
    check(&Project::fixture("express-shop-unready"), "express", "express-shop");
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn lock_of_the_next_service() {
    check(&Project::app("nextjs"), "nextjs", "nextjs");
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn lock_of_the_next_ledger() {
    check(&Project::fixture("nextjs-ledger-unready"), "nextjs", "nextjs-ledger");
}

#[test]
#[ignore = "needs Python: run by scripts/test"]
fn lock_of_the_python_services() {
    let services = [
        (Project::app("django"), "django"),
        (Project::fixture("django-shop-unready"), "django"),
        (Project::app("fastapi"), "fastapi"),
        (Project::fixture("fastapi-ledger-unready"), "fastapi"),
    ];
    for (project, stack) in &services {
        project.apply_all(stack);
    }
    check_lock(&services.each_ref().map(|(project, _)| project));
}

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn lock_of_the_engine_of_prisma() {
    let folder = copy(&npm::locks().join("prisma"));
    if npm::refreshing() {
        npm::refresh(folder.path(), "prisma");
    }
    npm::fits(folder.path(), "prisma");
}
