//! `setup.cfg` and `setup.py`: what they ask for, read as text where that is certain.

use super::pep508::requirement;
use super::{MAX_REQUIREMENTS, Requirement, is_dev_name};

/// What a `setup.py` takes its `setup` from.
const INSTALLERS: &[&str] = &["setuptools", "distutils", "skbuild", "pbr"];

/// `install_requires` of `[options]` and the extras of a `setup.cfg`.
pub fn setup_cfg(text: &str) -> Vec<Requirement> {
    let mut found = Vec::new();
    let mut section = "";
    let mut key = "";
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (section, key) = (name, "");
            continue;
        }
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        let value = match trimmed.split_once('=').filter(|_| !indented) {
            Some((name, value)) => {
                key = name.trim();
                value.trim()
            }
            None => trimmed,
        };
        let dev = match (section, key) {
            ("options", "install_requires") => false,
            ("options", "tests_require") => true,
            ("options.extras_require", group) => is_dev_name(group),
            _ => continue,
        };
        push(value, start + line.find(value).unwrap_or(0), dev, &mut found);
    }
    found
}

/// Does a `setup.py` say how to install something? A module of that name may just as well set up an application.
pub fn installs(text: &str) -> bool {
    let imports = |line: &str| line.starts_with("import ") || line.starts_with("from ");
    let names = |line: &str| INSTALLERS.iter().any(|installer| line.contains(installer));
    text.contains("setup(") && text.lines().map(str::trim_start).any(|line| imports(line) && names(line))
}

/// The strings of a literal `install_requires=[…]`; nothing where the list is built.
pub fn setup_py(text: &str) -> Vec<Requirement> {
    let mut found = Vec::new();
    let Some(list_at) = literal_list(text, "install_requires") else { return found };
    for (start, value) in strings_of_list(text, list_at) {
        push(value, start, false, &mut found);
    }
    found
}

fn push(value: &str, start: usize, dev: bool, found: &mut Vec<Requirement>) {
    if let Some(read) = requirement(value).filter(|_| found.len() < MAX_REQUIREMENTS) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        found.push(Requirement { dev, start: offset(start), end: offset(start + value.len()), ..read });
    }
}

/// Where the list begins that a keyword is given.
fn literal_list(text: &str, keyword: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(keyword)) {
        let after = from + found + keyword.len();
        let rest = text.get(after..)?;
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        if let Some(value) = value.filter(|value| value.starts_with('[')) {
            return Some(text.len() - value.len() + 1);
        }
        from = after;
    }
    None
}

/// The plain strings up to the bracket that closes the list.
fn strings_of_list(text: &str, from: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut quote: Option<(char, usize)> = None;
    let mut comment = false;
    for (offset, c) in text.get(from..).unwrap_or_default().char_indices() {
        let at = from + offset;
        match (quote, c) {
            (Some((open, start)), c) if c == open => {
                found.extend(text.get(start..at).map(|value| (start, value)));
                quote = None;
            }
            (Some(_), '\n') => return found,
            (Some(_), _) => {}
            (None, '\n') => comment = false,
            (None, _) if comment => {}
            (None, '#') => comment = true,
            (None, '"' | '\'') => quote = Some((c, at + 1)),
            (None, ']') => return found,
            (None, _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_sets_up_an_application_installs_nothing() {
        assert!(installs("from setuptools import setup\nsetup(name='shop')\n"));
        assert!(installs("try:\n    import setuptools\nexcept ImportError:\n    pass\nsetuptools.setup()\n"));
        assert!(!installs("from fastapi import FastAPI\ndef setup(app):\n    return FastAPI()\n"));
    }

    fn rows(found: &[Requirement]) -> Vec<(&str, &str, bool)> {
        found.iter().map(|r| (&*r.name, r.version.as_str(), r.dev)).collect()
    }

    #[test]
    fn configuration_files() {
        let text = "[metadata]\nname = shop\n[options]\npackages = find:\ninstall_requires =\n    Flask>=3\n    # later\n    redis\n\
            [options.extras_require]\ntest = pytest\npg =\n    psycopg==3.2\n[flake8]\nignore = E203\n";
        let found = setup_cfg(text);
        let expected =
            [("flask", ">=3", false), ("redis", "", false), ("pytest", "", true), ("psycopg", "==3.2", false)];
        assert_eq!(rows(&found), expected);
        assert_eq!(&text[found[0].start as usize..found[0].end as usize], "Flask>=3");
    }

    #[test]
    fn literal_lists_of_setup_scripts() {
        let text = "from setuptools import setup\nsetup(name='shop', install_requires=[\n  'Flask>=3',  # 'no'\n  \"redis\"],\n  tests_require=['x'])\n";
        let found = setup_py(text);
        assert_eq!(rows(&found), [("flask", ">=3", false), ("redis", "", false)]);
        assert_eq!(&text[found[1].start as usize..found[1].end as usize], "redis");
        for text in ["setup(install_requires=read('requirements.txt'))", "install_requires=[", "install_requires=['a"] {
            assert!(setup_py(text).is_empty(), "{text}");
        }
    }
}
