//! Days of work that a fix takes.

use crate::rules::Effort;

/// No fix is planned for longer: what a rule file says must not make plans of a thousand weeks.
const LONGEST: f64 = 60.0;

/// `base` and `per_site` for each open place, at most `max` (0: no limit of its own).
pub fn days(effort: Effort, open_places: usize) -> f64 {
    let clean = |days: f64| if days.is_finite() { days.clamp(0.0, LONGEST) } else { 0.0 };
    let most = if effort.max > 0.0 { clean(effort.max) } else { LONGEST };
    (clean(effort.base) + clean(effort.per_site) * open_places as f64).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_places_take_longer_up_to_the_limit() {
        let effort = Effort { base: 0.5, per_site: 0.25, max: 2.0 };
        assert_eq!([0, 1, 4, 100].map(|open| days(effort, open)), [0.5, 0.75, 1.5, 2.0]);
    }

    #[test]
    fn absurd_numbers_give_no_absurd_plans() {
        assert_eq!(days(Effort { base: f64::NAN, per_site: -3.0, max: 0.0 }, 9), 0.0);
        assert_eq!(days(Effort { base: 1e300, per_site: f64::INFINITY, max: -1.0 }, 9), LONGEST);
    }
}
