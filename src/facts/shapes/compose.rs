//! Compose files: a `container` for each service, and what its health check calls.

mod overrides;
mod published;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{Data, Fact, Origins, Record, Value};
use crate::project::{Area, FileId, Span};
use crate::syntax::{Entry, Node};

use super::values::{command_text, fact, optional, scalar_text, span, texts, value_of};
use super::{Surroundings, cluster, images, paths, probes, rights};

/// How long a chain of services that wait for each other may be.
const MAX_WAITING: usize = 8;

/// `compose.yaml`, `docker-compose.prod.yml`, `podman-compose-dev.yml`, in any folder.
pub fn is_compose(path: &str) -> bool {
    let name = paths::name(path).to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { return false };
    paths::words(stem).iter().any(|word| matches!(word.as_str(), "compose" | "dockercompose"))
}

pub fn compose(file: FileId, path: &str, root: &Node, around: &Surroundings<'_>) -> Vec<Fact> {
    let services = overrides::whole_services(path, root, around);
    let services = services.as_slice();
    let roles = roles(services);
    let finished = awaited_to_end(services);
    let changed = overrides::changed_for_production(path, around);
    let is_kept = |name: &str| changed.as_ref().is_some_and(|changed| !changed.iter().any(|other| other == name));
    let mut facts = Vec::new();
    for service in services {
        let before = facts.len();
        let in_production = is_production(path) || is_kept(&service.key);
        let at = span(file, service.key_start, service.key_end);
        let test = service.value.at(&["healthcheck", "test"]).and_then(command_text);
        let image = service.value.get("image").and_then(Node::as_text);
        let published = image.and_then(|image| published::dockerfile_of(image, around));
        let made = container(service, path, &roles, &finished, fact("container", at, "shape compose", &service.key));
        let made = made.with("published_from", optional(published)).with("production", Value::bool(in_production));
        facts.push(made);
        facts.extend(probes::probes(at, "shape compose", &service.key, &test.unwrap_or_default()));
        if in_production {
            facts.extend(set_here(file, at, &service.value));
        }
        let area = area_of(service, path);
        facts[before..].iter_mut().for_each(|fact| fact.area = area);
    }
    facts
}

fn container(
    service: &Entry,
    path: &str,
    roles: &BTreeMap<&str, &'static str>,
    finished: &BTreeSet<&str>,
    fact: Fact,
) -> Fact {
    let body = &service.value;
    let text = |key: &str| body.get(key).and_then(scalar_text);
    let ports = body.get("ports").map(Node::items).unwrap_or_default().iter().filter_map(port);
    fact.with("name", Value::text(service.key.clone()))
        .with("image", optional(text("image").as_deref()))
        .with("role", Value::text(roles.get(&*service.key).copied().unwrap_or("other")))
        .with("build", optional(build(body, path).as_deref()))
        .with("healthcheck", Value::bool(has_health_check(body)))
        .with("user", optional(text("user").as_deref()))
        .with("rights", Value::texts(rights::of_compose(body)))
        .with("unmet_ports", Value::list(Vec::new()))
        .with("keeps", Value::list(Vec::new()))
        .with("requests", Value::list(Vec::new()))
        .with("mounts", Value::texts(mounts(body)))
        .with("binds", Value::texts(binds(body, path)))
        .with("network", optional(text("network_mode").as_deref()))
        .with("labels", named(body.get("labels").or_else(|| body.at(&["deploy", "labels"]))))
        .with("replicas", body.at(&["deploy", "replicas"]).map_or(Value::ABSENT, value_of))
        .with("update", body.at(&["deploy", "update_config"]).map_or(Value::ABSENT, value_of))
        .with("logging", optional(body.at(&["logging", "driver"]).and_then(Node::as_text)))
        .with("ports", Value::list(ports.map(Value::text).collect()))
        .with("depends_without_condition", Value::texts(unconditional(body, roles)))
        .with("source", Value::text("compose"))
        .with("one_shot", Value::bool(finished.contains(&*service.key) || is_one_shot(service)))
        .with("restart", optional(text("restart").as_deref()))
        .with("pin", text("image").map_or(Value::ABSENT, |image| images::pin(&image)))
        .with("memory", optional(memory(body).as_deref()))
        .with("environment", named(body.get("environment")))
        .with("build_args", named(body.at(&["build", "args"])))
        .with("published", Value::list(published(body).map(Value::text).collect()))
        .with("command", optional(body.get("command").and_then(command_text).as_deref()))
}

/// A `secret-entry` for each variable whose value stands in the file.
fn set_here(file: FileId, at: Span, body: &Node) -> Vec<Fact> {
    let Some(environment) = body.get("environment") else { return Vec::new() };
    let listed = environment.items().iter().filter_map(|item| {
        let (name, value) = item.as_text()?.split_once('=')?;
        Some(cluster::entry_fact(span(file, item.start, item.end), name, value, "compose"))
    });
    let mapped = environment.entries().iter().filter_map(|entry| {
        let own = span(file, entry.key_start, entry.value.end.max(entry.key_end));
        Some(cluster::entry_fact(own, &entry.key, &scalar_text(&entry.value)?, "compose"))
    });
    // What comes from a file that this one extends or overrides has its place there.
    let is_own = |fact: &Fact| fact.at.start > at.start;
    listed.chain(mapped).filter(is_own).collect()
}

/// The limit of its memory, in each form that Compose reads.
fn memory(body: &Node) -> Option<String> {
    let limit = body.at(&["deploy", "resources", "limits", "memory"]).or_else(|| body.get("mem_limit"));
    limit.and_then(scalar_text)
}

/// Where it keeps files that outlive it, as paths in the container.
fn mounts(body: &Node) -> Vec<String> {
    let volumes = body.get("volumes").map(Node::items).unwrap_or_default().iter();
    let targets = volumes.filter_map(|volume| match volume.as_text() {
        Some(text) => Some(text.split_once(':').map_or(text, |(_, target)| target.split(':').next().unwrap_or(target))),
        None => volume.get("target").and_then(Node::as_text),
    });
    targets.map(str::to_owned).collect()
}

/// The files and folders of the project that it mounts.
fn binds(body: &Node, path: &str) -> Vec<String> {
    let volumes = body.get("volumes").map(Node::items).unwrap_or_default().iter();
    let sources = volumes.filter_map(|volume| match volume.as_text() {
        Some(text) => text.split_once(':').map(|(source, _)| source),
        None => volume.get("source").and_then(Node::as_text),
    });
    let own = sources.filter(|source| source.starts_with('.'));
    own.map(|source| paths::join(paths::folder(path), source)).collect()
}

/// A map of names, whether it is written as a map or as a list of `NAME=value`; a name without value is null.
fn named(node: Option<&Node>) -> Value {
    let Some(node) = node else { return Value::ABSENT };
    let listed = node.items().iter().filter_map(Node::as_text).map(|item| match item.split_once('=') {
        Some((name, value)) => (name.into(), Value::text(value)),
        None => (item.into(), Value { data: Data::Null, origins: Origins::LITERAL }),
    });
    let mapped = node.entries().iter().map(|entry| {
        let value = scalar_text(&entry.value).map(Value::text);
        (entry.key.clone(), value.unwrap_or(Value { data: Data::Null, origins: Origins::LITERAL }))
    });
    let fields = listed.chain(mapped).collect();
    Value { data: Data::Record(Arc::new(Record::closed(fields))), origins: Origins::default() }
}

/// The published ports that other hosts reach: not those bound to the loopback address.
fn published(body: &Node) -> impl Iterator<Item = String> + '_ {
    let ports = body.get("ports").map(Node::items).unwrap_or_default().iter();
    ports.filter(|node| !is_loopback(node)).filter_map(|node| {
        let short = scalar_text(node).filter(|port| port.contains(':'));
        short.or_else(|| node.get("published").and_then(scalar_text))
    })
}

fn is_loopback(node: &Node) -> bool {
    let address = node.get("host_ip").and_then(scalar_text).or_else(|| scalar_text(node)).unwrap_or_default();
    address.starts_with("127.") || address.starts_with("localhost") || address.starts_with("[::1]")
}

/// The name of the file says that it describes production.
pub(super) fn is_production(path: &str) -> bool {
    let words = paths::words(path);
    words.iter().any(|word| matches!(word.as_str(), "prod" | "production" | "deploy" | "deployment" | "live" | "swarm"))
}

/// What each service is for. One that nobody knows is an application if it waits for a datastore, directly or not.
fn roles(services: &[Entry]) -> BTreeMap<&str, &'static str> {
    let mut roles: BTreeMap<&str, &'static str> = services.iter().map(|s| (&*s.key, role(s))).collect();
    for _ in 0..MAX_WAITING {
        let waits = |service: &&Entry| {
            let mut names = depends_on(&service.value);
            names.any(|name| matches!(roles.get(name), Some(&("app" | "database" | "cache" | "queue"))))
        };
        let unknown = services.iter().filter(|service| roles.get(&*service.key) == Some(&"other"));
        let found: Vec<&str> = unknown.filter(waits).map(|service| &*service.key).collect();
        if found.is_empty() {
            break;
        }
        roles.extend(found.into_iter().map(|name| (name, "app")));
    }
    roles
}

fn role(service: &Entry) -> &'static str {
    let image = service.value.get("image").and_then(Node::as_text);
    let words = paths::words(&service.key);
    let built = service.value.get("build").is_some();
    match image.and_then(images::role).or_else(|| images::role_of_words(&words).filter(|_| image.is_none())) {
        Some(role) => role,
        None if built || words.iter().any(|word| is_application(word)) => "app",
        None => "other",
    }
}

fn is_application(word: &str) -> bool {
    matches!(word, "app" | "api" | "web" | "server" | "backend" | "worker" | "frontend")
}

/// The services that a service waits for, in both forms.
fn depends_on(body: &Node) -> impl Iterator<Item = &str> {
    let (items, entries) = body.get("depends_on").map(|node| (node.items(), node.entries())).unwrap_or_default();
    items.iter().filter_map(Node::as_text).chain(entries.iter().map(|entry| &*entry.key))
}

/// The Dockerfile that the service is built from, relative to the root.
fn build(body: &Node, path: &str) -> Option<String> {
    let build = body.get("build")?;
    let folder = paths::folder(path);
    let context = build.as_text().or_else(|| build.get("context").and_then(Node::as_text)).unwrap_or(".");
    let dockerfile = build.get("dockerfile").and_then(Node::as_text).unwrap_or("Dockerfile");
    Some(paths::join(&paths::join(folder, context), dockerfile))
}

fn has_health_check(body: &Node) -> bool {
    let Some(check) = body.get("healthcheck") else { return false };
    let off = check.get("disable").and_then(Node::as_bool) == Some(true);
    let none = check.get("test").is_some_and(|test| texts(test).first() == Some(&"NONE"));
    !off && !none && check.get("test").is_some()
}

/// Datastores that it waits for without waiting until they are healthy.
fn unconditional<'s>(body: &'s Node, roles: &BTreeMap<&str, &'static str>) -> Vec<&'s str> {
    let Some(depends) = body.get("depends_on") else { return Vec::new() };
    let short = depends.items().iter().filter_map(Node::as_text);
    let long = depends.entries().iter().filter(|entry| {
        let condition = entry.value.get("condition").and_then(Node::as_text);
        condition.is_none_or(|condition| condition == "service_started")
    });
    let names = short.chain(long.map(|entry| &*entry.key));
    names.filter(|name| matches!(roles.get(name), Some(&("database" | "cache" | "queue")))).collect()
}

/// Services that others wait for until they have ended.
fn awaited_to_end(services: &[Entry]) -> BTreeSet<&str> {
    let depends = services.iter().filter_map(|service| service.value.get("depends_on")).flat_map(Node::entries);
    let ended = depends
        .filter(|entry| entry.value.get("condition").and_then(Node::as_text) == Some("service_completed_successfully"));
    ended.map(|entry| &*entry.key).collect()
}

/// Migrations, seeds and the like, which end by themselves.
fn is_one_shot(service: &Entry) -> bool {
    const WORDS: [&str; 12] = [
        "migrate",
        "migration",
        "migrations",
        "migrator",
        "seed",
        "seeder",
        "init",
        "setup",
        "createbuckets",
        "job",
        "test",
        "tests",
    ];
    let restart = service.value.get("restart").and_then(scalar_text);
    let endless = restart.is_some_and(|restart| restart == "always" || restart == "unless-stopped");
    !endless && paths::words(&service.key).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// A port in the short form, or the parts of the long form joined like it.
fn port(node: &Node) -> Option<String> {
    scalar_text(node).or_else(|| {
        let target = node.get("target").and_then(scalar_text)?;
        Some(
            node.get("published")
                .and_then(scalar_text)
                .map_or(target.clone(), |published| format!("{published}:{target}")),
        )
    })
}

/// `shop-dev` is for development, wherever it stands but in a file for production.
fn area_of(service: &Entry, path: &str) -> Area {
    let named = paths::words(&service.key).iter().any(|word| matches!(word.as_str(), "dev" | "development"));
    match area(path) {
        Area::Config if named && !is_production(path) => Area::Example,
        area => area,
    }
}

/// Files for development and tests describe no production.
fn area(path: &str) -> Area {
    let words = paths::words(path);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    if has(&["test", "tests", "testing", "e2e", "ci"]) {
        Area::Test
    } else if has(&["dev", "develop", "development", "local", "devcontainer", "example", "examples", "override"]) {
        Area::Example
    } else {
        Area::Config
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Patches, Scripts, Targets};
    use super::*;
    use crate::syntax::yaml;

    fn read(path: &str, text: &str, files: &[(&str, &str)]) -> Vec<Fact> {
        let mut names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let source = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let around = Surroundings {
            scripts: &Scripts::new(),
            targets: &Targets::default(),
            patches: &Patches::default(),
            paths: &names,
            read: &source,
        };
        compose(FileId(0), path, &yaml::parse(text).unwrap(), &around)
    }

    const SAMPLE: &str = "x-base: &base\n  restart: always\nservices:\n  api:\n    <<: *base\n    build: {context: ./apps/api, dockerfile: docker/Dockerfile}\n    user: 1000\n    ports: [\"3000:3000\", {target: 9229, published: 9229}]\n    depends_on: [db, mail]\n    healthcheck:\n      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost:3000/health\"]\n  db:\n    image: postgres:16\n  cache:\n    image: redis:7\n    healthcheck: {disable: true}\n    privileged: true\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]\n  mail:\n    image: axllent/mailpit\n  shop:\n    image: ghcr.io/acme/shop\n    depends_on: {migrate: {condition: service_completed_successfully}}\n  shop-postgres:\n    build: ./db\n  migrate:\n    build: .\n    depends_on:\n      db: {condition: service_healthy}\n      cache: {condition: service_started}\n";

    fn facts() -> Vec<Fact> {
        read("deploy/docker-compose.yml", SAMPLE, &[])
    }

    fn service(name: &str) -> Fact {
        facts().into_iter().find(|f| &*f.kind == "container" && &*f.symbol == name).unwrap()
    }

    #[test]
    fn services_become_containers() {
        let api = service("api");
        for (field, wanted) in [
            ("role", Value::text("app")),
            ("build", Value::text("deploy/apps/api/docker/Dockerfile")),
            ("image", Value::ABSENT),
            ("healthcheck", Value::bool(true)),
            ("user", Value::text("1000")),
            ("rights", Value::list(Vec::new())),
            ("ports", Value::texts(["3000:3000", "9229:9229"])),
            ("depends_without_condition", Value::texts(["db"])),
            ("one_shot", Value::bool(false)),
            ("restart", Value::text("always")),
            ("source", Value::text("compose")),
        ] {
            assert_eq!(api.get(field), Some(&wanted), "{field}");
        }
        assert_eq!(&SAMPLE[api.at.start as usize..api.at.end as usize], "api");
    }

    #[test]
    fn roles_and_health() {
        assert_eq!(service("db").get("role"), Some(&Value::text("database")));
        assert_eq!(service("db").get("healthcheck"), Some(&Value::bool(false)));
        assert_eq!(service("cache").get("healthcheck"), Some(&Value::bool(false)));
        assert_eq!(service("cache").get("rights"), Some(&Value::texts(["privileged", "socket"])));
        assert_eq!(service("cache").get("mounts"), Some(&Value::texts(["/var/run/docker.sock"])));
        assert_eq!(service("mail").get("role"), Some(&Value::text("tool")));
        assert_eq!(service("shop").get("role"), Some(&Value::text("app")));
        assert_eq!(service("shop-postgres").get("role"), Some(&Value::text("database")));
        assert_eq!(service("migrate").get("one_shot"), Some(&Value::bool(true)));
        assert_eq!(service("migrate").get("depends_without_condition"), Some(&Value::texts(["cache"])));
    }

    #[test]
    fn what_health_checks_call() {
        let probes: Vec<_> = facts().into_iter().filter(|f| &*f.kind == "probe").collect();
        assert_eq!(probes.len(), 1);
        assert_eq!(probes[0].get("path"), Some(&Value::text("/health")));
    }

    #[test]
    fn services_for_development_are_told_by_their_names() {
        let text = "services:\n  shop-dev: {build: .}\n  shop: {build: .}\n";
        let areas = |path: &str| read(path, text, &[]).iter().map(|fact| fact.area).collect::<Vec<_>>();
        assert_eq!(areas("docker-compose.yml"), [Area::Example, Area::Config]);
        assert_eq!(areas("docker-compose.prod.yml"), [Area::Config, Area::Config]);
    }

    #[test]
    fn names_and_areas() {
        for path in [
            "compose.yaml",
            "docker-compose.yml",
            "a/docker-compose.prod.yml",
            "compose-dev.yaml",
            "Docker-Compose.yml",
            "podman/podman-compose.yml",
            "prod.compose.yaml",
        ] {
            assert!(is_compose(path), "{path}");
        }
        for path in ["composer.yml", "compose.json", "docker.yml", "decompose.yml"] {
            assert!(!is_compose(path), "{path}");
        }
        assert_eq!(area("docker/testing/compose.yml"), Area::Test);
        assert_eq!(area("docker-compose.dev.yml"), Area::Example);
        assert_eq!(area("docker-compose.yml"), Area::Config);
    }

    #[test]
    fn services_are_completed_from_what_they_extend_or_override() {
        let files = [
            (
                "docker-compose.yml",
                "services:\n  api:\n    build: ./api\n    healthcheck: {test: curl x}\n  db: {image: postgres:16}\n",
            ),
            ("common.yml", "services:\n  base: {image: redis:7, mem_limit: 1g}\n"),
        ];
        let text = "services:\n  api: {restart: always}\n  cache: {extends: {file: common.yml, service: base}}\n  own: {image: shop/db}\n  loop: {extends: loop}\n";
        let facts = read("docker-compose.prod.yml", text, &files);
        let of =
            |name: &str, field: &str| facts.iter().find(|f| &*f.symbol == name).and_then(|f| f.get(field)).cloned();
        assert_eq!(of("api", "build"), Some(Value::text("api/Dockerfile")));
        assert_eq!(of("api", "healthcheck"), Some(Value::bool(true)));
        assert_eq!((of("cache", "role"), of("cache", "memory")), (Some(Value::text("cache")), Some(Value::text("1g"))));
        assert_eq!((of("own", "healthcheck"), of("db", "image")), (Some(Value::bool(false)), None));
    }

    #[test]
    fn odd_shapes_are_read() {
        for text in
            ["services:", "services: []", "services: {a: }", "services: {a: {build: 1, ports: x, depends_on: 3}}", "1"]
        {
            let _ = read("compose.yml", text, &[]);
        }
    }
}
