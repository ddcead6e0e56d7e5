//! The tables of the terminal report.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::report::model::{Report, ServiceReport};
use crate::report::text;
use crate::report::view::{self, PRIORITIES};

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
    let tally = view::tally(report, |control| control.priority);
    let columns = view::columns(&tally);
    let mut table = plain();
    table.set_header(std::iter::once("CONTROLS").chain(columns.iter().map(|(_, heading)| *heading)));
    for priority in PRIORITIES {
        let label = format!("{priority:?} {}", view::priority(priority));
        let counts = tally.get(&priority);
        let count = |state| counts.and_then(|counts| counts.get(state)).copied().unwrap_or(0).to_string();
        table.add_row(std::iter::once(label).chain(columns.iter().map(|(state, _)| count(state))));
    }
    align_numbers(&mut table);
    lines(&table)
}

/// Services named on the screen; the others are counted.
const MAX_SERVICES: usize = 4;

/// Path, score and grade of each service that has a score, the worst first, and how many have none.
pub fn services(report: &Report) -> Vec<String> {
    let mut scored: Vec<(f64, &ServiceReport)> =
        report.project.services.iter().filter_map(|service| Some((service.score.value?, service))).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.path.cmp(&b.1.path)));
    let unscored = report.project.services.len() - scored.len();
    let named = scored.iter().take(MAX_SERVICES).map(|(value, service)| {
        let path = text::terminal(&service.path);
        format!("{} {value:.1} {}", text::truncate_front(&path, 40), view::grade(&service.score))
    });
    let mut parts: Vec<String> = named.collect();
    if scored.len() > MAX_SERVICES {
        parts.push(format!("{} better ones", scored.len() - MAX_SERVICES));
    }
    if unscored > 0 {
        parts.push(format!("{unscored} without a score"));
    }
    parts
}

fn align_numbers(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
