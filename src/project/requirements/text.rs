//! `requirements.txt` and its kin.

use super::pep508::{is_moving, requirement};
use super::{MAX_REQUIREMENTS, Requirement};

/// The requirements of a file, in its order. What its `-r` names is a file of its own.
pub fn requirements_txt(text: &str, dev: bool) -> Vec<Requirement> {
    let mut found = Vec::new();
    for (start, line) in lines(text) {
        let read = match option_value(line, &["-e", "--editable"]) {
            Some(source) => editable(source),
            None => requirement(without_options(line)).or_else(|| named_source(line)),
        };
        if let Some(read) = read.filter(|_| found.len() < MAX_REQUIREMENTS) {
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            found.push(Requirement { dev, start: offset(start), end: offset(start + line.len()), ..read });
        }
    }
    found
}

/// How fixed the versions of a file are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pins {
    pub requirements: usize,
    /// Those with `==`, a hash, an archive or a commit.
    pub pinned: usize,
    /// `--hash` stands with some.
    pub hashes: bool,
    /// `-c constraints.txt` may pin the rest.
    pub constrained: bool,
}

impl Pins {
    /// Everything that it names is fixed, so that the file is its own lock.
    pub fn is_lock(self) -> bool {
        self.requirements > 0 && (self.constrained || self.pinned == self.requirements)
    }
}

pub fn pins(text: &str) -> Pins {
    let mut pins = Pins::default();
    for (_, line) in lines(text) {
        pins.hashes |= line.contains("--hash=");
        pins.constrained |= option_value(line, &["-c", "--constraint"]).is_some();
        let source = option_value(line, &["-e", "--editable"]);
        let found = match source {
            Some(source) => editable(source),
            None => requirement(without_options(line)).or_else(|| named_source(line)),
        };
        let Some(found) = found else { continue };
        pins.requirements += 1;
        let version = found.version.trim_start();
        let exact = version.starts_with("==") && !version.contains('*');
        let fixed_source =
            !found.loose && (version.contains("://") || version.starts_with("git+") || version.starts_with("file:"));
        pins.pinned += usize::from(exact || fixed_source || line.contains("--hash="));
    }
    pins
}

/// The lines that say something, continued ones as one, with the place where each begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let mut end = 0;
        loop {
            let tail = rest.get(end..)?;
            let length = tail.find('\n').map_or(tail.len(), |newline| newline + 1);
            let line = tail.get(..length)?;
            end += length;
            if length == 0 || !line.trim_end().ends_with('\\') {
                break;
            }
        }
        let start = at;
        at += end.max(1);
        Some((start, rest.get(..end)?))
    })
    .map(|(start, line)| (start + (line.len() - line.trim_start().len()), line.trim()))
    .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// `flask==3.0 --hash=sha256:… \` without what follows the version.
fn without_options(line: &str) -> &str {
    let end = [" --", " \\", "\t--"].iter().filter_map(|mark| line.find(mark)).min().unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

fn option_value<'t>(line: &'t str, names: &[&str]) -> Option<&'t str> {
    names.iter().find_map(|name| {
        let rest = line.strip_prefix(name)?;
        rest.strip_prefix('=').or_else(|| rest.starts_with(char::is_whitespace).then_some(rest)).map(str::trim)
    })
}

/// `git+https://host/shop.git@main#egg=shop`
fn editable(source: &str) -> Option<Requirement> {
    named_source(source)
}

/// A source that says its name in the fragment; one without is not named here.
fn named_source(source: &str) -> Option<Requirement> {
    let (address, fragment) = source.split_once('#')?;
    let name = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    let read = requirement(name.split('[').next().unwrap_or(name))?;
    let address = address.trim();
    Some(Requirement { version: address.to_owned(), loose: is_moving(address), ..read })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let text = "# production\n-r base.txt\n--index-url https://host/simple\nDjango==5.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n\
            psycopg[binary] # any\n-e git+https://host/a/shop.git@main#egg=shop\n./local\ngunicorn>=22 ; sys_platform != 'win32'\n";
        let found = requirements_txt(text, false);
        let rows: Vec<_> = found.iter().map(|r| (&*r.name, r.version.as_str(), r.loose)).collect();
        let expected = [
            ("django", "==5.1", false),
            ("psycopg", "", true),
            ("shop", "git+https://host/a/shop.git@main", true),
            ("gunicorn", ">=22", false),
        ];
        assert_eq!(rows, expected);
        assert!(text[found[1].start as usize..].starts_with("psycopg[binary]"));
    }

    #[test]
    fn pinned_files_are_their_own_lock() {
        assert!(pins("a==1\nb==2.0\nshop @ git+https://h/s.git@0123456789\n").is_lock());
        assert!(pins("a>=1\nb\n-c constraints.txt\n").is_lock());
        assert!(!pins("a==1\nb\n").is_lock() && !pins("a==1.*\n").is_lock() && !pins("-r base.txt\n").is_lock());
        let hashed = pins("a==1 \\\n  --hash=sha256:0\n");
        assert!(hashed.is_lock() && hashed.hashes);
    }

    #[test]
    fn odd_texts_are_read() {
        for text in ["\\", "\\\n", "a==1 \\", "\n\n\r\n", "-e", "#egg=", "é==1\n", "a\\\n\\\n"] {
            let _ = (requirements_txt(text, true), pins(text));
        }
    }
}
