//! The formula: what is earned of what can be earned, less what is broken, under the cap of the blockers.

use crate::rules::Priority;

pub fn weight(priority: Priority) -> f64 {
    match priority {
        Priority::P0 => 16.0,
        Priority::P1 => 4.0,
        Priority::P2 => 1.0,
        Priority::P3 => 0.25,
    }
}

/// How a control enters the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Capabilities, coverage, attested controls: present, they earn their weight.
    Earns,
    /// Defects: clean, they earn nothing; open, they cost their weight.
    Costs,
}

/// One control in the sums of one service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    pub side: Side,
    /// Of the part that is known.
    pub weight: f64,
    /// Of the part that is not.
    pub unknown: f64,
    pub value: f64,
    /// An open blocker.
    pub blocks: bool,
}

impl Term {
    /// The same control without a fault: everything known, everything good.
    pub fn fixed(self) -> Term {
        Term { weight: self.weight + self.unknown, unknown: 0.0, value: 1.0, blocks: false, ..self }
    }

    /// What it takes from the sums.
    pub fn lost(&self) -> f64 {
        self.weight * (1.0 - self.value)
    }
}

/// The sums of one service. Add the terms in one order, that of the control ids: sums of floats depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// T: what can be earned.
    pub earnable: f64,
    /// C: what is earned.
    pub earned: f64,
    /// D: what is broken.
    pub cost: f64,
    /// Weight of what can be earned and is unknown.
    pub unknown: f64,
    /// Open blockers.
    pub blockers: u32,
}

impl Sums {
    pub fn of(terms: impl IntoIterator<Item = Term>) -> Sums {
        terms.into_iter().fold(Sums::default(), Sums::add)
    }

    fn add(mut self, term: Term) -> Sums {
        match term.side {
            Side::Earns => {
                self.earnable += term.weight;
                self.earned += term.weight * term.value;
                self.unknown += term.unknown;
            }
            Side::Costs => self.cost += term.lost(),
        }
        self.blockers += u32::from(term.blocks);
        self
    }

    /// T + D, which the losses are shares of.
    pub fn whole(&self) -> f64 {
        self.earnable + self.cost
    }

    /// 0–100; `None` where there is nothing to earn and nothing broken.
    pub fn base(&self) -> Option<f64> {
        (self.whole() > 0.0).then(|| (100.0 * self.earned / self.whole()).clamp(0.0, 100.0))
    }

    /// What the score cannot exceed.
    pub fn cap(&self) -> u32 {
        match self.blockers {
            0 => 100,
            open => 69_u32.saturating_sub(open.saturating_mul(5)).max(40),
        }
    }

    pub fn score(&self) -> Option<f64> {
        self.base().map(|base| base.min(f64::from(self.cap())))
    }

    /// The share of what can be earned that is known.
    pub fn assessed(&self) -> f64 {
        let all = self.earnable + self.unknown;
        if all > 0.0 { self.earnable / all } else { 0.0 }
    }
}

/// Shares of `total` tenths in proportion to `parts`, in whole tenths that add up to it (largest remainder; of equal
/// remainders the earlier one gets it).
pub fn apportion(parts: &[f64], total: u64) -> Vec<u64> {
    let sum: f64 = parts.iter().sum();
    if sum <= 0.0 {
        return vec![0; parts.len()];
    }
    let exact: Vec<f64> = parts.iter().map(|part| part / sum * total as f64).collect();
    let mut shares: Vec<u64> = exact.iter().map(|share| share.floor() as u64).collect();
    let mut by_remainder: Vec<usize> = (0..parts.len()).filter(|i| parts[*i] > 0.0).collect();
    by_remainder.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let missing = total.saturating_sub(shares.iter().sum());
    for index in by_remainder.into_iter().cycle().take(usize::try_from(missing).unwrap_or(0)) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earns(priority: Priority, value: f64) -> Term {
        Term { side: Side::Earns, weight: weight(priority), unknown: 0.0, value, blocks: false }
    }

    fn costs(priority: Priority, value: f64, blocks: bool) -> Term {
        Term { side: Side::Costs, weight: weight(priority), unknown: 0.0, value, blocks }
    }

    /// T = 16 + 4 + 4 + 1 = 25, C = 8 + 4 + 0 + 1 = 13.
    fn four() -> Vec<Term> {
        vec![earns(Priority::P0, 0.5), earns(Priority::P1, 1.0), earns(Priority::P1, 0.0), earns(Priority::P2, 1.0)]
    }

    #[test]
    fn the_base_is_what_is_earned_of_what_can_be() {
        let sums = Sums::of(four());
        assert_eq!((sums.earnable, sums.earned, sums.cost), (25.0, 13.0, 0.0));
        assert_eq!(sums.base(), Some(52.0));
    }

    #[test]
    fn a_clean_defect_earns_nothing_and_an_open_one_costs_its_weight() {
        let with = |term| Sums::of(four().into_iter().chain([term])).base();
        assert_eq!(with(costs(Priority::P0, 1.0, false)), Some(52.0));
        assert_eq!(with(costs(Priority::P1, 0.0, false)), Some(100.0 * 13.0 / 29.0));
    }

    #[test]
    fn blockers_cap_the_score() {
        let perfect = |blockers: u32| {
            let open = (0..blockers).map(|_| costs(Priority::P3, 1.0, true));
            Sums::of(std::iter::once(earns(Priority::P0, 1.0)).chain(open)).score()
        };
        let capped: Vec<_> = [0, 1, 2, 5, 6, 40].into_iter().map(perfect).collect();
        assert_eq!(capped, [100.0, 64.0, 59.0, 44.0, 40.0, 40.0].map(Some));
    }

    #[test]
    fn nothing_to_earn_and_nothing_broken_is_no_number() {
        assert_eq!(Sums::of([]).score(), None);
        assert_eq!(Sums::of([costs(Priority::P0, 1.0, false)]).score(), None);
        assert_eq!(Sums::of([costs(Priority::P0, 0.0, false)]).score(), Some(0.0));
    }

    #[test]
    fn what_is_unknown_lowers_the_assessed_share_only() {
        let unknown = Term { weight: 0.0, unknown: 16.0, ..earns(Priority::P0, 0.0) };
        let sums = Sums::of(four().into_iter().chain([unknown]));
        assert_eq!(sums.base(), Some(52.0));
        assert_eq!(sums.assessed(), 25.0 / 41.0);
    }

    #[test]
    fn shares_add_up_to_the_total() {
        assert_eq!(apportion(&[1.0, 1.0, 1.0], 1000), [334, 333, 333]);
        assert_eq!(apportion(&[8.0, 0.0, 4.0], 480), [320, 0, 160]);
        assert_eq!(apportion(&[0.0, 0.0], 7), [0, 0]);
        assert_eq!(apportion(&[1e-9], 3), [3]);
    }
}
