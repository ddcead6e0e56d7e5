//! Classes whose methods answer requests (`[[resources]]`), and variables that make a module a module of settings
//! (`[settings]`).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::load::{Loader, OneOrMany, StackError};
use crate::facts::paths::Selector;

/// Classes of a library whose subclasses answer requests by methods of certain names.
#[derive(Debug)]
pub struct Resource {
    pub stack: usize,
    pub classes: Selector,
    /// What methods of certain names answer.
    pub answers: Vec<Answer>,
    /// Methods that the class brings along.
    pub has: Vec<String>,
    /// Roles that those play by themselves, and the parts of requests that they read.
    pub roles: Vec<String>,
    pub inputs: Vec<String>,
    /// Inherited methods that call some of the class's own: `is_valid` calls `validate`.
    pub calls: Vec<(String, Vec<String>)>,
    /// Methods that refuse a request by giving back something false.
    pub refuses: Vec<String>,
    /// Decorators that make any other method answer; what they do not say is asked of `methods`, `url_path`, `detail`.
    pub extra: Option<Selector>,
}

/// A method's name, the verb that it answers and the path below the one that its class is registered at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub name: String,
    pub verb: String,
    pub path: String,
}

/// How a framework's modules of settings are known.
#[derive(Debug, Default)]
pub struct SettingsModules {
    pub stack: usize,
    /// A module that has one of these names, itself or by a star import, is one.
    pub names: Vec<String>,
    /// Words in the names of those that are for production, and of those that are not.
    pub production: Vec<String>,
    pub aside: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResource {
    class: Spanned<String>,
    #[serde(default)]
    answers: toml::Table,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    roles: OneOrMany,
    #[serde(default)]
    inputs: OneOrMany,
    #[serde(default)]
    calls: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    refuses: OneOrMany,
    extra: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSettings {
    names: Vec<String>,
    #[serde(default)]
    production: Vec<String>,
    #[serde(default)]
    aside: Vec<String>,
}

impl RawSettings {
    pub(super) fn load(self, stack: usize) -> SettingsModules {
        SettingsModules { stack, names: self.names, production: self.production, aside: self.aside }
    }
}

impl RawResource {
    pub(super) fn load(self, loader: &Loader<'_>, stack: usize) -> Result<Resource, StackError> {
        let classes = loader.selector(self.class.get_ref(), self.class.span(), false)?;
        let extra = match &self.extra {
            Some(extra) => Some(loader.selector(extra.get_ref(), extra.span(), true)?),
            None => None,
        };
        let mut answers = Vec::new();
        for (name, value) in &self.answers {
            let text = value.as_str().ok_or_else(|| {
                loader.error(self.class.span(), format!("`{name}` answers a text such as \"GET /:id\""))
            })?;
            let (verb, path) = text.split_once(' ').unwrap_or((text, ""));
            answers.push(Answer { name: name.clone(), verb: verb.to_owned(), path: path.to_owned() });
        }
        let (roles, inputs, refuses) = (self.roles.list(), self.inputs.list(), self.refuses.list());
        Ok(Resource {
            stack,
            classes,
            answers,
            has: self.has,
            roles,
            inputs,
            calls: self.calls.into_iter().collect(),
            refuses,
            extra,
        })
    }
}
