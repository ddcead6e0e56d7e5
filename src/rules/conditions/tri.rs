//! Three-valued logic, with the certainty of the facts that made something true.

use crate::facts::Confidence;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tri {
    True,
    False,
    Unknown,
}

impl From<bool> for Tri {
    fn from(value: bool) -> Tri {
        if value { Tri::True } else { Tri::False }
    }
}

impl Tri {
    #[must_use]
    pub fn and(self, other: Tri) -> Tri {
        match (self, other) {
            (Tri::False, _) | (_, Tri::False) => Tri::False,
            (Tri::True, Tri::True) => Tri::True,
            _ => Tri::Unknown,
        }
    }

    #[must_use]
    pub fn or(self, other: Tri) -> Tri {
        self.negate().and(other.negate()).negate()
    }

    #[must_use]
    pub fn negate(self) -> Tri {
        match self {
            Tri::True => Tri::False,
            Tri::False => Tri::True,
            Tri::Unknown => Tri::Unknown,
        }
    }

    /// Whether one of many holds; stops at the first that does.
    pub fn any(items: impl IntoIterator<Item = Tri>) -> Tri {
        let mut result = Tri::False;
        for item in items {
            result = result.or(item);
            if result == Tri::True {
                break;
            }
        }
        result
    }

    /// Whether all of many hold; stops at the first that does not.
    pub fn all(items: impl IntoIterator<Item = Tri>) -> Tri {
        Tri::any(items.into_iter().map(Tri::negate)).negate()
    }
}

/// A truth value, and how certain the other facts are that it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub tri: Tri,
    pub certain: Confidence,
}

impl Verdict {
    pub const TRUE: Verdict = Verdict { tri: Tri::True, certain: Confidence::High };
    pub const FALSE: Verdict = Verdict { tri: Tri::False, certain: Confidence::High };
    pub const UNKNOWN: Verdict = Verdict { tri: Tri::Unknown, certain: Confidence::High };

    pub fn of(tri: Tri) -> Verdict {
        Verdict { tri, certain: Confidence::High }
    }

    /// Both: as certain as the less certain.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        Verdict { tri: self.tri.and(other.tri), certain: self.certain.min(other.certain) }
    }

    /// Either: as certain as the more certain of those that hold.
    #[must_use]
    pub fn or(self, other: Verdict) -> Verdict {
        let certain = match (self.tri, other.tri) {
            (Tri::True, Tri::True) => self.certain.max(other.certain),
            (Tri::True, _) => self.certain,
            (_, Tri::True) => other.certain,
            _ => self.certain.min(other.certain),
        };
        Verdict { tri: self.tri.or(other.tri), certain }
    }

    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "reads as the connective, not as an operator")]
    pub fn not(self) -> Verdict {
        Verdict { tri: self.tri.negate(), certain: self.certain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_stays_unless_decided() {
        assert_eq!(Tri::Unknown.and(Tri::False), Tri::False);
        assert_eq!(Tri::Unknown.and(Tri::True), Tri::Unknown);
        assert_eq!(Tri::Unknown.or(Tri::True), Tri::True);
        assert_eq!(Tri::any([Tri::False, Tri::Unknown]), Tri::Unknown);
        assert_eq!(Tri::all([Tri::True, Tri::True]), Tri::True);
        assert_eq!(Tri::all([]), Tri::True);
    }

    #[test]
    fn certainty_is_of_what_holds() {
        let low = Verdict { tri: Tri::True, certain: Confidence::Low };
        assert_eq!(Verdict::TRUE.or(low).certain, Confidence::High);
        assert_eq!(Verdict::FALSE.or(low).certain, Confidence::Low);
        assert_eq!(Verdict::TRUE.and(low).certain, Confidence::Low);
    }
}
