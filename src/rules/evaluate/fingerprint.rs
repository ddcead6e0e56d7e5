//! What stays the same of a finding when lines move.

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

/// Rule, code without its white space, enclosing symbol.
pub fn of_code(rule: &str, code: &str, symbol: &str) -> String {
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
    hash(&[rule, &code, symbol])
}

/// For secrets: rule, path, symbol and a running number, nothing of the code.
#[derive(Default)]
pub struct SecretNumbers(FxHashMap<[String; 3], u32>);

impl SecretNumbers {
    pub fn next(&mut self, rule: &str, path: &str, symbol: &str) -> String {
        let number = self.0.entry([rule, path, symbol].map(str::to_owned)).or_default();
        *number += 1;
        hash(&[rule, path, symbol, &number.to_string()])
    }
}

/// Sixteen hexadecimal digits.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_does_not_matter_but_code_and_symbol_do() {
        assert_eq!(of_code("r", "a(\n  b )", "f"), of_code("r", "a( b )", "f"));
        assert_ne!(of_code("r", "a(b)", "f"), of_code("r", "a(c)", "f"));
        assert_ne!(of_code("r", "a(b)", "f"), of_code("r", "a(b)", "g"));
        assert_eq!(of_code("r", "x", "").len(), 16);
    }

    #[test]
    fn secrets_are_numbered() {
        let mut numbers = SecretNumbers::default();
        let first = numbers.next("r", "p", "s");
        assert_ne!(first, numbers.next("r", "p", "s"));
        assert_eq!(first, SecretNumbers::default().next("r", "p", "s"));
    }
}
