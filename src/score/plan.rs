//! What to do first, and what the score is after each week of it.

use std::collections::BTreeSet;

use crate::report::{Plan, State, Unblocked, Week};
use crate::rules::Priority;

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
    /// The most urgent that it has in a service.
    pub priority: Priority,
    /// The most that fixing it gains in a service, what the cap holds back included.
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
    tasks.sort_by(|a, b| {
        let worth = b.points_per_day().total_cmp(&a.points_per_day());
        b.blocks.cmp(&a.blocks).then(worth).then_with(|| a.id.cmp(&b.id))
    });
    let blockers = tasks.iter().filter(|task| task.blocks);
    let others = tasks.iter().filter(|task| !task.blocks && one(task.points) > 0.0).take(QUICK_WINS);
    let quick_wins = blockers.chain(others).map(|task| task.id.clone()).collect();
    let unblocked = unblocked(&tasks, services);
    tasks.sort_by_key(|task| (!task.blocks, task.priority));
    Plan { quick_wins, unblocked, weeks: if services.is_empty() { Vec::new() } else { weeks(&tasks, services) } }
}

/// What closing every blocker takes and gives.
fn unblocked(tasks: &[Task], services: &[&[Row]]) -> Option<Unblocked> {
    let blockers = || tasks.iter().filter(|task| task.blocks);
    let fixed: BTreeSet<usize> = blockers().map(|task| task.control).collect();
    if fixed.is_empty() || services.is_empty() {
        return None;
    }
    let days = blockers().map(|task| task.days.max(SHORTEST)).sum();
    Some(Unblocked { days: one(days), score: score_after(services, &fixed) })
}

/// Tasks one after the other (blockers, then by priority, then by points per day) over weeks of [`CAPACITY`] days; each stands in the week that completes it.
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
