//! Kubernetes workloads: a `container` for each container of their pods, and what its probes call.

use std::sync::Arc;

use crate::facts::{Data, Fact, Origins, Record, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::values::{command_text, fact, optional, scalar_text, span};
use super::{images, probes};

pub fn kubernetes(file: FileId, root: &Node) -> Vec<Fact> {
    let (Some(kind), Some(_)) = (root.get("kind").and_then(Node::as_text), root.get("apiVersion")) else {
        return Vec::new();
    };
    if kind == "List" {
        let items = root.get("items").map(Node::items).unwrap_or_default();
        let nested = items.iter().filter(|item| item.get("items").is_none());
        return nested.flat_map(|item| kubernetes(file, item)).collect();
    }
    let Some(pod) = pod(root, kind) else { return Vec::new() };
    let ends = matches!(kind, "Job" | "CronJob");
    let containers = [("containers", ends), ("initContainers", true)].into_iter().flat_map(|(key, one_shot)| {
        pod.get(key).map(Node::items).unwrap_or_default().iter().map(move |container| (container, one_shot))
    });
    containers.flat_map(|(container, one_shot)| container_facts(file, pod, container, one_shot)).collect()
}

/// The pod's specification in a workload of that kind.
fn pod<'n>(root: &'n Node, kind: &str) -> Option<&'n Node> {
    match kind {
        "Pod" => root.get("spec"),
        "CronJob" => root.at(&["spec", "jobTemplate", "spec", "template", "spec"]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => root.at(&["spec", "template", "spec"]),
        _ => None,
    }
}

fn container_facts(file: FileId, pod: &Node, container: &Node, one_shot: bool) -> Vec<Fact> {
    let name = container.get("name").and_then(Node::as_text).unwrap_or_default();
    let image = container.get("image").and_then(Node::as_text);
    let at = span(file, container.start, container.end);
    let has = |probe: &str| container.get(probe).is_some();
    let privileged = container.at(&["securityContext", "privileged"]).and_then(Node::as_bool) == Some(true);
    let volumes = pod.get("volumes").map(Node::items).unwrap_or_default();
    let socket = volumes.iter().any(|volume| {
        volume.at(&["hostPath", "path"]).and_then(Node::as_text).is_some_and(|path| path.contains("docker.sock"))
    });
    let role = image.and_then(images::role).unwrap_or("app");
    let ports = container.get("ports").map(Node::items).unwrap_or_default();
    let ports = ports.iter().filter_map(|port| port.get("containerPort").and_then(scalar_text));
    let mut facts = vec![
        fact("container", at, "shape kubernetes", name)
            .with("name", Value::text(name))
            .with("image", optional(image))
            .with("role", Value::text(role))
            .with("build", Value::ABSENT)
            .with("healthcheck", Value::bool(has("readinessProbe") && has("livenessProbe")))
            .with("user", optional(user(pod, container).as_deref()))
            .with("privileged", Value::bool(privileged))
            .with("socket", Value::bool(socket))
            .with("host_network", Value::bool(pod.get("hostNetwork").and_then(Node::as_bool) == Some(true)))
            .with("ports", Value::list(ports.map(Value::text).collect()))
            .with("depends_without_condition", Value::list(Vec::new()))
            .with("source", Value::text("kubernetes"))
            .with("one_shot", Value::bool(one_shot))
            .with("pin", image.map_or(Value::ABSENT, images::pin))
            .with("memory", optional(memory(container).as_deref()))
            .with("environment", environment(container))
            .with("build_args", Value::ABSENT)
            .with("published", Value::list(Vec::new()))
            .with("production", Value::bool(true))
            .with("command", optional(container.get("args").and_then(command_text).as_deref()))
            .with("restart", optional(pod.get("restartPolicy").and_then(Node::as_text))),
    ];
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"].iter().filter_map(|probe| container.get(probe)) {
        facts.extend(called(file, name, probe));
    }
    facts
}

/// `runAsUser`, or `nonroot` where `runAsNonRoot` is set; the container's word goes before the pod's.
fn user(pod: &Node, container: &Node) -> Option<String> {
    let contexts = [container, pod].map(|node| node.get("securityContext"));
    let found = |key: &str| contexts.iter().flatten().find_map(|context| context.get(key));
    let nonroot = found("runAsNonRoot").and_then(Node::as_bool) == Some(true);
    found("runAsUser").and_then(scalar_text).or_else(|| nonroot.then(|| "nonroot".to_owned()))
}

fn memory(container: &Node) -> Option<String> {
    container.at(&["resources", "limits", "memory"]).and_then(scalar_text)
}

/// The variables whose value stands in the manifest.
fn environment(container: &Node) -> Value {
    let entries = container.get("env").map(Node::items).unwrap_or_default().iter();
    let fields = entries.filter_map(|entry| {
        let name = entry.get("name").and_then(Node::as_text)?;
        Some((name.into(), Value::text(entry.get("value").and_then(scalar_text)?)))
    });
    let record = Record { fields: fields.collect(), open: false };
    Value { data: Data::Record(Arc::new(record)), origins: Origins::default() }
}

fn called(file: FileId, name: &str, probe: &Node) -> Vec<Fact> {
    let at = span(file, probe.start, probe.end);
    match probe.get("httpGet") {
        Some(get) => {
            let path = get.get("path").and_then(Node::as_text).unwrap_or("/");
            let path = path.split(['?', '#']).next().unwrap_or("/");
            vec![probes::probe(at, "shape kubernetes", name, path)]
        }
        None => {
            let command = probe.at(&["exec", "command"]).and_then(command_text).unwrap_or_default();
            probes::probes(at, "shape kubernetes", name, &command)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    #[test]
    fn deployments() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      securityContext: {runAsNonRoot: true}\n      hostNetwork: true\n      initContainers: [{name: migrate, image: api}]\n      containers:\n        - name: api\n          image: api:1\n          ports: [{containerPort: 8080}]\n          securityContext: {privileged: true}\n          livenessProbe: {httpGet: {path: /live, port: http}}\n          readinessProbe: {exec: {command: [curl, \"http://localhost/ready\"]}}\n        - name: db\n          image: postgres:16\n          securityContext: {runAsUser: 0}\n";
        let facts = kubernetes(FileId(0), &yaml::parse(text).unwrap());
        let of = |name: &str| facts.iter().find(|f| &*f.kind == "container" && &*f.symbol == name).unwrap();
        assert_eq!(of("api").get("healthcheck"), Some(&Value::bool(true)));
        assert_eq!(of("api").get("user"), Some(&Value::text("nonroot")));
        assert_eq!(of("api").get("privileged"), Some(&Value::bool(true)));
        assert_eq!(of("api").get("host_network"), Some(&Value::bool(true)));
        assert_eq!(of("db").get("user"), Some(&Value::text("0")));
        assert_eq!(of("db").get("role"), Some(&Value::text("database")));
        assert_eq!(of("db").get("healthcheck"), Some(&Value::bool(false)));
        assert_eq!(of("migrate").get("one_shot"), Some(&Value::bool(true)));
        let paths: Vec<_> = facts.iter().filter_map(|f| f.get("path")).filter_map(Value::as_text).collect();
        assert_eq!(paths, ["/live", "/ready"]);
    }

    #[test]
    fn other_documents_say_nothing() {
        for text in ["kind: Service\napiVersion: v1", "kind: Pod", "apiVersion: v1\nkind: Pod\nspec: 1", "[]"] {
            assert!(kubernetes(FileId(0), &yaml::parse(text).unwrap()).is_empty(), "{text}");
        }
        let list =
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}\n";
        assert_eq!(kubernetes(FileId(0), &yaml::parse(list).unwrap()).len(), 1);
    }
}
