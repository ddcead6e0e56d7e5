//! `.env.example`

use crate::scaffold::module::EnvSpec;

/// Appends the variables that the file does not name yet. None if it names them all.
pub fn add_variables(text: &str, wanted: &[EnvSpec]) -> Option<String> {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let missing: Vec<&EnvSpec> = wanted.iter().filter(|variable| !names(text, &variable.name)).collect();
    if missing.is_empty() {
        return None;
    }
    let mut out = text.to_owned();
    if !out.is_empty() {
        if !out.ends_with('\n') {
            out.push_str(line_break);
        }
        out.push_str(line_break);
    }
    for variable in missing {
        out.push_str(&format!("# {}{line_break}{}={}{line_break}", variable.about, variable.name, variable.value));
    }
    Some(out)
}

/// Whether a line, commented out or not, sets the variable.
fn names(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches(['#', ' ', '\t']);
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> EnvSpec {
        EnvSpec { name: name.into(), value: "1".into(), about: "About it".into(), when: None }
    }

    #[test]
    fn only_what_is_missing_is_added() {
        let text = "PORT=3000\n# export LOG_LEVEL = info";
        let wanted = [variable("PORT"), variable("LOG_LEVEL"), variable("LOG")];
        assert_eq!(add_variables(text, &wanted).unwrap(), format!("{text}\n\n# About it\nLOG=1\n"));
        assert_eq!(add_variables(text, &wanted[..2]), None);
        assert_eq!(add_variables("", &[variable("A")]).unwrap(), "# About it\nA=1\n");
    }
}
