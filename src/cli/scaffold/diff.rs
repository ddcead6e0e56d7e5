//! Unified diffs for a reader.

use crate::report::text;

/// The diff of one file; a created file stands against `/dev/null`.
pub fn of(path: &str, before: Option<&str>, after: Option<&str>, color: bool) -> String {
    let name = |side: &str, present: bool| if present { format!("{side}/{path}") } else { "/dev/null".to_owned() };
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(name("a", before.is_some())).set_modified_filename(name("b", after.is_some()));
    let patch = options.create_patch(before.unwrap_or_default(), after.unwrap_or_default()).to_string();
    patch.lines().map(|line| format!("{}\n", shown(line, color))).collect()
}

fn shown(line: &str, color: bool) -> String {
    let safe = text::terminal_lines(line);
    let code = match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "1",
        [b'@', b'@', ..] => "36",
        [b'+', ..] => "32",
        [b'-', ..] => "31",
        _ => return safe,
    };
    if color { format!("\u{1b}[{code}m{safe}\u{1b}[0m") } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_and_lines_cannot_act() {
        let new = of("a.ts", None, Some("x\u{1b}[2J\n"), false);
        assert_eq!(new, "--- /dev/null\n+++ b/a.ts\n@@ -0,0 +1 @@\n+x\\x1b[2J\n");
        assert!(of("a.ts", Some("a\nb\n"), Some("a\nc\n"), true).contains("\u{1b}[31m-b\u{1b}[0m"));
    }
}
