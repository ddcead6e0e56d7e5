use super::*;
use crate::facts::Confidence;
use crate::rules::{Blocks, ControlKind, Mode, Priority};

const LEXICON_TEXT: &str = include_str!("../../../rules/lexicons.toml");

fn load(text: &str) -> Result<RuleSet, RuleErrors> {
    RuleSet::from_files(vec![
        Source { path: LEXICONS.into(), text: LEXICON_TEXT.into() },
        Source { path: "a/b.toml".into(), text: text.to_owned().into() },
    ])
}

const HEAD: &str = "id = 'a-b'\ntitle = 'T'\ncategory = 'api'\nkind = 'coverage'\npriority = 'P1'\n";

#[track_caller]
fn mistake(body: &str, line: usize, message: &str, help: &str) {
    let errors = load(&format!("{HEAD}{body}")).unwrap_err();
    let error = errors.0.first().unwrap();
    assert_eq!(error.problem().message, message);
    assert_eq!(error.problem().help.as_deref().unwrap_or(""), help);
    assert_eq!(error.position().0, line, "{error}");
}

#[test]
fn the_binary_holds_working_rules() {
    let set = RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}"));
    set.check().unwrap_or_else(|errors| panic!("{errors}"));
    assert!(set.lexicons.find("money").is_some());
    for control in &set.controls {
        let expected = format!("{}/{}.toml", control.info.category, control.info.id);
        assert_eq!(control.source.path, expected);
    }
}

#[test]
fn reads_a_whole_control() {
    let set = load(&format!(
        "{HEAD}blocks = 'under-half'\neffort = {{ base = 1, per_site = 0.1, max = 3 }}\nprocesses = ['http']\n\
         applies = {{ when = {{ some = {{ fact = 'route' }} }}, else = 'no routes' }}\n\
         [rule.x-y]\neach = {{ fact = 'route', group = ['path'] }}\ngood = {{ roles = {{ has = 'auth' }} }}\nhalf = true\n\
         message = '`{{method}} {{path}}` is open'\nconfidence = 'medium'\n"
    ))
    .unwrap();
    let control = set.control("a-b").unwrap();
    assert_eq!((control.info.kind, control.info.mode), (ControlKind::Coverage, Mode::Ratio));
    assert_eq!(control.info.blocks, Some(Blocks::UnderHalf));
    assert!(control.info.implemented);
    let rule = &control.rules[0];
    assert_eq!((rule.confidence, rule.group.len()), (Confidence::Medium, 1));
    assert_eq!(control.applies.as_ref().unwrap().otherwise.as_deref(), Some("no routes"));
}

#[test]
fn priorities_may_be_cases() {
    let set = load(
        "id = 'a'\ntitle = 'T'\ncategory = 'api'\nkind = 'defect'\n\
         priority = [{ when = { method = 'POST' }, is = 'P0', blocker = true }, { is = 'P2' }]\n\
         rule.r = { each = { fact = 'route' }, bad = true }",
    )
    .unwrap();
    let control = &set.controls[0];
    assert_eq!((control.info.priority, control.cases.len()), (Priority::P2, 2));
}

#[test]
fn a_control_without_rules_is_not_implemented() {
    assert!(!load(HEAD).unwrap().controls[0].info.implemented);
}

#[test]
fn match_rules_look_at_their_own_matches() {
    let set = load(&format!("{HEAD}[rule.key]\nsecret = true\nmatch = {{ regex = 'AK[A-Z]+', keywords = ['AK'] }}\n"))
        .unwrap();
    let rule = &set.controls[0].rules[0];
    assert_eq!(&*rule.each.kinds[0], "match");
    assert!(rule.finds_all());
}

#[test]
fn mistakes_name_the_place_and_the_remedy() {
    mistake("titel = 'x'", 6, "a control has no key `titel`", "did you mean `title`?");
    mistake("mode = 'rati'", 6, "`mode` cannot be `rati`", "did you mean `ratio`?");
    mistake("[rule.r]\neach = { fact = 'rout' }", 7, "there is no kind of fact `rout`", "did you mean `route`?");
    mistake("[rule.r]\neach = { fact = 'route' }\nbda = true", 8, "a rule has no key `bda`", "did you mean `bad`?");
    mistake("[rule.r]\neach = { fact = 'route' }", 6, "a rule needs `bad`, `good`, `half`, `unknown` or `note`", "");
    mistake(
        "[rule.r]\neach = { fact = 'route' }\nbad = { metod = 'GET' }",
        8,
        "there is no field `metod` here",
        "did you mean `method`?",
    );
    mistake(
        "[rule.r]\neach = { fact = 'route' }\nbad = { some = { fact = 'probe', path = '$pth' } }",
        8,
        "the site has no field `pth`",
        "did you mean `path`?",
    );
    mistake(
        "[rule.r]\neach = { fact = 'route' }\nbad = true\nmessage = '{metod}'",
        9,
        "the message names `metod`, which is no field here",
        "did you mean `method`?",
    );
    mistake(
        "[rule.r]\nmatch = { regex = 'a' }",
        7,
        "`match` needs `keywords` (or `starts`) of two or more characters, so that it looks only near them",
        "",
    );
    mistake(
        "applies = { some = { fact = 'route', path = '$path' } }",
        6,
        "`$path` speaks of a site, and there is none here",
        "",
    );
    mistake("[rule.Bad]\neach = 1", 6, "an id consists of lower-case words joined by `-`", "");
    mistake(
        "[rule.r]\nsecret = true\nmessage = '{text}'\nmatch = { regex = 'a', keywords = ['ab'] }",
        8,
        "the message of a rule about secrets must not show `text`",
        "",
    );
}

#[test]
fn ids_are_unique() {
    let rule = "rule.same = { each = { fact = 'route' }, bad = true }";
    let file = |path: &str, id: &str| Source {
        path: path.into(),
        text: format!("id = '{id}'\ntitle = 'T'\ncategory = 'c'\nkind = 'defect'\npriority = 'P1'\n{rule}").into(),
    };
    let errors = RuleSet::from_files(vec![file("c/a.toml", "a"), file("c/b.toml", "b")]).unwrap_err();
    assert_eq!(errors.0[0].problem().message, "the rule `same` is defined twice");
}

#[test]
fn user_rules_add_override_and_disable() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let base = || {
        load(&format!("{HEAD}why = 'w'\n[rule.r]\neach = {{ fact = 'route' }}\ngood = {{ public = true }}\n")).unwrap()
    };
    write("mine.toml", &HEAD.replace("a-b", "mine"));
    write("change.toml", "id = 'a-b'\npriority = 'P3'\n[rule.r]\nconfidence = 'low'\n");
    let set = base().with_user_rules(folder.path()).unwrap();
    assert_eq!(set.controls.len(), 2);
    let changed = set.control("a-b").unwrap();
    assert_eq!((changed.info.priority, changed.info.why.as_str()), (Priority::P3, "w"));
    assert_eq!(changed.rules[0].confidence, Confidence::Low);
    assert!(changed.rules[0].good.is_some());
    assert_eq!(set.overridden, ["a-b"]);
    assert!(set.is_changed());
    let strict = base().with_further_rules(folder.path()).unwrap();
    assert_eq!((strict.controls.len(), strict.is_changed()), (2, false));
    assert_eq!(strict.control("a-b").unwrap().rules[0].confidence, Confidence::High);

    write("change.toml", "id = 'a-b'\nenabled = false\n");
    let set = base().with_user_rules(folder.path()).unwrap();
    assert!(set.control("a-b").is_none());
    assert_eq!(set.disabled, ["a-b"]);

    write("change.toml", "id = 'a-b'\n[rule.r]\ngood = { method = '/(/' }\n");
    let errors = base().with_user_rules(folder.path()).unwrap_err();
    assert!(errors.to_string().contains("regular expression"), "{errors}");
}

#[test]
fn rules_under_test_are_those_of_the_path_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, HEAD.replace("a-b", "mine-alone")).unwrap();
    for path in [folder.path(), &file] {
        let set = RuleSet::under_test(path).unwrap_or_else(|errors| panic!("{errors}"));
        let ids: Vec<&str> = set.controls.iter().map(|control| control.info.id.as_str()).collect();
        assert_eq!(ids, ["mine-alone"]);
        assert_eq!(set.controls[0].source.path, "mine.toml");
    }
}

#[test]
fn a_missing_folder_of_user_rules_changes_nothing() {
    assert_eq!(load(HEAD).unwrap().with_user_rules(Path::new("does-not-exist")).unwrap().controls.len(), 1);
}
