//! How good one control is in one service: v between 0 (nothing) and 1 (flawless), before any weight.

use crate::facts::Confidence;
use crate::report::SiteCounts;
use crate::rules::{ControlInfo, ControlKind, Mode};

use super::site::{FULL, Spot};

/// From this share of all places on, a control counts as flawless and as known.
pub const FLAWLESS: f64 = 0.95;
/// What an open finding leaves of a ratio defect at most.
const OPEN_RATIO_MOST: f64 = 0.9;

/// How much an open finding of this confidence counts.
pub fn kappa(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 1.0,
        Confidence::Medium => 0.7,
        Confidence::Low => 0.3,
    }
}

/// v with what it stands on.
#[derive(Debug, Clone)]
pub struct Measure {
    /// `None` where nothing is known: no site, or none that could be decided.
    pub value: Option<f64>,
    pub counts: SiteCounts,
    /// The share of the places that could be decided.
    pub known: f64,
    /// Places with an open finding.
    pub open: usize,
    /// Everything that there was to look at is waived.
    pub all_waived: bool,
}

pub fn measure(info: &ControlInfo, spots: &[Spot]) -> Measure {
    match info.kind {
        ControlKind::Defect => spared(info.mode, spots),
        ControlKind::Capability => earned(spots, 1),
        ControlKind::Coverage => earned(spots, 0),
        ControlKind::Manual => refuted(spots),
    }
}

/// Files cannot prove what has to be attested; they can only prove that it is not so.
fn refuted(spots: &[Spot]) -> Measure {
    let against: Vec<Spot> = spots.iter().filter(|spot| spot.open.is_some() || spot.waived).copied().collect();
    earned(&against, 0)
}

/// The mean over the places that are known. A capability that nothing shows has `least` = one place, unsatisfied.
fn earned(spots: &[Spot], least: u64) -> Measure {
    let mut counted = spots.iter().filter(|spot| !is_left_out(spot)).peekable();
    let all_waived = counted.peek().is_none() && !spots.is_empty();
    let (mut credit, mut known, mut unknown) = (0_u64, 0_u64, 0_u64);
    for spot in counted {
        match spot.credit {
            Some(earned) => (credit, known) = (credit + earned, known + 1),
            None => unknown += 1,
        }
    }
    if known + unknown == 0 && !all_waived {
        known = least;
    }
    let satisfied = credit as f64 / FULL as f64;
    let all = known + unknown;
    let flawless = all > 0 && satisfied >= FLAWLESS * all as f64;
    Measure {
        value: (known > 0).then(|| if flawless { 1.0 } else { (satisfied / known as f64).clamp(0.0, 1.0) }),
        counts: SiteCounts { satisfied, applicable: all, unknown },
        known: if flawless { 1.0 } else { share(known, all) },
        open: spots.iter().filter(|spot| spot.open.is_some()).count(),
        all_waived,
    }
}

/// Waived findings leave with their place, unless evidence of another rule satisfies it.
fn is_left_out(spot: &Spot) -> bool {
    spot.waived && spot.credit.is_none_or(|credit| credit < FULL)
}

fn spared(mode: Mode, spots: &[Spot]) -> Measure {
    let found = Found::of(mode, spots);
    let unknown = spots.iter().filter(|spot| spot.credit.is_none()).count() as u64;
    let known = found.clean + found.open() as u64;
    let value = match mode {
        Mode::Any => 1.0 - found.surest().map_or(0.0, kappa),
        Mode::Ratio => found.ratio(),
    };
    let decided = found.open() > 0 || known > 0 || unknown == 0;
    Measure {
        value: decided.then_some(value),
        counts: SiteCounts { satisfied: found.clean as f64, applicable: known + unknown, unknown },
        known: if known + unknown == 0 { 1.0 } else { share(known, known + unknown) },
        open: found.open(),
        all_waived: false,
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The places of a defect: clean ones, and those with an open finding by how sure it is. Where one finding decides
/// (`any`), a place that is unknown is not guessed to have it: nearly every control has such a place.
#[derive(Debug, Default)]
struct Found {
    clean: u64,
    high: usize,
    medium: usize,
    low: usize,
}

impl Found {
    fn of(mode: Mode, spots: &[Spot]) -> Found {
        let mut found = Found::default();
        for spot in spots {
            let guessed = (spot.guessed && mode == Mode::Ratio).then_some(Confidence::High);
            match spot.open.or(guessed) {
                Some(Confidence::High) => found.high += 1,
                Some(Confidence::Medium) => found.medium += 1,
                Some(Confidence::Low) => found.low += 1,
                None if spot.waived || spot.credit.is_none() => {}
                None => found.clean += 1,
            }
        }
        found
    }

    fn open(&self) -> usize {
        self.high + self.medium + self.low
    }

    fn surest(&self) -> Option<Confidence> {
        let present = [(self.high, Confidence::High), (self.medium, Confidence::Medium), (self.low, Confidence::Low)];
        present.into_iter().find(|(count, _)| *count > 0).map(|(_, confidence)| confidence)
    }

    /// 1 − the worst share Σκ / places over the findings of high, of high and medium, and of any confidence.
    /// Taking all at once would let a doubtful finding in a new place water down a certain one.
    fn ratio(&self) -> f64 {
        let (mut sum, mut count, mut worst) = (0.0, 0, 0.0_f64);
        for (found, confidence) in
            [(self.high, Confidence::High), (self.medium, Confidence::Medium), (self.low, Confidence::Low)]
        {
            sum += found as f64 * kappa(confidence);
            count += found as u64;
            if found > 0 {
                worst = worst.max(sum / (self.clean + count) as f64);
            }
        }
        let value = (1.0 - worst).clamp(0.0, 1.0);
        if self.open() > 0 { value.min(OPEN_RATIO_MOST) } else { value }
    }
}
