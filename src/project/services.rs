//! Which services a repository is made of: their folders, files, dependencies and entry points.

use std::collections::{BTreeSet, HashMap};

use super::entries::{Entry, Found, Starts};
use super::manifests::Manifests;
use super::model::{Area, Diagnostic, FileId, FileKind, ProcessKind, Project, Service, ServiceId, WorkspacePackage};
use super::packages::{Package, Packages, deepest};
use super::paths::{ancestors, file_name, folder_of};
use super::refine;
use super::requirements::Ecosystem;
use super::units::{Unit, Units};
use crate::syntax::Node;

/// A repository with more packages than this is not told apart any further.
const MAX_SERVICES: usize = 1_000;

/// Splits a project into its services, from what its manifests say, and corrects the areas of files by what their
/// services are. Service 0 is the root; every other package has its own, and a file belongs to the deepest.
pub fn assign_services(project: &mut Project, manifests: &Manifests) {
    let plan = Plan::new(project, manifests);
    project.services = plan.services;
    project.workspace_packages = plan.packages;
    for (file, service) in project.files.iter_mut().zip(plan.of_files) {
        file.service = service;
    }
    refine::areas(project, &plan.profiles);
    assign_languages(project);
    if plan.dropped > 0 {
        let message =
            format!("{} packages beyond the first {MAX_SERVICES} are part of the folders above them", plan.dropped);
        project.diagnostics.push(Diagnostic { kind: "limit".into(), path: ".".into(), line: 1, message });
    }
}

/// Everything that is found out before the project is changed.
struct Plan {
    services: Vec<Service>,
    profiles: Vec<refine::Profile>,
    packages: HashMap<String, WorkspacePackage>,
    of_files: Vec<ServiceId>,
    dropped: usize,
}

impl Plan {
    fn new(project: &Project, manifests: &Manifests) -> Plan {
        let packages = Packages::new(project, manifests);
        let units = Units::new(project, manifests);
        let (folders, dropped) = service_folders(project, &packages, &units);
        let ids: HashMap<&str, ServiceId> = folders.iter().zip(0u16..).map(|(f, id)| (*f, ServiceId(id))).collect();
        let of_path = |path: &str| deepest(&ids, path).unwrap_or(ServiceId(0));
        let of_files: Vec<ServiceId> = project.files.iter().map(|file| of_path(&file.path)).collect();

        let starts = Starts::new(project, &packages, &units, manifests);
        let mut services: Vec<Service> = folders.iter().map(|folder| describe(folder, &packages, &units)).collect();
        let found = entries(&services, &packages, &starts, &of_files);
        let imported = packages.imported();
        let imported_units = units.imported();
        for (service, entries) in services.iter_mut().zip(found) {
            let kinds = entries.kinds.clone();
            finish(service, entries, &packages, &starts, imported.contains(&*service.name));
            if let Some(unit) = units.at(&service.path) {
                let name = (if unit.has_rust { Ecosystem::Crates } else { Ecosystem::Pypi }, &*unit.name);
                finish_unit(service, unit, &starts, imported_units.contains(&name), !kinds.is_empty());
            } else if service.entries.is_empty() && service.path == "." {
                serve_built(service, &starts);
            }
            service.kinds.extend(kinds);
            service.kinds.sort_unstable();
            service.kinds.dedup();
        }
        let workspace = workspace_packages(&packages, &starts, |folder| of_path(&format!("{folder}/package.json")));
        link(&mut services, &workspace, &units, &ids);
        mark_serverless(&mut services, project, manifests, &packages);
        let profile =
            |folder: &&str| refine::Profile::of(packages.at(folder), units.at(folder), units.is_for_tests(folder));
        let profiles = folders.iter().map(profile).collect();
        Plan { services, profiles, packages: workspace, of_files, dropped }
    }
}

/// The root, then every folder with a package of its own, in the order of paths.
fn service_folders<'a>(project: &'a Project, packages: &Packages<'a>, units: &'a Units) -> (Vec<&'a str>, usize) {
    let own = packages.all().iter().filter(|package| package.says_something()).map(|package| package.folder);
    let nx = project.files.iter().filter(|file| file_name(&file.path) == "project.json" && file.area == Area::Config);
    let all = own.chain(nx.map(|file| folder_of(&file.path))).chain(units.folders());
    let folders: BTreeSet<&str> = all.filter(|folder| *folder != ".").collect();
    let dropped = (folders.len() + 1).saturating_sub(MAX_SERVICES);
    (std::iter::once(".").chain(folders).take(MAX_SERVICES).collect(), dropped)
}

/// What a package's own manifest says of it, with what a member inherits from the root.
fn describe(folder: &str, packages: &Packages, units: &Units) -> Service {
    let package = packages.at(folder);
    let unit = units.at(folder);
    let mut service = Service {
        path: folder.to_owned(),
        name: package.map(Package::name).or(unit.map(|unit| &*unit.name)).unwrap_or_default().to_owned(),
        manifest: package.map(|package| package.manifest).or(unit.and_then(|unit| unit.manifests.first().copied())),
        requirements: unit.map(|unit| unit.dependencies.clone()).unwrap_or_default(),
        dependencies: package.map(Package::dependencies).unwrap_or_default(),
        ..Service::default()
    };
    let inherits = package.map_or(unit.is_none(), |package| packages.is_member(package));
    if let Some(root) = packages.at(".").filter(|_| inherits && folder != ".") {
        for (name, dependency) in root.dependencies() {
            service.dependencies.entry(name).or_insert(dependency);
        }
    }
    service
}

#[derive(Default)]
struct Entries {
    serving: Vec<Entry>,
    by_hand: Vec<Entry>,
    /// What its processes do, where commands say so.
    kinds: Vec<ProcessKind>,
}

/// The entry points by service: a file belongs to the one that owns it. It is named once, by what comes first, and one
/// that serves is not also run by hand.
fn entries(services: &[Service], packages: &Packages, starts: &Starts, of_files: &[ServiceId]) -> Vec<Entries> {
    let owners: Vec<&Package> = services.iter().filter_map(|service| packages.at(&service.path)).collect();
    let started = owners.iter().map(|package| starts.started(package)).fold(Found::default(), Found::and);
    let found = started.and(starts.deployed());
    let binaries = owners.iter().flat_map(|package| starts.binaries(package));
    let by_hand = owners.iter().flat_map(|package| starts.by_hand(package));
    let serving = found.serving.into_iter().chain(binaries).map(|entry| (entry, true));
    let aside = found.preparing.into_iter().chain(by_hand).map(|entry| (entry, false));

    let mut all: Vec<Entries> = std::iter::repeat_with(Entries::default).take(services.len()).collect();
    for (file, kind) in &found.kinds {
        let service = of_files.get(file.0 as usize).and_then(|service| all.get_mut(usize::from(service.0)));
        service.into_iter().for_each(|service| service.kinds.push(*kind));
    }
    let mut seen = BTreeSet::new();
    for (entry, serves) in serving.chain(aside) {
        let service = of_files.get(entry.0.0 as usize).and_then(|service| all.get_mut(usize::from(service.0)));
        if let Some(service) = service.filter(|_| seen.insert(entry.0)) {
            if serves { service.serving.push(entry) } else { service.by_hand.push(entry) }
        }
    }
    all
}

/// Gives a service its entry points, falling back to `main` and to convention, and its kind as far as manifests tell.
fn finish(service: &mut Service, entries: Entries, packages: &Packages, starts: &Starts, imported: bool) {
    service.entries = entries.serving;
    service.script_entries = entries.by_hand;
    let package = packages.at(&service.path);
    let serves = package.is_none_or(Package::is_server);
    let installed = package.is_some_and(|package| !package.binaries().is_empty());
    if installed && (!serves || imported) {
        service.kinds.push(ProcessKind::Cli);
    }
    if !service.entries.is_empty() {
        return;
    }
    match package {
        Some(package) if package.is_file_routed() || (package.is_frontend() && !imported) => {}
        Some(package) if runs_something(package) || (package.is_server() && !imported) => {
            service.entries.extend(starts.declared_main(package).or_else(|| starts.conventional(&service.path)));
        }
        Some(package) => {
            service.entries = starts.offered(package);
            if !installed {
                service.kinds.push(ProcessKind::Library);
            }
        }
        None => service.entries.extend(starts.conventional(&service.path)),
    }
}

/// The entry points of a Python project or Rust crate that no command names: its programs, else the module that builds
/// the application; a package without either is a library. `told`: commands say what its processes do.
fn finish_unit(service: &mut Service, unit: &Unit, starts: &Starts, imported: bool, told: bool) {
    let was_library = service.kinds.contains(&ProcessKind::Library);
    let started = service.entries.iter().any(|(file, _)| starts.is_native(*file));
    let programs = unit
        .binaries
        .iter()
        .filter_map(|binary| Some((starts.binary_file(&service.path, binary)?, binary.reason.clone())));
    let known = |file: &FileId, service: &Service| {
        service.entries.iter().chain(&service.script_entries).any(|(own, _)| own == file)
    };
    let programs: Vec<Entry> = programs.filter(|(file, _)| !known(file, service)).collect();
    let commands: Vec<Entry> =
        starts.manage(&service.path).into_iter().filter(|(file, _)| !known(file, service)).collect();
    service.script_entries.extend(commands);
    let serves = unit.is_server() || unit.is_worker();
    if started {
        service.script_entries.extend(programs);
        // A command such as `python app.py` does not say what it serves; what it needs to run does.
        let told = !service.kinds.is_empty() || told;
        service.kinds.extend((unit.is_server() && !told).then_some(ProcessKind::Http));
        return;
    }
    let has_programs = !programs.is_empty();
    if let Some(library) = unit.library.filter(|_| imported) {
        // What other crates are built from; its programs are tools beside it.
        service.entries.push((library, "Cargo.toml [lib]".to_owned()));
        service.script_entries.extend(programs);
        service.kinds.push(ProcessKind::Library);
        return;
    }
    if serves && unit.has_rust && has_programs {
        service.entries.extend(programs);
        service.kinds.push(if unit.is_server() { ProcessKind::Http } else { ProcessKind::Worker });
    } else if serves && unit.has_python {
        let before = service.entries.len();
        serve_built(service, starts);
        if service.entries.len() > before {
            service.script_entries.extend(programs);
        } else if !imported {
            service.entries.extend(programs);
        }
    } else {
        service.entries.extend(programs);
        service.kinds.extend(has_programs.then_some(ProcessKind::Cli));
    }
    let is_package = unit.has_rust || unit.is_built;
    if service.entries.is_empty() && (imported || is_package) {
        service.entries.extend(unit.library.map(|file| (file, "Cargo.toml [lib]".to_owned())));
        service.kinds.push(ProcessKind::Library);
    } else if !service.entries.is_empty() && was_library {
        service.kinds.retain(|kind| *kind != ProcessKind::Library);
    }
}

/// The modules that build an application although nothing starts them by name.
fn serve_built(service: &mut Service, starts: &Starts) {
    let built = starts.built(&service.path);
    if !built.is_empty() {
        service.entries.extend(built);
        service.kinds.push(ProcessKind::Http);
        service.kinds.retain(|kind| *kind != ProcessKind::Library);
    }
}

/// A start script that leads nowhere we can see still says that this is no library.
fn runs_something(package: &Package) -> bool {
    package.script("start").is_some() && package.node.get("workspaces").is_none()
}

fn workspace_packages(
    packages: &Packages,
    starts: &Starts,
    service_of: impl Fn(&str) -> ServiceId,
) -> HashMap<String, WorkspacePackage> {
    let mut found = HashMap::new();
    for package in packages.all().iter().filter(|package| !package.name().is_empty()) {
        let exports = package.exports().into_iter().filter(|(subpath, _)| subpath != ".").collect();
        let folder = package.folder.to_owned();
        let described = WorkspacePackage { service: service_of(&folder), main: starts.main(package), folder, exports };
        found.entry(package.name().to_owned()).or_insert(described);
    }
    found
}

/// Which services each imports, directly and through others.
fn link(
    services: &mut [Service],
    packages: &HashMap<String, WorkspacePackage>,
    units: &Units,
    ids: &HashMap<&str, ServiceId>,
) {
    let names = units.names();
    let direct: Vec<BTreeSet<ServiceId>> = services
        .iter()
        .map(|service| {
            let own = service.dependencies.iter().filter(|(_, found)| Some(found.at.file) == service.manifest);
            let of_packages = own.filter_map(|(name, _)| packages.get(name)).map(|package| package.service);
            let required =
                service.requirements.keys().filter_map(|(ecosystem, name)| names.get(&(*ecosystem, &**name)));
            of_packages.chain(required.filter_map(|folder| ids.get(folder).copied())).collect()
        })
        .collect();
    for (service, own) in services.iter_mut().zip(0u16..) {
        let own = ServiceId(own);
        let mut used = BTreeSet::new();
        let mut open = vec![own];
        while let Some(next) = open.pop() {
            let used_by_next = direct.get(usize::from(next.0)).into_iter().flatten();
            open.extend(used_by_next.copied().filter(|id| *id != own && used.insert(*id)));
        }
        service.uses = used.into_iter().collect();
    }
}

/// A service whose platform owns the process. One that also comes as an image is judged as the process it then is.
fn mark_serverless(services: &mut [Service], project: &Project, manifests: &Manifests, packages: &Packages) {
    let folders_with = |wanted: &dyn Fn(FileId, &str) -> bool| -> BTreeSet<&str> {
        let ids = project.file_ids().filter(|id| project.file(*id).area != Area::Example);
        ids.filter(|id| wanted(*id, &project.file(*id).path)).map(|id| folder_of(&project.file(id).path)).collect()
    };
    let images = folders_with(&|id, _| project.file(id).kind == FileKind::Dockerfile);
    let functions = folders_with(&|id, path| is_serverless(file_name(path), manifests.trees.get(&id).copied()));
    let hosted = folders_with(&|_, path| file_name(path) == "vercel.json");
    for service in services {
        let is_next = packages.at(&service.path).is_some_and(|package| package.depends_on("next"));
        let runs_functions = functions.contains(&*service.path)
            || (is_next && ancestors(&service.path).any(|folder| hosted.contains(folder)));
        let has_image =
            images.contains(&*service.path) || service.entries.iter().any(|(_, why)| why.contains("Dockerfile"));
        service.serverless = runs_functions && !has_image;
    }
}

fn is_serverless(name: &str, node: Option<&Node>) -> bool {
    let has = |keys: &[&str]| node.is_some_and(|node| keys.iter().any(|key| node.get(key).is_some()));
    match name {
        "serverless.yml" | "serverless.yaml" | "serverless.ts" | "serverless.js" => true,
        "wrangler.toml" | "wrangler.json" | "wrangler.jsonc" => true,
        "vercel.json" => has(&["builds", "functions", "crons", "regions"]),
        "netlify.toml" => has(&["functions"]),
        _ => false,
    }
}

/// The languages of what each service serves, or of all its code if it serves none.
fn assign_languages(project: &mut Project) {
    let mut served: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); project.services.len()];
    let mut any = served.clone();
    for file in &project.files {
        let Some(language) = language(&file.path, file.kind) else { continue };
        let at = usize::from(file.service.0);
        let sets = match file.area {
            Area::Server | Area::Client => served.get_mut(at),
            Area::Generated | Area::Vendored | Area::Config => None,
            _ => any.get_mut(at),
        };
        sets.map(|set| set.insert(language));
    }
    let languages: Vec<Vec<String>> = served
        .into_iter()
        .zip(any)
        .map(|(served, any)| if served.is_empty() { any } else { served })
        .map(|set| set.into_iter().map(str::to_owned).collect())
        .collect();
    for (service, languages) in project.services.iter_mut().zip(languages) {
        service.languages = languages;
    }
}

fn language(path: &str, kind: FileKind) -> Option<&'static str> {
    match kind {
        FileKind::JavaScript => {
            let extension = path.rsplit('.').next().unwrap_or("");
            Some(if matches!(extension, "ts" | "tsx" | "mts" | "cts") { "typescript" } else { "javascript" })
        }
        FileKind::Python => Some("python"),
        FileKind::Rust => Some("rust"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
