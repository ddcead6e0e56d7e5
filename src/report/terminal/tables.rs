//! The tables of the terminal report.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::report::model::{Report, ServiceReport};
use crate::report::text;
use crate::report::view::{self, PRIORITIES, STATES};

/// A table without lines; only its contents decide its width.
pub fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The lines of a table, without blanks at either end.
pub fn lines(table: &Table) -> Vec<String> {
    table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect()
}

/// How many controls of each priority are in which state; states that do not occur have no column.
pub fn priorities(report: &Report) -> Vec<String> {
    let count = |priority: &str, state: &str| {
        report.tallies.priority.get(priority).and_then(|counts| counts.get(state)).copied().unwrap_or(0)
    };
    let keys = PRIORITIES.map(|priority| format!("{priority:?}"));
    let always = ["pass", "partial", "fail", "unknown", "not-applicable"];
    let shown: Vec<_> = STATES
        .iter()
        .filter(|(state, _)| always.contains(state) || keys.iter().any(|key| count(key, state) > 0))
        .collect();
    let mut table = plain();
    table.set_header(std::iter::once("CONTROLS").chain(shown.iter().map(|(_, heading)| *heading)));
    for (priority, key) in PRIORITIES.iter().zip(&keys) {
        let label = format!("{key} {}", view::priority(*priority));
        table.add_row(std::iter::once(label).chain(shown.iter().map(|(state, _)| count(key, state).to_string())));
    }
    align_numbers(&mut table);
    lines(&table)
}

/// Score, grade and blockers of each service, the worst first.
pub fn services(report: &Report, max: usize) -> Vec<String> {
    let mut services: Vec<&ServiceReport> = report.project.services.iter().collect();
    services.sort_by(|a, b| {
        let value = |service: &ServiceReport| service.score.value.unwrap_or(f64::INFINITY);
        value(a).total_cmp(&value(b)).then_with(|| a.path.cmp(&b.path))
    });
    let mut table = plain();
    let shown = if services.len() > max { format!(" ({max} of {})", services.len()) } else { String::new() };
    table.set_header([&format!("SERVICE{shown}"), "score", "grade", "verdict", "blockers"]);
    for service in services.iter().take(max) {
        let score = &service.score;
        table.add_row([
            text::truncate_front(&text::terminal(&service.path), 40).into_owned(),
            view::value(score),
            view::grade(score),
            view::verdict(score).to_owned(),
            score.blockers.len().to_string(),
        ]);
    }
    lines(&table)
}

fn align_numbers(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
