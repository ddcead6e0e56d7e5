//! What a workflow may do: its permissions, the actions and images that it uses, and scripts that outsiders can write
//! into. Includes of GitLab and orbs of CircleCI are actions too: code of others that runs with the project's secrets.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::{Entry, Node};

use super::super::images;
use super::super::values::{fact, optional, scalar_text, span, texts, value_of};

const CLAUSE: &str = "shape workflow";

/// Inputs of actions that hold a script.
const SCRIPTS: [&str; 6] = ["script", "inlinescript", "run", "runs", "command", "commands"];

/// Facts of a workflow file: one `workflow`, a `job` for each job, an `action` for each `uses`, a `workflow-script` for
/// each text that a shell or another interpreter runs.
pub fn hardening(file: FileId, root: &Node, triggers: &[String]) -> Vec<Fact> {
    let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
    let name = root.get("name").and_then(Node::as_text).unwrap_or_default();
    let reading = Reading { file, triggers: Value::texts(triggers) };
    let own = jobs.iter().filter(|job| job.value.get("permissions").is_some()).count();
    let on = root.get("on").map_or((root.start, root.start), |on| (on.start, on.end));
    let mut facts = vec![
        fact("workflow", span(file, on.0, on.1), CLAUSE, name)
            .with("permissions", permissions(root.get("permissions")))
            .with("triggers", reading.triggers.clone())
            .with("jobs_permissions", Value::bool(own == jobs.len() && own > 0))
            .with("jobs", Value::number(jobs.len() as f64))
            .with("releases", Value::bool(is_release(root.get("on")))),
    ];
    for job in jobs {
        facts.push(reading.job(job));
        facts.extend(job.value.get("uses").and_then(|uses| reading.action(uses, &job.value)));
        facts.extend(job_images(&job.value).into_iter().filter_map(|image| reading.image(image)));
        for step in job.value.get("steps").map(Node::items).unwrap_or_default() {
            facts.extend(reading.step(step));
        }
    }
    facts
}

/// Starts when something is published: a release, or a tag.
fn is_release(on: Option<&Node>) -> bool {
    let Some(on) = on else { return false };
    let by_name = texts(on).contains(&"release") || on.get("release").is_some();
    let branches = on.at(&["push", "branches"]).map(texts).unwrap_or_default();
    by_name || on.at(&["push", "tags"]).is_some() || branches.iter().any(|branch| branch.contains("release"))
}

/// The images that a job runs in or beside; those of a matrix are where its values stand.
fn job_images(job: &Node) -> Vec<&Node> {
    let own = job.get("container").map(|container| container.get("image").unwrap_or(container));
    let beside = job.get("services").map(Node::entries).unwrap_or_default();
    let all = own.into_iter().chain(beside.iter().filter_map(|service| service.value.get("image")));
    all.flat_map(|image| of_matrix(job, image).unwrap_or_else(|| vec![image])).collect()
}

/// What `${{ matrix.image }}` may be, where the text is nothing else.
fn of_matrix<'n>(job: &'n Node, written: &Node) -> Option<Vec<&'n Node>> {
    let inside = written.as_text()?.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let path: Vec<&str> = inside.strip_prefix("matrix.")?.split('.').collect();
    let matrix = job.at(&["strategy", "matrix"])?;
    let (first, rest) = path.split_first()?;
    let listed = matrix.get(first).map(Node::items).unwrap_or_default().iter().filter_map(|item| item.at(rest));
    let included = matrix.get("include").map(Node::items).unwrap_or_default();
    Some(listed.chain(included.iter().filter_map(|item| item.at(&path))).collect())
}

/// The steps of an action of the project itself.
pub fn composite(file: FileId, root: &Node) -> Vec<Fact> {
    let reading = Reading { file, triggers: Value::list(Vec::new()) };
    let steps = root.at(&["runs", "steps"]).map(Node::items).unwrap_or_default();
    steps.iter().flat_map(|step| reading.step(step)).collect()
}

/// Templates of other projects or addresses, and the images that jobs run in.
pub fn gitlab(file: FileId, root: &Node) -> Vec<Fact> {
    let reading = Reading { file, triggers: Value::list(Vec::new()) };
    let include = root.get("include");
    let listed = include.map(Node::items).unwrap_or_default().iter();
    let all = listed.chain(include.filter(|node| !node.entries().is_empty()));
    let mut facts: Vec<Fact> = all.filter_map(|include| reading.include(include)).collect();
    let images = std::iter::once(root).chain(root.entries().iter().map(|job| &job.value));
    facts.extend(
        images.filter_map(|job| job.get("image")).filter_map(|image| reading.image(image.get("name").unwrap_or(image))),
    );
    facts
}

/// Orbs, each pinned by its version.
pub fn circle(file: FileId, root: &Node) -> Vec<Fact> {
    let reading = Reading { file, triggers: Value::list(Vec::new()) };
    let orbs = root.get("orbs").map(Node::entries).unwrap_or_default();
    let mut facts: Vec<Fact> = orbs.iter().filter_map(|orb| reading.orb(&orb.value)).collect();
    for group in ["jobs", "executors"] {
        let all = root.get(group).map(Node::entries).unwrap_or_default().iter();
        let images = all.filter_map(|job| job.value.get("docker")).flat_map(Node::items);
        facts.extend(images.filter_map(|image| image.get("image")).filter_map(|image| reading.image(image)));
    }
    facts
}

struct Reading {
    file: FileId,
    triggers: Value,
}

impl Reading {
    /// What a step uses and runs.
    fn step(&self, step: &Node) -> Vec<Fact> {
        let inputs = step.get("with").map(Node::entries).unwrap_or_default().iter();
        let scripts = inputs.filter(|input| SCRIPTS.contains(&input.key.to_ascii_lowercase().as_str()));
        let texts = step.get("run").into_iter().chain(scripts.map(|input| &input.value));
        let action = step.get("uses").and_then(|uses| self.action(uses, step));
        action.into_iter().chain(texts.filter_map(|text| self.script(text))).collect()
    }

    fn job(&self, job: &Entry) -> Fact {
        let runner = job.value.get("runs-on");
        let labels = runner.and_then(|runner| runner.get("labels")).or(runner).map(texts).unwrap_or_default();
        fact("job", span(self.file, job.key_start, job.key_end), CLAUSE, &job.key)
            .with("name", Value::text(job.key.clone()))
            .with("runs_on", Value::texts(labels))
            .with("permissions", permissions(job.value.get("permissions")))
            .with("triggers", self.triggers.clone())
            .with("secrets", optional(job.value.get("secrets").and_then(Node::as_text)))
            .with("uses", optional(job.value.get("uses").and_then(Node::as_text)))
    }

    /// Nothing for actions of the repository itself.
    fn action(&self, uses: &Node, step: &Node) -> Option<Fact> {
        let text = uses.as_text().map(str::trim).filter(|text| !is_at_home(text))?;
        if text.starts_with("docker://") {
            return self.image(uses);
        }
        let (name, reference) = text.split_once('@').unwrap_or((text, ""));
        let with = |key: &str| step.at(&["with", key]).and_then(scalar_text);
        let secrets = step.get("secrets").and_then(Node::as_text);
        let made = fact("action", span(self.file, uses.start, uses.end), CLAUSE, name)
            .with("uses", Value::text(text))
            .with("owner", Value::text(name.split('/').next().unwrap_or_default()))
            .with("pin", Value::text(pin(reference)))
            .with("triggers", self.triggers.clone())
            .with("reference", optional(with("ref").as_deref()))
            .with("credentials", optional(with("persist-credentials").as_deref()))
            .with("secrets", optional(secrets))
            .with("inputs", step.get("with").map_or(Value::ABSENT, value_of));
        Some(made)
    }

    fn made(&self, node: &Node, name: &str, uses: &str, owner: &str, pin: Value) -> Fact {
        fact("action", span(self.file, node.start, node.end), CLAUSE, name)
            .with("uses", Value::text(uses))
            .with("owner", Value::text(owner))
            .with("pin", pin)
            .with("triggers", self.triggers.clone())
            .with("reference", Value::ABSENT)
            .with("credentials", Value::ABSENT)
            .with("secrets", Value::ABSENT)
    }

    /// An image, pinned as images are: `digest`, `version`, `floating`, `none`.
    fn image(&self, image: &Node) -> Option<Fact> {
        let text = image.as_text().filter(|text| !text.is_empty() && !text.contains('$'))?;
        let text = text.strip_prefix("docker://").unwrap_or(text);
        Some(self.made(image, text, &format!("docker://{text}"), "docker", images::pin(text)))
    }

    /// A whole commit or a tag of another project; what lies at an address can be anything tomorrow.
    fn include(&self, include: &Node) -> Option<Fact> {
        if let Some(project) = include.get("project").and_then(Node::as_text) {
            let reference = include.get("ref").and_then(scalar_text).unwrap_or_default();
            let owner = project.split('/').next().unwrap_or_default();
            let uses = format!("{project}@{reference}");
            return Some(self.made(include, project, &uses, owner, Value::text(pin(&reference))));
        }
        let remote = include.get("remote").and_then(Node::as_text).or_else(|| include.as_text())?;
        let address = remote.starts_with("http").then_some(remote)?;
        Some(self.made(include, address, address, "", Value::text("branch")))
    }

    fn orb(&self, orb: &Node) -> Option<Fact> {
        let (name, version) = orb.as_text()?.split_once('@')?;
        let full = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3;
        let owner = name.split('/').next().unwrap_or_default();
        let pin = if full { "commit" } else { pin(version) };
        Some(self.made(orb, name, &format!("{name}@{version}"), owner, Value::text(pin)))
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

/// Lies in the repository itself, whatever is checked out (`./`) or at the workflow's own commit (`$/`).
fn is_at_home(uses: &str) -> bool {
    uses.starts_with("./") || uses.starts_with("$/")
}

/// `commit` (a full hash), `digest` of an image, `tag` (looks like a version), `branch`, or `none`.
fn pin(reference: &str) -> &'static str {
    let is_hash = matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let versioned = reference.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    match reference {
        _ if is_hash => "commit",
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
        assert_eq!(pins, ["branch", "tag", "none", "commit"]);
        assert_eq!(texts_of("action", "secrets")[0].as_deref(), Some("inherit"));
        assert_eq!(texts_of("action", "reference")[1].as_deref(), Some("${{ github.head_ref }}"));
        assert_eq!(texts_of("action", "credentials")[1].as_deref(), Some("false"));
    }

    fn pins(facts: &[Fact]) -> Vec<(&str, &str)> {
        let text = |fact: &Fact| fact.get("pin").and_then(Value::as_text).map(str::to_owned).unwrap_or_default();
        let known = ["commit", "branch", "tag", "version", "floating", "none"];
        facts.iter().filter_map(|fact| Some((&*fact.symbol, *known.iter().find(|pin| **pin == text(fact))?))).collect()
    }

    #[test]
    fn code_and_images_of_other_pipelines() {
        let text = "image: node:latest\ninclude:\n- {project: acme/ci, ref: main, file: a.yml}\n- remote: https://x.test/a.yml\n- local: b.yml\njob: {image: {name: alpine:3.20}}\n";
        let facts = gitlab(FileId(0), &yaml::parse(text).unwrap());
        let wanted = [
            ("acme/ci", "branch"),
            ("https://x.test/a.yml", "branch"),
            ("node:latest", "floating"),
            ("alpine:3.20", "version"),
        ];
        assert_eq!(pins(&facts), wanted);
        let text = "orbs: {node: circleci/node@5.1.0, x: acme/x@volatile, y: acme/y@1}\njobs: {a: {docker: [{image: redis}]}}\n";
        let facts = circle(FileId(0), &yaml::parse(text).unwrap());
        assert_eq!(
            pins(&facts),
            [("circleci/node", "commit"), ("acme/x", "branch"), ("acme/y", "tag"), ("redis", "none")]
        );
        let action = "runs:\n  using: composite\n  steps:\n  - uses: acme/x@main\n  - run: echo ${{ inputs.title }}\n";
        assert_eq!(composite(FileId(0), &yaml::parse(action).unwrap()).len(), 2);
        let job = "jobs: {a: {container: node, services: {db: {image: postgres:16}}}}";
        assert_eq!(hardening(FileId(0), &yaml::parse(job).unwrap(), &[]).len(), 4);
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
    fn jobs_and_scripts_of_actions() {
        let text = "on: {push: {tags: ['v*']}}\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    permissions: write-all\n    steps:\n    - uses: acme/run@v1\n      with: {script: \"echo ${{ github.head_ref }}\", depth: 1}\n";
        let facts = hardening(FileId(0), &yaml::parse(text).unwrap(), &[]);
        let of = |kind: &str| facts.iter().find(|fact| &*fact.kind == kind).unwrap();
        assert_eq!(of("workflow").get("releases"), Some(&Value::bool(true)));
        assert_eq!(of("job").get("runs_on"), Some(&Value::texts(["self-hosted", "linux"])));
        assert_eq!(of("job").get("permissions"), Some(&Value::text("write-all")));
        assert_eq!(of("workflow-script").get("injects"), Some(&Value::texts(["github.head_ref"])));
    }

    #[test]
    fn odd_workflows_are_read() {
        for text in ["on: push", "jobs: 3", "jobs: {a: {steps: [1, {uses: 3}, {run: [a]}]}}", "[]"] {
            let _ = hardening(FileId(0), &yaml::parse(text).unwrap(), &[]);
        }
    }
}
