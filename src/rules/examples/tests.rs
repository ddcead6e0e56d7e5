use super::*;
use crate::facts::{Fact, Value};
use crate::project::{Area, File, FileId, FileKind, Service};
use crate::rules::Source;

/// A stand-in for the facts layer: every line `word: value` is a fact of kind `call` with that name and those args;
/// `dead` before it makes it unreached.
fn understand(_: &RuleSet, tree: Tree) -> (Project, FactStore) {
    let mut paths: Vec<String> = tree.overlay.keys().cloned().collect();
    paths.sort();
    let file = |path: &String| File::sample(path, FileKind::JavaScript);
    let mut store = FactStore::default();
    for (number, path) in (0u32..).zip(&paths) {
        let text = String::from_utf8(tree.overlay[path].to_vec()).unwrap();
        let mut at = 0u32;
        for line in text.split_inclusive('\n') {
            if let Some((name, args)) = line.trim().split_once(": ") {
                let mut fact = Fact::new("call", Span { file: FileId(number), start: at, end: at + 1 }, "test");
                fact.area = Area::Server;
                fact.reached = !name.starts_with("dead ");
                fact.fields.push(("name".into(), Value::text(name.trim_start_matches("dead "))));
                fact.fields.push(("args".into(), if args == "?" { Value::UNKNOWN } else { Value::text(args) }));
                store.facts.push(fact);
            }
            at += u32::try_from(line.len()).unwrap();
        }
    }
    let files = paths.iter().map(file).collect();
    let project = Project { tree, files, services: vec![Service::default()], ..Project::default() };
    (project, store)
}

fn rules(kind: &str, body: &str) -> RuleSet {
    let head = format!("id = 'c'\ntitle = 'T'\ncategory = 'a'\nkind = '{kind}'\npriority = 'P1'\n");
    let file = Source { path: "a/c.toml".into(), text: format!("{head}{body}").into() };
    RuleSet::from_files(vec![file]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn messages(kind: &str, body: &str) -> Vec<String> {
    run_examples(&rules(kind, body), &understand).failures.iter().map(ToString::to_string).collect()
}

const RULE: &str = "[rule.r]\neach = { fact = 'call', name = 'get' }\nbad = { args = 'x' }\n[[rule.r.example]]\n";

#[test]
fn marks_are_compared_with_verdicts() {
    let right = "files.'a.txt' = '''\nget: x //~ bad\nget: y //~ none\nget: ? //~ unknown\nset: x\n'''";
    assert_eq!(messages("defect", &format!("{RULE}{right}")), Vec::<String>::new());
    let wrong = "files.'a.txt' = '''\nget: x\nget: y //~ bad\nset: x //~ bad\n'''";
    assert_eq!(
        messages("defect", &format!("{RULE}{wrong}")),
        [
            "a/c.toml:9: r: a.txt:1 is bad, but has no such mark",
            "a/c.toml:9: r: a.txt:2 should be bad, but is none",
            "a/c.toml:9: r: a.txt:3 should be bad, but is no site",
        ]
    );
}

#[test]
fn good_half_dead_and_gaps() {
    let rule =
        "[rule.r]\neach = { fact = 'call' }\ngood = { args = 'full' }\nhalf = { args = 'part' }\n[[rule.r.example]]\n";
    let example = "files.'a.txt' = '''\na: full //~ good\nb: part //~ half\nc: nothing //~ bad\ndead d: full //~ dead\n'''\n\
        [[rule.r.example]]\nfiles.'b.txt' = 'a: other'\nexpect = [{ path = 'b.txt', line = 1, is = 'bad' }]";
    assert_eq!(messages("coverage", &format!("{rule}{example}")), Vec::<String>::new());
    let capability = "files.'a.txt' = '''\na: full //~ good\nc: nothing //~ none\n'''";
    assert_eq!(messages("capability", &format!("{rule}{capability}")), Vec::<String>::new());
}

#[test]
fn a_control_that_does_not_apply_says_nothing() {
    let body = format!(
        "applies = {{ some = {{ fact = 'call', name = 'server' }} }}\n{RULE}files.'a.txt' = '''\nget: x //~ none\n'''\n\
        [[rule.r.example]]\nfiles.'a.txt' = '''\nserver: 1\nget: x //~ bad\n'''"
    );
    assert_eq!(messages("defect", &body), Vec::<String>::new());
}

#[test]
fn an_example_can_say_that_the_control_does_not_apply() {
    let body = |applies: bool| {
        format!(
            "applies = {{ some = {{ fact = 'call', name = 'server' }} }}\n{RULE}files.'a.txt' = '''\nserver: 1\nget: x //~ bad\nget: y\nset: x\n'''\n\
            [[rule.r.example]]\napplies = {applies}\nfiles.'a.txt' = 'other: x'"
        )
    };
    assert_eq!(messages("defect", &body(false)), Vec::<String>::new());
    let said = "a/c.toml:17: r: the control does not apply, but the example says that it applies";
    assert_eq!(messages("defect", &body(true)), [said]);
    assert!(find_mutants(&rules("defect", &body(false)), &understand).is_empty());
}

#[test]
fn rules_need_a_hit_and_code_they_leave_alone() {
    assert_eq!(
        messages("defect", &format!("{RULE}files.'a.txt' = 'get: y'")),
        ["a/c.toml:6: r: no example shows a hit"]
    );
    assert_eq!(
        messages("defect", &format!("{RULE}files.'a.txt' = 'get: x //~ bad'")),
        ["a/c.toml:6: r: no example shows code that it leaves alone"]
    );
    assert_eq!(
        messages("defect", "[rule.r]\neach = { fact = 'call' }\nbad = true"),
        ["a/c.toml:6: r: no example shows a hit"]
    );
}

#[test]
fn broken_examples_are_failures_with_a_place() {
    let found = messages("defect", &format!("{RULE}files.'a.txt' = 'get: x //~ bda'"));
    assert!(found.contains(&"a/c.toml:10: r: there is no mark `bda`; did you mean `bad`?".to_owned()), "{found:?}");
}

#[test]
fn mutants_name_conditions_that_no_example_needs() {
    let rule = "[rule.r]\neach = { fact = 'call', name = 'get' }\nbad = { args = 'x', symbol = ':absent' }\n[[rule.r.example]]\n";
    let example = "files.'a.txt' = '''\nget: x //~ bad\nget: y\nset: x\n'''";
    let mutants = find_mutants(&rules("defect", &format!("{rule}{example}")), &understand);
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.condition.as_str()).collect();
    assert_eq!(names, ["rule.r.bad.symbol"]);
    assert_eq!(mutants[0].line, 8);
}

#[test]
fn a_rule_of_notes_shows_the_whole_control() {
    let body = "[rule.r]\neach = { fact = 'call', name = 'get' }\nbad = { args = 'x' }\n\
        [[rule.r.example]]\nfiles.'a.txt' = '''\nget: x //~ bad\nget: y\n'''\n\
        [rule.n]\neach = { fact = 'call', name = 'set' }\nnote = { args = 'x' }\n\
        [[rule.n.example]]\nfiles.'a.txt' = '''\nget: x //~ bad\nset: x //~ dead\nset: y //~ none\n'''";
    assert_eq!(messages("defect", body), Vec::<String>::new());
}
