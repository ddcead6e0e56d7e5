//! Printed numbers: finite, never `-0`, with one or two decimals.

/// With one decimal: points and days.
pub fn one(number: f64) -> f64 {
    decimals(number, 10.0)
}

/// With two decimals: shares.
pub fn two(number: f64) -> f64 {
    decimals(number, 100.0)
}

fn decimals(number: f64, per_unit: f64) -> f64 {
    let rounded = (number * per_unit).round() / per_unit;
    if rounded.is_finite() && rounded != 0.0 { rounded } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_a_plain_number() {
        assert_eq!(one(28.249), 28.2);
        assert_eq!(one(28.25), 28.3);
        assert_eq!(one(f64::NAN), 0.0);
        assert_eq!(one(f64::INFINITY), 0.0);
        assert!(one(-0.001).is_sign_positive());
        assert_eq!(two(5.0 / 23.0), 0.22);
    }
}
