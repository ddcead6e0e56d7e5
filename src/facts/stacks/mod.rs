//! Stack files: which libraries there are and how their calls turn into facts. Data only; nothing here is specific
//! to a library.

mod load;
mod projection;
mod resources;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobSet;
use include_dir::{Dir, include_dir};
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

pub use load::{NamedArgument, StackError, later_call, named_argument};
pub use projection::{At, Choice, Item, Projection, Sort, Source};
pub use resources::{Answer, Resource, SettingsModules};

use super::model::{Origins, Value};
use super::paths::{Pattern, Selector, TypeIdx, Types};
use crate::syntax::hir::Language;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules/stacks");

/// What a clause looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A call or `new`.
    Call,
    /// A property that is read.
    Read,
    /// A tagged template.
    Tag,
    /// An exported name of a file.
    Export,
    /// Each file of the name.
    File,
    /// A decorator of a function, method or class; its arguments are those of the call.
    Decorator,
    /// What a class extends, through the project's own classes.
    Extends,
    /// An attribute in the body of a class: the path of a base, then the name.
    Attr,
    /// What a parameter is marked with: its default, a call in its annotation, its type.
    Param,
    /// Something that is named in what a mount's `chain` lists: a class, a function, a text that is a path.
    Use,
    /// A variable of a module that a framework reads by its name: `MIDDLEWARE`, `DATABASES.default`.
    Setting,
}

/// The root of the paths of settings.
pub const SETTINGS: &str = "setting";

/// One line of a stack file: a piece of syntax and the fact that it stands for.
#[derive(Debug)]
pub struct Clause {
    pub stack: usize,
    pub kind: Arc<str>,
    pub verb: Verb,
    pub selector: Selector,
    /// For exports: the names, empty for any.
    pub names: Vec<String>,
    pub file: Option<GlobSet>,
    pub directive: Option<String>,
    pub condition: Vec<(String, Test)>,
    /// What must have made the value of an attribute (`is = "django.db.models.*Field()"`).
    pub made_by: Option<Selector>,
    /// What a mount holds for: handlers whose class extends, or whose decorators are, one of these.
    pub holds_for: Option<Selector>,
    pub fields: Vec<(Arc<str>, Projection)>,
    /// Types of the parameters of the functions that it names.
    pub handler: Vec<Option<TypeIdx>>,
    /// Where it stands: `stacks/express.toml fact.route[0]`.
    pub id: Arc<str>,
}

impl Clause {
    /// Is there a test of that key in its `if`?
    pub fn asks(&self, key: &str) -> bool {
        self.condition.iter().any(|(asked, _)| asked == key)
    }
}

/// A test of a clause's `if`.
#[derive(Debug, Clone)]
pub enum Test {
    Equals(Vec<Value>),
    Range {
        min: f64,
        max: f64,
    },
    Absent,
    Present,
    /// A text, or one that is joined from parts.
    Text,
    /// A name that one of these words occurs in, whatever the case.
    Like(Vec<String>),
    /// The argument is what these paths name: a class, a function.
    Names(Selector),
}

#[derive(Debug, Default)]
pub struct Stack {
    pub id: String,
    /// The language of the code that it is about; none for any.
    pub language: Option<Language>,
    /// Packages of npm, and crates as manifests name them, that show the stack.
    pub npm: Vec<String>,
    /// Names of Python packages, as PEP 503 compares them.
    pub pypi: Vec<String>,
    pub crates: Vec<String>,
    /// Files whose presence shows the stack (`vercel.json`).
    pub files: Option<GlobSet>,
    /// What such a file has to match.
    pub holds: Option<Regex>,
    /// Applies to every project of the language.
    pub always: bool,
    /// Controls that a platform provides.
    pub provides: Vec<String>,
    /// The platform owns the process.
    pub serverless: bool,
    /// A text that a handler gives back is answered as a page.
    pub texts_are_pages: bool,
    /// The database that its packages talk to.
    pub database: Option<String>,
    /// The datastore, queue or framework kind shown in reports; not used by rules.
    pub handler: Vec<Option<TypeIdx>>,
    /// Parameter names by which a handler of this stack is known where types do not tell.
    pub handler_names: Vec<String>,
    /// Types of parameters that a framework always hands in under the same name.
    pub parameters: BTreeMap<String, TypeIdx>,
}

#[derive(Debug)]
pub struct OriginClause {
    pub selector: Selector,
    pub origin: Origins,
    /// What went in no longer shows (`parseInt(req.query.page)`).
    pub replaces: bool,
    /// The result is what goes in first (`HeaderValue::from_static("x")`).
    pub passes: bool,
    /// The language of its stack.
    pub language: Option<Language>,
}

/// Numbers that a library has names for: `status.HTTP_404_NOT_FOUND`.
#[derive(Debug)]
pub struct Constants {
    pub selector: Selector,
    /// By name; without any, it is the number that stands in the name.
    pub values: BTreeMap<String, f64>,
}

impl Constants {
    /// What the name stands for.
    pub fn value(&self, name: &str) -> Option<f64> {
        if !self.values.is_empty() {
            return self.values.get(name).copied();
        }
        name.split('_').find_map(|part| part.parse::<u16>().ok()).map(f64::from)
    }
}

/// A name of a type of columns: an API path, or a text.
#[derive(Debug)]
pub struct ColumnType {
    pub selector: Selector,
    pub texts: Vec<String>,
    /// What facts call it: `float`, `decimal`, `js-number` …
    pub is: String,
    /// Of times, whether they carry their zone: asked of the call that makes the type.
    pub zoned: Option<Projection>,
}

/// A type that only wraps the type of a column (`Mapped[float]`).
#[derive(Debug)]
pub struct ColumnWrapper {
    pub selector: Selector,
    /// What it holds may be missing.
    pub nullable: bool,
}

/// Index of a clause and of one of its selector's patterns.
type Alternative = (usize, usize);

/// What of one verb may match a path, by the path's last name; in the order of the files.
#[derive(Debug, Default)]
struct ByName {
    /// With those that take any name among them.
    named: FxHashMap<Arc<str>, Vec<Alternative>>,
    any: Vec<Alternative>,
}

impl ByName {
    fn get(&self, name: &str) -> &[Alternative] {
        self.named.get(name).unwrap_or(&self.any)
    }

    fn merge(&mut self) {
        for alternatives in self.named.values_mut() {
            alternatives.extend(&self.any);
            alternatives.sort_unstable();
        }
    }
}

/// All stacks, compiled for look-up.
#[derive(Debug, Default)]
pub struct Stacks {
    pub stacks: Vec<Stack>,
    pub types: Types,
    pub clauses: Vec<Clause>,
    pub origins: Vec<OriginClause>,
    pub column_types: Vec<ColumnType>,
    /// Classes whose methods answer requests.
    pub resources: Vec<Resource>,
    /// How modules of settings are known, by framework.
    pub settings: Vec<SettingsModules>,
    pub column_wrappers: Vec<ColumnWrapper>,
    pub constants: Vec<Constants>,
    /// Methods that run the query that they are handed (`session.execute(select(…))`).
    pub carriers: Vec<String>,
    /// Methods behind which a query is no query any more, but rows (`.all()`).
    pub finals: Vec<String>,
    /// Words that names and texts are looked through for: facts of kind `mention`.
    pub mentions: FxHashSet<String>,
    /// Words of what a journal is told, and of the calls that tell it: facts of kind `told`.
    pub told: FxHashSet<String>,
    pub told_to: FxHashSet<String>,
    /// Keys whose values count wherever they are written: facts of kind `pair`.
    pub pairs: FxHashSet<String>,
    /// Words in the names of types that stand for whoever calls (`AuthUser`).
    pub callers: Vec<String>,
    /// What is looked for in the fields of schemas: facts of kind `field`.
    pub fields: FieldWords,
    /// Named types that play a part in the engine: every type called `Request` is one.
    pub request_types: Vec<TypeIdx>,
    pub app_types: Vec<TypeIdx>,
    pub router_types: Vec<TypeIdx>,
    /// Packages that some clause or type starts at.
    packages: FxHashSet<String>,
    by_verb: FxHashMap<Verb, ByName>,
    origin_by_name: FxHashMap<Arc<str>, Vec<usize>>,
    column_by_name: FxHashMap<Arc<str>, Vec<usize>>,
}

/// How fields of schemas are known, whatever the library, by the names that code uses.
#[derive(Debug, Default, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldWords {
    /// Words of the names of fields that anybody asks for.
    pub words: FxHashSet<String>,
    /// What makes a field of text (`z.string()`, `{ type: String }`).
    pub makers: FxHashSet<String>,
    /// What is called with the name of a field (`body("password")`).
    pub checkers: FxHashSet<String>,
    /// Words by which a function says that it judges such a field (`validatePassword`).
    pub judges: FxHashSet<String>,
    /// What bounds the length of a text from below, as a function, key or attribute.
    pub least: FxHashSet<String>,
}

impl FieldWords {
    fn extend(&mut self, more: FieldWords) {
        self.words.extend(more.words);
        self.makers.extend(more.makers);
        self.checkers.extend(more.checkers);
        self.judges.extend(more.judges);
        self.least.extend(more.least);
    }
}

impl Stacks {
    /// The stacks of the binary.
    pub fn embedded() -> Result<Stacks, StackError> {
        let mut files: Vec<(&str, &str)> = FILES
            .files()
            .filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
            .filter(|(path, _)| path.ends_with(".toml"))
            .collect();
        files.sort_unstable();
        Stacks::load(files)
    }

    /// Does a clause or type name something of the package, so that what of it no clause names plays no part?
    pub fn mentions_package(&self, package: &str) -> bool {
        self.packages.contains(package)
    }

    /// The clauses of a verb whose selector may end in `name`, with the alternative to test.
    pub fn candidates<'s>(
        &'s self,
        verb: Verb,
        name: &str,
    ) -> impl Iterator<Item = (&'s Clause, &'s Pattern)> + use<'s> {
        let found = self.by_verb.get(&verb).map_or(&[][..], |clauses| clauses.get(name));
        found.iter().map(|&(clause, pattern)| {
            let clause = &self.clauses[clause];
            (clause, &clause.selector.patterns[pattern])
        })
    }

    /// Is the clause about code of that language?
    pub fn speaks(&self, clause: &Clause, language: Language) -> bool {
        self.stacks[clause.stack].language.is_none_or(|own| own == language)
    }

    pub fn has_candidates(&self, verb: Verb, name: &str) -> bool {
        self.by_verb.get(&verb).is_some_and(|clauses| !clauses.get(name).is_empty())
    }

    pub fn has_verb(&self, verb: Verb) -> bool {
        self.clauses.iter().any(|clause| clause.verb == verb)
    }

    pub fn of_verb(&self, verb: Verb) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(move |clause| clause.verb == verb)
    }

    /// Origins that the result of a call of that last name may have.
    pub fn origin_candidates<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s OriginClause> + use<'s> {
        self.origin_by_name.get(name).into_iter().flatten().map(|&index| &self.origins[index])
    }

    /// Types of columns that a path of that last name may stand for.
    pub fn column_candidates<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s ColumnType> + use<'s> {
        self.column_by_name.get(name).into_iter().flatten().map(|&index| &self.column_types[index])
    }

    /// The type of columns that a text stands for.
    pub fn column_named(&self, text: &str) -> Option<&str> {
        let named = self.column_types.iter().find(|c| c.texts.iter().any(|t| t.eq_ignore_ascii_case(text)))?;
        Some(&named.is)
    }

    fn index(&mut self) {
        for (index, clause) in self.clauses.iter().enumerate() {
            for (alternative, pattern) in clause.selector.patterns.iter().enumerate() {
                let of_verb = self.by_verb.entry(clause.verb).or_default();
                match pattern.last_names() {
                    Some(names) => {
                        for name in names {
                            of_verb.named.entry(name).or_default().push((index, alternative));
                        }
                    }
                    None => of_verb.any.push((index, alternative)),
                }
            }
        }
        self.by_verb.values_mut().for_each(ByName::merge);
        let of_clauses = self.clauses.iter().flat_map(|clause| &clause.selector.patterns);
        let packages = of_clauses.chain(self.types.patterns()).filter_map(Pattern::package);
        self.packages = packages.map(str::to_owned).collect();
        for (index, clause) in self.origins.iter().enumerate() {
            for name in clause.selector.patterns.iter().filter_map(Pattern::last_names).flatten() {
                self.origin_by_name.entry(name).or_default().push(index);
            }
        }
        for (index, column) in self.column_types.iter().enumerate() {
            for name in column.selector.patterns.iter().filter_map(Pattern::last_names).flatten() {
                self.column_by_name.entry(name).or_default().push(index);
            }
        }
    }
}
