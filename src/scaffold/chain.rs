//! Methods that modules call on an expression that is there: `.layer(…)` behind a router.

use super::anchors::Place;
use super::compose::{CHAINED, Composer};
use super::edits::Edit;
use super::module::EditSpec;
use super::rust::on_lines;
use super::store::Inserted;
use super::work::Work;

impl Composer<'_> {
    /// Puts the calls of an edit on lines of their own behind the expression, in the order of the stack.
    pub(super) fn chain(&mut self, work: &mut Work<'_>, spec: &EditSpec, place: &Place) -> Result<(), String> {
        let code = work.code(&spec.insert, place)?.trim().to_owned();
        let text = self.original(&place.path).ok_or_else(|| format!("{} cannot be read", place.path))?;
        let line_break = work.renderer.conventions().line_break();
        let lines = code.lines().map(str::trim_end).filter(|line| !line.is_empty());
        let piece: String = lines.map(|line| format!("{line_break}{}{line}", place.indent)).collect();
        let rank = work.stack.rank(&work.module.id);
        let at = self.before_later(work, spec, place, &text);
        let mut edits = vec![((CHAINED + rank, String::new()), Edit::insert(at, piece))];
        if let Some(rest) = rest_of_line(&text, place.at) {
            let end = place.at + rest.len();
            let moved = on_lines(rest, &place.indent, line_break);
            edits.push(((usize::MAX, String::new()), Edit::replace(place.at, end, moved)));
        }
        work.draft.inserted.push(Inserted { path: place.path.clone(), anchor: spec.anchor.clone(), text: code });
        self.edit_code(&place.path, &text, edits);
        Ok(())
    }

    /// In front of the calls of modules that were applied before and come later.
    fn before_later(&self, work: &Work<'_>, spec: &EditSpec, place: &Place, text: &str) -> usize {
        let rank = work.stack.rank(&work.module.id);
        let later = self.lock.modules.iter().filter(|module| work.stack.rank(&module.id) > rank);
        let inserted = later.flat_map(|module| &module.inserted);
        let here = inserted.filter(|one| one.path == place.path && one.anchor == spec.anchor);
        let starts = here.filter_map(|one| {
            let before = text.get(..place.at)?;
            let found = before.rfind(one.text.lines().next()?)?;
            Some(before.get(..found)?.trim_end().len())
        });
        starts.min().unwrap_or(place.at)
    }
}

/// What is called on one line behind a place, up to the end of the statement: `.await.unwrap()`.
fn rest_of_line(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?;
    let line = rest.lines().next().unwrap_or_default().trim_end();
    let calls = line.strip_suffix(';').unwrap_or(line);
    (calls.starts_with('.') && calls.matches('(').count() == calls.matches(')').count()).then_some(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_on_the_line_is_told() {
        assert_eq!(rest_of_line("serve(a).await.unwrap();\nx", 8), Some(".await.unwrap()"));
        assert_eq!(rest_of_line("serve(a)\n    .await;\n", 8), None);
        assert_eq!(rest_of_line("serve(a);", 8), None);
        assert_eq!(rest_of_line("serve(a).map(|x| {\n})", 8), None);
    }
}
