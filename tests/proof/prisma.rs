//! Prisma from its packages alone.
//!
//! Prisma 6 downloads native engines from a host of its own, which a build machine may not reach. Everything that they
//! do is in its packages as well: the compilers as WebAssembly, the connection through an adapter. This uses those, and
//! leaves the service and its schema as they are.

use std::path::Path;

use tempfile::TempDir;

use crate::apps::copy;
use crate::npm;
use crate::process::succeed;
use crate::services::Postgres;

const SCHEMA: &str = "prisma/schema.prisma";

pub struct Prisma {
    folder: TempDir,
}

impl Prisma {
    pub fn new() -> Self {
        let folder = copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/prisma"));
        npm::borrow(folder.path(), "prisma");
        Self { folder }
    }

    /// What starts a service with it: an option of `node`, also for `NODE_OPTIONS`.
    pub fn preload(&self) -> String {
        format!("--require={}", self.folder.path().join("client.cjs").display())
    }

    /// Generates the client of a service.
    pub fn generate(&self, root: &Path) {
        self.run(root, "postgresql://nobody@127.0.0.1:1/none", &["generate", "--no-hints"]);
    }

    /// Brings the tables of a service's schema into an empty database, as `prisma db push` does.
    pub fn push(&self, root: &Path, postgres: &Postgres, database: &str) {
        let script = self.folder.path().join("push.sql");
        let output = script.to_string_lossy();
        let diff =
            ["migrate", "diff", "--script", "--from-empty", "--to-schema-datamodel", SCHEMA, "--output", &output];
        self.run(root, &postgres.url(database), &diff);
        postgres.sql(database, &std::fs::read_to_string(&script).unwrap());
    }

    fn run(&self, root: &Path, url: &str, arguments: &[&str]) {
        let mut command = npm::bin(root, "prisma");
        command.args(arguments).arg("--config").arg(self.folder.path().join("prisma.config.mjs"));
        command.env("PRISMA_CLIENT_ENGINE_TYPE", "client").env("CHECKPOINT_DISABLE", "1");
        succeed(command.env("DATABASE_URL", url).env("PROOF_SCHEMA", root.join(SCHEMA)));
    }
}
