//! JSON Schema of rule files, for completion in editors. The loader checks more than a schema can say.

use serde_json::{Map, Value, json};

use super::conditions::{CLAUSE_KEYS, ENGINE_FIELDS, PATTERN_KEYS, PREDICATE_KEYS, VIA, closed_words};
use super::examples::{EXAMPLE_KEYS, MARKS};
use super::lexicon::Lexicons;
use super::load::{
    BLOCKS, CONTROL_KEYS, FORMAT_KEYS, KINDS, MODES, PATTERN_KEYS as SYNTAX_KEYS, PRIORITIES, PROCESSES, RULE_KEYS,
    SYNTAX_LANGUAGES, TEXT_KEYS,
};
use crate::facts::{Origins, VOCABULARY};
use crate::rules::conditions::{AREAS, CONFIDENCES};

/// The schema of a file in `rules/` or `.readycheck/rules/`.
pub fn schema(lexicons: &Lexicons) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "readycheck rule file",
        "description": "One control with the rules that judge it",
        "type": "object",
        "required": ["id"],
        "properties": described(CONTROL_KEYS, control_key),
        "additionalProperties": false,
        "$defs": {
            "rule": table("What it looks at, and what of it is bad, good or half", described(RULE_KEYS, rule_key)),
            "condition": condition(),
            "pattern": pattern(&[]),
            "counted": pattern(&["min", "max", "per"]),
            "predicate": predicate(lexicons),
            "text-match": table("A regular expression that is tried near keywords", described(TEXT_KEYS, text_key)),
            "syntax-pattern": table("An ast-grep rule", described(SYNTAX_KEYS, syntax_key)),
            "example": table("Files with marks at the ends of lines: `//~ bad`", described(EXAMPLE_KEYS, example_key)),
        }
    })
}

fn described(keys: &[&str], of: fn(&str) -> Value) -> Map<String, Value> {
    keys.iter().map(|key| ((*key).to_owned(), of(key))).collect()
}

fn table(description: &str, properties: Map<String, Value>) -> Value {
    json!({ "description": description, "type": "object", "properties": properties, "additionalProperties": false })
}

fn names<T>(words: &[(&str, T)]) -> Value {
    json!({ "enum": words.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
}

fn one_or_many(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "description": description, "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}

fn link(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn control_key(key: &str) -> Value {
    match key {
        "id" => json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" }),
        "title" => text("The good state"),
        "problem" => text("The finding"),
        "why" => text("What happens in production, in a sentence"),
        "fix" => text("What to do, in a sentence"),
        "remedy" => text("The scaffold module that writes what is missing"),
        "kind" => names(KINDS),
        "mode" => names(MODES),
        "blocks" => names(BLOCKS),
        "priority" => json!({ "anyOf": [names(PRIORITIES), { "type": "array", "minItems": 1, "items": {
            "type": "object", "required": ["is"], "additionalProperties": false,
            "properties": { "when": link("condition"), "is": names(PRIORITIES), "blocker": { "type": "boolean" } }
        } }] }),
        "effort" => json!({ "description": "Days of work", "anyOf": [{ "type": "number" }, {
            "type": "object", "additionalProperties": false,
            "properties": { "base": { "type": "number" }, "per_site": { "type": "number" }, "max": { "type": "number" } }
        }] }),
        "standards" => texts("What standards call it"),
        "processes" => one_or_many(&names(PROCESSES)),
        "without_evidence" => json!({ "enum": ["unknown", "fail"] }),
        "applies" => json!({ "anyOf": [{
            "type": "object", "required": ["when"], "additionalProperties": false,
            "properties": { "when": link("condition"), "else": text("Why it does not apply") }
        }, link("condition")] }),
        "rule" => json!({ "type": "object", "additionalProperties": link("rule") }),
        "blocker" | "repository_wide" | "enabled" => json!({ "type": "boolean" }),
        _ => json!({ "type": "string" }),
    }
}

fn rule_key(key: &str) -> Value {
    match key {
        "each" => link("pattern"),
        "bad" | "good" | "half" | "unknown" | "note" => link("condition"),
        "message" => text("What is wrong here; `{field}` is filled in"),
        "confidence" => names(CONFIDENCES),
        "group" => texts("Facts that agree in these fields are one site"),
        "mode" => names(MODES),
        "secret" => json!({ "type": "boolean", "description": "What it finds must not be shown" }),
        "match" => link("text-match"),
        "pattern" => link("syntax-pattern"),
        _ => json!({ "type": "array", "items": link("example") }),
    }
}

fn text_key(key: &str) -> Value {
    match key {
        "entropy" => json!({ "type": "number", "description": "Bits per character that the group needs at least" }),
        "group" => json!({ "type": "integer", "minimum": 0, "maximum": 20 }),
        "regex" => text("In the syntax of the regex crate"),
        "area" => one_or_many(&names(AREAS)),
        "formats" => json!({ "type": "array", "items": format_schema() }),
        _ => texts(""),
    }
}

fn format_schema() -> Value {
    let properties: serde_json::Map<String, Value> = FORMAT_KEYS
        .iter()
        .map(|&key| {
            let schema = match key {
                "label" => text("What it finds, as it completes the message"),
                "starts" => texts("What a match begins with, as it is written"),
                "sample" => text("A made-up text that it finds; `<alphabet:count>` stands for random characters"),
                other => text_key(other),
            };
            (key.to_owned(), schema)
        })
        .collect();
    json!({ "type": "object", "required": ["label", "regex"], "additionalProperties": false, "properties": properties })
}

fn syntax_key(key: &str) -> Value {
    match key {
        "language" => one_or_many(&json!({ "enum": SYNTAX_LANGUAGES })),
        _ => json!({ "type": "object" }),
    }
}

fn example_key(key: &str) -> Value {
    match key {
        "files" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "expect" => json!({ "type": "array", "items": {
            "type": "object", "required": ["path", "line", "is"], "additionalProperties": false,
            "properties": { "path": { "type": "string" }, "line": { "type": "integer" }, "is": names(MARKS) }
        } }),
        "applies" => json!({ "type": "boolean", "description": "Whether the control is about this code at all" }),
        _ => json!({ "type": "string" }),
    }
}

/// The fields of all kinds of fact, with the engine's.
fn all_fields() -> Vec<&'static str> {
    let of_kinds = VOCABULARY.iter().flat_map(|(_, fields)| fields.iter());
    let mut fields: Vec<&str> = of_kinds.chain(ENGINE_FIELDS).copied().collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// Fields with their predicates; those with few words name them.
fn fields(names: &[&str]) -> Map<String, Value> {
    let field = |name: &&str| match closed_words(name) {
        Some(words) => json!({ "anyOf": [{ "enum": words }, link("predicate")] }),
        None => link("predicate"),
    };
    names.iter().map(|name| ((*name).to_owned(), field(name))).collect()
}

fn clauses() -> Map<String, Value> {
    let clause = |key: &str| match key {
        "any" | "all" => json!({ "type": "array", "items": link("condition") }),
        "at_least" => {
            json!({ "type": "object", "required": ["min", "of"], "additionalProperties": false, "properties": {
            "min": { "type": "integer", "minimum": 1 }, "of": { "type": "array", "items": link("condition") } } })
        }
        "not" => link("condition"),
        "count" => one_or_many(&link("counted")),
        _ => one_or_many(&link("pattern")),
    };
    CLAUSE_KEYS.iter().map(|key| ((*key).to_owned(), clause(key))).collect()
}

fn condition() -> Value {
    let mut properties = fields(&all_fields());
    properties.extend(clauses());
    json!({ "anyOf": [{ "type": "boolean" }, { "type": "object", "properties": properties, "additionalProperties": false }] })
}

/// A fact pattern: the fields that there may be follow from its kind.
fn pattern(further: &[&str]) -> Value {
    let kinds: Vec<&str> = VOCABULARY.iter().map(|(kind, _)| *kind).collect();
    let mut properties = clauses();
    properties.insert("fact".into(), one_or_many(&json!({ "enum": kinds })));
    properties.insert("via".into(), names(VIA));
    properties.insert("hops".into(), json!({ "type": "integer", "minimum": 0, "maximum": 32 }));
    properties.insert("before".into(), text("A role in the chain that stands after it"));
    properties.insert("after".into(), text("A role in the chain that stands before it"));
    properties.insert("group".into(), texts("Facts that agree in these fields are one site"));
    for bound in further {
        let schema = if *bound == "per" { json!({ "enum": all_fields() }) } else { json!({ "type": "integer" }) };
        properties.insert((*bound).into(), schema);
    }
    let keys: Vec<String> = properties.keys().cloned().collect();
    let further_fields = fields(&all_fields()).into_iter().filter(|(name, _)| !keys.contains(name));
    properties.extend(further_fields.filter(|(name, _)| !PATTERN_KEYS.contains(&name.as_str())));
    let of_kind = |(kind, fields): &(&str, &[&str])| {
        let known: Vec<&str> = keys.iter().map(String::as_str).chain(ENGINE_FIELDS.iter().copied()).collect();
        let known: Vec<&str> = known.into_iter().chain(fields.iter().copied()).collect();
        json!({ "if": { "properties": { "fact": { "const": kind } } }, "then": { "propertyNames": { "enum": known } } })
    };
    json!({
        "type": "object",
        "required": ["fact"],
        "properties": properties,
        "additionalProperties": false,
        "allOf": VOCABULARY.iter().map(of_kind).collect::<Vec<_>>(),
    })
}

fn predicate(lexicons: &Lexicons) -> Value {
    let origins = Origins::NAMES.iter().map(|(name, _)| format!(":{name}"));
    let signs = [":absent", ":any", ":unknown", ":opaque"].map(str::to_owned).into_iter();
    let words: Vec<String> = signs.chain(origins).chain(lexicons.names().map(|name| format!("@{name}"))).collect();
    let test = |key: &str| match key {
        "all" | "any" => json!({ "type": "array", "items": link("predicate") }),
        "min" | "max" => json!({ "description": "A number, a size (`1mb`) or a duration (`15m`)" }),
        "serves" | "then" | "within" | "covers" => texts("A `$field` of the site, or texts"),
        _ => link("predicate"),
    };
    let tests: Map<String, Value> = PREDICATE_KEYS.iter().map(|key| ((*key).to_owned(), test(key))).collect();
    json!({ "anyOf": [
        { "type": "boolean" },
        { "type": "number" },
        { "enum": words },
        { "type": "string", "description": "Equal to it; `/re/`, `$field` of the site, `\\` before a sign takes it literally" },
        { "type": "array", "description": "One of these", "items": link("predicate") },
        { "type": "object", "properties": tests, "additionalProperties": link("predicate") },
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSet, document};
    use crate::syntax::{Node, NodeData};

    fn as_json(node: &Node) -> Value {
        match &node.data {
            NodeData::Null => Value::Null,
            NodeData::Bool(value) => json!(value),
            NodeData::Number(value) if value.fract() == 0.0 => json!(*value as i64),
            NodeData::Number(value) => json!(value),
            NodeData::Text(text) => json!(&**text),
            NodeData::List(items) => items.iter().map(as_json).collect(),
            NodeData::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.to_string(), as_json(&entry.value))).collect())
            }
        }
    }

    fn validator() -> jsonschema::Validator {
        let set = RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}"));
        jsonschema::validator_for(&schema(&set.lexicons)).unwrap()
    }

    #[test]
    fn every_rule_file_of_the_binary_fits() {
        let validator = validator();
        for control in RuleSet::embedded().unwrap().controls {
            let root = document::parse(&control.source.path, &control.source.text).unwrap();
            let value = as_json(&root);
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", control.source.path);
        }
    }

    #[test]
    fn slips_do_not_fit() {
        let validator = validator();
        let fits = |rule: &str| {
            let root = document::parse("t.toml", &format!("id = 'a'\n[rule.r]\n{rule}")).unwrap();
            validator.is_valid(&as_json(&root))
        };
        assert!(fits(
            "each = { fact = 'route', path = '@health-path', in = 'loop' }\nbad = { some = { fact = 'probe', path = '$path' } }"
        ));
        assert!(!fits("each = { fact = 'rout' }"));
        assert!(!fits("each = { fact = 'route', http_only = true }"));
        assert!(!fits("bda = true"));
        assert!(!fits("bad = { pathh = 'x' }"));
        assert!(!fits("bad = { count = { fact = 'route', via = 'fil', min = 1 } }"));
    }
}
