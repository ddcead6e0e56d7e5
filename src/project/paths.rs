//! Paths relative to the root, as text with `/`; `.` is the root itself.

/// `path` seen from `folder`, without `.` and `..` parts; what climbs out of the root ends there.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let joined = join_parts(folder, path);
    if joined.is_empty() { ".".to_owned() } else { joined }
}

/// The same where the root has no name at all.
pub(crate) fn join_parts(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The folder of a file.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What follows `folder` in `path`, if the path lies below it.
pub(super) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder == "." { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// A folder and those above it, up to the root.
pub(super) fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| (*folder != ".").then(|| folder_of(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_stays_inside() {
        assert_eq!(join("apps/api", "./src/../x.js"), "apps/api/x.js");
        assert_eq!(join(".", "x"), "x");
        assert_eq!(join("a", ".."), ".");
        assert_eq!(join("a", "../../../etc"), "etc");
    }

    #[test]
    fn folders_and_what_is_below_them() {
        assert_eq!(below("apps/api/x.js", "apps/api"), Some("x.js"));
        assert_eq!(below("apps/api2/x.js", "apps/api"), None);
        assert_eq!(below("x.js", "."), Some("x.js"));
        assert_eq!(ancestors("a/b").collect::<Vec<_>>(), ["a/b", "a", "."]);
        assert_eq!(ancestors(".").collect::<Vec<_>>(), ["."]);
    }
}
