//! Templates, filled in for one service.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::conventions::Conventions;
use super::deployment::{Deployment, Variable};
use super::manifest::lowest;
use super::module::EnvSpec;
use super::revisions::{self, Revision};
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
    /// What the manifest asks for, for `older()`.
    #[serde(skip)]
    pub versions: BTreeMap<String, String>,
    /// Modules that are there once this plan is applied.
    pub modules: Vec<String>,
    /// Kinds of store that the service uses (`database`, `cache`, `queue`), whether or not a client can be imported.
    pub stores: Vec<String>,
    /// Shared clients of databases, caches and queues that can be imported.
    pub clients: Vec<Client>,
    /// Clients that are made when the service starts, whether or not they can be imported: `library`, `store`, `api`.
    pub opened: Vec<Client>,
    /// The first of them that is a database, and the first that is a cache.
    pub database: Option<Client>,
    pub cache: Option<Client>,
    pub layout: BTreeMap<String, String>,
    /// What the application object is called where it is made, and that file.
    pub app: String,
    pub app_file: String,
    /// What stands for something at the top of that file: what it imports and what it makes.
    pub names: Vec<String>,
    pub input: BTreeMap<String, String>,
    /// The user has named the module, or one that needs it; not so where all are meant.
    pub asked: bool,
    /// Source files that are there, by their paths without extension.
    #[serde(skip)]
    pub code: BTreeMap<String, String>,
    pub test: TestContext,
    /// `npm`, `pnpm`, …, and what installs with it.
    pub manager: String,
    pub install: String,
    /// Names of variables that it reads.
    pub env: Vec<String>,
    pub variables: Vec<EnvRead>,
    /// The one class of the service that checks the environment when it is made.
    pub settings: Option<Client>,
    /// What the manifest names, sorted.
    pub packages: Vec<String>,
    /// APIs by which functions are told to run when the service starts or ends, sorted.
    pub hooks: Vec<String>,
    /// Paths at which credentials are tried.
    pub login_paths: Vec<String>,
    /// Paths that are read and take no parameters, those without authentication first.
    pub reads: Vec<String>,
    /// The names of the migrations that are there, sorted.
    pub migrations: Vec<String>,
    /// Where the service has what the marks of the stack tell, as `path:line`, by mark.
    pub found: BTreeMap<String, Vec<String>>,
    /// The next of them, where each names the one before it.
    pub revision: Option<Revision>,
    /// What the fixes of the module close, and which of it a file is about.
    pub closed: Vec<Closed>,
    pub item: Option<Closed>,
    /// What it is built, started and run with.
    pub deploy: Deployment,
    /// The paths of all files, sorted, for `exists()`.
    #[serde(skip)]
    pub paths: Arc<Vec<Arc<str>>>,
    /// Every control of the audit, and whether something is left to do for it, for `open()`.
    #[serde(skip)]
    pub controls: Arc<BTreeMap<String, bool>>,
}

/// A variable of the environment that the service reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvRead {
    pub name: String,
    /// Somewhere it goes on without it: there is a default, or it is only asked whether it is there.
    pub optional: bool,
    /// What every read uses without it, if that is one literal.
    pub default: Option<String>,
}

/// A finding about columns of a table that the module's fixes close.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Closed {
    pub model: String,
    /// As the database calls them.
    pub table: String,
    pub columns: Vec<String>,
    pub provider: String,
    /// Of the migration that goes with it, where they are numbered.
    pub number: String,
    /// Of a single column: it is never NULL, and what it is without a value, if that is a number.
    pub required: bool,
    pub default: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct TestContext {
    pub runner: String,
    pub from: String,
    pub before_all: String,
    pub after_all: String,
    /// It is too old to know what Node.js has.
    pub outdated: bool,
    /// Where one of them compares a whole body of an error; empty if none does.
    pub whole_errors: String,
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

    /// The names of the migrations that are there.
    pub fn migrations(&self) -> &[String] {
        &self.context.migrations
    }

    /// Tells what the fixes of the module close.
    pub fn close(&mut self, closed: Vec<Closed>) {
        Arc::make_mut(&mut self.context).closed = closed;
    }

    /// How much they close.
    pub fn closed(&self) -> usize {
        self.context.closed.len()
    }

    /// Templates are about that one of them from now on.
    pub fn turn_to(&mut self, index: usize) {
        let context = Arc::make_mut(&mut self.context);
        context.item = context.closed.get(index).cloned();
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

    /// What the service reads from its environment, for its template of variables: never a value.
    pub fn variables(&self) -> Vec<EnvSpec> {
        let about = |variable: &Variable| match (variable.place.is_empty(), variable.secret) {
            (true, true) => "Secret: comes from the platform or a secret store".to_owned(),
            (true, false) => "Named in an environment file".to_owned(),
            (false, true) => format!("Secret: comes from the platform or a secret store. Read in {}", variable.place),
            (false, false) => format!("Read in {}", variable.place),
        };
        let all = self.context.deploy.variables.iter();
        all.map(|one| EnvSpec { name: one.name.clone(), value: String::new(), about: about(one), when: None }).collect()
    }

    /// What its `package.json` runs, by name.
    pub fn scripts(&self) -> &BTreeMap<String, String> {
        &self.context.deploy.scripts
    }

    /// The variables that the service reads.
    pub fn read_variables(&self) -> &[EnvRead] {
        &self.context.variables
    }

    fn values(&self) -> Value {
        context! { layout => self.own_layout(), ..Value::from(Serde(&*self.context)) }
    }

    /// The folders as the service's own files and commands call them, which are read where it lies.
    fn own_layout(&self) -> BTreeMap<String, String> {
        let prefix = format!("{}/", self.context.service);
        let all = self.context.layout.iter();
        all.map(|(name, path)| (name.clone(), path.strip_prefix(&prefix).unwrap_or(path).to_owned())).collect()
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
        environment.add_function("open", {
            let context = context.clone();
            move |control: String| {
                let unknown = || Error::new(ErrorKind::InvalidOperation, format!("there is no control `{control}`"));
                context.controls.get(&control).copied().ok_or_else(unknown)
            }
        });
        environment.add_function("exists", {
            let context = context.clone();
            move |path: String| {
                let from_root = path.strip_prefix('/').map(str::to_owned);
                is_there(&context.paths, &from_root.unwrap_or_else(|| joined(&context.service, &path)))
            }
        });
        environment.add_function("source", {
            let (context, conventions) = (context.clone(), self.conventions.clone());
            move |file: String| {
                let path = place(&file, &conventions.layout).ok_or_else(|| no_folder(&file))?;
                Ok::<_, Error>(context.code.get(&path).cloned().unwrap_or_default())
            }
        });
        environment.add_function("major", {
            let context = context.clone();
            move |package: String, options: Kwargs| {
                let default: Option<u64> = options.get("default")?;
                Ok::<_, Error>(context.majors.get(&package).copied().or(default).unwrap_or(0))
            }
        });
        environment.add_function("next_migration", {
            let context = context.clone();
            move |by: usize| {
                let number = revisions::number_behind(&context.migrations, by);
                number.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the migrations are not numbered"))
            }
        });
        environment.add_function("older", {
            let context = context.clone();
            move |package: String, than: String| {
                let asked = context.versions.get(&package).and_then(|version| lowest(version));
                asked.zip(lowest(&than)).is_some_and(|(asked, than)| asked < than)
            }
        });
        environment.add_function("test_import", move |names: minijinja::value::Rest<String>| {
            test_import(&context.test, &names)
        });
        environment
    }
}

/// Whether there is such a file, or a folder with files.
fn is_there(paths: &[Arc<str>], path: &str) -> bool {
    let inside = format!("{path}/");
    let from = |start: &str| paths.get(paths.partition_point(|known| **known < *start));
    from(path).is_some_and(|next| **next == *path) || from(&inside).is_some_and(|next| next.starts_with(&inside))
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
    match conventions.extension.as_str() {
        "py" => {}
        "rs" => return super::crates::path_of(from, to, conventions),
        _ => return import_path(from, to, conventions),
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
    if let Some(aliased) = conventions.alias.as_ref().filter(|_| up > 1).and_then(|alias| alias.of(to)) {
        return format!("{aliased}{}", conventions.import_extension());
    }
    let rest = there.get(common..).unwrap_or_default().join("/");
    let prefix = if up == 0 { "./".to_owned() } else { "../".repeat(up) };
    format!("{prefix}{rest}{}", conventions.import_extension())
}

#[cfg(test)]
mod tests {
    use super::super::conventions::Alias;
    use super::*;

    #[test]
    fn imports_are_relative_to_the_file() {
        let plain = Conventions::default();
        assert_eq!(import_path("src/app.ts", "src/lib/db", &plain), "./lib/db");
        assert_eq!(import_path("tests/a.test.ts", "src/lib/db", &plain), "../src/lib/db");
        assert_eq!(import_path("src/a/b.ts", "src/db", &plain), "../db");
        assert_eq!(import_path("app.js", "lib/db", &plain), "./lib/db");
        let alias = Some(Alias { prefix: "@/".into(), folder: "src".into() });
        let aliased = Conventions { alias, ..Conventions::default() };
        assert_eq!(import_path("src/app/api/a/route.ts", "src/lib/db", &aliased), "@/lib/db");
        assert_eq!(import_path("tests/a.test.ts", "src/lib/db", &aliased), "../src/lib/db");
        assert_eq!(import_path("a/b/c.ts", "lib/db", &aliased), "../../lib/db");
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
