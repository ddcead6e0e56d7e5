//! Reads stack files.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::Regex;
use serde::Deserialize;
use toml::{Spanned, Table, Value as Toml};

use super::resources::{RawResource, RawSettings};
use super::{
    Clause, ColumnType, ColumnWrapper, Constants, FieldWords, OriginClause, Projection, SETTINGS, Stack, Stacks, Test,
    Verb,
};
use crate::facts::model::{Data, Origins, VOCABULARY, Value};
use crate::facts::paths::{Selector, TypeIdx};
use crate::syntax::hir::Language;

/// A stack file that cannot be used, with the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackError {
    pub file: String,
    /// Byte range in the file.
    pub start: usize,
    pub end: usize,
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStack {
    #[serde(default)]
    detect: RawDetect,
    #[serde(default)]
    handler: Vec<String>,
    #[serde(default)]
    handler_names: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    types: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    provides: Vec<String>,
    #[serde(default)]
    serverless: bool,
    #[serde(default)]
    texts_are_pages: bool,
    database: Option<String>,
    #[serde(default)]
    origins: Vec<RawOrigin>,
    #[serde(default)]
    column_types: Vec<RawColumnType>,
    settings: Option<RawSettings>,
    #[serde(default)]
    resources: Vec<RawResource>,
    #[serde(default)]
    column_wrappers: Vec<RawColumnWrapper>,
    #[serde(default)]
    constants: Vec<RawConstants>,
    #[serde(default)]
    carriers: Vec<String>,
    #[serde(default)]
    finals: Vec<String>,
    #[serde(default)]
    mentions: Vec<String>,
    #[serde(default)]
    told: Vec<String>,
    #[serde(default)]
    told_to: Vec<String>,
    #[serde(default)]
    pairs: Vec<String>,
    #[serde(default)]
    callers: Vec<String>,
    #[serde(default)]
    fields: FieldWords,
    #[serde(default)]
    fact: BTreeMap<Spanned<String>, Vec<Spanned<Table>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawDetect {
    npm: OneOrMany,
    pypi: OneOrMany,
    #[serde(rename = "crate")]
    crates: OneOrMany,
    file: OneOrMany,
    /// A regular expression that some such file has to match, where its name is used for other things too.
    holds: Option<Spanned<String>>,
    language: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn list(self) -> Vec<String> {
        match self {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin {
    call: Spanned<String>,
    #[serde(default = "nothing")]
    is: Spanned<String>,
    #[serde(default)]
    replaces: bool,
    /// The result is the first argument.
    #[serde(default)]
    passes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConstants {
    of: Spanned<String>,
    /// By name; without any, the number that stands in the name.
    #[serde(default)]
    values: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumnType {
    /// The paths that name the type.
    of: Option<Spanned<String>>,
    /// The texts that name it.
    #[serde(default)]
    text: Vec<String>,
    is: String,
    zoned: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumnWrapper {
    of: Spanned<String>,
    #[serde(default)]
    nullable: bool,
}

fn nothing() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

impl Stacks {
    /// Reads stack files given as (file name, text), in order.
    pub fn load<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Stacks, StackError> {
        let mut stacks = Stacks::default();
        for (file, text) in files {
            load_one(&mut stacks, file, text)?;
        }
        stacks.index();
        Ok(stacks)
    }
}

pub(super) struct Loader<'t> {
    file: &'t str,
    types: BTreeMap<String, TypeIdx>,
}

impl Loader<'_> {
    pub(super) fn error(&self, span: std::ops::Range<usize>, message: impl Into<String>) -> StackError {
        StackError { file: self.file.to_owned(), start: span.start, end: span.end, message: message.into() }
    }

    pub(super) fn selector(
        &self,
        text: &str,
        span: std::ops::Range<usize>,
        is_call: bool,
    ) -> Result<Selector, StackError> {
        Selector::parse(text, is_call, &|name| self.types.get(name).copied()).map_err(|e| self.error(span, e))
    }

    /// What a file has to match, line by line.
    fn pattern(&self, text: &Spanned<String>) -> Result<Regex, StackError> {
        let made = regex::RegexBuilder::new(text.get_ref()).multi_line(true).build();
        made.map_err(|_| self.error(text.span(), "this is no regular expression"))
    }

    fn handler(&self, names: &[String]) -> Vec<Option<TypeIdx>> {
        names.iter().map(|name| self.types.get(name).copied()).collect()
    }
}

fn load_one(stacks: &mut Stacks, file: &str, text: &str) -> Result<(), StackError> {
    let raw: RawStack = toml::from_str(text).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        StackError { file: file.to_owned(), start: span.start, end: span.end, message: e.message().to_owned() }
    })?;
    let id = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".toml").to_owned();
    let mut loader = Loader { file, types: BTreeMap::new() };
    for name in raw.types.keys() {
        let ty = stacks.types.declare(format!("{id}.{name}"));
        loader.types.insert(name.clone(), ty);
        match name.as_str() {
            "Request" => stacks.request_types.push(ty),
            "App" => stacks.app_types.push(ty),
            _ => {}
        }
        if matches!(name.as_str(), "App" | "Router") {
            stacks.router_types.push(ty);
        }
    }
    for (name, selector) in &raw.types {
        let compiled = loader.selector(selector.get_ref(), selector.span(), false)?;
        stacks.types.define(loader.types[name], compiled);
    }
    let first_origin = stacks.origins.len();
    for origin in &raw.origins {
        let selector = loader.selector(origin.call.get_ref(), origin.call.span(), true)?;
        let mut parsed = Origins::default();
        for name in origin.is.get_ref().split('|').map(str::trim).filter(|name| !name.is_empty()) {
            let unknown = || loader.error(origin.is.span(), format!("no origin is called `{name}`"));
            parsed = parsed.with(Origins::parse(name).ok_or_else(unknown)?);
        }
        stacks.origins.push(OriginClause {
            selector,
            origin: parsed,
            replaces: origin.replaces,
            passes: origin.passes,
            language: None,
        });
    }
    for column in raw.column_types {
        let selector = match &column.of {
            Some(of) => loader.selector(of.get_ref(), of.span(), false)?,
            None => Selector::default(),
        };
        let zoned = match &column.zoned {
            Some(text) => Some(Projection::parse(text.get_ref()).map_err(|e| loader.error(text.span(), e))?),
            None => None,
        };
        stacks.column_types.push(ColumnType { selector, texts: column.text, is: column.is, zoned });
    }
    for constants in raw.constants {
        let selector = loader.selector(constants.of.get_ref(), constants.of.span(), false)?;
        stacks.constants.push(Constants { selector, values: constants.values });
    }
    for wrapper in &raw.column_wrappers {
        let selector = loader.selector(wrapper.of.get_ref(), wrapper.of.span(), false)?;
        stacks.column_wrappers.push(ColumnWrapper { selector, nullable: wrapper.nullable });
    }
    stacks.carriers.extend(raw.carriers);
    stacks.finals.extend(raw.finals);
    stacks.mentions.extend(raw.mentions);
    stacks.told.extend(raw.told);
    stacks.told_to.extend(raw.told_to);
    stacks.pairs.extend(raw.pairs);
    stacks.callers.extend(raw.callers);
    stacks.fields.extend(raw.fields);
    let stack = stacks.stacks.len();
    for resource in raw.resources {
        stacks.resources.push(resource.load(&loader, stack)?);
    }
    stacks.settings.extend(raw.settings.map(|settings| settings.load(stack)));
    let language = language(&raw.detect);
    for origin in &mut stacks.origins[first_origin..] {
        origin.language = language;
    }
    let handler = loader.handler(&raw.handler);
    let parameters = raw.parameters.iter().map(|(name, ty)| {
        let known = loader.types.get(ty.get_ref().as_str());
        let unknown = || loader.error(ty.span(), format!("no type is called `{}`", ty.get_ref()));
        known.map(|&ty| (name.clone(), ty)).ok_or_else(unknown)
    });
    let parameters = parameters.collect::<Result<_, _>>()?;
    for (kind, clauses) in &raw.fact {
        let fields = VOCABULARY.iter().find(|(name, _)| *name == kind.get_ref().as_str()).map(|(_, fields)| *fields);
        let Some(fields) = fields else {
            return Err(loader.error(kind.span(), format!("no kind of fact is called `{}`", kind.get_ref())));
        };
        for (index, clause) in clauses.iter().enumerate() {
            let id: Arc<str> = format!("stacks/{id}.toml fact.{}[{index}]", kind.get_ref()).into();
            stacks.clauses.push(load_clause(&loader, kind.get_ref(), fields, clause, stack, id, &handler)?);
        }
    }
    stacks.stacks.push(Stack {
        id,
        language,
        npm: raw.detect.npm.list(),
        pypi: raw.detect.pypi.list(),
        crates: raw.detect.crates.list(),
        files: globs(&loader, raw.detect.file.list())?,
        holds: raw.detect.holds.as_ref().map(|pattern| loader.pattern(pattern)).transpose()?,
        always: raw.detect.language.is_some(),
        provides: raw.provides,
        serverless: raw.serverless,
        texts_are_pages: raw.texts_are_pages,
        database: raw.database,
        handler,
        handler_names: raw.handler_names,
        parameters,
    });
    Ok(())
}

/// The language that a stack's names belong to: packages of different registries may have the same name.
fn language(detect: &RawDetect) -> Option<Language> {
    let is_named = |names: &OneOrMany| !matches!(names, OneOrMany::None);
    let by_name = detect.language.as_deref().and_then(|name| match name {
        "javascript" => Some(Language::JavaScript),
        "python" => Some(Language::Python),
        "rust" => Some(Language::Rust),
        _ => None,
    });
    match (is_named(&detect.npm), is_named(&detect.pypi), is_named(&detect.crates)) {
        (true, false, false) => Some(Language::JavaScript),
        (false, true, false) => Some(Language::Python),
        (false, false, true) => Some(Language::Rust),
        (false, false, false) => by_name,
        _ => None,
    }
}

fn load_clause(
    loader: &Loader<'_>,
    kind: &str,
    known: &[&str],
    clause: &Spanned<Table>,
    stack: usize,
    id: Arc<str>,
    handler: &[Option<TypeIdx>],
) -> Result<Clause, StackError> {
    let span = clause.span();
    let mut loaded = Clause {
        stack,
        kind: kind.into(),
        verb: Verb::File,
        selector: Selector::default(),
        names: Vec::new(),
        file: None,
        directive: None,
        condition: Vec::new(),
        made_by: None,
        holds_for: None,
        fields: Vec::new(),
        handler: handler.to_vec(),
        id,
    };
    let mut verbs = 0;
    for (key, value) in clause.get_ref() {
        let text = value.as_str().unwrap_or_default();
        match key.as_str() {
            "setting" => {
                loaded.verb = Verb::Setting;
                let names: Vec<String> = text.split('|').map(|name| format!("{SETTINGS}.{}", name.trim())).collect();
                loaded.selector = loader.selector(&names.join("|"), span.clone(), false)?;
                verbs += 1;
            }
            "is" if clause.get_ref().contains_key("attr") => {
                loaded.made_by = Some(loader.selector(text, span.clone(), false)?);
            }
            verb if selected_verb(verb).is_some() => {
                loaded.verb = selected_verb(verb).unwrap_or(Verb::Call);
                let is_call = matches!(loaded.verb, Verb::Call | Verb::Decorator | Verb::Param);
                loaded.selector = loader.selector(text, span.clone(), is_call)?;
                verbs += 1;
            }
            "export" => {
                loaded.verb = Verb::Export;
                let inner = text.trim_start_matches('{').trim_end_matches('}');
                if inner != "*" {
                    loaded.names = inner.split(',').map(|n| n.trim().to_owned()).collect();
                }
                verbs += 1;
            }
            "file" => loaded.file = globs(loader, vec![text.to_owned()])?,
            "directive" => loaded.directive = Some(text.to_owned()),
            // A list names the types of an exported handler's parameters; a projection is a field.
            "handler" if value.is_array() => {
                let names: Vec<String> =
                    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
                loaded.handler = loader.handler(&names);
            }
            "if" => loaded.condition = tests(loader, value, &span)?,
            "holds_for" => loaded.holds_for = Some(loader.selector(text, span.clone(), false)?),
            field => {
                if !known.contains(&field) {
                    return Err(
                        loader.error(span, format!("`{kind}` facts have no field `{field}`{}", nearest(field, known)))
                    );
                }
                let projection = projection_of(value).map_err(|message| loader.error(span.clone(), message))?;
                loaded.fields.push((field.into(), projection));
            }
        }
    }
    if verbs > 1 {
        return Err(loader.error(
            span,
            "a clause has one verb: call, read, tag, use, decorator, extends, attr, param, setting, export or file",
        ));
    }
    if verbs == 0 && loaded.file.is_none() {
        return Err(loader.error(
            span,
            "a clause needs a verb: call, read, tag, use, decorator, extends, attr, param, setting, export or file",
        ));
    }
    Ok(loaded)
}

/// The verbs that a selector follows.
fn selected_verb(name: &str) -> Option<Verb> {
    Some(match name {
        "call" => Verb::Call,
        "read" => Verb::Read,
        "tag" => Verb::Tag,
        "decorator" => Verb::Decorator,
        "extends" => Verb::Extends,
        "attr" => Verb::Attr,
        "param" => Verb::Param,
        "use" => Verb::Use,
        _ => return None,
    })
}

fn projection_of(value: &Toml) -> Result<Projection, String> {
    match value {
        Toml::String(text) => Projection::parse(text),
        Toml::Table(table) => {
            let fields: Result<Vec<(Arc<str>, Projection)>, String> =
                table.iter().map(|(name, value)| Ok((name.as_str().into(), projection_of(value)?))).collect();
            Ok(Projection::record(fields?))
        }
        other => Ok(Projection::literal(plain(other)?)),
    }
}

/// A constant; texts with `$` inside a table are projections and not allowed here.
fn plain(value: &Toml) -> Result<Value, String> {
    Ok(match value {
        Toml::String(text) => super::projection::scalar(text),
        Toml::Boolean(value) => Value::bool(*value),
        Toml::Integer(value) => Value::number(*value as f64),
        Toml::Float(value) => Value::number(*value),
        Toml::Array(items) => Value::list(items.iter().map(plain).collect::<Result<_, _>>()?),
        _ => return Err("expected a text, a number, true, false or a list of them".to_owned()),
    })
}

fn tests(loader: &Loader<'_>, value: &Toml, span: &std::ops::Range<usize>) -> Result<Vec<(String, Test)>, StackError> {
    let error = |message: &str| loader.error(span.clone(), message);
    let table = value.as_table().ok_or_else(|| error("`if` is a table of tests"))?;
    let mut tests = Vec::new();
    for (key, test) in table {
        let known = [
            "argc",
            "params",
            "method",
            "path",
            "optional",
            "generic",
            "name",
            "assigned",
            "value",
            "dropped",
            "calculated",
            "hundredths",
        ]
        .contains(&key.as_str())
            || ["arg0", "arg1", "opt", "recv", "setting"].iter().any(|p| key == p || key.starts_with(&format!("{p}.")));
        let known = known || later_call(key).is_some() || named_argument(key).is_some();
        if !known {
            let known = "argc, params, optional, dropped, calculated, hundredths, assigned, generic, name, arg0, arg1, name(arg0), name(opt.NAME), opt.NAME, recv.NAME, \
                         value, setting.NAME, after(NAME|NAME)";
            return Err(error(&format!("`if` knows {known}, not `{key}`")));
        }
        let test = match test {
            Toml::Table(table) if table.contains_key("like") => {
                let words = table.get("like").and_then(Toml::as_array).into_iter().flatten();
                Test::Like(words.filter_map(Toml::as_str).map(str::to_ascii_lowercase).collect())
            }
            Toml::Table(named) if named.contains_key("is") => {
                let text = named.get("is").and_then(Toml::as_str).unwrap_or_default();
                Test::Names(loader.selector(text, span.clone(), false)?)
            }
            Toml::Table(range) => Test::Range {
                min: range.get("min").and_then(number).unwrap_or(f64::MIN),
                max: range.get("max").and_then(number).unwrap_or(f64::MAX),
            },
            Toml::String(text) if text == ":absent" => Test::Absent,
            Toml::String(text) if text == ":any" => Test::Present,
            Toml::String(text) if text == ":text" => Test::Text,
            Toml::String(text) if text == ":null" => Test::Equals(vec![Value { data: Data::Null, ..Value::default() }]),
            Toml::Array(items) => {
                Test::Equals(items.iter().map(plain).collect::<Result<_, _>>().map_err(|e| error(&e))?)
            }
            other => Test::Equals(vec![plain(other).map_err(|e| error(&e))?]),
        };
        tests.push((key.clone(), test));
    }
    Ok(tests)
}

/// `after(limit|first)`: the names of calls later in the chain.
pub fn later_call(key: &str) -> Option<&str> {
    key.strip_prefix("after(")?.strip_suffix(')')
}

/// `name(arg0)`, `name(opt.token)`: the argument whose name is asked for.
pub fn named_argument(key: &str) -> Option<NamedArgument<'_>> {
    let inner = key.strip_prefix("name(")?.strip_suffix(')')?;
    match inner.strip_prefix("arg") {
        Some(index) => index.parse().ok().map(NamedArgument::At),
        None => inner.strip_prefix("opt.").map(NamedArgument::Keyword),
    }
}

/// An argument by its position or its keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedArgument<'k> {
    At(usize),
    Keyword(&'k str),
}

fn number(value: &Toml) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|i| i as f64))
}

fn globs(loader: &Loader<'_>, patterns: Vec<String>) -> Result<Option<GlobSet>, StackError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in &patterns {
        let glob = GlobBuilder::new(pattern)
            .empty_alternates(true)
            .literal_separator(true)
            .build()
            .map_err(|e| loader.error(0..0, e.to_string()))?;
        set.add(glob);
    }
    set.build().map(Some).map_err(|e| loader.error(0..0, e.to_string()))
}

fn nearest(name: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_loads() {
        let text = r#"
            detect = { npm = "express" }
            handler = ["Request", "Response", "next"]
            types = { App = "express()", Router = "App | express.Router()", Request = "express.Request" }
            fact.route = [{ call = "Router.{get,post}", if = { argc = { min = 2 } }, path = "$arg:string", chain = "$arg:callable" }]
        "#;
        let stacks = Stacks::load([("express.toml", text)]).unwrap();
        assert_eq!(stacks.candidates(Verb::Call, "get").count(), 1);
        assert_eq!(stacks.candidates(Verb::Call, "listen").count(), 0);
        assert_eq!(stacks.clauses[0].handler.iter().flatten().count(), 1);
    }

    #[test]
    fn mistakes_name_the_place_and_the_nearest_word() {
        let text = "fact.route = [{ call = \"a.b\", pth = \"$arg[0]\" }]";
        let error = Stacks::load([("x.toml", text)]).unwrap_err();
        assert!(error.message.contains("did you mean `path`?"), "{}", error.message);
        assert!(error.end > error.start);
        let held = Stacks::load([("p.toml", "detect = { file = \"app.yaml\", holds = '^runtime:' }")]).unwrap();
        let holds = held.stacks[0].holds.as_ref().unwrap();
        assert!(holds.is_match("env: flex\nruntime: go\n") && !holds.is_match("a: {runtime: go}"));
        let error = Stacks::load([("p.toml", "detect = { holds = '(' }")]).unwrap_err();
        assert!(error.message.contains("regular expression"));
        assert!(Stacks::load([("x.toml", "fact.rout = []")]).unwrap_err().message.contains("rout"));
        assert!(Stacks::load([("x.toml", "fact.route = [{ path = \"x\" }]")]).unwrap_err().message.contains("verb"));
    }
}
