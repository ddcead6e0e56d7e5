//! Regular expressions near keywords: one pass over the text for all keywords, expressions only around the hits.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memrchr};
use regex::Regex;

use super::files::{FilesOfRules, FilesOfRulesBuilder};
use super::keywords::{Hit, Keywords};
use super::{MAX_MATCHES, Match, floor_boundary, wrapped};
use crate::project::Area;
use crate::rules::error::Problem;
use crate::rules::ruleset::{RuleErrors, RuleSet};
use crate::rules::schema::{TextFormat, TextMatch};

/// Text around a keyword in which an expression is tried.
const BEFORE: usize = 256;
const AFTER: usize = 2048;
/// Text before a match that may say that it is only shown.
const LEAD: usize = 700;

/// All `match` rules, compiled into one automaton over their keywords. Expressions are compiled when they are first
/// needed; [`RuleSet::check`] tells of broken ones.
pub struct TextScanner {
    keywords: Keywords,
    /// For each pattern of the automaton, what it is and the formats that have it.
    patterns: Vec<Pattern>,
    files: FilesOfRules,
    rules: Vec<Compiled>,
    formats: Vec<Format>,
}

/// What the automaton looks for.
struct Pattern {
    text: String,
    formats: Vec<usize>,
    /// The beginning of a keyword in base64.
    wrapped: bool,
}

struct Compiled {
    id: Arc<str>,
    spec: TextMatch,
    secret: bool,
}

/// One expression of a rule.
struct Format {
    /// Index into the rules.
    rule: usize,
    spec: TextFormat,
}

impl TextScanner {
    pub fn new(set: &RuleSet) -> Result<TextScanner, RuleErrors> {
        let mut rules = Vec::new();
        let mut files = FilesOfRulesBuilder::default();
        let mut errors = Vec::new();
        for (control, rule) in set.rules() {
            let Some(spec) = &rule.text else { continue };
            if let Err(error) = files.add(spec) {
                let problem = Problem::new(rule.start, rule.end, error.to_string());
                errors.push(problem.in_file(&control.source.path, &control.source.text));
            }
            rules.push(Compiled { id: rule.id.as_str().into(), spec: spec.clone(), secret: rule.secret });
        }
        if !errors.is_empty() {
            return Err(RuleErrors(errors));
        }
        let files = files.build().map_err(|error| broken("files", &error))?;
        let formats: Vec<Format> = rules
            .iter()
            .enumerate()
            .flat_map(|(rule, compiled)| {
                compiled.spec.formats.iter().map(move |spec| Format { rule, spec: spec.clone() })
            })
            .collect();
        let patterns = patterns(&formats);
        let keywords = Keywords::new(patterns.iter().map(|pattern| pattern.text.as_str()));
        let keywords = keywords.map_err(|error| broken("keywords", &error))?;
        Ok(TextScanner { keywords, patterns, files, rules, formats })
    }

    /// No rule looks at text.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Everything that the rules find in a file, in order of place, then rule. Of the formats of a rule that find the
    /// same place, the first one counts.
    pub fn scan(&self, path: &str, area: Area, text: &str) -> Vec<Match> {
        let mut eligible = self.files.eligible(path);
        for (eligible, rule) in eligible.iter_mut().zip(&self.rules) {
            *eligible &= rule.spec.areas.is_empty() || rule.spec.areas.contains(&area);
        }
        if !eligible.contains(&true) {
            return Vec::new();
        }
        let mut windows: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.formats.len()];
        let mut matches: Vec<Match> = Vec::new();
        self.keywords.find(text, |Hit { keyword, range }| {
            let Some(pattern) = self.patterns.get(keyword) else { return };
            if pattern.wrapped {
                if matches.len() < MAX_MATCHES && text.get(range.clone()) == Some(&pattern.text) {
                    matches.extend(self.unwrapped(text, range.start, pattern, &eligible));
                }
                return;
            }
            for &owner in &pattern.formats {
                let (Some(format), Some(windows)) = (self.formats.get(owner), windows.get_mut(owner)) else { continue };
                if eligible.get(format.rule) == Some(&true) && format.may_start(text, range.start, range.end) {
                    format.look_near(text, &range, windows);
                }
            }
        });
        let near = self.formats.iter().zip(&windows).filter(|(_, windows)| !windows.is_empty());
        matches.extend(
            near.filter_map(|(format, windows)| Some(format.matches(self.rules.get(format.rule)?, text, windows)))
                .flatten(),
        );
        matches.sort_by(|a, b| (a.start, &a.rule, a.end).cmp(&(b.start, &b.rule, b.end)));
        matches.dedup_by(|b, a| a.rule == b.rule && b.start < a.end);
        matches
    }

    /// What a format finds in the base64 that begins here: the place and the text are those of the base64.
    fn unwrapped(&self, text: &str, start: usize, pattern: &Pattern, eligible: &[bool]) -> Option<Match> {
        let (run, inner) = wrapped::read(text, start)?;
        let formats = pattern.formats.iter().filter_map(|&owner| self.formats.get(owner));
        let found = formats.filter(|format| eligible.get(format.rule) == Some(&true)).find_map(|format| {
            let rule = self.rules.get(format.rule).filter(|rule| rule.secret)?;
            format.matches(rule, &inner, &[(0, inner.len())]).into_iter().find(|found| found.start == 0)
        })?;
        Some(Match { start: run.start, end: run.end, text: text.get(run)?.to_owned(), ..found })
    }
}

/// What all rules together make does not compile, though each of them does.
fn broken(what: &str, error: &dyn std::error::Error) -> RuleErrors {
    RuleErrors(vec![Problem::new(0, 0, format!("the {what} of rules: {error}")).in_file("rules", "")])
}

/// The distinct keywords, plain and in base64, and which formats each belongs to.
fn patterns(formats: &[Format]) -> Vec<Pattern> {
    let mut by_text: std::collections::BTreeMap<(String, bool), Vec<usize>> = std::collections::BTreeMap::new();
    for (index, format) in formats.iter().enumerate() {
        for keyword in &format.spec.keywords {
            let wrapped = wrapped::beginning(keyword).filter(|_| format.spec.starts).map(|text| (text, true));
            for pattern in [(keyword.to_ascii_lowercase(), false)].into_iter().chain(wrapped) {
                let owners = by_text.entry(pattern).or_default();
                if owners.last() != Some(&index) {
                    owners.push(index);
                }
            }
        }
    }
    by_text.into_iter().map(|((text, wrapped), formats)| Pattern { text, formats, wrapped }).collect()
}

/// Adds a window to those of a format, which are in order of their ends.
fn widen(windows: &mut Vec<(usize, usize)>, start: usize, end: usize) {
    match windows.last_mut() {
        Some(last) if start <= last.1 => last.1 = last.1.max(end),
        _ => windows.push((start, end)),
    }
}

impl Format {
    /// A keyword that a match starts with stands there as it is written, at the beginning of a word.
    fn may_start(&self, text: &str, start: usize, end: usize) -> bool {
        let before = start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let exact = || text.get(start..end).is_some_and(|hit| self.spec.keywords.iter().any(|keyword| keyword == hit));
        !self.spec.starts || (!word && exact())
    }

    /// Adds the window around a keyword: its line where the expression cannot match more.
    fn look_near(&self, text: &str, keyword: &Range<usize>, windows: &mut Vec<(usize, usize)>) {
        let mut start = if self.spec.starts { keyword.start } else { keyword.start.saturating_sub(BEFORE) };
        let mut end = keyword.end.saturating_add(AFTER).min(text.len());
        if self.spec.regex.stays_in_line() {
            let bytes = text.as_bytes();
            start += memrchr(b'\n', &bytes[start..keyword.start]).map_or(0, |at| at + 1);
            end = memchr(b'\n', &bytes[keyword.end..end]).map_or(end, |at| keyword.end + at + 1);
        }
        widen(windows, start, end);
    }

    fn matches(&self, rule: &Compiled, text: &str, windows: &[(usize, usize)]) -> Vec<Match> {
        let mut matches: Vec<Match> = Vec::new();
        let Some(regex) = self.spec.regex.get() else { return matches };
        for &(start, end) in windows {
            let Some(head) = text.get(..floor_boundary(text, end)) else { continue };
            let mut at = floor_boundary(text, start);
            while matches.len() < MAX_MATCHES
                && at <= head.len()
                && let Some((whole, group)) = self.next_match(regex, head, at)
            {
                at = next_boundary(head, whole.end.max(whole.start + 1));
                if let Some(found) = self.accept(rule, head, whole, group)
                    && matches.last().is_none_or(|last| last.start < found.start)
                {
                    matches.push(found);
                }
            }
        }
        matches
    }

    /// What the expression finds next, and the rule's group in it. Groups cost a second search.
    fn next_match(&self, regex: &Regex, text: &str, at: usize) -> Option<(Range<usize>, Range<usize>)> {
        if self.spec.group == 0 {
            let whole = regex.find_at(text, at)?.range();
            return Some((whole.clone(), whole));
        }
        let captures = regex.captures_at(text, at)?;
        let whole = captures.get(0)?;
        let group = captures.get(self.spec.group).unwrap_or(whole);
        Some((whole.range(), group.range()))
    }

    /// What the expression found in the text, unless the rule makes an exception of it.
    fn accept(&self, rule: &Compiled, text: &str, whole: Range<usize>, group: Range<usize>) -> Option<Match> {
        let lead = |end: usize| text.get(floor_boundary(text, end.saturating_sub(LEAD))..end).unwrap_or_default();
        let (whole, found) = (text.get(whole)?, text.get(group.clone())?);
        if self.spec.entropy.is_some_and(|least| entropy(found) < least) {
            return None;
        }
        let stopped = !rule.spec.stop_words.is_empty() && {
            let lower = found.to_lowercase();
            rule.spec.stop_words.iter().any(|word| lower.contains(word))
        };
        let allowed = rule.spec.allow.iter().filter_map(|regex| regex.get()).any(|regex| regex.is_match(whole));
        let mut shown = rule.spec.not_after.iter().filter_map(|regex| regex.get());
        (!stopped && !allowed && !shown.any(|regex| regex.is_match(lead(group.start)))).then(|| Match {
            rule: rule.id.clone(),
            label: self.spec.label.clone(),
            start: group.start,
            end: group.end,
            text: found.to_owned(),
            secret: rule.secret,
        })
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    let mut at = at;
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Shannon entropy in bits per character.
pub fn entropy(text: &str) -> f64 {
    let mut counts: std::collections::BTreeMap<char, f64> = std::collections::BTreeMap::new();
    let mut total = 0.0;
    for character in text.chars() {
        *counts.entry(character).or_default() += 1.0;
        total += 1.0;
    }
    counts.values().map(|count| -(count / total) * (count / total).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::schema::Source;

    fn scanner(body: &str) -> Result<TextScanner, RuleErrors> {
        let head = "id = 'c'\ntitle = 'T'\ncategory = 'a'\nkind = 'defect'\npriority = 'P0'\n";
        let files = vec![Source { path: "a/c.toml".into(), text: format!("{head}{body}").into() }];
        RuleSet::from_files(files).and_then(|set| set.check().and_then(|()| TextScanner::new(&set)))
    }

    fn found(body: &str, text: &str) -> Vec<String> {
        let matches = scanner(body).unwrap().scan("src/a.ts", Area::Server, text);
        matches.into_iter().map(|found| found.text).collect()
    }

    const KEY: &str = "[rule.key]\nsecret = true\nmatch = { regex = '\\b(QK_[A-Z0-9]{8,})\\b', group = 1, keywords = ['qk_'], \
        entropy = 2.0, stop_words = ['EXAMPLE'], allow = ['QK_0+$'], not_files = ['**/*.md'] }";

    #[test]
    fn finds_what_looks_random_and_not_what_is_allowed() {
        assert_eq!(found(KEY, "a = 'QK_A1B2C3D4E5'"), ["QK_A1B2C3D4E5"]);
        assert!(found(KEY, "a = 'QK_AAAAAAAAAA'").is_empty(), "low entropy");
        assert!(found(KEY, "a = 'QK_EXAMPLE1234'").is_empty(), "stop word");
        assert!(found(KEY, "a = 'XQK_A1B2C3D4E5'").is_empty(), "no word boundary");
        assert_eq!(found(KEY, "é QK_A1B2C3D4E5 é QK_Z9Y8X7W6V5 é").len(), 2);
    }

    #[test]
    fn formats_that_start_with_a_word_need_it_as_written() {
        let rule = "[rule.key]\nsecret = true\nmatch.formats = [{ label = 'Q', regex = '\\b(QK_[A-Z0-9]{8})', group = 1, \
            starts = ['QK_'] }, { label = 'R', regex = '\\b(QK_A[A-Z0-9]+)', starts = ['QK_'] }]";
        let matches = scanner(rule).unwrap().scan("a.ts", Area::Server, "QK_A1B2C3D4 qk_A1B2C3D4 XQK_A1B2C3D4");
        let labels: Vec<&str> = matches.iter().map(|found| &*found.label).collect();
        assert_eq!(labels, ["Q"]);
    }

    #[test]
    fn a_key_in_base64_is_a_key() {
        let rule = "[rule.key]\nsecret = true\nmatch.formats = [{ label = 'Q', regex = '\\b(QK_[A-Z0-9]{8})', group = 1, starts = ['QK_'] }]";
        let scan = |text: &str| scanner(rule).unwrap().scan("a.yml", Area::Server, text);
        let found = scan("data:\n  token: UUtfQTFCMkMzRDQ=\n  other: UUtfYTFiMmMzZDQ=\n");
        assert_eq!(found.iter().map(|found| found.text.as_str()).collect::<Vec<_>>(), ["UUtfQTFCMkMzRDQ="]);
        assert!(scan("token: uutfQTFCMkMzRDQ=").is_empty(), "letters as written");
    }

    #[test]
    fn files_and_areas_are_chosen() {
        let scanner = scanner(KEY).unwrap();
        let text = "QK_A1B2C3D4E5";
        assert_eq!(scanner.scan("a.ts", Area::Server, text).len(), 1);
        assert!(scanner.scan("docs/a.md", Area::Server, text).is_empty());
        assert!(scanner.scan("a.ts", Area::Test, text).is_empty());
        assert!(scanner.scan("a.ts", Area::Server, text)[0].secret);
    }

    #[test]
    fn one_long_line_is_no_trouble() {
        let text = "QK_A1B2C3D4E5 ".repeat(150_000);
        assert_eq!(found(KEY, &text).len(), 200);
        let near_misses = "qk_ é".repeat(400_000);
        assert!(found(KEY, &near_misses).is_empty());
    }

    #[test]
    fn mistakes_are_load_errors() {
        let group = "[rule.key]\nmatch = { regex = 'a', group = 2, keywords = ['ab'] }";
        let error = scanner(group).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("has 0 groups"), "{error}");
        assert!(scanner("[rule.key]\nmatch = { regex = '(', keywords = ['ab'] }").is_err());
    }

    #[test]
    fn entropy_tells_words_from_keys() {
        assert!(entropy("aaaaaaaa") < 0.1);
        assert!(entropy("a8f3Kq0Zx7Lm") > 3.5);
        assert!(entropy("").abs() < f64::EPSILON);
    }
}
