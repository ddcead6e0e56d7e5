//! How applications of Python and Rust are started: data of `rules/ecosystems.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::model::{ProcessKind, Service};
use super::requirements::Ecosystem;

const TEXT: &str = include_str!("../../rules/ecosystems.toml");

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) python: Python,
    pub(super) rust: Rust,
    /// Frameworks whose routes are not read yet: by ecosystem, package and name.
    unread: BTreeMap<String, BTreeMap<String, String>>,
}

/// The framework of a service whose routes are not read yet, if it declares one.
pub fn unread_framework(service: &Service) -> Option<&'static str> {
    let ecosystems = [Ecosystem::Npm, Ecosystem::Pypi, Ecosystem::Crates];
    let table = ecosystems.into_iter().filter_map(|ecosystem| Some((ecosystem, TABLE.unread.get(ecosystem.name())?)));
    table
        .flat_map(|(ecosystem, packages)| packages.iter().map(move |(package, name)| (ecosystem, package, name)))
        .find(|(ecosystem, package, _)| service.declares(*ecosystem, package) && !is_for_development(service, package))
        .map(|(_, _, name)| name.as_str())
}

fn is_for_development(service: &Service, package: &str) -> bool {
    service.dependencies.get(package).is_some_and(|found| found.dev)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Python {
    /// Packages that make a project a server.
    pub(super) servers: Vec<String>,
    /// What a module says that builds an application.
    pub(super) constructors: Vec<String>,
    /// Names of modules that servers start with, most usual first.
    pub(super) starts: Vec<String>,
    pub(super) wrappers: Vec<String>,
    pub(super) program: Vec<Program>,
    pub(super) manage: Manage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rust {
    pub(super) servers: Vec<String>,
    pub(super) workers: Vec<String>,
}

/// A program that is told which module to run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) names: Vec<String>,
    pub(super) target: Target,
    #[serde(default)]
    pub(super) options: Vec<String>,
    /// The variable that names the application where no option does.
    pub(super) variable: Option<String>,
    /// The submodule that it looks for in a package.
    pub(super) inside: Option<String>,
    #[serde(default)]
    pub(super) default: Vec<String>,
    pub(super) kind: Option<ProcessKind>,
    #[serde(default)]
    pub(super) verbs: BTreeMap<String, ProcessKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    Application,
    Option,
    File,
    Class,
}

/// Django's own command.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manage {
    pub(super) names: Vec<String>,
    /// Where the settings are that only the environment names, seen from the folder of the gateway: the first counts.
    pub(super) usual_settings: Vec<String>,
    /// The variable that names the module of settings.
    pub(super) settings: String,
    /// The package by which settings are put together from files.
    pub(super) parts: String,
    /// The modules that servers load.
    pub(super) modules: Vec<String>,
    pub(super) http: Vec<String>,
    pub(super) worker: Vec<String>,
    pub(super) scheduler: Vec<String>,
}

impl Table {
    pub(super) fn program(&self, name: &str) -> Option<&Program> {
        self.python.program.iter().find(|program| program.names.iter().any(|own| own == name))
    }

    pub(super) fn is_wrapper(&self, name: &str) -> bool {
        self.python.wrappers.iter().any(|own| own == name)
    }

    /// Whether a module's text builds an application.
    pub(super) fn constructs(&self, text: &str) -> bool {
        self.python.constructors.iter().any(|constructor| text.contains(constructor.as_str()))
    }
}

impl Manage {
    /// What a verb keeps running; nothing for those that end (`migrate`).
    pub(super) fn kind(&self, verb: &str) -> Option<ProcessKind> {
        let has = |list: &[String]| list.iter().any(|own| own == verb);
        let kinds = [
            (&self.http, ProcessKind::Http),
            (&self.worker, ProcessKind::Worker),
            (&self.scheduler, ProcessKind::Scheduler),
        ];
        kinds.into_iter().find(|(list, _)| has(list)).map(|(_, kind)| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_loads() {
        let table: Table = toml::from_str(TEXT).unwrap();
        assert_eq!(table.program("uvicorn").unwrap().kind, Some(ProcessKind::Http));
        assert_eq!(table.program("celery").unwrap().verbs["beat"], ProcessKind::Scheduler);
        assert_eq!(table.python.manage.kind("migrate"), None);
        for ecosystem in table.unread.keys() {
            assert!(["npm", "pypi", "crates"].contains(&ecosystem.as_str()), "{ecosystem}");
        }
        assert!(table.constructs("app = FastAPI(title='x')") && !table.constructs("app: FastAPI"));
    }
}
