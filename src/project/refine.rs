//! Areas that paths alone do not tell: what runs in the browser depends on what the service is built with.

use std::collections::HashSet;

use super::classify::{classify, declares_client};
use super::model::{Area, FileKind, Project};
use super::packages::Package;
use super::paths::{below, file_name};
use super::units::Unit;

/// What a service's own manifest makes of its files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Profile {
    /// For browsers or phones only.
    frontend: bool,
    server: bool,
    next: bool,
    react: bool,
    /// A crate that others need for their tests alone.
    for_tests: bool,
}

impl Profile {
    /// Scripts beside a server of Python or Rust that declares none for Node can only run in a browser.
    pub(super) fn of(package: Option<&Package>, unit: Option<&Unit>, for_tests: bool) -> Profile {
        let beside = unit.is_some_and(Unit::is_server);
        let native = Profile { frontend: beside, for_tests, ..Profile::default() };
        package.map_or(native, |package| Profile {
            frontend: package.is_frontend() || beside && !package.is_server(),
            server: package.is_server(),
            next: package.depends_on("next"),
            react: package.depends_on("react"),
            for_tests,
        })
    }
}

/// Corrects the areas of all files, given the profile of each service.
pub(super) fn areas(project: &mut Project, profiles: &[Profile]) {
    let browser_folders = browser_folders(project);
    let folders: Vec<String> = project.services.iter().map(|service| service.path.clone()).collect();
    for file in project.files.iter_mut().filter(|file| file.kind == FileKind::JavaScript) {
        let at = usize::from(file.service.0);
        let (Some(profile), Some(folder)) = (profiles.get(at), folders.get(at)) else { continue };
        let inner = below(&file.path, folder).unwrap_or(&file.path);
        file.area = match file.area {
            Area::Server if is_in(&file.path, &browser_folders) => Area::Client,
            Area::Server => of_server(inner, *profile),
            Area::Client => of_client(inner, *profile),
            area => area,
        };
    }
    for file in project.files.iter_mut().filter(|file| file.kind == FileKind::Rust && file.area == Area::Server) {
        if profiles.get(usize::from(file.service.0)).is_some_and(|profile| profile.for_tests) {
            file.area = Area::Test;
        }
    }
    serve_entries(project);
}

/// A file that is run to serve is server code wherever it lies: `bin/www`, `scripts/start.js`.
fn serve_entries(project: &mut Project) {
    let entries: Vec<usize> =
        project.services.iter().flat_map(|service| &service.entries).map(|(file, _)| file.0 as usize).collect();
    for at in entries {
        if let Some(file) = project.files.get_mut(at).filter(|f| matches!(f.area, Area::Script | Area::Config)) {
            file.area = Area::Server;
        }
    }
}

fn of_server(inner: &str, profile: Profile) -> Area {
    let react_folder =
        profile.react && inner.split('/').any(|part| matches!(part, "components" | "hooks" | "contexts"));
    if profile.frontend || react_folder { Area::Client } else { Area::Server }
}

/// Names such as `frontend/` say nothing of a service that is a server itself; in Next.js, what lies in `app/` runs on
/// the server unless it says otherwise.
fn of_client(inner: &str, profile: Profile) -> Area {
    if !profile.server {
        return Area::Client;
    }
    let is_markup = inner.ends_with(".tsx") || inner.ends_with(".jsx");
    if is_markup {
        let inner = inner.strip_prefix("src/").unwrap_or(inner);
        let served = profile.next && (inner.starts_with("app/") || inner.starts_with("pages/api/"));
        return if served { Area::Server } else { Area::Client };
    }
    match classify(inner, None).1 {
        Area::Client => Area::Client,
        _ => of_server(inner, profile),
    }
}

/// The area of a module once its text is known: `"use client"` and `"use server"` decide, and a Next.js page that loads
/// its data on the server is server code as well.
pub fn area_of_module(area: Area, path: &str, text: &str) -> Area {
    match area {
        Area::Server if declares_client(text) => Area::Client,
        Area::Client if super::classify::declares_server(text) => Area::Server,
        Area::Client if is_page(path) && DATA_LOADERS.iter().any(|name| text.contains(name)) => Area::Server,
        area => area,
    }
}

const DATA_LOADERS: &[&str] = &["getServerSideProps", "getStaticProps", "getInitialProps"];

fn is_page(path: &str) -> bool {
    path.starts_with("pages/") || path.contains("/pages/")
}

/// Folders such as `src/public` that hold pages or style sheets: their scripts run in the browser.
fn browser_folders(project: &Project) -> HashSet<String> {
    let mut folders = HashSet::new();
    for file in &project.files {
        let extension = file_name(&file.path).rsplit('.').next().unwrap_or("");
        if matches!(extension, "html" | "htm" | "css" | "ico") {
            folders.extend(public_prefixes(&file.path).map(str::to_owned));
        }
    }
    folders
}

fn is_in(path: &str, folders: &HashSet<String>) -> bool {
    !folders.is_empty() && public_prefixes(path).any(|prefix| folders.contains(prefix))
}

/// The folders of a path, from the root, that are named like those whose contents a server hands out.
fn public_prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .filter_map(|(at, _)| path.get(..at))
        .filter(|folder| matches!(file_name(folder), "public" | "static" | "assets" | "www" | "wwwroot"))
}
