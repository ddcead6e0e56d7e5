//! All controls: those in the binary, and those that the user adds, changes or switches off.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use miette::Diagnostic;
use rayon::prelude::*;

use super::document::{self, as_bool};
use super::error::{Problem, RuleError};
use super::examples::without_examples;
use super::lexicon::Lexicons;
use super::load;
use super::schema::{Control, Rule, Source, TextFormat, TextMatch};
use crate::syntax::{Entry, Node, NodeData};

static RULES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

const LEXICONS: &str = "lexicons.toml";
/// Larger rule files are refused.
const MAX_FILE: u64 = 1 << 20;

/// The controls in the order of their files, with the lexicons that their conditions name.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    pub controls: Vec<Control>,
    pub lexicons: Arc<Lexicons>,
    /// Ids of controls of the binary that user rules changed.
    pub overridden: Vec<String>,
    /// Ids of controls that user rules added or changed.
    pub user: Vec<String>,
    /// Ids of controls that user rules switched off (they are no longer among `controls`).
    pub disabled: Vec<String>,
}

/// Everything that is wrong with the rule files.
#[derive(Debug)]
pub struct RuleErrors(pub Vec<RuleError>);

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleErrors {}

impl Diagnostic for RuleErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|error| error as &dyn Diagnostic)))
    }
}

impl RuleSet {
    /// The rules of the binary.
    pub fn embedded() -> Result<RuleSet, RuleErrors> {
        let mut files = Vec::new();
        collect(&RULES, &mut files);
        RuleSet::from_files(files)
    }

    /// The rules of the binary without their examples, which are most of what there is to read. Places in a rule are
    /// those of the text without examples.
    pub fn embedded_for_audit() -> Result<RuleSet, RuleErrors> {
        let mut files = Vec::new();
        collect(&RULES, &mut files);
        RuleSet::of(files, without_examples)
    }

    /// The lexicons of the binary alone.
    pub fn embedded_lexicons() -> Result<Lexicons, RuleErrors> {
        let text = RULES.get_file(LEXICONS).and_then(|file| file.contents_utf8()).unwrap_or_default();
        Lexicons::parse(LEXICONS, text).map_err(|error| RuleErrors(vec![error]))
    }

    /// The rules of a folder laid out like `rules/`; without lexicons of its own, those of the binary count.
    pub fn from_folder(folder: &Path) -> Result<RuleSet, RuleErrors> {
        let mut files = read_folder(folder)?;
        if !files.iter().any(|source| source.path == LEXICONS)
            && let Some(text) = RULES.get_file(LEXICONS).and_then(|file| file.contents_utf8())
        {
            files.push(Source { path: LEXICONS.to_owned(), text: Cow::Borrowed(text) });
        }
        RuleSet::from_files(files)
    }

    /// The rules of some files; one of them may be `lexicons.toml`, stacks are left out.
    pub fn from_files(files: Vec<Source>) -> Result<RuleSet, RuleErrors> {
        RuleSet::of(files, whole)
    }

    /// The rules of some files, of which `part` says what is read.
    fn of(mut files: Vec<Source>, part: fn(&str) -> Cow<'_, str>) -> Result<RuleSet, RuleErrors> {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let lexicons = files.iter().find(|source| source.path == LEXICONS);
        let lexicons =
            lexicons.map_or_else(|| Ok(Lexicons::default()), |source| Lexicons::parse(&source.path, &source.text));
        let lexicons = Arc::new(lexicons.map_err(|error| RuleErrors(vec![error]))?);
        let sources: Vec<Arc<Source>> =
            files.into_iter().filter(|source| is_control(&source.path)).map(Arc::new).collect();
        let loaded: Vec<Result<Control, RuleError>> =
            sources.par_iter().map(|source| read(source, &part(&source.text), &lexicons)).collect();
        let mut errors = Vec::new();
        let mut controls = Vec::new();
        for result in loaded {
            match result {
                Ok(control) => controls.push(control),
                Err(error) => errors.push(error),
            }
        }
        let set = RuleSet { controls, lexicons, ..RuleSet::default() };
        errors.extend(set.duplicates());
        if errors.is_empty() { Ok(set) } else { Err(RuleErrors(errors)) }
    }

    /// The rules of a file or folder alone, for `rules test`: a folder laid out like `rules/`, or rules of a user, over
    /// those of the binary.
    pub fn under_test(path: &Path) -> Result<RuleSet, RuleErrors> {
        if path.join(LEXICONS).is_file() {
            return RuleSet::from_folder(path);
        }
        let mut set = RuleSet::embedded()?.with_user_rules(path)?;
        let RuleSet { controls, user, .. } = &mut set;
        controls.retain(|control| user.contains(&control.info.id));
        Ok(set)
    }

    /// Adds the user's rule files (a folder of them, or one): a new id is a further control, a known one is overridden field by field, and
    /// `enabled = false` switches a control off. A folder that does not exist changes nothing.
    pub fn with_user_rules(self, folder: &Path) -> Result<RuleSet, RuleErrors> {
        self.with_rules_of(folder, Existing::Overridden)
    }

    /// Adds those of the user's rule files that change no control that is there already.
    pub fn with_further_rules(self, folder: &Path) -> Result<RuleSet, RuleErrors> {
        self.with_rules_of(folder, Existing::Kept)
    }

    /// Whether user rules change or switch off a control of the binary.
    pub fn is_changed(&self) -> bool {
        !(self.overridden.is_empty() && self.disabled.is_empty())
    }

    fn with_rules_of(mut self, folder: &Path, existing: Existing) -> Result<RuleSet, RuleErrors> {
        if !folder.exists() {
            return Ok(self);
        }
        let mut errors = Vec::new();
        for source in read_folder(folder)? {
            let source = Arc::new(source);
            if let Err(problem) = self.apply(&source, existing) {
                errors.push(problem);
            }
        }
        errors.extend(self.duplicates());
        self.overridden.sort();
        self.overridden.dedup();
        self.disabled.sort();
        self.user.sort();
        self.user.dedup();
        if errors.is_empty() { Ok(self) } else { Err(RuleErrors(errors)) }
    }

    fn apply(&mut self, source: &Arc<Source>, existing: Existing) -> Result<(), RuleError> {
        let root = document::parse(&source.path, &source.text)?;
        let located = |problem: Problem| problem.in_file(&source.path, &source.text);
        document::only_keys(&root, "a control", load::CONTROL_KEYS).map_err(located)?;
        let id = load::identifier(&root).map_err(located)?;
        let enabled = root.get("enabled").map_or(Ok(true), |node| as_bool(node, "`enabled`")).map_err(located)?;
        let known = self.controls.iter().position(|control| control.info.id == id);
        if existing == Existing::Kept && (known.is_some() || !enabled) {
            return Ok(());
        }
        if !enabled {
            if let Some(index) = known {
                self.controls.remove(index);
            }
            self.disabled.push(id);
            return Ok(());
        }
        let merged = match known.and_then(|index| self.controls.get(index)) {
            Some(base) => merge(&document::parse(&base.source.path, &base.source.text)?, &root),
            None => root,
        };
        let control = load::control(&merged, source, &self.lexicons).map_err(located)?;
        check_regexes(&control).map_err(located)?;
        match known.and_then(|index| self.controls.get_mut(index)) {
            Some(slot) => {
                *slot = control;
                self.overridden.push(id.clone());
            }
            None => self.controls.push(control),
        }
        self.user.push(id);
        Ok(())
    }

    /// Ids of controls and rules that occur twice.
    fn duplicates(&self) -> Vec<RuleError> {
        let mut errors = Vec::new();
        let mut controls: BTreeMap<&str, &str> = BTreeMap::new();
        let mut rules: BTreeMap<&str, &str> = BTreeMap::new();
        for control in &self.controls {
            let path = control.source.path.as_str();
            if let Some(other) = controls.insert(&control.info.id, path) {
                let problem = Problem::new(0, 0, format!("the control `{}` is defined twice", control.info.id));
                errors.push(problem.help(format!("also in {other}")).in_file(path, &control.source.text));
            }
            for rule in &control.rules {
                if let Some(other) = rules.insert(&rule.id, path) {
                    let problem =
                        Problem::new(rule.start, rule.end, format!("the rule `{}` is defined twice", rule.id));
                    errors.push(problem.help(format!("also in {other}")).in_file(path, &control.source.text));
                }
            }
        }
        errors
    }

    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.info.id == id)
    }

    /// A rule by its id, with its control.
    pub fn rule(&self, id: &str) -> Option<(&Control, &Rule)> {
        self.controls
            .iter()
            .find_map(|control| control.rules.iter().find(|rule| rule.id == id).map(|rule| (control, rule)))
    }

    /// Every rule with its control, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&Control, &Rule)> {
        self.controls.iter().flat_map(|control| control.rules.iter().map(move |rule| (control, rule)))
    }

    /// Checks what loading leaves for later because it is slow: that every regular expression compiles.
    pub fn check(&self) -> Result<(), RuleErrors> {
        let broken = |control: &Control| {
            check_regexes(control).err().map(|problem| problem.in_file(&control.source.path, &control.source.text))
        };
        let errors: Vec<RuleError> = self.controls.iter().filter_map(broken).collect();
        if errors.is_empty() { Ok(()) } else { Err(RuleErrors(errors)) }
    }
}

/// What a user's file does to a control that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Overridden,
    Kept,
}

/// Reads a control from its file.
pub fn read(source: &Arc<Source>, text: &str, lexicons: &Arc<Lexicons>) -> Result<Control, RuleError> {
    let root = document::parse(&source.path, text)?;
    load::control(&root, source, lexicons).map_err(|problem| problem.in_file(&source.path, text))
}

/// Why an expression of a text match cannot be used.
fn broken_text(text: &TextMatch) -> Option<String> {
    let broken = |format: &TextFormat| {
        let reason = || {
            let groups = format.regex.get()?.captures_len() - 1;
            (format.group > groups)
                .then(|| format!("`group = {}`, but the expression has {groups} groups", format.group))
        };
        let reason = format.regex.broken().or_else(reason)?;
        Some(if format.label.is_empty() { reason } else { format!("`{}`: {reason}", format.label) })
    };
    let allowed = || text.allow.iter().chain(&text.not_after).find_map(|regex| regex.broken());
    text.formats.iter().find_map(broken).or_else(allowed)
}

fn check_regexes(control: &Control) -> Result<(), Problem> {
    for rule in &control.rules {
        let conditions = [&rule.bad, &rule.good, &rule.half, &rule.unknown, &rule.note].into_iter().flatten();
        let in_conditions =
            std::iter::once(&rule.each.condition).chain(conditions).find_map(|condition| condition.broken_regex());
        let in_text = || rule.text.as_ref().and_then(broken_text);
        if let Some(reason) = in_conditions.or_else(in_text) {
            return Err(Problem::new(
                rule.start,
                rule.end,
                format!("a regular expression of this rule is broken: {reason}"),
            ));
        }
    }
    Ok(())
}

/// Files that hold no control: lexicons and stacks.
fn is_control(path: &str) -> bool {
    path.contains('/') && !path.starts_with("stacks/") && path.ends_with(".toml")
}

fn whole(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn collect(folder: &Dir<'static>, files: &mut Vec<Source>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            files.push(Source { path, text: Cow::Borrowed(text) });
        }
    }
    folder.dirs().for_each(|folder| collect(folder, files));
}

/// The TOML files of a folder, links left out.
fn read_folder(folder: &Path) -> Result<Vec<Source>, RuleErrors> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().max_depth(8) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_string_lossy().into_owned();
                errors.push(Problem::new(0, 0, format!("cannot read these rules: {error}")).in_file(&path, ""));
                continue;
            }
        };
        let is_toml = entry.path().extension().is_some_and(|extension| extension == "toml");
        if !entry.file_type().is_file() || !is_toml {
            continue;
        }
        let below = entry.path().strip_prefix(folder).ok().filter(|below| !below.as_os_str().is_empty());
        let path = below.unwrap_or(Path::new(entry.file_name())).to_string_lossy().replace('\\', "/");
        let too_large = entry.metadata().is_ok_and(|metadata| metadata.len() > MAX_FILE);
        let text = if too_large { Err("it is larger than 1 MiB".to_owned()) } else { read_text(entry.path()) };
        match text {
            Ok(text) => files.push(Source { path, text: Cow::Owned(text) }),
            Err(reason) => {
                errors.push(Problem::new(0, 0, format!("cannot read this rule file: {reason}")).in_file(&path, ""))
            }
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(RuleErrors(errors)) }
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The user's file over the base: tables of rules key by key, everything else as a whole.
fn merge(base: &Node, user: &Node) -> Node {
    merge_to(base, user, MERGED_LEVELS)
}

/// The control, its table of rules, each rule.
const MERGED_LEVELS: u8 = 3;

fn merge_to(base: &Node, user: &Node, levels: u8) -> Node {
    let (NodeData::Map(below), NodeData::Map(above)) = (&base.data, &user.data) else { return user.clone() };
    let mut entries: Vec<Entry> = below.clone();
    for entry in above {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) if levels > 1 && (levels < MERGED_LEVELS || &*entry.key == "rule") => {
                known.value = merge_to(&known.value, &entry.value, levels - 1);
            }
            Some(known) => *known = entry.clone(),
            None => entries.push(entry.clone()),
        }
    }
    Node { start: user.start, end: user.end, data: NodeData::Map(entries) }
}

#[cfg(test)]
mod tests;
