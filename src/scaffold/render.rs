//! Templates, filled in for one service.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::conventions::Conventions;
use super::stack::joined;

/// What templates can ask about the service and the plan.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    /// The service's folder; `.` for the root.
    pub service: String,
    /// Its name in the manifest, or its folder's.
    pub name: String,
    pub typescript: bool,
    /// `import`, not `require`.
    pub esm: bool,
    /// Stacks that the service uses (`express`, `prisma`, …).
    pub stacks: Vec<String>,
    /// Major versions of what it depends on, by name.
    pub majors: BTreeMap<String, u64>,
    /// Modules that are there once this plan is applied.
    pub modules: Vec<String>,
    /// Kinds of store that the service uses (`database`, `cache`, `queue`), whether or not a client can be imported.
    pub stores: Vec<String>,
    /// Shared clients of databases, caches and queues that can be imported.
    pub clients: Vec<Client>,
    /// The first of them that is a database, and the first that is a cache.
    pub database: Option<Client>,
    pub cache: Option<Client>,
    pub layout: BTreeMap<String, String>,
    /// What the application object is called where it is made, and that file.
    pub app: String,
    pub app_file: String,
    pub input: BTreeMap<String, String>,
    pub test: TestContext,
    /// `npm`, `pnpm`, …, and what installs with it.
    pub manager: String,
    pub install: String,
    /// Variables that the service reads, by name.
    pub env: Vec<Variable>,
    /// What the manifest names, sorted.
    pub packages: Vec<String>,
    /// APIs by which functions are told to run when the service starts or ends, sorted.
    pub hooks: Vec<String>,
}

/// An environment variable that the service reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    pub name: String,
    /// What is used without it, if that is a literal.
    pub default: Option<String>,
    /// Every read of it has something to use without it.
    pub optional: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct TestContext {
    pub runner: String,
    pub from: String,
    pub before_all: String,
    pub after_all: String,
}

/// A client that a module of the service exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// `prisma`, `pg`, `ioredis`, …
    pub library: String,
    /// `database`, `cache`, `queue`.
    pub store: String,
    /// The API path that made it.
    pub api: String,
    /// The name that it is imported by, and whether that is the module's default.
    pub name: String,
    pub default: bool,
    pub file: String,
}

/// Fills templates in for one service.
pub struct Renderer {
    context: Arc<Context>,
    conventions: Arc<Conventions>,
}

impl Renderer {
    pub fn new(context: Context, conventions: Conventions) -> Renderer {
        Renderer { context: Arc::new(context), conventions: Arc::new(conventions) }
    }

    pub fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    /// A template's text for the file at `path`; imports in it are relative to that.
    pub fn render(&self, name: &str, template: &str, path: &str) -> Result<String, Error> {
        let environment = self.environment(path);
        environment.render_named_str(name, template, self.values())
    }

    /// The same, with the application called as in the file, and what the statement at the anchor gives.
    pub fn render_for_app(
        &self,
        name: &str,
        template: &str,
        path: &str,
        app: &str,
        result: &str,
    ) -> Result<String, Error> {
        let environment = self.environment(path);
        let values = context! { app, result, ..self.values() };
        environment.render_named_str(name, template, values)
    }

    /// The same for a call, with what it passes already.
    pub fn render_for_call(
        &self,
        name: &str,
        template: &str,
        path: &str,
        passed: &str,
        first: &str,
    ) -> Result<String, Error> {
        let values = context! { passed, first, ..self.values() };
        self.environment(path).render_named_str(name, template, values)
    }

    /// Whether a condition of a module holds.
    pub fn holds(&self, condition: &str) -> Result<bool, Error> {
        let environment = self.environment("");
        Ok(environment.compile_expression(condition)?.eval(self.values())?.is_true())
    }

    fn values(&self) -> Value {
        Value::from(Serde(&*self.context))
    }

    fn environment(&self, path: &str) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        let (context, conventions, from) = (self.context.clone(), self.conventions.clone(), path.to_owned());
        environment.add_function("module", move |to: String| {
            let path = place(&to, &conventions.layout).ok_or_else(|| no_folder(&to))?;
            Ok::<_, Error>(specifier(&from, &path, &conventions))
        });
        let (from, conventions) = (path.to_owned(), self.conventions.clone());
        environment.add_function("import_client", move |client: Value| {
            let field = |name: &str| client.get_attr(name).map(|value| value.to_string());
            let specifier = specifier(&from, without_extension(&field("file")?), &conventions);
            let name = field("name")?;
            if conventions.extension == "py" {
                return Ok(format!("from {specifier} import {name}"));
            }
            let names = if client.get_attr("default")?.is_true() { name } else { format!("{{ {name} }}") };
            Ok::<_, Error>(format!("import {names} from \"{specifier}\";"))
        });
        environment.add_function("uses", {
            let context = context.clone();
            move |stack: String| context.stacks.contains(&stack)
        });
        environment.add_function("depends", {
            let context = context.clone();
            move |package: String| context.packages.contains(&package)
        });
        environment.add_function("has", {
            let context = context.clone();
            move |module: String| context.modules.contains(&module)
        });
        environment.add_function("major", {
            let context = context.clone();
            move |package: String, options: Kwargs| {
                let default: Option<u64> = options.get("default")?;
                Ok::<_, Error>(context.majors.get(&package).copied().or(default).unwrap_or(0))
            }
        });
        environment.add_function("test_import", move |names: minijinja::value::Rest<String>| {
            test_import(&context.test, &names)
        });
        environment
    }
}

/// `import { after, describe, it } from "node:test";`, nothing where the functions are global.
fn test_import(test: &TestContext, names: &[String]) -> String {
    if test.from.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = names
        .iter()
        .map(|name| match name.as_str() {
            "before_all" => test.before_all.as_str(),
            "after_all" => test.after_all.as_str(),
            name => name,
        })
        .collect();
    names.sort_unstable();
    format!("import {{ {} }} from \"{}\";\n", names.join(", "), test.from)
}

fn no_folder(to: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("`{to}` does not start with a folder of the layout"))
}

/// `lib/context` with the first part replaced by the folder of the layout.
pub fn place(to: &str, layout: &BTreeMap<String, String>) -> Option<String> {
    let (folder, rest) = to.split_once('/')?;
    Some(joined(layout.get(folder)?, rest))
}

pub fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem,
        _ => path,
    }
}

/// How a file names another one of the project in an import.
pub fn specifier(from: &str, to: &str, conventions: &Conventions) -> String {
    if conventions.extension != "py" {
        return import_path(from, to, conventions);
    }
    let root = format!("{}/", conventions.import_root);
    let inside = to.strip_prefix(&root).unwrap_or(to);
    inside.strip_suffix("/__init__").unwrap_or(inside).replace('/', ".")
}

/// How a JavaScript file imports another one.
fn import_path(from: &str, to: &str, conventions: &Conventions) -> String {
    let mut here: Vec<&str> = from.split('/').collect();
    here.pop();
    let there: Vec<&str> = to.split('/').collect();
    let common = here.iter().zip(&there).take_while(|(a, b)| a == b).count().min(there.len().saturating_sub(1));
    let up = here.len() - common;
    let rest = there.get(common..).unwrap_or_default().join("/");
    let prefix = if up == 0 { "./".to_owned() } else { "../".repeat(up) };
    format!("{prefix}{rest}{}", conventions.import_extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_relative_to_the_file() {
        let plain = Conventions::default();
        assert_eq!(import_path("src/app.ts", "src/lib/db", &plain), "./lib/db");
        assert_eq!(import_path("tests/a.test.ts", "src/lib/db", &plain), "../src/lib/db");
        assert_eq!(import_path("src/a/b.ts", "src/db", &plain), "../db");
        assert_eq!(import_path("app.js", "lib/db", &plain), "./lib/db");
        let with = Conventions { import_extensions: true, ..Conventions::default() };
        assert_eq!(import_path("src/app.ts", "src/db", &with), "./db.js");
    }

    #[test]
    fn python_imports_start_at_the_root() {
        let plain = Conventions { extension: "py".into(), import_root: "api/src".into(), ..Conventions::default() };
        assert_eq!(specifier("api/src/app/main.py", "api/src/app/core/health", &plain), "app.core.health");
        let flat = Conventions { extension: "py".into(), ..Conventions::default() };
        assert_eq!(specifier("main.py", "core/health", &flat), "core.health");
    }

    #[test]
    fn tests_import_what_their_runner_offers() {
        let node = TestContext { from: "node:test".into(), after_all: "after".into(), ..TestContext::default() };
        let names = ["it", "after_all", "describe"].map(str::to_owned);
        assert_eq!(test_import(&node, &names), "import { after, describe, it } from \"node:test\";\n");
        assert_eq!(test_import(&TestContext::default(), &names), "");
    }

    #[test]
    fn folders_come_from_the_layout() {
        let layout = BTreeMap::from([("lib".to_owned(), "src/utils".to_owned()), ("root".to_owned(), ".".to_owned())]);
        assert_eq!(place("lib/a.ts", &layout).as_deref(), Some("src/utils/a.ts"));
        assert_eq!(place("root/a/b", &layout).as_deref(), Some("a/b"));
        assert_eq!(place("libs/a", &layout), None);
    }
}
