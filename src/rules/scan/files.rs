//! Which rules look at a file: one question to all their globs together.

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::rules::schema::TextMatch;

/// The `files` and `not_files` of many rules.
pub struct FilesOfRules {
    globs: GlobSet,
    /// By glob, what it says.
    meanings: Vec<Meaning>,
    /// By rule, whether it looks at whatever it does not leave out.
    looks_at_all: Vec<bool>,
}

/// What a glob says of the files that it matches.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    rule: usize,
    left_out: bool,
}

/// Collects globs before they are compiled.
pub struct FilesOfRulesBuilder {
    globs: GlobSetBuilder,
    meanings: Vec<Meaning>,
    looks_at_all: Vec<bool>,
}

impl Default for FilesOfRulesBuilder {
    fn default() -> FilesOfRulesBuilder {
        FilesOfRulesBuilder { globs: GlobSetBuilder::new(), meanings: Vec::new(), looks_at_all: Vec::new() }
    }
}

impl FilesOfRulesBuilder {
    /// Adds the next rule.
    pub fn add(&mut self, spec: &TextMatch) -> Result<(), globset::Error> {
        let rule = self.looks_at_all.len();
        self.looks_at_all.push(spec.files.is_empty());
        for (globs, left_out) in [(&spec.files, false), (&spec.not_files, true)] {
            for glob in globs.iter().flat_map(|glob| alternatives(glob)) {
                self.globs.add(GlobBuilder::new(&glob).literal_separator(true).build()?);
                self.meanings.push(Meaning { rule, left_out });
            }
        }
        Ok(())
    }

    pub fn build(self) -> Result<FilesOfRules, globset::Error> {
        let FilesOfRulesBuilder { globs, meanings, looks_at_all } = self;
        Ok(FilesOfRules { globs: globs.build()?, meanings, looks_at_all })
    }
}

impl FilesOfRules {
    /// By rule, whether it looks at the file.
    pub fn eligible(&self, path: &str) -> Vec<bool> {
        let mut eligible = self.looks_at_all.clone();
        let found = self.globs.matches_candidate(&Candidate::new(path));
        let said: Vec<Meaning> = found.into_iter().filter_map(|glob| self.meanings.get(glob)).copied().collect();
        // What is left out is left out, whatever else is said of it.
        for left_out in [false, true] {
            for meaning in said.iter().filter(|meaning| meaning.left_out == left_out) {
                if let Some(eligible) = eligible.get_mut(meaning.rule) {
                    *eligible = !left_out;
                }
            }
        }
        eligible
    }
}

/// The globs that a glob with braces stands for: those without are looked up by name or extension, where one with
/// braces is a regular expression.
fn alternatives(glob: &str) -> Vec<String> {
    let plain = !glob.contains(['[', '\\']);
    let braces = glob.find('{').zip(glob.find('}')).filter(|(open, close)| plain && open < close);
    let Some((open, close)) = braces else { return vec![glob.to_owned()] };
    let (before, inside, after) = (&glob[..open], &glob[open + 1..close], &glob[close + 1..]);
    if inside.contains('{') {
        return vec![glob.to_owned()];
    }
    inside.split(',').flat_map(|word| alternatives(&format!("{before}{word}{after}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_taken_apart() {
        assert_eq!(alternatives("**/*.{ts,js}"), ["**/*.ts", "**/*.js"]);
        assert_eq!(alternatives("{a,b}/*.{c,d}"), ["a/*.c", "a/*.d", "b/*.c", "b/*.d"]);
        assert_eq!(alternatives("**/.env{,.*}"), ["**/.env", "**/.env.*"]);
        for whole in ["**/*.ts", "{a,{b,c}}", "[{]x}", "a}{b"] {
            assert_eq!(alternatives(whole), [whole]);
        }
    }
}
