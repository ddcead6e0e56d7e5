//! What to do first, and what the score is after each week of it.

use std::collections::BTreeSet;

use crate::report::{Plan, State, Week};

use super::round::one;
use super::service::{Row, printed, sums_fixing};

/// Days of work in a week.
const CAPACITY: f64 = 4.0;
/// Below this a fix counts as this long: nothing is free, and days divide points.
const SHORTEST: f64 = 0.1;
const QUICK_WINS: usize = 10;

/// One control to fix, in every service where it is open.
#[derive(Debug, Clone)]
pub struct Task {
    pub control: usize,
    pub id: String,
    pub blocks: bool,
    /// The most that it is worth in a service.
    pub points: f64,
    pub days: f64,
}

impl Task {
    fn points_per_day(&self) -> f64 {
        self.points / self.days.max(SHORTEST)
    }
}

/// `services` are the rows of those that have a score.
pub fn plan(mut tasks: Vec<Task>, services: &[&[Row]]) -> Plan {
    tasks.sort_by(|a, b| b.points_per_day().total_cmp(&a.points_per_day()).then_with(|| a.id.cmp(&b.id)));
    let wins = tasks.iter().filter(|task| one(task.points) > 0.0).take(QUICK_WINS);
    let quick_wins = wins.map(|task| task.id.clone()).collect();
    tasks.sort_by_key(|task| !task.blocks);
    Plan { quick_wins, weeks: if services.is_empty() { Vec::new() } else { weeks(&tasks, services) } }
}

/// Tasks one after the other over weeks of [`CAPACITY`] days; each stands in the week that completes it.
fn weeks(tasks: &[Task], services: &[&[Row]]) -> Vec<Week> {
    let mut weeks: Vec<Week> = Vec::new();
    let mut fixed = BTreeSet::new();
    let mut used = 0.0;
    for task in tasks {
        used += task.days.max(SHORTEST);
        let week = ((used - 1e-9) / CAPACITY).floor().max(0.0) as usize;
        while weeks.len() <= week {
            weeks.push(Week { controls: Vec::new(), score: score_after(services, &fixed) });
        }
        fixed.insert(task.control);
        if let Some(last) = weeks.last_mut() {
            last.controls.push(task.id.clone());
            last.score = score_after(services, &fixed);
        }
    }
    weeks
}

/// Of the worst service, once these controls are fixed everywhere.
fn score_after(services: &[&[Row]], fixed: &BTreeSet<usize>) -> f64 {
    let of = |rows: &&[Row]| printed(&sums_fixing(rows, |row| fixed.contains(&row.control) && is_task(row)));
    services.iter().filter_map(of).min_by(f64::total_cmp).unwrap_or(0.0)
}

/// Whether there is something to fix: it is not as it should be, or it blocks.
pub fn is_task(row: &Row) -> bool {
    matches!(row.standing.state, State::Fail | State::Partial) || row.standing.blocks()
}
