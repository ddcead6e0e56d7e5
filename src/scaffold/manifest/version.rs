//! Versions as manifests ask for them.

use semver::Version;

/// The lowest version that a simple range admits (`^1.2`, `~1.2.3`, `>=1,<2`, `==1.2.3`).
pub fn lowest(range: &str) -> Option<Version> {
    let first = range.split(',').next().unwrap_or(range);
    let digits = first.trim().trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
    let mut parts = digits.trim().splitn(3, '.');
    let mut next = || parts.next().unwrap_or("0").split(['-', '+', ' ']).next().unwrap_or("0").parse().ok();
    Some(Version::new(next()?, next()?, next()?))
}

/// How what is asked for stands to what a module wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    NewEnough,
    /// Older, with the same major version: it can be raised.
    Older,
    /// Of another major version, or of no version that can be compared.
    Other,
}

pub fn standing(present: &str, wanted: &str) -> Standing {
    match (lowest(present), lowest(wanted)) {
        (Some(has), Some(wants)) if has >= wants => Standing::NewEnough,
        (Some(has), Some(wants)) if has.major == wants.major && has.major > 0 => Standing::Older,
        _ => Standing::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_compared_by_their_lowest_version() {
        assert_eq!(standing("^8.1.0", "^8.0.0"), Standing::NewEnough);
        assert_eq!(standing(">=2.6,<3", ">=2.7,<3"), Standing::Older);
        assert_eq!(standing("==2.7.1", ">=2.7"), Standing::NewEnough);
        assert_eq!(standing("~=1.4", ">=2"), Standing::Other);
        assert_eq!(standing("", ">=2"), Standing::Other);
        assert_eq!(standing("workspace:*", "^1.0.0"), Standing::Other);
    }
}
