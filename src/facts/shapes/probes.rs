//! URL paths that health checks call.

use crate::facts::{Fact, Value};
use crate::project::Span;

use super::values::fact;

/// The paths of the URLs in a command (`curl -f http://localhost:3000/health`), and of `/path` words after a host.
pub fn url_paths(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    for scheme in ["http://", "https://"] {
        for (at, _) in command.match_indices(scheme) {
            let rest = &command[at + scheme.len()..];
            let length = rest.find(|c: char| c.is_whitespace() || "\"'`|;)&,>\\]".contains(c)).unwrap_or(rest.len());
            found.push(path_of(&rest[..length]));
        }
    }
    if found.is_empty() && ["curl", "wget"].iter().any(|tool| command.contains(tool)) {
        let words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        let local =
            words.filter(|word| ["localhost", "127.0.0.1", "0.0.0.0"].iter().any(|host| word.starts_with(host)));
        found.extend(local.map(path_of));
    }
    found.sort();
    found.dedup();
    found
}

/// The path of `host:port/path?query`, where the host may hold variables.
fn path_of(address: &str) -> String {
    let path = address.find('/').map_or("/", |at| &address[at..]);
    path.split(['?', '#']).next().unwrap_or("/").to_owned()
}

pub fn probe(at: Span, clause: &str, symbol: &str, path: &str) -> Fact {
    fact("probe", at, clause, symbol).with("path", Value::text(path))
}

/// A fact for each path that a command calls.
pub fn probes(at: Span, clause: &str, symbol: &str, command: &str) -> Vec<Fact> {
    url_paths(command).iter().map(|path| probe(at, clause, symbol, path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_health_checks() {
        for (command, wanted) in [
            ("curl -f http://localhost:3000/api/heartbeat || exit 1", vec!["/api/heartbeat"]),
            ("wget -qO- \"http://127.0.0.1:${PORT:-3000}/health?full=1\"", vec!["/health"]),
            ("node -e \"require('http').get('http://localhost:3000', r => 1)\"", vec!["/"]),
            ("curl --fail localhost:8080/ready", vec!["/ready"]),
            ("pg_isready -U app", vec![]),
        ] {
            assert_eq!(url_paths(command), wanted, "{command}");
        }
    }
}
