//! One requirement as Python writes it: `uvicorn[standard]>=0.30; python_version >= "3.9"`, `shop @ git+https://…@v1`.

use super::Requirement;

/// A name as PEP 503 compares them: lower case, with `-` between its words.
pub fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' => {
                if !out.ends_with('-') {
                    out.push('-');
                }
            }
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// Reads one requirement; nothing for what is none. The place is the caller's to give.
pub(super) fn requirement(text: &str) -> Option<Requirement> {
    let text = text.split(" #").next().unwrap_or(text).trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 200;
    let rest = without_extras(rest.trim_start())?;
    let rest = rest.trim();
    if !is_name || !(rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', '@', ';', '('])) {
        return None;
    }
    let (version, loose) = match rest.strip_prefix('@') {
        Some(source) => {
            let source = source.split(" ;").next().unwrap_or(source).trim();
            (source.to_owned(), is_moving(source))
        }
        None => {
            let version = rest.split([';', '#']).next().unwrap_or_default().trim().trim_matches(['(', ')']).to_owned();
            let loose = is_any(&version);
            (version, loose)
        }
    };
    let name = normalised(name).into();
    Some(Requirement { name, version, dev: false, loose, inherited: false, start: 0, end: 0 })
}

/// What follows `[standard,cli]`; nothing if the bracket never closes.
fn without_extras(rest: &str) -> Option<&str> {
    match rest.strip_prefix('[') {
        Some(inner) => inner.split_once(']').map(|(_, rest)| rest),
        None => Some(rest),
    }
}

/// A version that excludes nothing.
pub(super) fn is_any(version: &str) -> bool {
    let version = version.trim();
    matches!(version, "" | "*" | ">=0" | ">= 0" | ">=0.0" | ">=0.0.0" | "latest")
}

/// The branch of a repository, as opposed to a tag, a commit or an archive.
pub(super) fn is_moving(source: &str) -> bool {
    let hosted = ["git+", "git:", "git@", "hg+", "bzr+", "svn+"].iter().any(|prefix| source.starts_with(prefix));
    let path = source.split('#').next().unwrap_or(source);
    let after_host = path.split_once("://").map_or(path, |(_, rest)| rest);
    let reference =
        after_host.split_once('/').and_then(|(_, rest)| rest.rsplit_once('@')).map(|(_, reference)| reference);
    hosted && !reference.is_some_and(is_pinned)
}

/// A commit or a version tag.
pub(super) fn is_pinned(reference: &str) -> bool {
    let commit = reference.len() >= 7 && reference.chars().all(|c| c.is_ascii_hexdigit());
    let tag = reference.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    commit || tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_the_registry_does() {
        assert_eq!(normalised("Flask_SQLAlchemy"), "flask-sqlalchemy");
        assert_eq!(normalised("zope.interface"), "zope-interface");
        assert_eq!(normalised("A--b_.c"), "a-b-c");
    }

    #[test]
    fn requirements_with_extras_markers_and_sources() {
        for (text, name, version, loose) in [
            ("fastapi", "fastapi", "", true),
            ("uvicorn[standard]>=0.30,<1", "uvicorn", ">=0.30,<1", false),
            ("Django ~= 5.1 ; python_version >= '3.10'", "django", "~= 5.1", false),
            ("requests (>=2.8)", "requests", ">=2.8", false),
            ("shop @ git+https://host/a/shop.git", "shop", "git+https://host/a/shop.git", true),
            ("shop @ git+ssh://git@host/a/shop.git@main", "shop", "git+ssh://git@host/a/shop.git@main", true),
            ("shop @ git+https://host/a/shop.git@v1.2", "shop", "git+https://host/a/shop.git@v1.2", false),
            ("shop @ https://host/shop-1.0-py3.whl", "shop", "https://host/shop-1.0-py3.whl", false),
            ("pytest==8.0.0  # tests", "pytest", "==8.0.0", false),
        ] {
            let found = requirement(text).unwrap();
            assert_eq!((&*found.name, found.version.as_str(), found.loose), (name, version, loose), "{text}");
        }
        for text in ["", "-r base.txt", "./local", "a b", "x[never", "é", "[x]", "# note"] {
            assert_eq!(requirement(text), None, "{text}");
        }
    }
}
