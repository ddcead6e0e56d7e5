//! Named word lists (`@money`, `@health-path`): what a name or a path is about.

mod names;
mod paths;

use names::Names;
pub use names::words;
use paths::{Parameters, Paths, plain};

use super::document::{as_text, as_texts, at, only_keys, parse};
use super::error::{Problem, RuleError};
use crate::syntax::Node;

/// All lexicons, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Lexicons {
    entries: Vec<(String, Lexicon)>,
}

/// Which of the loaded lexicons a condition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LexiconId(u32);

#[derive(Debug, Clone)]
enum Lexicon {
    Names(Names),
    Paths(Paths),
}

const NAME_KEYS: &[&str] = &["about", "words", "phrases", "unless", "unless_last"];
const PATH_KEYS: &[&str] = &["about", "last", "then", "any", "unless", "parameters"];

impl Lexicons {
    /// Reads a lexicon file.
    pub fn parse(path: &str, text: &str) -> Result<Lexicons, RuleError> {
        let root = parse(path, text)?;
        let mut lexicons = Lexicons::default();
        for entry in root.entries() {
            let lexicon = read(&entry.value).map_err(|problem| problem.in_file(path, text))?;
            lexicons.entries.push((entry.key.to_string(), lexicon));
        }
        lexicons.entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(lexicons)
    }

    /// Whether a name or path belongs to a lexicon; false for a lexicon that does not exist.
    pub fn is(&self, name: &str, text: &str) -> bool {
        self.find(name).is_some_and(|id| self.contains(id, text))
    }

    pub fn find(&self, name: &str) -> Option<LexiconId> {
        let index = self.entries.binary_search_by(|(entry, _)| entry.as_str().cmp(name)).ok()?;
        u32::try_from(index).ok().map(LexiconId)
    }

    pub fn contains(&self, id: LexiconId, text: &str) -> bool {
        match self.entries.get(id.0 as usize) {
            Some((_, Lexicon::Names(names))) => names.contains(text),
            Some((_, Lexicon::Paths(paths))) => paths.contains(text),
            None => false,
        }
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
}

fn read(node: &Node) -> Result<Lexicon, Problem> {
    if node.get("words").or_else(|| node.get("phrases")).is_some() {
        only_keys(node, "a lexicon of names", NAME_KEYS)?;
        let mut positive = phrases(node, "words")?;
        positive.extend(phrases(node, "phrases")?);
        Ok(Lexicon::Names(Names {
            positive,
            unless: phrases(node, "unless")?,
            unless_last: phrases(node, "unless_last")?,
        }))
    } else {
        only_keys(node, "a lexicon of paths", PATH_KEYS)?;
        Ok(Lexicon::Paths(Paths {
            last: paths(node, "last")?,
            then: paths(node, "then")?.into_iter().flatten().collect(),
            any: paths(node, "any")?,
            unless: paths(node, "unless")?.into_iter().flatten().collect(),
            parameters: parameters(node)?,
        }))
    }
}

fn parameters(node: &Node) -> Result<Parameters, Problem> {
    let Some(value) = node.get("parameters") else { return Ok(Parameters::default()) };
    match as_text(value, "`parameters`")? {
        "none" => Ok(Parameters::None),
        "no-id" => Ok(Parameters::NoId),
        "any" => Ok(Parameters::Any),
        word => Err(at(value, format!("`parameters` cannot be `{word}`")).suggest(word, ["none", "no-id", "any"])),
    }
}

fn texts<'a>(node: &'a Node, key: &str) -> Result<Vec<&'a str>, Problem> {
    node.get(key).map_or_else(|| Ok(Vec::new()), |value| as_texts(value, &format!("`{key}`")))
}

fn phrases(node: &Node, key: &str) -> Result<Vec<Vec<String>>, Problem> {
    Ok(texts(node, key)?.into_iter().map(words).filter(|words| !words.is_empty()).collect())
}

fn paths(node: &Node, key: &str) -> Result<Vec<Vec<String>>, Problem> {
    Ok(texts(node, key)?.into_iter().map(|path| path.split('/').map(plain).collect()).collect())
}

#[cfg(test)]
mod tests;
