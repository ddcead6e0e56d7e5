//! A fix as it is written down: `templates/fixes/<control>.toml`.

use super::pattern::Pattern;
use crate::project::FileKind;
use crate::rules::Problem;
use crate::rules::document::{as_count, as_table, as_text, at, at_key, choice, only_keys, text_of, texts_of};
use crate::syntax::{Entry, Node};

const KEYS: &[&str] = &["control", "fix"];
const FIX_KEYS: &[&str] = &[
    "id",
    "title",
    "language",
    "fact",
    "api",
    "certainty",
    "replacing",
    "match",
    "where",
    "replace",
    "part",
    "set",
    "drop",
    "argument",
    "share",
    "unless_used",
    "attribute",
    "type",
    "native",
    "needs",
    "import",
    "unused",
    "file",
    "env",
    "step",
];

/// What can be done about one sort of finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    pub control: String,
    pub id: String,
    /// What it does, as a commit would say it.
    pub title: String,
    pub language: Language,
    /// The kind of fact that the finding is about.
    pub fact: String,
    /// API paths of the fact, with `*` for any text; all without.
    pub apis: Vec<String>,
    pub certainty: Certainty,
    /// Where somebody has written another value already.
    pub replacing: Certainty,
    /// The code around the finding; the finding's own expression without any.
    pub patterns: Vec<Pattern>,
    /// What the holes of the pattern have to be.
    pub conditions: Vec<(String, Vec<Shape>)>,
    pub action: Action,
    /// Import lines, as a template.
    pub imports: Vec<String>,
    /// Names whose import goes when nothing uses it any more.
    pub unused: Vec<String>,
    /// A file that the new code imports: template and place.
    pub file: Option<(String, String)>,
    /// The hole that names a variable for `.env.example`, and what is said of it.
    pub env: Option<(String, String)>,
    pub steps: Vec<String>,
    /// A module that the new code imports from: nothing without it.
    pub needs: Option<String>,
}

/// How the code changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// What matched becomes this, with `$NAME` for its holes; with a part, only the one argument of the call that
    /// matched for which that pattern holds, with the holes of the part.
    Replace { text: String, part: Option<Box<Pattern>> },
    /// Properties of the object at an index of the arguments, or keyword arguments.
    Options { argument: Option<usize>, set: Vec<(String, String)>, drop: Vec<String> },
    /// The declaration goes, and the name is imported from where the service shares such a thing. Not where one of
    /// these methods is called on it.
    Share { unless_used: Vec<String> },
    /// A line of the block of a Prisma schema; `{columns}` are those of the fact.
    Attribute(String),
    /// The type of the field of a Prisma schema, and its attribute of the database.
    Type { name: String, native: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    JavaScript,
    Python,
    Prisma,
}

impl Language {
    pub fn kind(self) -> FileKind {
        match self {
            Language::JavaScript => FileKind::JavaScript,
            Language::Python => FileKind::Python,
            Language::Prisma => FileKind::Prisma,
        }
    }
}

const LANGUAGES: &[(&str, Language)] =
    &[("javascript", Language::JavaScript), ("python", Language::Python), ("prisma", Language::Prisma)];

/// Whether a fix can be applied unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Nothing that worked rightly changes.
    Safe,
    /// Somebody may rely on what it changes.
    NeedsReview,
}

const CERTAINTIES: &[(&str, Certainty)] = &[("safe", Certainty::Safe), ("needs-review", Certainty::NeedsReview)];

impl Certainty {
    pub fn word(self) -> &'static str {
        CERTAINTIES.iter().find(|(_, certainty)| *certainty == self).map_or("", |(word, _)| word)
    }
}

/// What a hole of a pattern can be asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Number,
    Text,
    /// A plain name.
    Name,
}

const SHAPES: &[(&str, Shape)] = &[("number", Shape::Number), ("text", Shape::Text), ("name", Shape::Name)];

/// All fixes of a file.
pub fn read(root: &Node) -> Result<Vec<Fix>, Problem> {
    only_keys(root, "a file of fixes", KEYS)?;
    let control = required(root, "control")?;
    let fixes = root.get("fix").map_or(&[][..], Node::items);
    fixes.iter().map(|node| fix(as_table(node, "a fix")?, &control)).collect()
}

fn required(table: &Node, key: &str) -> Result<String, Problem> {
    text_of(table, key)?.ok_or_else(|| Problem::new(table.start, table.start, format!("`{key}` is missing")))
}

fn fix(node: &Node, control: &str) -> Result<Fix, Problem> {
    only_keys(node, "a fix", FIX_KEYS)?;
    let missing = |key: &str| Problem::new(node.start, node.start, format!("`{key}` is missing"));
    let language = choice(node.get("language").ok_or_else(|| missing("language"))?, "`language`", LANGUAGES)?;
    let certainty = choice(node.get("certainty").ok_or_else(|| missing("certainty"))?, "`certainty`", CERTAINTIES)?;
    let replacing = node.get("replacing").map_or(Ok(certainty), |node| choice(node, "`replacing`", CERTAINTIES))?;
    Ok(Fix {
        control: control.to_owned(),
        id: required(node, "id")?,
        title: required(node, "title")?,
        language,
        fact: required(node, "fact")?,
        apis: texts_of(node, "api")?,
        certainty,
        replacing,
        patterns: patterns(node, language)?,
        conditions: entries(node, "where").iter().map(condition).collect::<Result<_, _>>()?,
        action: action(node, language)?,
        imports: texts_of(node, "import")?,
        unused: texts_of(node, "unused")?,
        file: pair(node, "file", "from", "to")?,
        env: pair(node, "env", "name", "about")?,
        needs: text_of(node, "needs")?,
        steps: texts_of(node, "step")?,
    })
}

fn entries<'n>(node: &'n Node, key: &str) -> &'n [Entry] {
    node.get(key).map_or(&[], Node::entries)
}

fn patterns(node: &Node, language: Language) -> Result<Vec<Pattern>, Problem> {
    let Some(list) = node.get("match") else { return Ok(Vec::new()) };
    let parse = |text: &String| Pattern::parse(language.kind(), text).map_err(|message| at(list, message));
    texts_of(node, "match")?.iter().map(parse).collect()
}

fn condition(entry: &Entry) -> Result<(String, Vec<Shape>), Problem> {
    let items = match entry.value.items() {
        [] => std::slice::from_ref(&entry.value),
        items => items,
    };
    let shapes = items.iter().map(|item| choice(item, "what a hole is", SHAPES)).collect::<Result<_, _>>()?;
    Ok((entry.key.to_string(), shapes))
}

fn pair(node: &Node, key: &str, first: &str, second: &str) -> Result<Option<(String, String)>, Problem> {
    let Some(table) = node.get(key) else { return Ok(None) };
    only_keys(as_table(table, &format!("`{key}`"))?, &format!("`{key}`"), &[first, second])?;
    Ok(Some((required(table, first)?, required(table, second)?)))
}

/// Exactly one way to edit.
fn action(node: &Node, language: Language) -> Result<Action, Problem> {
    let has = |key: &str| node.get(key).is_some();
    let given = ["replace", "share", "attribute", "type"].iter().filter(|key| has(key)).count();
    let options = has("set") || has("drop");
    if given + usize::from(options) != 1 {
        return Err(at(node, "a fix has one of `replace`, `set` or `drop`, `share`, `attribute` and `type`"));
    }
    if options {
        let value = |entry: &Entry| Ok((entry.key.to_string(), as_text(&entry.value, "a value")?.to_owned()));
        let argument = node.get("argument").map(|node| as_count(node, "`argument`", 9)).transpose()?;
        return Ok(Action::Options {
            argument: argument.and_then(|index| usize::try_from(index).ok()),
            set: entries(node, "set").iter().map(value).collect::<Result<_, Problem>>()?,
            drop: texts_of(node, "drop")?,
        });
    }
    if let Some(entry) = node.entry("share") {
        return match entry.value.as_bool() {
            Some(true) => Ok(Action::Share { unless_used: texts_of(node, "unless_used")? }),
            _ => Err(at_key(entry, "`share` can only be true")),
        };
    }
    if let Some(name) = text_of(node, "type")? {
        return Ok(Action::Type { name, native: required(node, "native")? });
    }
    match (text_of(node, "replace")?, text_of(node, "attribute")?) {
        (Some(text), _) => {
            let parse = |part: String| Pattern::parse(language.kind(), &part).map_err(|message| at(node, message));
            Ok(Action::Replace { text, part: text_of(node, "part")?.map(parse).transpose()?.map(Box::new) })
        }
        (None, line) => Ok(Action::Attribute(line.unwrap_or_default())),
    }
}

impl Fix {
    /// Whether it is about an API.
    pub fn is_about(&self, api: &str) -> bool {
        self.apis.is_empty() || self.apis.iter().any(|pattern| is_like(api, pattern))
    }
}

/// A text against a pattern in which `*` is any text.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            let places = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            places.into_iter().any(|at| left.get(at..).is_some_and(|left| is_like(left, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::document;

    const HEAD: &str = "control = 'x'\n[[fix]]\nid = 'a'\ntitle = 'A'\nlanguage = 'python'\nfact = 'random'\n";

    fn of(rest: &str) -> Result<Vec<Fix>, String> {
        let root = document::parse("x.toml", &format!("{HEAD}{rest}")).unwrap();
        read(&root).map_err(|problem| problem.message)
    }

    #[test]
    fn a_fix_has_one_way_to_edit() {
        let found = of("certainty = 'safe'\nmatch = 'f($A)'\nreplace = 'g($A)'\n").unwrap();
        assert_eq!((found[0].certainty, found[0].replacing), (Certainty::Safe, Certainty::Safe));
        assert_eq!(found[0].action, Action::Replace { text: "g($A)".into(), part: None });
        assert!(of("certainty = 'safe'\n").unwrap_err().contains("one of `replace`"));
        assert!(of("certainty = 'safe'\nreplace = 'x'\ndrop = ['y']\n").unwrap_err().contains("one of `replace`"));
        assert!(of("certainty = 'sure'\nreplace = 'x'\n").unwrap_err().contains("cannot be `sure`"));
        assert!(of("certainty = 'safe'\nreplace = 'x'\nmatch = 'f('\n").unwrap_err().contains("f("));
        assert!(of("certainty = 'safe'\nreplace = 'x'\nmatches = 'f'\n").unwrap_err().contains("no key `matches`"));
    }

    #[test]
    fn apis_may_leave_parts_open() {
        for (text, pattern, expected) in [
            ("requests.get", "requests.*", true),
            ("requests.Session().get", "requests.*.get", true),
            ("httpx.get", "requests.*", false),
            ("global.fetch", "global.fetch", true),
            ("x.cookie", "*.cookie", true),
            ("x.cookies", "*.cookie", false),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }
}
