//! Services that cannot be judged because what they are written in is not read.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::FactStore;
use crate::project::{Project, Service, ServiceId, unread_framework};

/// Languages that are read as a whole.
const LANGUAGES: &[&str] = &["typescript", "javascript", "rust"];

/// By service, why it gets no score.
pub fn unread(project: &Project, facts: &FactStore) -> BTreeMap<ServiceId, String> {
    let routed: BTreeSet<ServiceId> =
        facts.facts.iter().filter(|fact| &*fact.kind == "route").map(|fact| fact.service).collect();
    let numbered = project.services.iter().enumerate();
    numbered
        .filter_map(|(index, service)| Some((ServiceId(u16::try_from(index).ok()?), service)))
        .filter_map(|(id, service)| Some((id, reason(service, routed.contains(&id))?)))
        .collect()
}

fn reason(service: &Service, routed: bool) -> Option<String> {
    if !service.languages.is_empty() && !service.languages.iter().any(|language| LANGUAGES.contains(&language.as_str()))
    {
        let names: Vec<String> = service.languages.iter().map(|language| capitalised(language)).collect();
        return Some(format!("{} is read only in part so far, so nothing is scored", names.join(", ")));
    }
    let framework = unread_framework(service).filter(|_| !routed)?;
    Some(format!("routes of {framework} are not read yet, so nothing is scored"))
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::requirements::Ecosystem;
    use crate::project::{Dependency, FileId, Span};

    fn service(language: &str, package: (Ecosystem, &str)) -> Service {
        let at = Span { file: FileId(0), start: 0, end: 0 };
        let dependency = Dependency { version: String::new(), dev: false, at };
        let mut service =
            Service { languages: vec![language.to_owned()], manifest: Some(FileId(0)), ..Service::default() };
        match package.0 {
            Ecosystem::Npm => drop(service.dependencies.insert(package.1.to_owned(), dependency)),
            other => drop(service.requirements.insert((other, package.1.to_owned()), dependency)),
        }
        service
    }

    #[test]
    fn a_framework_that_is_not_read_is_named() {
        let nest = service("typescript", (Ecosystem::Npm, "@nestjs/core"));
        assert_eq!(reason(&nest, false).unwrap(), "routes of NestJS are not read yet, so nothing is scored");
        assert_eq!(reason(&nest, true), None, "it has routes that are read");
        assert_eq!(reason(&service("typescript", (Ecosystem::Npm, "express")), false), None);
    }
}
