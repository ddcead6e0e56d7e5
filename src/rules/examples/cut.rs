//! Rule files without their examples, which are most of their text and which an audit does not need.

use std::borrow::Cow;

/// What strings over several lines stand between.
const QUOTES: [&str; 2] = ["'''", "\"\"\""];

/// The text of a rule file without its tables of examples.
pub fn without_examples(text: &str) -> Cow<'_, str> {
    if !text.lines().any(is_example) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len() / 2);
    let mut in_example = false;
    let mut open: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        if open.is_none() && line.starts_with('[') {
            in_example = is_example(line);
        }
        open = quote_open_behind(line, open);
        if !in_example {
            kept.push_str(line);
        }
    }
    Cow::Owned(kept)
}

fn is_example(line: &str) -> bool {
    line.starts_with("[[rule.") && line.trim_end().ends_with(".example]]")
}

/// The quote of a string that goes on behind a line, given the one that goes on before it.
fn quote_open_behind(line: &str, open: Option<&'static str>) -> Option<&'static str> {
    let mut rest = line;
    let mut open = open;
    loop {
        let next = match open {
            Some(quote) => rest.find(quote).map(|at| (at, quote)),
            None => QUOTES.into_iter().filter_map(|quote| Some((rest.find(quote)?, quote))).min(),
        };
        let Some((at, quote)) = next else { return open };
        rest = rest.get(at + quote.len()..).unwrap_or_default();
        open = if open.is_some() { None } else { Some(quote) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::rules::schema::Rule;

    #[test]
    fn tables_of_examples_are_left_out_whatever_their_texts_hold() {
        let text = "id = 'a'\n[rule.r]\nmatch = \"\"\"\n[[rule.r.example]]\n\"\"\"\n\n[[rule.r.example]]\nfiles.a = \'\'\'\n[rule.x]\n\"\"\"\n\'\'\'\n\n[rule.s]\nbad = true\n";
        let kept = "id = 'a'\n[rule.r]\nmatch = \"\"\"\n[[rule.r.example]]\n\"\"\"\n\n[rule.s]\nbad = true\n";
        assert_eq!(without_examples(text), kept);
        assert_eq!(without_examples("id = 'a'\n"), "id = 'a'\n");
    }

    #[test]
    fn the_rules_of_the_binary_are_the_same_without_their_examples() {
        let summary = |set: RuleSet| -> Vec<String> {
            let of_rule = |rule: &Rule| {
                let says = [&rule.bad, &rule.good, &rule.half, &rule.note].map(Option::is_some);
                format!("{} {:?} {:?} {says:?}", rule.id, rule.each.kinds, rule.message.is_some())
            };
            set.rules().map(|(control, rule)| format!("{} {}", control.info.id, of_rule(rule))).collect()
        };
        let cut = RuleSet::embedded_for_audit().unwrap();
        assert!(cut.rules().all(|(_, rule)| rule.examples.is_empty()));
        assert_eq!(summary(RuleSet::embedded().unwrap()), summary(cut));
    }
}
