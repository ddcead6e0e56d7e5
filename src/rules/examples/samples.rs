//! Samples of text formats: each format finds what it says it finds and, where it looks for secrets, not the same text
//! with nothing in it.

use super::{ExampleFailure, failure, keys, line_of};
use crate::project::Area;
use crate::rules::ruleset::RuleSet;
use crate::rules::scan::TextScanner;
use crate::rules::schema::{Control, Rule, TextFormat};

/// How many samples the control has, and which of them fail.
pub fn check(rules: &RuleSet, control: &Control) -> (usize, Vec<ExampleFailure>) {
    let formats: Vec<(&Rule, &TextFormat)> = control
        .rules
        .iter()
        .flat_map(|rule| rule.text.iter().flat_map(move |text| text.formats.iter().map(move |format| (rule, format))))
        .filter(|(_, format)| !format.label.is_empty())
        .collect();
    if formats.is_empty() {
        return (0, Vec::new());
    }
    let Ok(scanner) = TextScanner::new(rules) else { return (0, Vec::new()) };
    let failures = formats.iter().filter_map(|(rule, format)| {
        let message = problem(&scanner, rule, format)?;
        Some(failure(control, rule, line_of(control, format.start), message))
    });
    (formats.len(), failures.collect())
}

fn problem(scanner: &TextScanner, rule: &Rule, format: &TextFormat) -> Option<String> {
    let label = &format.label;
    let Some(sample) = &format.sample else { return Some(format!("the format `{label}` has no sample")) };
    if !rule.secret {
        return (!finds(format, sample)).then(|| format!("the format `{label}` does not find its sample"));
    }
    let found = |value: &str| {
        let text = format!("export const value = \"{value}\"\n");
        let matches = scanner.scan("src/value.ts", Area::Server, &text);
        matches.into_iter().filter(|found| *found.rule == *rule.id).map(|found| found.label).next()
    };
    let Some((key, blank)) = keys::from_shape(sample) else {
        return Some(format!("the sample of `{label}` is no text with `<alphabet:count>` in it"));
    };
    match found(&key) {
        None => Some(format!("the format `{label}` does not find its sample")),
        Some(other) if other != *label => Some(format!("the sample of `{label}` is found as `{other}`")),
        Some(_) if found(&blank).is_some() => Some(format!("the format `{label}` finds a text of one repeated letter")),
        Some(_) => None,
    }
}

/// The sample of what is no secret stands as it would in a file.
fn finds(format: &TextFormat, sample: &str) -> bool {
    let lower = sample.to_lowercase();
    let is_near = format.keywords.iter().any(|keyword| lower.contains(&keyword.to_lowercase()));
    is_near && format.regex.get().is_some_and(|regex| regex.is_match(sample))
}
