//! Commands that only change how another runs: `NODE_ENV=test npx -y jest`, `npm --prefix api test`.
//!
//! In go words, out comes what is left once the wrapper is taken away.

use super::purpose::is_test_name;
use crate::facts::shapes::paths;

/// The command behind what only changes how it runs (`NODE_ENV=test npx -y`), if there is such a thing.
pub(super) fn unwrapped<'w, 't>(words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    let (head, rest) = words.split_first()?;
    let two = [*head, rest.first().copied().unwrap_or_default()];
    let assigned = head.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'));
    let rest = match paths::name(head) {
        _ if assigned => return Some(rest),
        "dotenv" | "dotenvx" | "doppler" | "infisical" | "op" => {
            let dashes = rest.iter().position(|word| *word == "--").map(|at| &rest[at + 1..]);
            return dashes.or(Some(rest));
        }
        "npx" | "bunx" | "pnpx" | "cross-env" | "env" | "time" | "sudo" | "xvfb-run" | "exec" | "command" | "nyc"
        | "c8" | "if" | "then" | "!" | "dotenv-run-script" | "tsx" | "ts-node" => rest,
        _ if two[1] == "run" && matches!(two[0], "uv" | "poetry" | "pipenv" | "rye" | "pixi") => &rest[1..],
        _ if two == ["bundle", "exec"] => &rest[1..],
        "hatch" | "pdm" if two[1] == "run" && !rest.iter().any(|word| is_test_name(word)) => &rest[1..],
        "coverage" if two[1] == "run" && rest.get(1) == Some(&"-m") => &rest[2..],
        "coverage" if two[1] == "run" => &rest[1..],
        "uvx" | "pipx" => rest.strip_prefix(&["run"]).unwrap_or(rest),
        _ => return None,
    };
    if matches!(*head, "tsx" | "ts-node") && rest.contains(&"--test") {
        return None;
    }
    let flags = rest.iter().take_while(|word| word.starts_with('-')).count();
    Some(&rest[flags..])
}

/// Takes the flags of a package manager away; `--prefix`, `-C` and `--cwd` change the folder.
pub(super) fn without_flags<'t>(words: &[&'t str], folder: &str) -> (String, Vec<&'t str>) {
    let (mut folder, mut at) = (folder.to_owned(), 0);
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let (name, given) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
        let takes_value = ["--prefix", "-C", "--cwd", "--dir", "--filter", "-F", "-w", "--workspace"].contains(&name);
        let shared_root = name == "-w" && words.get(at + 1).is_some_and(|next| matches!(*next, "run" | "test"));
        let value = given.or(words.get(at + 1).copied().filter(|_| takes_value && !shared_root));
        if let Some(target) = value.filter(|_| ["--prefix", "-C", "--cwd", "--dir"].contains(&name)) {
            folder = paths::join(&folder, target);
        }
        at += 1 + usize::from(takes_value && given.is_none() && !shared_root);
    }
    (folder, words.get(at..).unwrap_or_default().to_vec())
}
