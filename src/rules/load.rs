//! From the text of a rule file to a control.

use std::sync::Arc;

use super::conditions::{AREAS, CONFIDENCES, Condition, Known, LazyRegex, fields_of, kinds};
use super::document::{
    as_bool, as_count, as_number, as_table, as_text, as_texts, at, at_key, choice, only_keys, text_of, texts_of,
};
use super::error::Problem;
use super::lexicon::Lexicons;
use super::outcome::{Blocks, ControlInfo, ControlKind, Effort, Mode, Priority};
use super::schema::{AppliesWhen, Control, Each, PriorityCase, Rule, Source, SyntaxPattern, TextFormat, TextMatch};
use super::template::Template;
use crate::facts::Confidence;
use crate::project::{Area, ProcessKind};
use crate::syntax::{Entry, Node, NodeData};

pub const CONTROL_KEYS: &[&str] = &[
    "id",
    "title",
    "problem",
    "category",
    "kind",
    "mode",
    "priority",
    "blocker",
    "blocks",
    "effort",
    "standards",
    "why",
    "fix",
    "remedy",
    "processes",
    "repository_wide",
    "without_evidence",
    "applies",
    "enabled",
    "rule",
];
pub const RULE_KEYS: &[&str] = &[
    "each",
    "bad",
    "good",
    "half",
    "unknown",
    "note",
    "message",
    "confidence",
    "group",
    "mode",
    "example",
    "secret",
    "match",
    "pattern",
];
pub const TEXT_KEYS: &[&str] = &[
    "regex",
    "keywords",
    "entropy",
    "group",
    "formats",
    "stop_words",
    "allow",
    "not_after",
    "files",
    "not_files",
    "area",
];
/// Of one of the `formats` of a text match.
pub const FORMAT_KEYS: &[&str] = &["label", "regex", "starts", "keywords", "entropy", "group", "sample"];
pub const PATTERN_KEYS: &[&str] = &["language", "rule", "constraints", "utils"];
pub const KINDS: &[(&str, ControlKind)] = &[
    ("capability", ControlKind::Capability),
    ("coverage", ControlKind::Coverage),
    ("defect", ControlKind::Defect),
    ("manual", ControlKind::Manual),
];
pub const MODES: &[(&str, Mode)] = &[("any", Mode::Any), ("ratio", Mode::Ratio)];
pub const PRIORITIES: &[(&str, Priority)] =
    &[("P0", Priority::P0), ("P1", Priority::P1), ("P2", Priority::P2), ("P3", Priority::P3)];
pub const BLOCKS: &[(&str, Blocks)] =
    &[("any-mutation", Blocks::AnyMutation), ("any-site", Blocks::AnySite), ("under-half", Blocks::UnderHalf)];
pub const PROCESSES: &[(&str, ProcessKind)] = &[
    ("http", ProcessKind::Http),
    ("worker", ProcessKind::Worker),
    ("scheduler", ProcessKind::Scheduler),
    ("function", ProcessKind::Function),
    ("cli", ProcessKind::Cli),
    ("library", ProcessKind::Library),
];

/// Reads one control from the tree of its file.
pub fn control(root: &Node, source: &Arc<Source>, lexicons: &Arc<Lexicons>) -> Result<Control, Problem> {
    only_keys(root, "a control", CONTROL_KEYS)?;
    let rules = rules(root, lexicons)?;
    let applies = root.get("applies").map(|node| applies(node, lexicons)).transpose()?;
    let (cases, priority) = priority(root, &rules, lexicons)?;
    let info = info(root, priority, !rules.is_empty())?;
    Ok(Control { info, applies, cases, rules, source: source.clone() })
}

fn info(root: &Node, priority: Priority, has_rules: bool) -> Result<ControlInfo, Problem> {
    let kind = choice(required(root, "kind")?, "`kind`", KINDS)?;
    let default_mode = if kind == ControlKind::Coverage { Mode::Ratio } else { Mode::Any };
    let title = required_text(root, "title")?;
    let implemented = has_rules || kind == ControlKind::Manual;
    Ok(ControlInfo {
        id: identifier(root)?,
        problem: text_of(root, "problem")?.unwrap_or_else(|| title.clone()),
        title,
        category: required_text(root, "category")?,
        kind,
        mode: optional_choice(root, "mode", MODES)?.unwrap_or(default_mode),
        priority,
        blocker: flag(root, "blocker")?,
        blocks: optional_choice(root, "blocks", BLOCKS)?,
        effort: root.get("effort").map(effort).transpose()?.unwrap_or_default(),
        standards: texts_of(root, "standards")?,
        why: text_of(root, "why")?.unwrap_or_default(),
        fix: text_of(root, "fix")?.unwrap_or_default(),
        remedy: text_of(root, "remedy")?.filter(|remedy| !remedy.is_empty()),
        processes: processes(root)?,
        repository_wide: flag(root, "repository_wide")?,
        unknown_without_evidence: optional_choice(root, "without_evidence", &[("unknown", true), ("fail", false)])?
            .unwrap_or(false),
        implemented,
    })
}

/// The id of a control's file.
pub fn identifier(root: &Node) -> Result<String, Problem> {
    let node = required(root, "id")?;
    let id = as_text(node, "`id`")?;
    if is_identifier(id) {
        Ok(id.to_owned())
    } else {
        Err(at(node, "an id consists of lower-case words joined by `-`"))
    }
}

fn is_identifier(id: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.len() <= 80 && id.split('-').all(word)
}

fn required<'a>(table: &'a Node, key: &str) -> Result<&'a Node, Problem> {
    table.get(key).ok_or_else(|| Problem::new(table.start, table.start, format!("`{key}` is missing")))
}

fn required_text(table: &Node, key: &str) -> Result<String, Problem> {
    Ok(as_text(required(table, key)?, &format!("`{key}`"))?.to_owned())
}

fn flag(table: &Node, key: &str) -> Result<bool, Problem> {
    table.get(key).map_or(Ok(false), |node| as_bool(node, &format!("`{key}`")))
}

fn optional_choice<T: Copy>(table: &Node, key: &str, choices: &[(&str, T)]) -> Result<Option<T>, Problem> {
    table.get(key).map(|node| choice(node, &format!("`{key}`"), choices)).transpose()
}

fn processes(root: &Node) -> Result<Vec<ProcessKind>, Problem> {
    match root.get("processes").map(|node| &node.data) {
        None => Ok(Vec::new()),
        Some(NodeData::List(items)) => items.iter().map(|item| choice(item, "a process kind", PROCESSES)).collect(),
        Some(_) => optional_choice(root, "processes", PROCESSES).map(|kind| kind.into_iter().collect()),
    }
}

fn effort(node: &Node) -> Result<Effort, Problem> {
    if let NodeData::Number(base) = node.data {
        return Ok(Effort { base, per_site: 0.0, max: base });
    }
    only_keys(as_table(node, "`effort`")?, "an effort", &["base", "per_site", "max"])?;
    let days = |key: &str| node.get(key).map(|node| as_number(node, &format!("`{key}`"))).transpose();
    let base = days("base")?.unwrap_or(0.0);
    let per_site = days("per_site")?.unwrap_or(0.0);
    let max = days("max")?.unwrap_or(if per_site > 0.0 { f64::MAX } else { base });
    Ok(Effort { base, per_site, max })
}

/// `{ when = {…}, else = "…" }`, or the condition itself.
fn applies(node: &Node, lexicons: &Arc<Lexicons>) -> Result<AppliesWhen, Problem> {
    let known = Known::service(lexicons);
    if node.entry("when").is_none() {
        return Ok(AppliesWhen { when: Condition::parse(node, &known)?, otherwise: None });
    }
    only_keys(node, "`applies`", &["when", "else"])?;
    let when = Condition::parse(required(node, "when")?, &known)?;
    Ok(AppliesWhen { when, otherwise: text_of(node, "else")? })
}

/// The cases of `priority`, and the priority where none of them decides.
fn priority(root: &Node, rules: &[Rule], lexicons: &Arc<Lexicons>) -> Result<(Vec<PriorityCase>, Priority), Problem> {
    let node = required(root, "priority")?;
    let NodeData::List(items) = &node.data else {
        return Ok((Vec::new(), choice(node, "`priority`", PRIORITIES)?));
    };
    let mut site_kinds: Vec<Arc<str>> = rules.iter().flat_map(|rule| rule.each.kinds.iter().cloned()).collect();
    site_kinds.sort_unstable();
    site_kinds.dedup();
    let known = Known::site(&site_kinds, lexicons);
    let cases = items.iter().map(|item| case(item, &known)).collect::<Result<Vec<_>, _>>()?;
    match cases.last() {
        Some(last) => {
            let priority = last.is;
            Ok((cases, priority))
        }
        None => Err(at(node, "`priority` has no case")),
    }
}

fn case(node: &Node, known: &Known<'_>) -> Result<PriorityCase, Problem> {
    only_keys(as_table(node, "a case")?, "a case", &["when", "is", "blocker"])?;
    Ok(PriorityCase {
        when: node.get("when").map(|when| Condition::parse(when, known)).transpose()?,
        is: choice(required(node, "is")?, "`is`", PRIORITIES)?,
        blocker: node.get("blocker").map(|node| as_bool(node, "`blocker`")).transpose()?,
    })
}

fn rules(root: &Node, lexicons: &Arc<Lexicons>) -> Result<Vec<Rule>, Problem> {
    let Some(table) = root.get("rule") else { return Ok(Vec::new()) };
    as_table(table, "`rule`")?.entries().iter().map(|entry| rule(entry, lexicons)).collect()
}

fn rule(entry: &Entry, lexicons: &Arc<Lexicons>) -> Result<Rule, Problem> {
    let table = as_table(&entry.value, "a rule")?;
    only_keys(table, "a rule", RULE_KEYS)?;
    if !is_identifier(&entry.key) {
        return Err(at_key(entry, "an id consists of lower-case words joined by `-`"));
    }
    let text = table.get("match").map(text_match).transpose()?;
    let syntax = table.get("pattern").map(syntax_pattern).transpose()?;
    let finds_matches = text.is_some() || syntax.is_some();
    let each = each(entry, finds_matches, lexicons)?;
    let known = Known::site(&each.kinds, lexicons);
    let condition = |key: &str| table.get(key).map(|node| Condition::parse(node, &known)).transpose();
    let mut rule = Rule {
        id: entry.key.to_string(),
        bad: condition("bad")?,
        good: condition("good")?,
        half: condition("half")?,
        unknown: condition("unknown")?,
        note: condition("note")?,
        message: None,
        confidence: optional_choice(table, "confidence", CONFIDENCES)?.unwrap_or(Confidence::High),
        group: group(table, &each.kinds)?,
        mode: optional_choice(table, "mode", MODES)?,
        secret: flag(table, "secret")?,
        text,
        syntax,
        examples: examples(table)?,
        start: entry.key_start,
        end: entry.key_end,
        each,
    };
    rule.message = message(table, &rule)?;
    if rule.only_notes() && rule.note.is_none() {
        if !finds_matches {
            return Err(at_key(entry, "a rule needs `bad`, `good`, `half`, `unknown` or `note`"));
        }
        rule.bad = Some(Condition::constant(true));
    }
    Ok(rule)
}

/// The sites of a rule; a rule that finds matches looks at its own.
fn each(entry: &Entry, finds_matches: bool, lexicons: &Arc<Lexicons>) -> Result<Each, Problem> {
    let Some(node) = entry.value.get("each") else {
        if !finds_matches {
            return Err(at_key(entry, "a rule needs `each`"));
        }
        let condition = Condition::field_is("rule", &entry.key);
        return Ok(Each { kinds: vec!["match".into()], own: condition.own(), condition });
    };
    let fact = as_table(node, "`each`")?.get("fact").ok_or_else(|| at(node, "`each` needs `fact`"))?;
    let kinds = kinds(fact)?;
    let mut condition = Condition::parse_except(node, &Known::site(&kinds, lexicons), &["fact", "group"])?;
    if finds_matches && kinds.iter().all(|kind| &**kind == "match") && node.get("rule").is_none() {
        condition = condition.and(Condition::field_is("rule", &entry.key));
    }
    Ok(Each { kinds, own: condition.own(), condition })
}

/// Fields whose agreement makes facts one site; written in the rule or in its `each`.
fn group(table: &Node, kinds: &[Arc<str>]) -> Result<Vec<Arc<str>>, Problem> {
    let Some(node) = table.get("group").or_else(|| table.at(&["each", "group"])) else { return Ok(Vec::new()) };
    let fields = fields_of(kinds);
    let names = as_texts(node, "`group`")?;
    match names.iter().find(|name| !fields.contains(name)) {
        Some(name) => Err(at(node, format!("there is no field `{name}` here")).suggest(name, fields)),
        None => Ok(names.into_iter().map(Into::into).collect()),
    }
}

fn message(table: &Node, rule: &Rule) -> Result<Option<Template>, Problem> {
    let Some(node) = table.get("message") else { return Ok(None) };
    let fields = fields_of(&rule.each.kinds);
    let template = Template::parse(as_text(node, "`message`")?, &fields).map_err(|name| {
        at(node, format!("the message names `{name}`, which is no field here")).suggest(&name, fields.iter().copied())
    })?;
    match template.revealing_field().filter(|_| rule.secret) {
        Some(field) => Err(at(node, format!("the message of a rule about secrets must not show `{field}`"))),
        None => Ok(Some(template)),
    }
}

fn examples(table: &Node) -> Result<Vec<Node>, Problem> {
    match table.get("example") {
        None => Ok(Vec::new()),
        Some(Node { data: NodeData::List(items), .. }) => Ok(items.clone()),
        Some(node) => Err(at(node, "examples are written as `[[rule.ID.example]]`")),
    }
}

fn text_match(node: &Node) -> Result<TextMatch, Problem> {
    only_keys(as_table(node, "`match`")?, "`match`", TEXT_KEYS)?;
    let formats = match node.get("formats") {
        None => vec![text_format(node)?],
        Some(Node { data: NodeData::List(items), .. }) => {
            items.iter().map(text_format_of_list).collect::<Result<_, _>>()?
        }
        Some(node) => return Err(at(node, "`formats` must be a list of tables")),
    };
    Ok(TextMatch {
        formats,
        stop_words: texts_of(node, "stop_words")?.into_iter().map(|word| word.to_lowercase()).collect(),
        allow: texts_of(node, "allow")?.into_iter().map(LazyRegex::new).collect(),
        not_after: texts_of(node, "not_after")?.into_iter().map(LazyRegex::new).collect(),
        files: texts_of(node, "files")?,
        not_files: texts_of(node, "not_files")?,
        areas: areas(node)?,
    })
}

fn text_format_of_list(node: &Node) -> Result<TextFormat, Problem> {
    only_keys(as_table(node, "a format")?, "a format", FORMAT_KEYS)?;
    required(node, "label")?;
    text_format(node)
}

fn text_format(node: &Node) -> Result<TextFormat, Problem> {
    let starts = texts_of(node, "starts")?;
    let keywords = if starts.is_empty() { texts_of(node, "keywords")? } else { starts.clone() };
    if keywords.is_empty() || keywords.iter().any(|keyword| keyword.len() < 2) {
        let message =
            "`match` needs `keywords` (or `starts`) of two or more characters, so that it looks only near them";
        return Err(at(node, message));
    }
    let regex = required(node, "regex")?;
    let label = node.get("label").map_or(Ok(""), |node| as_text(node, "`label`"))?;
    let sample = node.get("sample").map(|node| as_text(node, "`sample`")).transpose()?;
    Ok(TextFormat {
        label: label.into(),
        regex: LazyRegex::new(as_text(regex, "`regex`")?),
        keywords: keywords.into_iter().collect(),
        starts: !starts.is_empty(),
        entropy: node.get("entropy").map(|node| as_number(node, "`entropy`")).transpose()?,
        group: node.get("group").map_or(Ok(0), |node| as_count(node, "`group`", 20))? as usize,
        sample: sample.map(str::to_owned),
        start: node.start,
    })
}

fn areas(table: &Node) -> Result<Vec<Area>, Problem> {
    match table.get("area") {
        None => Ok(vec![Area::Server, Area::Client, Area::Script, Area::Migration, Area::Config]),
        Some(Node { data: NodeData::List(items), .. }) => {
            items.iter().map(|item| choice(item, "an area", AREAS)).collect()
        }
        Some(node) => Ok(vec![choice(node, "an area", AREAS)?]),
    }
}

fn syntax_pattern(node: &Node) -> Result<SyntaxPattern, Problem> {
    only_keys(as_table(node, "`pattern`")?, "`pattern`", PATTERN_KEYS)?;
    let language = required(node, "language")?;
    let languages = as_texts(language, "`language`")?;
    if let Some(name) = languages.iter().find(|name| !SYNTAX_LANGUAGES.contains(name)) {
        let problem = at(language, format!("patterns know no language `{name}`"));
        return Err(problem.suggest(name, SYNTAX_LANGUAGES.iter().copied()));
    }
    as_table(required(node, "rule")?, "`rule`")?;
    Ok(SyntaxPattern { languages: languages.into_iter().map(str::to_owned).collect(), table: node.clone() })
}

/// Languages of syntax patterns.
pub const SYNTAX_LANGUAGES: &[&str] = &["typescript", "tsx", "javascript"];
