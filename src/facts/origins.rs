//! Where values come from: all that rules see of the flow of data.

/// Where a value comes from: the sets that rules name `:literal`, `:env`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Origins(pub u64);

macro_rules! origins {
    ($($constant:ident = $bit:expr, $name:literal;)*) => {
        impl Origins {
            $(pub const $constant: Origins = Origins(1 << $bit);)*
            /// All origins by the name that rules use (after the colon).
            pub const NAMES: &'static [(&'static str, Origins)] = &[$(($name, Origins::$constant)),*];
        }
    };
}

origins! {
    LITERAL = 0, "literal";
    ENV = 1, "env";
    PROD = 2, "prod";
    REQUEST = 3, "request";
    PARAMETER = 4, "parameter";
    CONSTANT = 5, "constant";
    BUILT = 6, "built";
    DYNAMIC = 7, "dynamic";
    RANDOM = 8, "random";
    CAUGHT_ERROR = 9, "caught-error";
    ERROR_STACK = 10, "error-stack";
    OWN_ERROR = 11, "own-error";
    LOOP_VARIABLE = 12, "loop-variable";
    ALLOW_LISTED = 13, "allow-listed";
    SERIALISED = 14, "serialised";
    REFLECTED = 15, "reflected";
    LOOSE_REGEX = 16, "loose-regex";
    OWN_ORIGIN = 17, "own-origin";
    HASHED = 18, "hashed";
    MASKED = 19, "masked";
    GIVEN = 20, "given";
    NUMERIC = 21, "numeric";
    DIGEST = 22, "digest";
    ANY_ERROR = 23, "any-error";
    TEXT = 24, "text";
    PARSED = 25, "parsed";
    TRANSACTION = 26, "transaction";
    LEADING = 27, "leading";
    FOUND = 28, "found";
    HOSTED = 29, "hosted";
}

/// Parameters of a function that are told apart; the bits from here on have no name that rules could use.
const PARAMETERS: usize = 5;
const PARAMETER_BITS: usize = 50;
const SPREAD_BITS: usize = PARAMETER_BITS + PARAMETERS;
const PARAMETER_MASK: u64 = 0b11111 << PARAMETER_BITS;

impl Origins {
    /// What a value looks like, which says nothing of where it comes from.
    pub const SHAPE: Origins = Origins(Origins::TEXT.0 | Origins::PARSED.0);

    pub fn has(self, other: Origins) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub fn with(self, other: Origins) -> Origins {
        Origins(self.0 | other.0)
    }

    /// While a function is looked at on its own: what its parameter of that index holds.
    pub fn of_parameter(index: usize) -> Origins {
        Origins(if index < PARAMETERS { 1 << (PARAMETER_BITS + index) } else { 0 })
    }

    /// The same, of what is spread into an object (`{ ...error }` copies no message and no stack).
    pub fn of_spread_parameter(index: usize) -> Origins {
        Origins(if index < PARAMETERS { 1 << (SPREAD_BITS + index) } else { 0 })
    }

    /// What the first letters of a text tell: `/api/x` has no host of its own.
    pub fn of_start(text: &str) -> Origins {
        if text.starts_with('/') && !text.starts_with("//") { Origins::OWN_ORIGIN } else { Origins::default() }
    }

    /// What a text has by its first letters and the value that follows them: a request that comes first, or behind no more
    /// than a scheme, decides the host.
    pub fn of_begun(text: &str, first: Origins) -> Origins {
        let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_open = text.is_empty() || text.strip_suffix("//").is_some_and(|t| is_scheme(t.trim_end_matches(':')));
        let is_told = first.has(Origins::LEADING) || first.has(Origins::REQUEST) && !first.has(Origins::BUILT);
        if is_open && is_told { Origins::LEADING } else { Origins::of_start(text) }
    }

    /// The same of a text that goes on behind `before`: only the first part can say the host.
    #[must_use]
    pub fn hosted_by(self, before: &str, first: Origins) -> Origins {
        let says_host = if before.is_empty() { first.has(Origins::HOSTED) } else { begins_with_host(before) };
        let hosted = if says_host { Origins::HOSTED } else { Origins::default() };
        self.without(Origins::HOSTED).with(hosted)
    }

    #[must_use]
    pub fn without(self, other: Origins) -> Origins {
        Origins(self.0 & !other.0)
    }

    /// Parameters that become spread ones.
    #[must_use]
    pub fn spread(self) -> Origins {
        let whole = self.0 & PARAMETER_MASK;
        Origins(self.0 & !PARAMETER_MASK | whole << PARAMETERS)
    }

    /// Without what only counts while a function is looked at on its own.
    #[must_use]
    pub fn settled(self) -> Origins {
        Origins(self.0 & !(PARAMETER_MASK | PARAMETER_MASK << PARAMETERS | Self::PASSED_ERROR.0))
    }

    /// A parameter to which some caller passes a caught error.
    pub const PASSED_ERROR: Origins = Origins(1 << 60);

    /// The origins of a value that is joined from two: one part that nothing checked leaves the whole unchecked.
    #[must_use]
    pub fn joined(self, other: Origins) -> Origins {
        let checked = Origins::ALLOW_LISTED.with(Origins::NUMERIC);
        let outside = Origins::REQUEST.with(Origins::GIVEN).with(Origins(PARAMETER_MASK));
        let is_open = |part: Origins, shield: Origins| part.has(outside) && !part.has(shield);
        let settled = |part: Origins| if part.has(checked) { part.without(Origins::GIVEN) } else { part };
        let mut all = settled(self).with(settled(other).without(Origins::LEADING));
        for shield in [checked, Origins::TEXT, Origins::PARSED, Origins::HOSTED] {
            if is_open(self, shield) || is_open(other, shield) {
                all = all.without(shield);
            }
        }
        all
    }

    /// The origins of a whole whose parts stay apart (a record, the arguments of a call): as far as nothing checked one
    /// of them, nothing checked the whole.
    #[must_use]
    pub fn gathered(self, other: Origins) -> Origins {
        let leading = Origins(self.with(other).0 & Origins::LEADING.0);
        self.joined(other).with(leading)
    }

    pub fn parse(name: &str) -> Option<Origins> {
        Self::NAMES.iter().find(|(n, _)| *n == name).map(|(_, o)| *o)
    }
}

/// `https://icons.test/`, `https://icons.test?`: what follows cannot change the host.
fn begins_with_host(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_scheme && rest.find(['/', '?', '#']).is_some_and(|end| end > 0)
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn a_host_is_said_by_what_stands_first() {
        let hosted = |before, first| Origins::REQUEST.hosted_by(before, first).has(Origins::HOSTED);
        assert!(hosted("https://icons.test/", Origins::REQUEST));
        assert!(hosted("https://icons.test?q=", Origins::REQUEST));
        assert!(hosted("", Origins::HOSTED));
        for before in ["https://", "https://icons.test", "https://icons.test:", "/icons/", ""] {
            assert!(!hosted(before, Origins::REQUEST), "{before}");
        }
    }

    #[test]
    fn one_way_without_a_host_leaves_none() {
        let hosted = Origins::REQUEST.with(Origins::HOSTED);
        assert!(hosted.joined(hosted).has(Origins::HOSTED));
        assert!(!hosted.joined(Origins::REQUEST).has(Origins::HOSTED));
        assert!(!Origins::REQUEST.joined(hosted).has(Origins::HOSTED));
    }
}
