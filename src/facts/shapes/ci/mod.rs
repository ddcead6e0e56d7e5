//! Pipelines of continuous integration: what starts them and what they run.

mod circle;
mod github;
mod gitlab;
mod hardening;
mod others;

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::commands::{Purpose, Reader, commands};
use super::values::{fact, span};
use super::{Surroundings, paths};

pub use others::{is_jenkinsfile, jenkins};

/// What starts a pipeline that says nothing of it.
const USUAL: [&str; 2] = ["pull_request", "push"];
/// Commands that a fact lists, and how much of each.
const MAX_LISTED: usize = 300;
const MAX_LENGTH: usize = 400;

/// The pipeline of a YAML file: GitHub, GitLab, CircleCI, Azure, Travis; nothing for other files.
pub fn workflow(file: FileId, path: &str, node: &Node, around: &Surroundings<'_>) -> Option<Fact> {
    let pipeline = match path {
        ".circleci/config.yml" | ".circleci/config.yaml" => circle::read(node),
        ".travis.yml" => others::travis(node, around),
        _ if path.starts_with(".github/workflows/") => github::read(node, around),
        _ if path.starts_with(".woodpecker/") => others::woodpecker(node),
        _ => match paths::name(path) {
            ".woodpecker.yml" | ".woodpecker.yaml" | ".drone.yml" => others::woodpecker(node),
            ".gitlab-ci.yml" | ".gitlab-ci.yaml" => gitlab::read(node, around),
            "azure-pipelines.yml" | "azure-pipelines.yaml" => others::azure(node, around),
            "bitbucket-pipelines.yml" => others::bitbucket(node),
            _ => return None,
        },
    };
    let name = node.get("name").and_then(Node::as_text).unwrap_or_else(|| paths::name(path));
    Some(pipeline.fact(file, (node.start, node.start), name, around))
}

/// What a workflow, or an action of the project, may do; nothing for other files.
pub fn workflow_rights(file: FileId, path: &str, node: &Node) -> Vec<Fact> {
    match paths::name(path) {
        _ if path.starts_with(".github/workflows/") => {
            hardening::hardening(file, node, &github::triggers(node.get("on")))
        }
        "action.yml" | "action.yaml" => hardening::composite(file, node),
        ".gitlab-ci.yml" | ".gitlab-ci.yaml" => hardening::gitlab(file, node),
        _ if path.starts_with(".circleci/") => hardening::circle(file, node),
        _ => Vec::new(),
    }
}

/// What runs, before it is judged.
#[derive(Debug, Default)]
struct Pipeline {
    provider: &'static str,
    triggers: Vec<String>,
    steps: Vec<Step>,
    /// What steps do that are no commands.
    actions: Purpose,
}

#[derive(Debug)]
struct Step {
    text: String,
    folder: String,
    /// The pipeline goes on when it fails.
    optional: bool,
}

impl Pipeline {
    fn new(provider: &'static str, triggers: &[&str]) -> Pipeline {
        let triggers = triggers.iter().map(|&trigger| trigger.to_owned()).collect();
        Pipeline { provider, triggers, ..Pipeline::default() }
    }

    fn run(&mut self, text: impl Into<String>, optional: bool) {
        self.steps.push(Step { text: text.into(), folder: ".".into(), optional });
    }

    fn fact(mut self, file: FileId, at: (u32, u32), name: &str, around: &Surroundings<'_>) -> Fact {
        let judged = self.judge(around);
        self.triggers.sort();
        self.triggers.dedup();
        let listed =
            self.steps.iter().flat_map(|step| step.text.lines()).map(str::trim).filter(|line| !line.is_empty());
        let listed: Vec<String> = listed.take(MAX_LISTED).map(|line| line.chars().take(MAX_LENGTH).collect()).collect();
        fact("ci", span(file, at.0, at.1), "shape ci", name)
            .with("provider", Value::text(self.provider))
            .with("triggers", Value::texts(&self.triggers))
            .with("tests", Value::bool(judged.purpose.tests))
            .with("lint", Value::bool(judged.purpose.lint))
            .with("build", Value::bool(judged.purpose.build))
            .with("swallowed", Value::bool(judged.purpose.tests && !judged.tests_can_fail))
            .with("commands", Value::texts(&listed))
    }

    fn judge(&self, around: &Surroundings<'_>) -> Judged {
        let mut judged = Judged { purpose: self.actions, tests_can_fail: self.actions.tests };
        for step in &self.steps {
            let mut folder = step.folder.clone();
            for command in commands(&step.text) {
                if let [head, target] = command.words.as_slice()
                    && head == "cd"
                {
                    folder = paths::join(&folder, target);
                }
                let purpose = Reader::with_targets(around.scripts, around.targets).command(&command.words, &folder);
                judged.tests_can_fail |= purpose.tests && !command.swallowed && !step.optional;
                judged.purpose = judged.purpose.or(purpose);
            }
        }
        judged
    }
}

struct Judged {
    purpose: Purpose,
    /// Some test has the power to stop the pipeline.
    tests_can_fail: bool,
}

#[cfg(test)]
mod tests {
    use super::super::{Patches, Scripts, Targets};
    use super::*;
    use crate::syntax::yaml;

    fn pipeline_with(path: &str, text: &str, scripts: &Scripts, files: &[(&str, &str)]) -> Fact {
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let around = Surroundings {
            scripts,
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &[],
            read: &read,
        };
        workflow(FileId(0), path, &yaml::parse(text).unwrap(), &around).unwrap()
    }

    fn pipeline(path: &str, text: &str) -> Fact {
        pipeline_with(path, text, &Scripts::new(), &[])
    }

    fn flag(fact: &Fact, name: &str) -> bool {
        fact.get(name) == Some(&Value::bool(true))
    }

    const CI: &str = "name: CI\non:\n  pull_request:\n  push: {branches: [main]}\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: npm ci\n      - run: |\n          npm run lint\n          npm test\n";

    #[test]
    fn github_workflows() {
        let fact = pipeline(".github/workflows/ci.yml", CI);
        assert_eq!(fact.get("triggers"), Some(&Value::texts(["pull_request", "push"])));
        assert!(flag(&fact, "tests") && flag(&fact, "lint") && !flag(&fact, "build") && !flag(&fact, "swallowed"));
        assert_eq!(fact.get("commands"), Some(&Value::texts(["npm ci", "npm run lint", "npm test"])));
        assert_eq!(&*fact.symbol, "CI");
    }

    #[test]
    fn placeholder_scripts_are_no_tests() {
        let mut scripts = Scripts::new();
        let own = [("test".to_owned(), "echo \"Error: no test specified\" && exit 1".to_owned())];
        scripts.insert(".".into(), own.into());
        assert!(!flag(&pipeline_with(".github/workflows/ci.yml", CI, &scripts, &[]), "tests"));
    }

    #[test]
    fn failures_that_nobody_sees() {
        let step = |step: &str| format!("on: push\njobs:\n  a:\n    steps:\n      - {step}\n");
        let swallowed = |text: &str| flag(&pipeline(".github/workflows/a.yaml", &step(text)), "swallowed");
        assert!(swallowed("run: npm test || true"));
        assert!(swallowed("{run: npm test, continue-on-error: true}"));
        assert!(!swallowed("run: npm test"));
        assert!(!flag(&pipeline(".github/workflows/a.yaml", &step("{run: npm test, if: false}")), "tests"));
    }

    #[test]
    fn local_actions_and_workflows_are_followed() {
        let files = [
            (
                ".github/actions/t/action.yml",
                "runs:\n  using: composite\n  steps:\n    - run: npm run lint\n      shell: bash\n",
            ),
            (".github/workflows/part.yml", "on: workflow_call\njobs:\n  t:\n    steps:\n      - run: pytest\n"),
            (".github/workflows/self.yml", "on: workflow_call\njobs:\n  t:\n    uses: ./.github/workflows/self.yml\n"),
        ];
        let text = "on: [push]\njobs:\n  a:\n    uses: ./.github/workflows/part.yml\n  b:\n    steps:\n      - uses: ./.github/actions/t\n  c:\n    uses: ./.github/workflows/self.yml\n";
        let fact = pipeline_with(".github/workflows/ci.yml", text, &Scripts::new(), &files);
        assert!(flag(&fact, "tests") && flag(&fact, "lint"));
    }

    #[test]
    fn other_providers() {
        for (path, text) in [
            (".gitlab-ci.yml", "stages: [t]\nunit:\n  stage: t\n  script:\n    - npm ci\n    - npm test\n"),
            (
                ".circleci/config.yml",
                "version: 2.1\njobs:\n  b:\n    steps:\n      - checkout\n      - run: {name: t, command: npm test}\n",
            ),
            (".circleci/config.yml", "orbs: {node: circleci/node@5}\nworkflows:\n  w:\n    jobs:\n      - node/test\n"),
            (".travis.yml", "language: node_js\nnode_js: [22]\n"),
            ("azure-pipelines.yml", "jobs:\n- job: a\n  steps:\n  - script: npm test\n"),
            (".woodpecker.yml", "steps:\n  - name: t\n    image: rust\n    commands: [cargo test --workspace]\n"),
            ("bitbucket-pipelines.yml", "pipelines:\n  default:\n    - step:\n        script: [npm test]\n"),
        ] {
            assert!(flag(&pipeline(path, text), "tests"), "{path}");
        }
        let lenient = "a:\n  script: npm test\n  allow_failure: true\n";
        assert!(flag(&pipeline(".gitlab-ci.yml", lenient), "swallowed"));
    }

    #[test]
    fn only_what_starts_by_itself_counts() {
        let job = "\n  script: [npm test]\n";
        let circle = |workflows: &str| {
            format!(
                "jobs:\n  t: {{steps: [checkout, tst]}}\n  b: {{steps: [{{run: npm run build}}]}}\ncommands:\n  tst: {{steps: [{{when: {{steps: [{{run: {{command: npm test}}}}]}}}}]}}\nworkflows:\n  w: {workflows}\n"
            )
        };
        for (path, text, tested) in [
            (".gitlab-ci.yml", format!(".t:{job}unit:\n  extends: [.x, .t]\n"), true),
            (".gitlab-ci.yml", format!(".t:{job}unit:\n  script: [[.t, script]]\n"), true),
            (".gitlab-ci.yml", format!(".t:{job}build: {{script: make}}\n"), false),
            (".gitlab-ci.yml", format!("unit:{job}  when: manual\n"), false),
            (".gitlab-ci.yml", format!("unit:{job}  only: [schedules, tags]\n"), false),
            (".gitlab-ci.yml", format!("unit:{job}  only: [tags, merge_requests]\n"), true),
            (".gitlab-ci.yml", format!("unit:{job}  rules: [{{when: never}}]\n"), false),
            (".gitlab-ci.yml", format!("unit:{job}  rules: [{{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}}]\n"), false),
            (".gitlab-ci.yml", format!("unit:{job}  rules: [{{if: $CI_COMMIT_TAG}}, {{changes: [src]}}]\n"), true),
            (".gitlab-ci.yml", "include: [{local: /ci/part.yml}]\n".to_owned(), true),
            (".circleci/config.yml", circle("{jobs: [t]}"), true),
            (".circleci/config.yml", circle("{jobs: [b]}"), false),
            (".circleci/config.yml", circle("{jobs: [t], triggers: [{schedule: {cron: x}}]}"), false),
            (".circleci/config.yml", circle("{jobs: [{hold: {type: approval}}, {t: {requires: [hold]}}]}"), false),
            (".circleci/config.yml", circle("{jobs: [{t: {filters: {branches: {ignore: /.*/}}}}]}"), false),
            ("azure-pipelines.yml", "jobs: [{template: ci/part.yml}]\n".to_owned(), true),
            ("azure-pipelines.yml", "trigger: none\npr: none\nsteps: [{script: npm test}]\n".to_owned(), false),
            ("azure-pipelines.yml", "steps: [{script: npm test, condition: false}]\n".to_owned(), false),
            ("bitbucket-pipelines.yml", "pipelines: {custom: {x: [{step: {script: [npm test]}}]}}\n".to_owned(), false),
            (
                "bitbucket-pipelines.yml",
                "pipelines: {default: [{step: {trigger: manual}}, {step: {script: [npm test]}}]}\n".to_owned(),
                false,
            ),
            (
                "bitbucket-pipelines.yml",
                "pipelines: {branches: {main: [{parallel: [{step: {script: [npm test]}}]}]}}\n".to_owned(),
                true,
            ),
        ] {
            let files = [("ci/part.yml", "unit: {script: npm test}\nsteps: [{script: npm test}]\n")];
            let fact = pipeline_with(path, &text, &Scripts::new(), &files);
            assert_eq!(flag(&fact, "tests"), tested, "{path}\n{text}");
        }
    }

    #[test]
    fn jenkinsfiles() {
        let around = Surroundings {
            scripts: &Scripts::new(),
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &[],
            read: &|_| None,
        };
        let text = "pipeline { stages { stage('Test') { steps { sh 'npm ci'\n sh \"\"\"\n npm test\n\"\"\" } } } }";
        assert!(flag(&jenkins(FileId(0), text, &around)[0], "tests"));
        let text = "// don't\nnode { /* sh 'npm test' */ sh 'npm run lint' } // sh 'npm test'";
        let fact = &jenkins(FileId(0), text, &around)[0];
        assert!(flag(fact, "lint") && !flag(fact, "tests"));
        assert!(is_jenkinsfile("ci/Jenkinsfile") && !is_jenkinsfile("Jenkinsfile.md"));
    }
}
