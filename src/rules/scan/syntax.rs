//! ast-grep patterns over JavaScript and TypeScript, each tried only on files that hold its literal words.

use std::sync::Arc;

use ast_grep_config::{DeserializeEnv, RuleCore, SerializableRuleCore};
use ast_grep_core::Matcher;
use ast_grep_core::tree_sitter::LanguageExt;
use ast_grep_language::SupportLang;

use super::{MAX_MATCHES, Match};
use crate::rules::error::{Problem, RuleError};
use crate::rules::ruleset::{RuleErrors, RuleSet};
use crate::rules::schema::{Control, Rule, SyntaxPattern};
use crate::syntax::{Entry, Node, NodeData};

/// Larger files are not parsed for patterns.
const MAX_FILE: usize = 2 << 20;

/// All `pattern` rules, compiled.
pub struct SyntaxScanner {
    rules: Vec<Compiled>,
}

struct Compiled {
    id: Arc<str>,
    secret: bool,
    language: SupportLang,
    matcher: RuleCore,
    gate: Gate,
}

/// Words without which a pattern cannot match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    Open,
    Word(String),
    All(Vec<Gate>),
    Any(Vec<Gate>),
}

impl SyntaxScanner {
    pub fn new(set: &RuleSet) -> Result<SyntaxScanner, RuleErrors> {
        let mut rules = Vec::new();
        let mut errors = Vec::new();
        for (control, rule) in set.rules() {
            if let Some(pattern) = &rule.syntax {
                match compile(control, rule, pattern) {
                    Ok(compiled) => rules.extend(compiled),
                    Err(error) => errors.push(error),
                }
            }
        }
        if errors.is_empty() { Ok(SyntaxScanner { rules }) } else { Err(RuleErrors(errors)) }
    }

    /// No rule looks at syntax trees.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Everything that the patterns find in a file, in order of place, then rule.
    pub fn scan(&self, path: &str, text: &str) -> Vec<Match> {
        let Some(language) = language_of(path).filter(|_| text.len() <= MAX_FILE) else { return Vec::new() };
        let rules = self.rules.iter().filter(|rule| rule.language == language && rule.gate.opens(text));
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            return Vec::new();
        }
        let tree = language.ast_grep(text);
        let mut matches = Vec::new();
        for rule in rules {
            matches.extend(tree.root().find_all(&rule.matcher).take(MAX_MATCHES).map(|node| {
                let range = node.range();
                let text = text.get(range.clone()).unwrap_or_default().to_owned();
                Match {
                    rule: rule.id.clone(),
                    label: "".into(),
                    start: range.start,
                    end: range.end,
                    text,
                    secret: rule.secret,
                }
            }));
        }
        matches.sort_by(|a, b| (a.start, a.end, &a.rule).cmp(&(b.start, b.end, &b.rule)));
        matches
    }
}

fn language_of(path: &str) -> Option<SupportLang> {
    match path.rsplit_once('.')?.1 {
        "ts" | "mts" | "cts" => Some(SupportLang::TypeScript),
        "tsx" => Some(SupportLang::Tsx),
        "js" | "mjs" | "cjs" | "jsx" => Some(SupportLang::JavaScript),
        _ => None,
    }
}

/// The grammars of a language's name; TypeScript is two.
fn grammars(name: &str) -> &'static [SupportLang] {
    match name {
        "typescript" => &[SupportLang::TypeScript, SupportLang::Tsx],
        "tsx" => &[SupportLang::Tsx],
        "javascript" => &[SupportLang::JavaScript],
        _ => &[],
    }
}

fn compile(control: &Control, rule: &Rule, pattern: &SyntaxPattern) -> Result<Vec<Compiled>, RuleError> {
    let located = |problem: Problem| problem.in_file(&control.source.path, &control.source.text);
    let table = &pattern.table;
    let core: SerializableRuleCore = serde_json::from_value(json(table)).map_err(|error| {
        let message = error.to_string();
        let (start, end) = misspelt(table, &message).unwrap_or((table.start, table.end));
        located(Problem::new(start, end, message))
    })?;
    let whole = |message: String| located(Problem::new(table.start, table.end, message));
    let mut languages: Vec<SupportLang> = pattern.languages.iter().flat_map(|name| grammars(name)).copied().collect();
    languages.dedup();
    let gate = table.get("rule").map_or(Gate::Open, gate);
    let mut compiled = Vec::new();
    for language in languages {
        let matcher = core.get_matcher(DeserializeEnv::new(language)).map_err(|error| whole(in_full(&error)))?;
        if matcher.potential_kinds().is_none() {
            return Err(whole("a pattern rule needs a `pattern` or a `kind`".to_owned()));
        }
        let id: Arc<str> = rule.id.as_str().into();
        compiled.push(Compiled { id, secret: rule.secret, language, matcher, gate: gate.clone() });
    }
    Ok(compiled)
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text} {inner}");
        cause = inner.source();
    }
    text
}

fn json(node: &Node) -> serde_json::Value {
    match &node.data {
        NodeData::Null => serde_json::Value::Null,
        NodeData::Bool(value) => (*value).into(),
        NodeData::Number(value) if value.fract() == 0.0 => (*value as i64).into(),
        NodeData::Number(value) => (*value).into(),
        NodeData::Text(text) => text.as_ref().into(),
        NodeData::List(items) => items.iter().map(json).collect(),
        NodeData::Map(entries) => {
            let pairs = entries.iter().filter(|entry| &*entry.key != "language");
            serde_json::Value::Object(pairs.map(|entry| (entry.key.to_string(), json(&entry.value))).collect())
        }
    }
}

/// The place of the key that an error message quotes first.
fn misspelt(node: &Node, message: &str) -> Option<(u32, u32)> {
    let quoted = message.split('`').nth(1)?;
    find_key(node, quoted).map(|entry| (entry.key_start, entry.key_end))
}

fn find_key<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    let here = node.entry(key);
    here.or_else(|| node.entries().iter().find_map(|entry| find_key(&entry.value, key)))
        .or_else(|| node.items().iter().find_map(|item| find_key(item, key)))
}

fn gate(rule: &Node) -> Gate {
    let mut gates = Vec::new();
    for entry in rule.entries() {
        match (&*entry.key, &entry.value.data) {
            ("pattern", NodeData::Text(text)) => gates.extend(literal_words(text).map(Gate::Word)),
            ("all", NodeData::List(items)) => gates.extend(items.iter().map(gate)),
            ("any", NodeData::List(items)) => gates.push(Gate::Any(items.iter().map(gate).collect())),
            ("has" | "inside", NodeData::Map(_)) => gates.push(gate(&entry.value)),
            _ => {}
        }
    }
    if gates.is_empty() { Gate::Open } else { Gate::All(gates) }
}

/// Identifiers of a pattern that are no meta variables.
fn literal_words(pattern: &str) -> impl Iterator<Item = String> + '_ {
    let words = pattern.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
    words.filter(|word| word.len() > 2 && !word.starts_with('$')).map(str::to_owned)
}

impl Gate {
    fn opens(&self, text: &str) -> bool {
        match self {
            Gate::Open => true,
            Gate::Word(word) => text.contains(word.as_str()),
            Gate::All(gates) => gates.iter().all(|gate| gate.opens(text)),
            Gate::Any(gates) => gates.iter().any(|gate| gate.opens(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::Source;

    fn scanner(pattern: &str) -> Result<SyntaxScanner, RuleErrors> {
        let head = "id = 'c'\ntitle = 'T'\ncategory = 'a'\nkind = 'defect'\npriority = 'P0'\n";
        let text = format!("{head}[rule.r.pattern]\n{pattern}");
        let files = vec![Source { path: "a/c.toml".into(), text: text.into() }];
        RuleSet::from_files(files).and_then(|set| SyntaxScanner::new(&set))
    }

    const EVAL: &str = "language = ['typescript', 'javascript']\nrule = { pattern = 'eval($X)', not = { inside = { kind = 'if_statement', stopBy = 'end' } } }";

    #[test]
    fn finds_shapes_in_every_grammar() {
        let scanner = scanner(EVAL).unwrap();
        for path in ["a.ts", "a.tsx", "a.mjs"] {
            let matches = scanner.scan(path, "const a = 1\neval( a )\nif (a) { eval(a) }\n// eval(x)\n");
            assert_eq!(matches.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["eval( a )"], "{path}");
        }
        assert!(scanner.scan("a.py", "eval(a)").is_empty());
    }

    #[test]
    fn files_without_the_words_are_not_parsed() {
        let rule = crate::rules::document::parse(
            "r",
            "rule = { any = [{ pattern = 'eval($X)' }, { pattern = '$A.exec($$$)' }] }",
        )
        .unwrap();
        let gate = gate(rule.get("rule").unwrap());
        assert!(gate.opens("x.exec(1)") && gate.opens("eval(1)") && !gate.opens("run(1)"));
    }

    #[test]
    fn mistakes_have_a_place() {
        let error = scanner("language = 'typescript'\nrule = { patern = 'eval($X)' }").map(|_| ()).unwrap_err();
        assert_eq!(error.0[0].position(), (8, 10), "{error}");
        let error = scanner("language = 'typescrpt'\nrule = { pattern = 'a' }").map(|_| ()).unwrap_err();
        assert_eq!(error.0[0].problem().help.as_deref(), Some("did you mean `typescript`?"));
        assert!(scanner("language = 'typescript'\nrule = { regex = 'eval' }").is_err());
        assert!(scanner("language = 'typescript'\nrule = { kind = 'no_such_kind' }").is_err());
    }
}
