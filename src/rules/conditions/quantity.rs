//! Sizes and durations: `100kb`, `1 MiB`, `15m`, `7 days`.

/// A number with what it measures. Plain numbers compare with anything; sizes are bytes, durations seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    pub amount: f64,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Plain,
    Bytes,
    Seconds,
}

const UNITS: &[(&str, f64, Unit)] = &[
    ("", 1.0, Unit::Plain),
    ("b", 1.0, Unit::Bytes),
    ("byte", 1.0, Unit::Bytes),
    ("bytes", 1.0, Unit::Bytes),
    ("k", 1024.0, Unit::Bytes),
    ("kb", 1024.0, Unit::Bytes),
    ("kib", 1024.0, Unit::Bytes),
    ("mb", 1_048_576.0, Unit::Bytes),
    ("mib", 1_048_576.0, Unit::Bytes),
    ("gb", 1_073_741_824.0, Unit::Bytes),
    ("gib", 1_073_741_824.0, Unit::Bytes),
    ("tb", 1_099_511_627_776.0, Unit::Bytes),
    ("ms", 0.001, Unit::Seconds),
    ("s", 1.0, Unit::Seconds),
    ("sec", 1.0, Unit::Seconds),
    ("secs", 1.0, Unit::Seconds),
    ("second", 1.0, Unit::Seconds),
    ("seconds", 1.0, Unit::Seconds),
    ("m", 60.0, Unit::Seconds),
    ("min", 60.0, Unit::Seconds),
    ("mins", 60.0, Unit::Seconds),
    ("minute", 60.0, Unit::Seconds),
    ("minutes", 60.0, Unit::Seconds),
    ("h", 3600.0, Unit::Seconds),
    ("hr", 3600.0, Unit::Seconds),
    ("hrs", 3600.0, Unit::Seconds),
    ("hour", 3600.0, Unit::Seconds),
    ("hours", 3600.0, Unit::Seconds),
    ("d", 86_400.0, Unit::Seconds),
    ("day", 86_400.0, Unit::Seconds),
    ("days", 86_400.0, Unit::Seconds),
    ("w", 604_800.0, Unit::Seconds),
    ("week", 604_800.0, Unit::Seconds),
    ("weeks", 604_800.0, Unit::Seconds),
    ("y", 31_557_600.0, Unit::Seconds),
    ("yr", 31_557_600.0, Unit::Seconds),
    ("year", 31_557_600.0, Unit::Seconds),
    ("years", 31_557_600.0, Unit::Seconds),
];

impl Quantity {
    pub fn plain(amount: f64) -> Quantity {
        Quantity { amount, unit: Unit::Plain }
    }

    /// Reads a number with an optional unit.
    pub fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '_'))).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits)?;
        let amount: f64 = number.replace('_', "").parse().ok()?;
        let unit = unit.trim().to_ascii_lowercase();
        let (_, factor, unit) = UNITS.iter().find(|(name, ..)| *name == unit)?;
        Some(Quantity { amount: amount * factor, unit: *unit })
    }

    /// Whether it is at least as large; none where the two measure different things.
    pub fn at_least(self, other: Quantity) -> Option<bool> {
        let comparable = self.unit == other.unit || self.unit == Unit::Plain || other.unit == Unit::Plain;
        comparable.then_some(self.amount >= other.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_and_durations() {
        assert_eq!(Quantity::parse("100kb").map(|q| q.amount), Some(102_400.0));
        assert_eq!(Quantity::parse("1 MB").map(|q| q.unit), Some(Unit::Bytes));
        assert_eq!(Quantity::parse("15m").map(|q| q.amount), Some(900.0));
        assert_eq!(Quantity::parse("7 days").map(|q| q.amount), Some(604_800.0));
        assert_eq!(Quantity::parse("1_000").map(|q| q.amount), Some(1000.0));
        assert_eq!(Quantity::parse("lots"), None);
        assert_eq!(Quantity::parse("5 apples"), None);
        assert_eq!(Quantity::parse("é5"), None);
    }

    #[test]
    fn sizes_and_durations_do_not_compare() {
        let size = Quantity::parse("1mb").unwrap();
        assert_eq!(size.at_least(Quantity::parse("1h").unwrap()), None);
        assert_eq!(size.at_least(Quantity::plain(1000.0)), Some(true));
    }
}
