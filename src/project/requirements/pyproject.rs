//! `pyproject.toml` (PEP 621, dependency groups, Poetry, PDM, uv, Hatch) and `Pipfile`.

use super::pep508::{is_any, is_moving, is_pinned, normalised, requirement};
use super::{MAX_REQUIREMENTS, Requirement, is_dev_name};
use crate::syntax::{Entry, Node};

/// Everything that a `pyproject.toml` asks for, in the order of the file.
pub fn pyproject(node: &Node) -> Vec<Requirement> {
    let mut found = Vec::new();
    let at = |path: &[&str]| node.at(path);
    let entries = |path: &[&str]| at(path).map_or(&[][..], Node::entries);
    list(at(&["project", "dependencies"]), false, &mut found);
    for group in entries(&["project", "optional-dependencies"]) {
        list(Some(&group.value), is_dev_name(&group.key), &mut found);
    }
    for group in entries(&["dependency-groups"]) {
        // Groups are what is never published; those of servers are named for them, the rest is for development.
        list(Some(&group.value), !is_runtime_group(&group.key), &mut found);
    }
    list(at(&["tool", "uv", "dev-dependencies"]), true, &mut found);
    for group in entries(&["tool", "pdm", "dev-dependencies"]) {
        list(Some(&group.value), true, &mut found);
    }
    for environment in entries(&["tool", "hatch", "envs"]) {
        list(environment.value.get("dependencies"), true, &mut found);
        list(environment.value.get("extra-dependencies"), true, &mut found);
    }
    table(entries(&["tool", "poetry", "dependencies"]), false, &mut found);
    table(entries(&["tool", "poetry", "dev-dependencies"]), true, &mut found);
    for group in entries(&["tool", "poetry", "group"]) {
        let dependencies = group.value.get("dependencies").map_or(&[][..], Node::entries);
        table(dependencies, !is_runtime_group(&group.key), &mut found);
    }
    found.sort_by_key(|requirement| requirement.start);
    found
}

/// Everything that a `Pipfile` asks for.
pub fn pipfile(node: &Node) -> Vec<Requirement> {
    let mut found = Vec::new();
    for (section, dev) in [("packages", false), ("dev-packages", true)] {
        table(node.get(section).map_or(&[][..], Node::entries), dev, &mut found);
    }
    found.sort_by_key(|requirement| requirement.start);
    found
}

/// Groups that are installed to serve: `main`, `server`, `prod`, `postgres`.
fn is_runtime_group(name: &str) -> bool {
    !is_dev_name(name) && name != "all"
}

/// A list of requirements as PEP 508 writes them.
fn list(node: Option<&Node>, dev: bool, found: &mut Vec<Requirement>) {
    for item in node.map_or(&[][..], Node::items) {
        if let Some(read) = item.as_text().and_then(requirement).filter(|_| found.len() < MAX_REQUIREMENTS) {
            found.push(Requirement { dev, start: item.start, end: item.end, ..read });
        }
    }
}

/// A table of names and versions, as Poetry and Pipenv write them.
fn table(entries: &[Entry], dev: bool, found: &mut Vec<Requirement>) {
    for entry in entries.iter().filter(|entry| &*entry.key != "python") {
        if found.len() < MAX_REQUIREMENTS {
            found.push(entry_of_table(entry, dev));
        }
    }
}

fn entry_of_table(entry: &Entry, dev: bool) -> Requirement {
    // Several constraints for several Pythons: the first speaks for all.
    let value = entry.value.items().first().unwrap_or(&entry.value);
    let text = |key: &str| value.get(key).and_then(Node::as_text);
    let (version, loose) = match (value.as_text(), text("git"), text("version")) {
        (Some(version), _, _) => (version.to_owned(), is_any(version)),
        (None, Some(git), _) => {
            let reference = ["rev", "tag", "ref"].iter().find_map(|key| text(key));
            let source = format!("git+{git}");
            (
                source.clone(),
                !reference.is_some_and(|tag| is_pinned(tag) || text("tag").is_some()) && is_moving(&source),
            )
        }
        (None, None, Some(version)) => (version.to_owned(), is_any(version)),
        (None, None, None) => {
            let source = ["path", "file", "url"].iter().find_map(|key| text(key));
            (source.unwrap_or_default().to_owned(), source.is_none() && value.get("editable").is_none())
        }
    };
    Requirement {
        name: normalised(&entry.key).into(),
        version,
        dev,
        loose,
        inherited: false,
        start: entry.key_start,
        end: entry.value.end.max(entry.key_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::toml_file;

    fn rows(found: &[Requirement]) -> Vec<(&str, &str, bool, bool)> {
        found.iter().map(|r| (&*r.name, r.version.as_str(), r.dev, r.loose)).collect()
    }

    #[test]
    fn standard_metadata_and_groups() {
        let text = "[project]\nname = 'shop'\ndependencies = ['fastapi>=0.110', 'SQLAlchemy', 1]\n\
            [project.optional-dependencies]\npostgres = ['asyncpg==0.29.0']\ntest = ['pytest']\n\
            [dependency-groups]\ndev = ['ruff>=0.6', {include-group = 'lint'}]\nworker = ['celery~=5.4']\n";
        let node = toml_file::parse(text).unwrap();
        let found = pyproject(&node);
        let expected = [
            ("fastapi", ">=0.110", false, false),
            ("sqlalchemy", "", false, true),
            ("asyncpg", "==0.29.0", false, false),
            ("pytest", "", true, true),
            ("ruff", ">=0.6", true, false),
            ("celery", "~=5.4", false, false),
        ];
        assert_eq!(rows(&found), expected);
        assert_eq!(&text[found[0].start as usize..found[0].end as usize], "'fastapi>=0.110'");
    }

    #[test]
    fn poetry_pdm_and_uv() {
        let text = "[tool.poetry.dependencies]\npython = '^3.12'\nUnidecode = '^1.3'\n\
            pydantic = {version = '^2', extras = ['email']}\nown = {path = '../own'}\n\
            moving = {git = 'https://host/a/b.git', branch = 'main'}\nfixed = {git = 'https://host/a/b.git', tag = 'r1'}\n\
            [tool.poetry.group.dev.dependencies]\npytest = '*'\n[tool.poetry.group.postgres.dependencies]\npsycopg = '^3'\n\
            [tool.uv]\ndev-dependencies = ['mypy']\n[tool.pdm.dev-dependencies]\nt = ['tox==4']\n";
        let node = toml_file::parse(text).unwrap();
        let expected = [
            ("unidecode", "^1.3", false, false),
            ("pydantic", "^2", false, false),
            ("own", "../own", false, false),
            ("moving", "git+https://host/a/b.git", false, true),
            ("fixed", "git+https://host/a/b.git", false, false),
            ("pytest", "*", true, true),
            ("psycopg", "^3", false, false),
            ("mypy", "", true, true),
            ("tox", "==4", true, false),
        ];
        assert_eq!(rows(&pyproject(&node)), expected);
    }

    #[test]
    fn pipenv_and_odd_shapes() {
        let text = "[packages]\nFlask = '*'\ngunicorn = {version = '==23', extras = ['gevent']}\n[dev-packages]\npytest = '>=8'\n";
        let node = toml_file::parse(text).unwrap();
        let expected =
            [("flask", "*", false, true), ("gunicorn", "==23", false, false), ("pytest", ">=8", true, false)];
        assert_eq!(rows(&pipfile(&node)), expected);
        let odd = toml_file::parse("project = 1\ndependency-groups = [1]\n[tool]\npoetry = 'x'\n").unwrap();
        assert!(pyproject(&odd).is_empty() && pipfile(&odd).is_empty());
    }
}
