//! `pyproject.toml` (PEP 621, dependency groups, Poetry) and `requirements.txt`.

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::Wanted;
use super::version::{Standing, lowest, standing};

/// A requirement line: `name[extra]>=1; marker`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement<'t> {
    name: String,
    version: &'t str,
}

/// Names are compared as package indexes do: `_`, `.` and `-` are one, case does not count.
fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', '.'], "-")
}

fn requirement(line: &str) -> Option<Requirement<'_>> {
    let line = line.split('#').next()?.split(';').next()?.trim();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let version = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(rest, |(_, v)| v);
    Some(Requirement { name: normal(name), version: version.trim() })
}

/// What is wanted as one line: `redis>=5,<6`; Poetry's `^5.1` becomes a range.
fn line_of(name: &str, version: &str) -> String {
    format!("{name}{version}")
}

fn judged(present: &str, wanted: &str) -> Wanted {
    match standing(present, wanted) {
        Standing::NewEnough => Wanted::Present,
        Standing::Older | Standing::Other => Wanted::Kept { version: present.to_owned() },
    }
}

/// Adds a line in its place; what is there stays.
pub fn add_to_requirements(text: &str, name: &str, version: &str) -> (String, Wanted) {
    let wanted = normal(name.split('[').next().unwrap_or(name));
    let found = text.lines().filter_map(requirement).find(|one| one.name == wanted);
    if let Some(found) = found {
        return (text.to_owned(), judged(found.version, version));
    }
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let names: Vec<(usize, String)> = offsets(text)
        .filter_map(|(at, line)| Some((at, requirement(line).filter(|_| !line.starts_with('-'))?.name)))
        .collect();
    let sorted = names.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a <= b));
    let line = line_of(name, &like_the_others(text, version));
    let text = match names.iter().find(|(_, other)| sorted && *other > wanted) {
        Some((at, _)) => {
            let (before, after) = text.split_at_checked(*at).unwrap_or((text, ""));
            format!("{before}{line}{line_break}{after}")
        }
        None if text.is_empty() || text.ends_with('\n') => format!("{text}{line}{line_break}"),
        None => format!("{text}{line_break}{line}{line_break}"),
    };
    (text, Wanted::Added)
}

/// In a file that pins everything, the lowest version that is wanted, pinned: a range would unlock it.
fn like_the_others(text: &str, version: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('-'));
    let mut others = lines.filter_map(requirement).peekable();
    let pins = others.peek().is_some() && others.all(|one| one.version.starts_with("=="));
    let lowest = lowest(version).filter(|_| pins);
    lowest.map_or_else(|| version.to_owned(), |lowest| format!("=={lowest}"))
}

fn offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// Adds a dependency where the file keeps them. None if it keeps none.
pub fn add_to_pyproject(text: &str, name: &str, version: &str, dev: bool) -> Result<Option<(String, Wanted)>, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let wanted = normal(name.split('[').next().unwrap_or(name));
    if let Some(present) = present(&document, &wanted) {
        return Ok(Some((text.to_owned(), judged(&present, version))));
    }
    let added = if document.get("tool").and_then(|tool| tool.get("poetry")).is_some() && !has_project_list(&document) {
        add_to_poetry(&mut document, name, version, dev)
    } else {
        add_to_project(&mut document, name, version, dev)
    };
    Ok(added.then(|| (document.to_string(), Wanted::Added)))
}

fn has_project_list(document: &DocumentMut) -> bool {
    document.get("project").and_then(|project| project.get("dependencies")).is_some_and(Item::is_array)
}

/// What the file asks for of a package, wherever it does.
fn present(document: &DocumentMut, wanted: &str) -> Option<String> {
    let project = document.get("project");
    let main = project.and_then(|p| p.get("dependencies")).and_then(Item::as_array);
    let optional = project.and_then(|p| p.get("optional-dependencies")).and_then(Item::as_table_like);
    let groups = document.get("dependency-groups").and_then(Item::as_table_like);
    let grouped = optional.into_iter().chain(groups).flat_map(|table| table.iter());
    let lists = main.into_iter().chain(grouped.filter_map(|(_, item)| item.as_array()));
    let lines = lists.flat_map(|list| list.iter()).filter_map(Value::as_str);
    let listed = lines.filter_map(requirement).find(|one| one.name == wanted).map(|one| one.version.to_owned());
    listed.or_else(|| {
        let poetry = document.get("tool")?.get("poetry")?;
        let main = poetry.get("dependencies").and_then(Item::as_table_like);
        // As it was before there were groups.
        let early = poetry.get("dev-dependencies").and_then(Item::as_table_like);
        let groups = poetry.get("group").and_then(Item::as_table_like);
        let groups = groups.into_iter().flat_map(|table| table.iter());
        let grouped = groups.filter_map(|(_, group)| group.get("dependencies").and_then(Item::as_table_like));
        let entries = main.into_iter().chain(early).chain(grouped).flat_map(|table| table.iter());
        let found = entries.into_iter().find(|(name, _)| normal(name) == wanted)?;
        let version = found.1.as_str().or_else(|| found.1.get("version").and_then(Item::as_str));
        Some(version.unwrap_or_default().to_owned())
    })
}

fn add_to_project(document: &mut DocumentMut, name: &str, version: &str, dev: bool) -> bool {
    let line = line_of(name, version);
    if !dev {
        let list = document.get_mut("project").and_then(|p| p.get_mut("dependencies")).and_then(Item::as_array_mut);
        return list.map(|list| insert_sorted(list, &line)).is_some();
    }
    let optional = document.get_mut("project").and_then(|p| p.get_mut("optional-dependencies"));
    for group in ["dev", "test"] {
        if let Some(list) = optional.as_ref().and_then(|table| table.get(group)).and_then(Item::as_array) {
            let mut list = list.clone();
            insert_sorted(&mut list, &line);
            if let Some(table) = document.get_mut("project").and_then(|p| p.get_mut("optional-dependencies")) {
                table[group] = Item::Value(Value::Array(list));
            }
            return true;
        }
    }
    if document.get("project").is_none() {
        return false;
    }
    let groups = document.entry("dependency-groups").or_insert_with(|| Item::Table(Table::new()));
    let Some(groups) = groups.as_table_like_mut() else { return false };
    let list = groups.entry("dev").or_insert_with(|| Item::Value(Value::Array(Array::new())));
    list.as_array_mut().map(|list| insert_sorted(list, &line)).is_some()
}

/// In its place where the list is sorted, laid out as its neighbours are.
fn insert_sorted(list: &mut Array, line: &str) {
    let name = |value: &Value| value.as_str().and_then(requirement).map(|one| one.name).unwrap_or_default();
    let names: Vec<String> = list.iter().map(name).collect();
    let own = requirement(line).map(|one| one.name).unwrap_or_default();
    let sorted = names.windows(2).all(|pair| matches!(pair, [a, b] if a <= b));
    let at = if sorted { names.iter().take_while(|other| **other < own).count() } else { names.len() };
    let spread = list.iter().any(|value| prefix_of(value).contains('\n'));
    if !spread {
        if let Some(first) = list.get_mut(0).filter(|_| at == 0) {
            first.decor_mut().set_prefix(" ");
        }
        let prefix = if at == 0 { "" } else { " " };
        list.insert_formatted(at, Value::from(line).decorated(prefix, ""));
        return;
    }
    let prefix = match list.get_mut(at) {
        // What stands in front of the next one begins with the comment of the one before.
        Some(next) => {
            let whole = prefix_of(next);
            next.decor_mut().set_prefix(last_line(&whole));
            whole
        }
        None => prefix_at_end(list),
    };
    list.insert_formatted(at, Value::from(line).decorated(prefix, ""));
    list.set_trailing_comma(true);
}

fn prefix_of(value: &Value) -> String {
    value.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned()
}

/// From the last line break on.
fn last_line(text: &str) -> String {
    text.rfind('\n').and_then(|at| text.get(at..)).unwrap_or(text).to_owned()
}

/// What stands in front of a new last element: the comment of the one before, and the blanks of its line.
fn prefix_at_end(list: &mut Array) -> String {
    let blanks = list.iter().map(prefix_of).find(|prefix| prefix.contains('\n')).map(|prefix| last_line(&prefix));
    let last = list.len().saturating_sub(1);
    let suffix = list.get(last).and_then(|value| value.decor().suffix()).and_then(|suffix| suffix.as_str());
    let comment = format!("{}{}", suffix.unwrap_or_default(), list.trailing().as_str().unwrap_or_default());
    if let Some(value) = list.get_mut(last) {
        value.decor_mut().set_suffix("");
    }
    list.set_trailing("\n");
    format!("{}{}", comment.trim_end(), blanks.unwrap_or_default())
}

fn add_to_poetry(document: &mut DocumentMut, name: &str, version: &str, dev: bool) -> bool {
    let name = name.split('[').next().unwrap_or(name);
    let Some(poetry) = document.get_mut("tool").and_then(|tool| tool.get_mut("poetry")) else { return false };
    let table = if dev {
        let has_group = poetry.get("group").and_then(|group| group.get("dev")).is_some();
        match has_group {
            true => poetry.get_mut("group").and_then(|group| group.get_mut("dev")?.get_mut("dependencies")),
            false => poetry.get_mut("dev-dependencies"),
        }
    } else {
        poetry.get_mut("dependencies")
    };
    let Some(table) = table.and_then(Item::as_table_like_mut) else { return false };
    table.insert(name, Item::Value(Value::from(version)));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_get_a_line_in_its_place() {
        let text = "# web\nfastapi==0.115.0\nuvicorn[standard]>=0.32\n";
        let (with, wanted) = add_to_requirements(text, "redis", ">=5,<6");
        assert_eq!(wanted, Wanted::Added);
        assert_eq!(with, "# web\nfastapi==0.115.0\nredis>=5,<6\nuvicorn[standard]>=0.32\n");
        let pinned = "-r base.txt\nfastapi==0.115.0\n";
        assert_eq!(add_to_requirements(pinned, "redis", ">=5.2,<6").0, format!("{pinned}redis==5.2.0\n"));
        assert_eq!(add_to_requirements("b\na", "c", ">=1").0, "b\na\nc>=1\n");
        assert_eq!(add_to_requirements("", "c", ">=1").0, "c>=1\n");
        assert_eq!(add_to_requirements("a\r\n", "b", ">=1").0, "a\r\nb>=1\r\n");
    }

    #[test]
    fn what_is_there_stays() {
        for (text, expected) in [
            ("Pydantic_Settings>=2.7", Wanted::Present),
            ("pydantic-settings==2.1.0", Wanted::Kept { version: "==2.1.0".into() }),
            ("pydantic.settings", Wanted::Kept { version: String::new() }),
        ] {
            assert_eq!(add_to_requirements(text, "pydantic-settings", ">=2.6,<3"), (text.to_owned(), expected));
        }
    }

    fn add(text: &str, name: &str, dev: bool) -> String {
        add_to_pyproject(text, name, ">=5,<6", dev).unwrap().unwrap().0
    }

    #[test]
    fn projects_keep_their_layout() {
        let text = "[project]\nname = \"shop\" # the shop\ndependencies = [\n    \"fastapi>=0.115\", # web\n    \"uvicorn\",\n]\n";
        assert_eq!(add(text, "redis", false), text.replace("    \"uvicorn\"", "    \"redis>=5,<6\",\n    \"uvicorn\""));
        assert_eq!(add(text, "zstd", false), text.replace("\"uvicorn\",\n", "\"uvicorn\",\n    \"zstd>=5,<6\",\n"));
        assert_eq!(
            add("[project]\ndependencies = [\"b\"]\n", "a", false),
            "[project]\ndependencies = [\"a>=5,<6\", \"b\"]\n"
        );
        assert_eq!(add("[project]\ndependencies = []\n", "a", false), "[project]\ndependencies = [\"a>=5,<6\"]\n");
        assert!(add(text, "pytest", true).ends_with("[dependency-groups]\ndev = [\"pytest>=5,<6\"]\n"));
    }

    #[test]
    fn poetry_has_tables() {
        let text = "[tool.poetry.dependencies]\npython = \"^3.12\"\nfastapi = { version = \"^0.115\" }\n";
        assert_eq!(add(text, "redis", false), format!("{text}redis = \">=5,<6\"\n"));
        let present = add_to_pyproject(text, "fastapi", ">=0.110", false).unwrap().unwrap();
        assert_eq!(present, (text.to_owned(), Wanted::Present));
        let early = format!("{text}\n[tool.poetry.dev-dependencies]\nblack = \"^22.6\"\n");
        assert_eq!(add(&early, "pytest", true), format!("{early}pytest = \">=5,<6\"\n"));
        let present = add_to_pyproject(&early, "black", ">=22", true).unwrap().unwrap();
        assert_eq!(present.1, Wanted::Present);
    }

    #[test]
    fn files_without_a_list_and_broken_ones() {
        assert_eq!(add_to_pyproject("[tool.ruff]\n", "redis", ">=5", false), Ok(None));
        assert!(add_to_pyproject("[project\n", "redis", ">=5", false).is_err());
    }
}
