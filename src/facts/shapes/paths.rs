//! Paths relative to the project's root, with `/`.

use crate::project::paths;
pub(crate) use crate::project::paths::{file_name as name, folder_of as folder};

/// A path beside or below a folder, with `.` and `..` taken out; what leads out of the root stays at it.
pub fn join(folder: &str, path: &str) -> String {
    paths::join(if path.starts_with('/') { "" } else { folder }, path)
}

/// Some part of the path is one of those names.
pub fn passes(path: &str, names: &[&str]) -> bool {
    path.split('/').any(|part| names.contains(&part))
}

/// Words of a file name (`docker-compose.dev.yml` → docker, compose, dev, yml), in lower case.
pub fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_stays_in_the_root() {
        for (base, path, wanted) in
            [(".", "./a/../b", "b"), ("a/b", "../c", "a/c"), ("a", "../../..", "."), ("a", "/x", "x"), ("a", ".", "a")]
        {
            assert_eq!(join(base, path), wanted);
        }
    }

    #[test]
    fn folders_and_names() {
        assert_eq!((folder("a/b/c"), name("a/b/c")), ("a/b", "c"));
        assert_eq!((folder("c"), name("c")), (".", "c"));
        assert_eq!(words("Dockerfile.dev"), ["dockerfile", "dev"]);
    }
}
