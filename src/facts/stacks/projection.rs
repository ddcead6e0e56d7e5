//! Projections: which part of a piece of syntax becomes a field (`$opt.limit ?? 100kb`, `$arg:string`).

use std::sync::Arc;

use crate::facts::model::Value;

/// Where, in a chain of calls, a projection looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    Here,
    /// The nearest receiver.
    Receiver,
    /// The nearest call of that name in the chain that made the receiver: `Client::builder().timeout(t).build()`.
    MakerChain(String),
    /// The nearest call of that name in the receiver chain: `router.route("/x").get(h)` → `route`.
    Chain(String),
    /// The nearest call of that name around, that the place is an argument of: `router.route("/x", get(h))` → `route`.
    Around(String),
    /// The nearest call of that name on the result: `Model.find().limit(10)` → `limit`.
    After(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Text,
    Callable,
    Object,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Arg(usize),
    ArgsFrom(usize),
    ArgOf(Sort),
    /// The options object of the call, then of the call that made the receiver.
    Opt,
    /// A key of the call's own options: none of those that its receiver was made with.
    Own,
    /// What follows it in a list: `return jsonify(…), 404`.
    Beside,
    /// What is assigned to the property.
    Assigned,
    /// The receiver, as an expression.
    Recv,
    /// The result of the call, as an expression.
    Made,
    /// The name that is called.
    Callee,
    /// The exported name.
    Name,
    /// The property that is read.
    Member,
    /// The URL path that the file's place stands for.
    FileRoute,
    /// The comment in its first line.
    FileHead,
    /// A constant of the file: `export const config = { matcher: … }`.
    FileConfig,
    /// The exported value; of an attribute or setting what is assigned, of a parameter its default.
    Value,
    /// Its elements.
    Elements,
    /// The declared function or class that it is written on.
    Target,
    /// The class around it.
    Class,
    /// The annotation.
    Type,
    /// The list literal that it stands in.
    List,
    /// The variables of settings, by the steps that follow.
    Setting,
    /// What `||`, `??` or a destructuring default gives instead.
    Fallback,
    TagText,
    TagHoles,
    /// The names that the arguments and the receiver of a call mention.
    Mentioned,
    /// Whether the call runs against others (`Promise.race([fetch(url), timer])`).
    Raced,
    /// What the chain of receivers begins with: `Order` of `Order.objects.filter(…)`; or that of an argument.
    Root(Option<usize>),
    /// The columns that conditions compare, in this and later calls of these names.
    Where(String),
    /// The columns that calls of these names sort by.
    Sorted(String),
    /// Whether these conditions take a list (`in_`, `id__in`).
    Batch(String),
    /// All arguments of this and later calls of these names.
    Given(String),
    Literal(Value),
    /// A record of further projections.
    Record(Vec<(Arc<str>, Projection)>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub at: At,
    pub source: Source,
    /// Members to follow from there.
    pub steps: Vec<String>,
    /// The keys of the record instead of itself.
    pub keys: bool,
    /// What an expression that has no known value is called: `header::X_FRAME_OPTIONS`.
    pub named: bool,
}

/// One value: the first alternative that exists, else the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub alternatives: Vec<Item>,
    /// What stands for an absent one (a library's own default).
    pub default: Option<Value>,
}

/// One choice, or a list of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    pub choices: Vec<Choice>,
}

impl Projection {
    pub fn literal(value: Value) -> Projection {
        Projection::of(Source::Literal(value))
    }

    pub fn record(fields: Vec<(Arc<str>, Projection)>) -> Projection {
        Projection::of(Source::Record(fields))
    }

    fn of(source: Source) -> Projection {
        let item = Item { at: At::Here, source, steps: Vec::new(), keys: false, named: false };
        Projection { choices: vec![Choice { alternatives: vec![item], default: None }] }
    }

    pub fn parse(text: &str) -> Result<Projection, String> {
        if !text.contains('$') {
            return Ok(Projection::literal(scalar(text)));
        }
        let choices: Result<Vec<Choice>, String> = text.split(',').map(parse_choice).collect();
        Ok(Projection { choices: choices? })
    }

    /// All items, whatever choice they belong to.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.choices.iter().flat_map(|choice| &choice.alternatives)
    }
}

fn parse_choice(text: &str) -> Result<Choice, String> {
    let (body, default) = match text.split_once("??") {
        Some((body, default)) => (body, Some(scalar(default.trim()))),
        None => (text, None),
    };
    let alternatives: Result<Vec<Item>, String> = body.split('|').map(|item| parse_item(item.trim())).collect();
    Ok(Choice { alternatives: alternatives?, default })
}

fn parse_item(text: &str) -> Result<Item, String> {
    let Some(body) = text.strip_prefix('$') else {
        return Ok(Item {
            at: At::Here,
            source: Source::Literal(scalar(text)),
            steps: Vec::new(),
            keys: false,
            named: false,
        });
    };
    if let Some(inner) = body.strip_prefix("keys(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok(Item { keys: true, ..parse_item(inner)? });
    }
    if let Some(inner) = body.strip_prefix("name(").and_then(|rest| rest.strip_suffix(')')) {
        let inner = if inner.starts_with('$') { inner.to_owned() } else { format!("${inner}") };
        return Ok(Item { named: true, ..parse_item(&inner)? });
    }
    let (at, body) = if let Some(rest) = body.strip_prefix("chain(") {
        let (name, rest) = rest.split_once(')').ok_or_else(|| format!("`{text}`: `chain(` is not closed"))?;
        (At::Chain(name.to_owned()), rest.strip_prefix('.').unwrap_or(rest))
    } else if let Some(rest) = body.strip_prefix("around(") {
        let (name, rest) = rest.split_once(')').ok_or_else(|| format!("`{text}`: `around(` is not closed"))?;
        (At::Around(name.to_owned()), rest.strip_prefix('.').unwrap_or(rest))
    } else if let Some(rest) = body.strip_prefix("after(") {
        let (name, rest) = rest.split_once(')').ok_or_else(|| format!("`{text}`: `after(` is not closed"))?;
        (At::After(name.to_owned()), rest.strip_prefix('.').unwrap_or(rest))
    } else if let Some(rest) = body.strip_prefix("recv.chain(") {
        let (name, rest) = rest.split_once(')').ok_or_else(|| format!("`{text}`: `chain(` is not closed"))?;
        (At::MakerChain(name.to_owned()), rest.strip_prefix('.').unwrap_or(rest))
    } else if let Some(rest) = body.strip_prefix("recv.") {
        (At::Receiver, rest)
    } else {
        (At::Here, body)
    };
    let (source, rest) = parse_source(body).ok_or_else(|| {
        format!(
            "`{text}`: unknown projection; known are $arg[0], $arg[0..], $arg:text, $arg:callable, $arg:object, \
             $opt.name, $own.name, $assigned, $beside, $recv, $made, $callee, $name, $member, $file.route, $file.config, $value, $value[*], $target, $route, \
             $class, $type, $list, $setting.NAME, $fallback, \
             $tag.text, $tag.holes, $raced, $mentioned, $keys(…), $name(…), $chain(name).…, $around(name).…, $after(name).…, \
             $root, $where(names), $batch(names), $given(names)"
        )
    })?;
    let steps = rest.split('.').filter(|s| !s.is_empty()).map(str::to_owned).collect();
    Ok(Item { at, source, steps, keys: false, named: false })
}

fn parse_source(body: &str) -> Option<(Source, &str)> {
    if let Some(rest) = body.strip_prefix("arg[") {
        let (index, rest) = rest.split_once(']')?;
        return match index.strip_suffix("..") {
            Some(from) => Some((Source::ArgsFrom(from.parse().ok()?), rest)),
            None => Some((Source::Arg(index.parse().ok()?), rest)),
        };
    }
    if let Some((name, rest)) = body.split_once('(')
        && let Some((names, rest)) = rest.split_once(')')
    {
        let names = names.to_owned();
        return match name {
            "where" => Some((Source::Where(names), rest)),
            "sorted" => Some((Source::Sorted(names), rest)),
            "batch" => Some((Source::Batch(names), rest)),
            "given" => Some((Source::Given(names), rest)),
            _ => None,
        };
    }
    let table: &[(&str, Source)] = &[
        ("root[0]", Source::Root(Some(0))),
        ("root", Source::Root(None)),
        ("arg:string", Source::ArgOf(Sort::Text)),
        ("arg:text", Source::ArgOf(Sort::Text)),
        ("arg:callable", Source::ArgOf(Sort::Callable)),
        ("arg:object", Source::ArgOf(Sort::Object)),
        ("opt", Source::Opt),
        ("own", Source::Own),
        ("assigned", Source::Assigned),
        ("beside", Source::Beside),
        ("recv", Source::Recv),
        ("made", Source::Made),
        ("callee", Source::Callee),
        ("name", Source::Name),
        ("member", Source::Member),
        ("file.route", Source::FileRoute),
        ("file.head", Source::FileHead),
        ("file.config", Source::FileConfig),
        ("value[*]", Source::Elements),
        ("value", Source::Value),
        ("target", Source::Target),
        ("route", Source::Target),
        ("class", Source::Class),
        ("type", Source::Type),
        ("list", Source::List),
        ("setting", Source::Setting),
        ("fallback", Source::Fallback),
        ("mentioned", Source::Mentioned),
        ("raced", Source::Raced),
        ("tag.text", Source::TagText),
        ("tag.holes", Source::TagHoles),
    ];
    table.iter().find_map(|(name, source)| {
        let rest = body.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| (source.clone(), rest))
    })
}

/// `true`, `12`, `100kb` or any text.
pub fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::bool(true),
        "false" => Value::bool(false),
        _ => match text.parse::<f64>() {
            Ok(number) => Value::number(number),
            Err(_) => Value::text(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_read_alternatives_defaults_and_chains() {
        let limit = Projection::parse("$opt.limit ?? 100kb").unwrap();
        assert_eq!(limit.choices[0].default, Some(Value::text("100kb")));
        assert_eq!(limit.choices[0].alternatives[0].steps, ["limit"]);
        let headers = Projection::parse("$opt.legacyHeaders | $arg[1].headers ?? true, $callee").unwrap();
        assert_eq!(headers.choices.len(), 2);
        assert_eq!(headers.choices[0].alternatives.len(), 2);
        assert_eq!(headers.choices[1].default, None);
        let route = Projection::parse("$chain(route).arg:string").unwrap();
        assert_eq!(route.choices[0].alternatives[0].at, At::Chain("route".into()));
        assert_eq!(Projection::parse("database").unwrap(), Projection::literal(Value::text("database")));
        assert!(Projection::parse("$argument").unwrap_err().contains("unknown projection"));
    }
}
