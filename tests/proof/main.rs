//! What `readycheck scaffold` writes, installed, type-checked, tested and running against real services.
//!
//! These tests need Node, Python, PostgreSQL and Redis, which `scripts/test` provides; without it they are left out:
//! `cargo test --test proof -- --ignored` runs them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod alone;
mod app;
#[path = "../scaffold/apps.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which look at more of it")]
mod apps;
mod django;
mod express;
mod fastapi;
mod harness;
mod http;
mod locks;
mod money;
mod nextjs;
mod npm;
mod prisma;
mod process;
mod project;
mod python;
#[path = "../scaffold/python_apps.rs"]
mod python_apps;
mod services;
