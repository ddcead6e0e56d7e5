//! What a GitHub workflow may do: its permissions, the actions that it uses, and scripts that outsiders can write into.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::super::values::{fact, optional, scalar_text, span, texts};

const CLAUSE: &str = "shape workflow";

/// Facts of a workflow file: one `workflow`, an `action` for each `uses`, a `workflow-script` for each `run`.
pub fn hardening(file: FileId, root: &Node, triggers: &[String]) -> Vec<Fact> {
    let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
    let name = root.get("name").and_then(Node::as_text).unwrap_or_default();
    let reading = Reading { file, triggers: Value::texts(triggers) };
    let own = jobs.iter().filter(|job| job.value.get("permissions").is_some()).count();
    let mut facts = vec![
        fact("workflow", span(file, root.start, root.start), CLAUSE, name)
            .with("permissions", permissions(root.get("permissions")))
            .with("triggers", reading.triggers.clone())
            .with("jobs_permissions", Value::bool(own == jobs.len() && own > 0)),
    ];
    for job in jobs {
        facts.extend(job.value.get("uses").and_then(|uses| reading.action(uses, &job.value)));
        for step in job.value.get("steps").map(Node::items).unwrap_or_default() {
            facts.extend(step.get("uses").and_then(|uses| reading.action(uses, step)));
            facts.extend(step.get("run").and_then(|run| reading.script(run)));
        }
    }
    facts
}

struct Reading {
    file: FileId,
    triggers: Value,
}

impl Reading {
    /// Nothing for actions of the repository itself.
    fn action(&self, uses: &Node, step: &Node) -> Option<Fact> {
        let text = uses.as_text().filter(|text| !text.starts_with("./"))?;
        let (name, reference) = text.split_once('@').unwrap_or((text, ""));
        let with = |key: &str| step.at(&["with", key]).and_then(scalar_text);
        let secrets = step.get("secrets").and_then(Node::as_text);
        let made = fact("action", span(self.file, uses.start, uses.end), CLAUSE, name)
            .with("uses", Value::text(text))
            .with("owner", Value::text(name.split('/').next().unwrap_or_default()))
            .with("pin", Value::text(pin(name, reference)))
            .with("triggers", self.triggers.clone())
            .with("reference", optional(with("ref").as_deref()))
            .with("credentials", optional(with("persist-credentials").as_deref()))
            .with("secrets", optional(secrets));
        Some(made)
    }

    fn script(&self, run: &Node) -> Option<Fact> {
        let text = run.as_text()?;
        let made = fact("workflow-script", span(self.file, run.start, run.end), CLAUSE, "run")
            .with("text", Value::text(text))
            .with("injects", Value::texts(expressions(text)))
            .with("triggers", self.triggers.clone());
        Some(made)
    }
}

/// `commit` (a full hash), `digest` of an image, `tag` (looks like a version), `branch`, or `none`.
fn pin(name: &str, reference: &str) -> &'static str {
    let is_hash = matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let versioned = reference.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    match reference {
        _ if is_hash => "commit",
        _ if name.starts_with("docker://") && reference.starts_with("sha256:") => "digest",
        "" if name.starts_with("docker://") => "image",
        "" => "none",
        _ if versioned => "tag",
        _ => "branch",
    }
}

/// `read-all`, `write-all`, or the names that may be written.
fn permissions(node: Option<&Node>) -> Value {
    let Some(node) = node else { return Value::ABSENT };
    let written = node.entries().iter().filter(|entry| entry.value.as_text() == Some("write"));
    match node.as_text() {
        Some(word) => Value::text(word),
        None => Value::texts(written.map(|entry| &*entry.key).chain(texts(node))),
    }
}

/// What stands in `${{ … }}`.
fn expressions(text: &str) -> impl Iterator<Item = &str> {
    text.split("${{").skip(1).filter_map(|part| part.split_once("}}").map(|(inside, _)| inside.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    const TEXT: &str = "name: CI\non: [push, pull_request_target]\npermissions: {contents: write, issues: read}\njobs:\n  call:\n    uses: acme/flows/.github/workflows/a.yml@main\n    secrets: inherit\n  test:\n    permissions: read-all\n    steps:\n      - uses: actions/checkout@v4\n        with: {ref: \"${{ github.head_ref }}\", persist-credentials: false}\n      - uses: ./.github/actions/x\n      - uses: docker://alpine\n      - uses: acme/x@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n      - run: echo \"${{ github.event.issue.title }}\"\n";

    fn facts() -> Vec<Fact> {
        let triggers = ["push".to_owned(), "pull_request_target".to_owned()];
        hardening(FileId(0), &yaml::parse(TEXT).unwrap(), &triggers)
    }

    fn texts_of(kind: &str, field: &str) -> Vec<Option<String>> {
        let of_kind = facts().into_iter().filter(|fact| &*fact.kind == kind);
        of_kind.map(|fact| fact.get(field).and_then(Value::as_text).map(str::to_owned)).collect()
    }

    #[test]
    fn actions_and_how_they_are_pinned() {
        let pins: Vec<_> = texts_of("action", "pin").into_iter().flatten().collect();
        assert_eq!(pins, ["branch", "tag", "image", "commit"]);
        assert_eq!(texts_of("action", "secrets")[0].as_deref(), Some("inherit"));
        assert_eq!(texts_of("action", "reference")[1].as_deref(), Some("${{ github.head_ref }}"));
        assert_eq!(texts_of("action", "credentials")[1].as_deref(), Some("false"));
    }

    #[test]
    fn permissions_and_scripts() {
        let facts = facts();
        assert_eq!(facts[0].get("permissions"), Some(&Value::texts(["contents"])));
        assert_eq!(facts[0].get("jobs_permissions"), Some(&Value::bool(false)));
        let script = facts.iter().find(|fact| &*fact.kind == "workflow-script").unwrap();
        assert_eq!(script.get("injects"), Some(&Value::texts(["github.event.issue.title"])));
    }

    #[test]
    fn odd_workflows_are_read() {
        for text in ["on: push", "jobs: 3", "jobs: {a: {steps: [1, {uses: 3}, {run: [a]}]}}", "[]"] {
            let _ = hardening(FileId(0), &yaml::parse(text).unwrap(), &[]);
        }
    }
}
