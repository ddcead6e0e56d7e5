//! What modules did to each file, one after the other, as the lock keeps it; and how that reads without one of them.

use std::collections::BTreeMap;

use super::edits::{Edit, apply};
use super::store::{Lock, base};
use crate::project::{DATA_LIMIT, ReadProblem, Tree};

/// A module's change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Index into [`Lock::modules`].
    pub module: usize,
    /// None if it created the file.
    pub before: Option<String>,
    pub after: String,
}

/// All changes of one file, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub changes: Vec<Change>,
}

/// Two changes cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict;

/// The histories of all files of a lock, by path.
pub fn histories(tree: &Tree, lock: &Lock) -> Result<BTreeMap<String, History>, String> {
    let mut histories: BTreeMap<String, History> = BTreeMap::new();
    let text = |hash: &String| {
        let bytes = base(tree, hash)?;
        String::from_utf8(bytes).map_err(|_| format!("the kept text {hash} is not UTF-8"))
    };
    for (module, locked) in lock.modules.iter().enumerate() {
        for file in &locked.files {
            let change =
                Change { module, before: file.before.as_ref().map(&text).transpose()?, after: text(&file.after)? };
            histories.entry(file.path.clone()).or_default().changes.push(change);
        }
    }
    Ok(histories)
}

/// A file as it is on the disk; none if it is gone.
pub fn on_disk(tree: &Tree, path: &str) -> Result<Option<String>, String> {
    match tree.read(path, DATA_LIMIT) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| format!("{path} is no longer UTF-8")),
        Err(ReadProblem::Missing) => Ok(None),
        Err(problem) => Err(format!("{path} cannot be read: {problem}")),
    }
}

impl History {
    /// The text as all modules left it.
    pub fn end(&self) -> Option<&str> {
        self.changes.last().map(|change| change.after.as_str())
    }

    /// The text before any of them; none if the file was created.
    pub fn start(&self) -> Option<&str> {
        self.changes.first().and_then(|first| first.before.as_deref())
    }

    /// The same history with some changes replaced: a change that becomes none is taken out. What was done between
    /// two changes by hand stays. The text at the end is none if nothing is left of the file.
    pub fn with(&self, replaced: &BTreeMap<usize, Option<String>>) -> Result<(History, Option<String>), Conflict> {
        let mut now = self.start().map(str::to_owned);
        let mut expected = now.clone();
        let mut history = History::default();
        for change in &self.changes {
            // What somebody changed by hand since the last module.
            now = follow(expected.as_deref(), now, change.before.as_deref())?;
            expected = Some(change.after.clone());
            let after = match replaced.get(&change.module) {
                Some(None) => continue,
                Some(Some(other)) => other.clone(),
                None => change.after.clone(),
            };
            let before = now.clone();
            now = follow(change.before.as_deref(), now, Some(&after))?;
            if let Some(after) = &now {
                history.changes.push(Change { module: change.module, before, after: after.clone() });
            }
        }
        Ok((history, now))
    }
}

/// Makes the change from `from` to `to` in `now`.
fn follow(from: Option<&str>, now: Option<String>, to: Option<&str>) -> Result<Option<String>, Conflict> {
    if from == to {
        return Ok(now);
    }
    if now.as_deref() == from {
        return Ok(to.map(str::to_owned));
    }
    match (from, now, to) {
        (Some(from), Some(now), Some(to)) => match diffy::merge(from, &now, to) {
            Ok(text) => Ok(Some(text)),
            Err(_) => insert_between(from, &now, to).map(Some).ok_or(Conflict),
        },
        // The file is gone with the module that made it; what another one appended is all that is left.
        (Some(from), None, Some(to)) => {
            let appended = to.strip_prefix(from).ok_or(Conflict)?;
            Ok(Some(appended.trim_start_matches(['\r', '\n']).to_owned()))
        }
        (_, None, _) => Ok(None),
        _ => Err(Conflict),
    }
}

/// A change that only inserts, made where the lines around it still stand. A merge takes two insertions side by side
/// for a conflict, although they do not concern each other.
fn insert_between(from: &str, now: &str, to: &str) -> Option<String> {
    let mut options = diffy::DiffOptions::new();
    options.set_context_len(0);
    let patch = options.create_patch(from, to);
    let lines: Vec<&str> = from.split_inclusive('\n').collect();
    let mut edits = Vec::new();
    for hunk in patch.hunks() {
        let mut inserted = String::new();
        for line in hunk.lines() {
            match line {
                diffy::Line::Insert(text) => inserted.push_str(text),
                diffy::Line::Context(_) | diffy::Line::Delete(_) => return None,
            }
        }
        // An empty old range names the line in front of it, counted from one.
        edits.push(Edit::insert(place_of(now, &lines, hunk.old_range().start())?, inserted));
    }
    Some(apply(now, &edits))
}

/// Lines of the neighbourhood that tell a place, at most.
const NEIGHBOURS: usize = 3;

/// Where, in the text as it is now, the place behind so many lines of the earlier text is: in front of what followed,
/// or behind what stood before, if that is there exactly once.
fn place_of(now: &str, lines: &[&str], at: usize) -> Option<usize> {
    let (above, below) = lines.split_at_checked(at.min(lines.len()))?;
    if below.is_empty() {
        return Some(now.len());
    }
    let only = |wanted: &str| {
        let mut found = now
            .match_indices(wanted)
            .filter(|(at, _)| *at == 0 || now.get(..*at).is_some_and(|above| above.ends_with('\n')));
        match (found.next(), found.next()) {
            (Some((at, _)), None) if !wanted.trim().is_empty() => Some(at),
            _ => None,
        }
    };
    (1..=NEIGHBOURS).rev().find_map(|count| {
        let next = below.get(..count).map(<[&str]>::concat);
        let previous = above.len().checked_sub(count).and_then(|from| above.get(from..)).map(<[&str]>::concat);
        let before_next = next.and_then(|text| only(&text));
        before_next.or_else(|| previous.and_then(|text| Some(only(&text)? + text.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(module: usize, before: Option<&str>, after: &str) -> Change {
        Change { module, before: before.map(str::to_owned), after: after.to_owned() }
    }

    fn without(history: &History, modules: &[usize]) -> Result<Option<String>, Conflict> {
        history.with(&modules.iter().map(|module| (*module, None)).collect()).map(|(_, text)| text)
    }

    const APP: &str = "make\n\nroutes\n\nlisten\n";

    fn app() -> History {
        let one = APP.replace("make\n", "make\none\n");
        let two = one.replace("listen", "two\nlisten");
        History { changes: vec![change(0, Some(APP), &one), change(1, Some(&one), &two)] }
    }

    #[test]
    fn a_module_can_be_taken_out_of_the_middle() {
        assert_eq!(without(&app(), &[0, 1]), Ok(Some(APP.to_owned())));
        assert_eq!(without(&app(), &[1]), Ok(Some(APP.replace("make\n", "make\none\n"))));
        assert_eq!(without(&app(), &[0]), Ok(Some(APP.replace("listen", "two\nlisten"))));
        let created = History { changes: vec![change(0, None, "a"), change(1, Some("a"), "ab")] };
        assert_eq!(without(&created, &[0, 1]), Ok(None));
    }

    #[test]
    fn what_was_changed_by_hand_between_two_modules_stays() {
        let mut history = app();
        let by_hand = |text: &str| text.replace("routes", "routes\nmine");
        let second = &mut history.changes[1];
        second.before = second.before.as_deref().map(by_hand);
        second.after = by_hand(&second.after);
        assert_eq!(without(&history, &[0, 1]), Ok(Some(by_hand(APP))));
        assert_eq!(without(&history, &[0]), Ok(Some(by_hand(APP).replace("listen", "two\nlisten"))));
    }

    #[test]
    fn a_newer_change_replaces_an_older_one() {
        let newer = APP.replace("make\n", "make\nnewer\n");
        let (history, text) = app().with(&BTreeMap::from([(0, Some(newer.clone()))])).unwrap();
        assert_eq!(text.unwrap(), newer.replace("listen", "two\nlisten"));
        assert_eq!(history.changes[0].after, newer);
        assert_eq!(history.changes[1].before.as_ref(), Some(&newer));
    }

    #[test]
    fn insertions_side_by_side_do_not_concern_each_other() {
        let history =
            History { changes: vec![change(0, Some("a\n"), "a\nb\n"), change(1, Some("a\nb\n"), "a\nb\nc\n")] };
        assert_eq!(without(&history, &[0]), Ok(Some("a\nc\n".to_owned())));
        assert_eq!(without(&history, &[1]), Ok(Some("a\nb\n".to_owned())));
        let between = [change(0, Some("a\nz\n"), "a\nb\nz\n"), change(1, Some("a\nb\nz\n"), "a\nb\nc\nz\n")];
        assert_eq!(without(&History { changes: between.to_vec() }, &[0]), Ok(Some("a\nc\nz\n".to_owned())));
        let two = [
            change(0, Some("a\n\nm\nn\n"), "a\n\nb\n\nm\nc\nn\n"),
            change(1, Some("a\n\nb\n\nm\nc\nn\n"), "a\n\nb\nx\n\nm\nc\ny\nn\n"),
        ];
        assert_eq!(without(&History { changes: two.to_vec() }, &[0]).map(|text| text.is_some()), Ok(true));
        let created = History { changes: vec![change(0, None, "a\n"), change(1, Some("a\n"), "a\n\nb\n")] };
        assert_eq!(without(&created, &[0]), Ok(Some("b\n".to_owned())));
        assert_eq!(without(&created, &[0, 1]), Ok(None));
    }

    #[test]
    fn changes_of_one_line_cannot_be_told_apart() {
        let history = History { changes: vec![change(0, Some("a\n"), "b\n"), change(1, Some("b\n"), "c\n")] };
        assert_eq!(without(&history, &[0]), Err(Conflict));
        assert_eq!(without(&history, &[1]), Ok(Some("b\n".to_owned())));
    }
}
