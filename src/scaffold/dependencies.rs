//! What a module needs to be installed, put into the manifest of the service.

use std::collections::BTreeMap;

use super::compose::{Composer, Step};
use super::manifest::{self, Wanted};
use super::stack::{Ecosystem, joined};
use super::work::Work;

const REQUIREMENTS: &[&str] = &["requirements.txt", "requirements/base.txt", "requirements/common.txt"];
const DEV_REQUIREMENTS: &[&str] = &[
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements-test.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
];

impl Composer<'_> {
    pub(super) fn add_dependencies(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        let typescript = work.renderer.conventions().typescript;
        let wanted = work.variant.dependencies.iter().filter(|one| typescript || !one.types);
        let mut wanted: Vec<(String, String, bool)> =
            wanted.map(|one| (one.name.clone(), one.version.clone(), one.dev)).collect();
        if work.stack.ecosystem == Ecosystem::None {
            return Ok(());
        }
        if work.stack.ecosystem == Ecosystem::Crates {
            return self.add_to_cargo(work);
        }
        let writes_tests = work.variant.files.iter().any(|file| file.to.starts_with("tests/"));
        let runner = work.renderer.conventions().runner.clone();
        if writes_tests && typescript {
            wanted.extend(runner.dev_typescript.iter().map(|(name, version)| (name.clone(), version.clone(), true)));
        }
        if writes_tests {
            wanted.extend(runner.dev.iter().map(|(name, version)| (name.clone(), version.clone(), true)));
        }
        if work.stack.ecosystem == Ecosystem::Pypi {
            self.add_to_python(work, &wanted)?;
            if writes_tests {
                self.add_runner_settings(work);
            }
            return Ok(());
        }
        if work.stack.ecosystem == Ecosystem::Npm {
            self.add_to_package(work, &wanted)?;
            let script = if typescript { &runner.script_typescript } else { &runner.script };
            if writes_tests && !script.is_empty() {
                self.add_test_script(work, script)?;
            }
        }
        Ok(())
    }

    fn package_path(&self) -> Result<String, String> {
        let service = self.audit.project.service(self.service);
        let path = joined(&service.path, "package.json");
        match self.text(&path) {
            Some(_) => Ok(path),
            None => Err(format!("{path} is missing; a module's dependencies have no place to go")),
        }
    }

    fn add_to_package(&mut self, work: &mut Work<'_>, wanted: &[(String, String, bool)]) -> Result<(), String> {
        if wanted.is_empty() {
            return Ok(());
        }
        let path = self.package_path()?;
        for (name, version, dev) in wanted {
            let text = self.text(&path).unwrap_or_default();
            let broken = |error: crate::syntax::SyntaxError| format!("{path}:{}: {error}; repair it first", error.line);
            let edit = manifest::add_to_package(&text, name, version, *dev).map_err(broken)?;
            self.note(work, &path, name, version, edit.text, edit.wanted);
        }
        Ok(())
    }

    fn add_to_cargo(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        let service = self.audit.project.service(self.service).path.clone();
        let path = joined(&service, "Cargo.toml");
        for dependency in &work.variant.dependencies {
            let text =
                self.text(&path).ok_or_else(|| format!("{path} is missing; dependencies have no place to go"))?;
            let broken = |error: String| format!("{path}: {error}; repair it first");
            let shared = self.shared_crates(&service);
            let (text, became) = manifest::add_to_cargo(&text, dependency, &shared).map_err(broken)?;
            self.note(work, &path, &dependency.name, &dependency.version, text, became);
        }
        Ok(())
    }

    /// The dependencies that the workspace above a package has for all of its packages, as `name = version`.
    fn shared_crates(&self, service: &str) -> BTreeMap<String, String> {
        let mut folder = service;
        loop {
            let text = self.text(&joined(folder, "Cargo.toml")).unwrap_or_default();
            if let Some(shared) = manifest::shared_crates(&text) {
                return shared;
            }
            match folder {
                "." => return BTreeMap::new(),
                _ => folder = folder.rsplit_once('/').map_or(".", |(above, _)| above),
            }
        }
    }

    /// Where a Python service keeps its requirements: `pyproject.toml`, else a file of lines.
    fn add_to_python(&mut self, work: &mut Work<'_>, wanted: &[(String, String, bool)]) -> Result<(), String> {
        let service = self.audit.project.service(self.service).path.clone();
        let project = joined(&service, "pyproject.toml");
        for (name, version, dev) in wanted {
            let broken = |error: String| format!("{project}: {error}; repair it first");
            let in_project = match self.text(&project) {
                Some(text) => manifest::add_to_pyproject(&text, name, version, *dev).map_err(broken)?,
                None => None,
            };
            let candidates = if *dev { DEV_REQUIREMENTS } else { REQUIREMENTS };
            let lines = candidates.iter().map(|file| joined(&service, file)).find(|path| self.text(path).is_some());
            let (path, (text, became)) = match (in_project, lines) {
                (Some(edit), _) => (project.clone(), edit),
                (None, Some(path)) => {
                    let text = self.text(&path).unwrap_or_default();
                    (path, manifest::add_to_requirements(&text, name, version))
                }
                (None, None) if *dev && self.text(&joined(&service, REQUIREMENTS[0])).is_some() => {
                    let text = format!("-r {}\n", REQUIREMENTS[0]);
                    let path = joined(&service, DEV_REQUIREMENTS[0]);
                    (path, manifest::add_to_requirements(&text, name, version))
                }
                (None, None) => {
                    let text = format!("Install {name}{version}: no file was found that lists requirements like it");
                    work.draft.steps.push(Step { text, snippet: None });
                    continue;
                }
            };
            self.note(work, &path, name, version, text, became);
        }
        Ok(())
    }

    /// Tells the test runner where imports start, unless the project tells it something itself.
    fn add_runner_settings(&mut self, work: &Work<'_>) {
        let conventions = work.renderer.conventions();
        let Some(settings) = &conventions.runner.settings else { return };
        let service = self.audit.project.service(self.service).path.clone();
        let tells = |(file, mark): &(String, String)| {
            self.text(&joined(&service, file)).is_some_and(|text| text.contains(mark.as_str()))
        };
        if settings.known.iter().any(tells) {
            return;
        }
        let inside = |folder: &str| {
            let prefix = format!("{service}/");
            if folder == service { ".".to_owned() } else { folder.strip_prefix(&prefix).unwrap_or(folder).to_owned() }
        };
        let root = inside(&conventions.import_root);
        let tests = inside(conventions.layout.get("tests").map_or("tests", String::as_str));
        let filled = |text: &str| text.replace("{root}", &root).replace("{tests}", &tests);
        let manifest = joined(&service, &settings.manifest);
        match self.text(&manifest) {
            Some(text) => self.set(&manifest, format!("{}\n\n{}", text.trim_end(), filled(&settings.section))),
            None => self.set(&joined(&service, &settings.file), filled(&settings.text)),
        }
    }

    /// Keeps the text of a manifest that has changed, or tells what it holds instead.
    fn note(&mut self, work: &mut Work<'_>, path: &str, name: &str, version: &str, text: String, became: Wanted) {
        match became {
            Wanted::Added | Wanted::Raised { .. } => {
                self.set(path, text);
                work.draft.installs = true;
            }
            Wanted::Present => {}
            Wanted::Kept { version: present } => work.draft.steps.push(Step {
                text: format!("{path} asks for {name} {present}; this was written for {version}: check that it fits"),
                snippet: None,
            }),
        }
    }

    fn add_test_script(&mut self, work: &Work<'_>, command: &str) -> Result<(), String> {
        let path = self.package_path()?;
        let text = self.text(&path).unwrap_or_default();
        let tests = work.renderer.conventions().layout.get("tests").map_or("tests", String::as_str);
        let service = &self.audit.project.service(self.service).path;
        let tests = tests.strip_prefix(&format!("{service}/")).unwrap_or(tests);
        let command = command.replace("tests/", &format!("{tests}/"));
        let broken = |error: crate::syntax::SyntaxError| format!("{path}:{}: {error}; repair it first", error.line);
        if let Some(text) = manifest::add_script(&text, "test", &command).map_err(broken)? {
            self.set(&path, text);
        }
        Ok(())
    }
}
