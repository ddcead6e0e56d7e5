//! Which programs run modules, scripts or other commands, and which of their flags take a value.

/// Whether a word starts a command rather than naming a script.
pub(super) fn is_program(word: &str) -> bool {
    RUNNERS.contains(&word) || WRAPPERS.contains(&word) || matches!(word, "nodemon" | "nest" | "pm2" | "concurrently")
}

/// A word that can only be a module: it has an extension of code, or is `./bin/www`.
pub(super) fn is_module_path(word: &str) -> bool {
    let extension = word.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "js" | "mjs" | "cjs" | "ts" | "mts" | "cts") || word.ends_with("bin/www")
}

pub(super) fn is_process_list(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("ecosystem.") || name.starts_with("pm2.") || name.ends_with(".json") || name.ends_with(".yml")
}

pub(super) const RUNNERS: &[&str] = &[
    "node",
    "nodejs",
    "ts-node",
    "ts-node-esm",
    "ts-node-dev",
    "tsnd",
    "tsx",
    "node-dev",
    "babel-node",
    "babel-watch",
    "swc-node",
    "vite-node",
    "esr",
    "esno",
    "jiti",
    "deno",
    "fastify",
    "micro",
    "micro-dev",
    "remix-serve",
    "react-router-serve",
    "elastic-apm-node",
];
pub(super) const WRAPPERS: &[&str] = &[
    "exec",
    "sudo",
    "env",
    "nohup",
    "command",
    "time",
    "npx",
    "bunx",
    "pnpx",
    "cross-env",
    "cross-env-shell",
    "dotenv",
    "dotenvx",
    "dotenv-flow",
    "env-cmd",
    "dumb-init",
    "tini",
    "su-exec",
    "gosu",
    "infisical",
    "doppler",
    "op",
    "better-npm-run",
];
/// Words before a command within a script of the shell.
pub(super) const SHELL_KEYWORDS: &[&str] = &["then", "else", "do", "if", "elif", "while", "until", "!", "{"];
/// What serves without naming a module of ours. `$@` is the command that an entry point was given.
pub(super) const SERVING_PROGRAMS: &[&str] =
    &["$@", "astro", "medusa", "next", "nuxt", "remix-serve", "strapi", "vinxi", "vite"];
/// Those to which `--` means something else than "the command follows".
pub(super) const KNOWS_DASHES: &[&str] = &[
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "node",
    "ts-node",
    "tsx",
    "deno",
    "pm2",
    "pm2-runtime",
    "nest",
    "nodemon",
    "npx",
    "dotenv",
    "dotenvx",
    "env-cmd",
    "dumb-init",
    "tini",
    "infisical",
    "doppler",
    "op",
];
pub(super) const RUNNER_FLAGS: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-P",
    "--project",
    "--tsconfig",
    "-C",
    "--conditions",
    "-O",
    "--compiler-options",
    "-e",
    "--eval",
    "-p",
    "--env-file",
    "--ignore-watch",
    "--debounce",
    "--interval",
    "--config",
    "-l",
    "--port",
];
pub(super) const NODEMON_FLAGS: &[&str] = &[
    "-w", "--watch", "-e", "--ext", "-i", "--ignore", "-x", "--exec", "--delay", "-d", "--config", "-s", "--signal",
    "-r",
];
pub(super) const PROCESS_MANAGER_FLAGS: &[&str] = &[
    "-i",
    "--instances",
    "-n",
    "--name",
    "--env",
    "--interpreter",
    "--node-args",
    "--interpreter-args",
    "--max-memory-restart",
    "-l",
    "--log",
    "-o",
    "--output",
    "--error",
    "--cron",
    "--only",
];
pub(super) const PACKAGE_MANAGER_FLAGS: &[&str] =
    &["--prefix", "-C", "--cwd", "--dir", "--workspace", "--filter", "-F"];
