//! Kubernetes: a `manifest` for every object, a `container` for each container of its pods, and what its probes call.

use std::sync::Arc;

use crate::facts::{Data, Fact, Origins, Record, Value};
use crate::project::FileId;
use crate::syntax::Node;

use super::values::{command_text, fact, optional, scalar_text, span, texts, value_of};
use super::{cluster, helm, images, probes, rights};

pub fn kubernetes(file: FileId, root: &Node) -> Vec<Fact> {
    let (Some(kind), Some(_)) = (root.get("kind").and_then(Node::as_text), root.get("apiVersion")) else {
        return Vec::new();
    };
    let items = root.get("items").map(Node::items).unwrap_or_default();
    if kind == "List" || kind.ends_with("List") && !items.is_empty() {
        let nested = items.iter().filter(|item| item.get("items").is_none());
        return nested.flat_map(|item| kubernetes(file, item)).collect();
    }
    let mut facts = vec![manifest(file, root, kind)];
    facts.extend(cluster::secret_entries(file, root, kind));
    let Some(pod) = pod(root, kind) else { return facts };
    for part in PARTS {
        for container in pod.get(part).map(Node::items).unwrap_or_default() {
            facts.extend(container_facts(file, &Place { pod, kind, part }, container));
        }
    }
    facts
}

/// Where the containers of a pod stand.
const PARTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// What a container belongs to.
struct Place<'n> {
    pod: &'n Node,
    /// Of the object that makes the pod.
    kind: &'n str,
    /// One of [`PARTS`].
    part: &'n str,
}

impl Place<'_> {
    /// It ends by itself.
    fn is_one_shot(&self) -> bool {
        self.part != "containers" || matches!(self.kind, "Job" | "CronJob")
    }

    /// Whether the pod's main work is done there.
    fn is_main(&self) -> bool {
        self.part == "containers"
    }
}

/// The object as it stands there, for rules to look into.
fn manifest(file: FileId, root: &Node, kind: &str) -> Fact {
    let name = root.at(&["metadata", "name"]).and_then(scalar_text).unwrap_or_default();
    let at = root.entry("kind").map_or(span(file, root.start, root.start), |entry| {
        span(file, entry.key_start, entry.value.end.max(entry.key_end))
    });
    // What a Secret holds is only told by its entries.
    let part = |key: &str| match root.get(key) {
        Some(_) if kind == "Secret" && key != "spec" => Value { data: Data::Unknown, origins: Origins::MASKED },
        found => found.map_or(Value::ABSENT, value_of),
    };
    let annotations = root.at(&["metadata", "annotations"]).map_or(Value::ABSENT, value_of);
    let verbs = rule_texts(root, "verbs");
    fact("manifest", at, "shape kubernetes", &name)
        .with("kind", Value::text(kind))
        .with("name", Value::text(name.as_str()))
        .with("version", root.get("apiVersion").map_or(Value::ABSENT, value_of))
        .with("annotations", annotations)
        .with("spec", part("spec"))
        .with("data", part("data"))
        .with("plain", part("stringData"))
        .with("verbs", Value::texts(verbs))
        .with("resources", Value::texts(rule_texts(root, "resources")))
        .with("grants", Value::texts(cluster::grants(root)))
        .with("subjects", Value::texts(cluster::subjects(root)))
        .with("labels", Value::texts(cluster::labels(pod_labels(root, kind))))
        .with("selects", Value::texts(cluster::labels(root.at(&["spec", "selector"]).filter(|_| kind == "Service"))))
        .with("role", root.at(&["roleRef", "name"]).map_or(Value::ABSENT, value_of))
        .with("ready", pod(root, kind).map_or(Value::ABSENT, |pod| Value::bool(is_probed(pod))))
        .with("rights", pod(root, kind).map_or(Value::ABSENT, |pod| Value::texts(rights_without_containers(pod))))
}

/// What the rules of a role name under that key.
fn rule_texts<'n>(root: &'n Node, key: &str) -> Vec<&'n str> {
    let rules = root.get("rules").map(Node::items).unwrap_or_default();
    let mut found: Vec<&str> = rules.iter().filter_map(|rule| rule.get(key)).flat_map(texts).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Every container says when it can take requests.
fn is_probed(pod: &Node) -> bool {
    let containers = pod.get("containers").map(Node::items).unwrap_or_default();
    !containers.is_empty() && containers.iter().all(|container| container.get("readinessProbe").is_some())
}

/// What a pod takes of its host, where no container stands beside it (a patch, a template) to say so for it.
fn rights_without_containers(pod: &Node) -> Vec<String> {
    match pod.get("containers") {
        None => rights::of_pod(pod, pod),
        Some(_) => Vec::new(),
    }
}

/// The pod's specification in a workload.
fn pod<'n>(root: &'n Node, kind: &str) -> Option<&'n Node> {
    template(root, kind)?.get("spec")
}

/// The labels that the pods of a workload carry.
fn pod_labels<'n>(root: &'n Node, kind: &str) -> Option<&'n Node> {
    template(root, kind)?.at(&["metadata", "labels"])
}

/// What pods are made of in an object of that kind: the workloads of Kubernetes and those that are like them
/// (a Service of Knative, which Cloud Run takes too, a Rollout, a DeploymentConfig).
fn template<'n>(root: &'n Node, kind: &str) -> Option<&'n Node> {
    let knative =
        || root.get("apiVersion").and_then(Node::as_text).is_some_and(|api| api.starts_with("serving.knative."));
    match kind {
        "Pod" => Some(root),
        "PodTemplate" => root.get("template"),
        "CronJob" => root.at(&["spec", "jobTemplate", "spec", "template"]),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job"
        | "Rollout"
        | "DeploymentConfig" => root.at(&["spec", "template"]),
        "Service" if knative() => root.at(&["spec", "template"]),
        _ => None,
    }
}

/// The probes of a container by their short names.
const PROBES: [(&str, &str); 3] =
    [("liveness", "livenessProbe"), ("readiness", "readinessProbe"), ("startup", "startupProbe")];

fn container_facts(file: FileId, place: &Place<'_>, container: &Node) -> Vec<Fact> {
    let pod = place.pod;
    let name = container.get("name").and_then(Node::as_text).unwrap_or_default();
    let image = container.get("image").and_then(Node::as_text);
    let at = span(file, container.start, container.end);
    let has = |probe: &str| container.get(probe).is_some();
    // What a helper of a chart would put there is unknown.
    let opaque = |path: &[&str]| container.at(path).is_some_and(|part| part.get(helm::MARK).is_some());
    let unless = |opaque: bool, value: Value| if opaque { Value::UNKNOWN } else { value };
    let (whole, resources) = (opaque(&[]), opaque(&["resources"]));
    let context = whole || opaque(&["securityContext"]) || pod.at(&["securityContext", helm::MARK]).is_some();
    // What stands in the manifests of a cluster is no helper of development, whatever its image is known for.
    let role = image.and_then(images::role).filter(|role| *role != "tool").unwrap_or("app");
    let probed = PROBES.iter().filter(|(_, key)| has(key)).map(|(name, _)| *name);
    let ports = container.get("ports").map(Node::items).unwrap_or_default();
    let ports = ports.iter().filter_map(|port| port.get("containerPort").and_then(scalar_text));
    let mut facts = vec![
        fact("container", at, "shape kubernetes", name)
            .with("name", Value::text(name))
            .with("image", optional(image))
            .with("role", Value::text(role))
            .with("build", Value::ABSENT)
            .with("published_from", Value::ABSENT)
            .with("healthcheck", unless(whole, Value::bool(has("readinessProbe") && has("livenessProbe"))))
            .with("probes", unless(whole, Value::texts(probed)))
            .with("unmet_ports", Value::texts(unmet_ports(container)))
            .with("workload", Value::text(place.kind))
            .with("main", Value::bool(place.is_main()))
            .with("user", unless(context, optional(user(pod, container).as_deref())))
            .with("rights", Value::texts(rights::of_pod(pod, container)))
            .with("keeps", unless(context, Value::texts(rights::kept_by_pod(pod, container, image))))
            .with("requests", unless(whole || resources, Value::texts(requests(container))))
            .with("mounts", Value::texts(mounts(container)))
            .with("binds", Value::list(Vec::new()))
            .with("network", Value::ABSENT)
            .with("labels", Value::ABSENT)
            .with("replicas", Value::ABSENT)
            .with("update", Value::ABSENT)
            .with("logging", Value::ABSENT)
            .with("ports", Value::list(ports.map(Value::text).collect()))
            .with("depends_without_condition", Value::list(Vec::new()))
            .with("source", Value::text("kubernetes"))
            .with("one_shot", Value::bool(place.is_one_shot()))
            .with("pin", image.map_or(Value::ABSENT, images::pin))
            .with("memory", unless(whole || resources, optional(memory(container).as_deref())))
            .with("environment", environment(container))
            .with("build_args", Value::ABSENT)
            .with("published", Value::list(Vec::new()))
            .with("production", Value::bool(true))
            .with("command", optional(container.get("args").and_then(command_text).as_deref()))
            .with("restart", optional(pod.get("restartPolicy").and_then(Node::as_text))),
    ];
    facts.extend(cluster::variables(file, container));
    for probe in PROBES.iter().filter_map(|(_, probe)| container.get(probe)) {
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

/// What it asks for; a limit is a request too where there is none.
fn requests(container: &Node) -> Vec<&str> {
    let parts = ["requests", "limits"].into_iter().filter_map(|part| container.at(&["resources", part]));
    let mut names: Vec<&str> = parts.flat_map(Node::entries).map(|entry| &*entry.key).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn mounts(container: &Node) -> Vec<String> {
    let mounts = container.get("volumeMounts").map(Node::items).unwrap_or_default();
    mounts.iter().filter_map(|mount| mount.get("mountPath").and_then(scalar_text)).collect()
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
    let record = Record::closed(fields.collect());
    Value { data: Data::Record(Arc::new(record)), origins: Origins::default() }
}

/// The names of ports that probes ask and that the container does not give to any of its ports.
fn unmet_ports(container: &Node) -> Vec<&str> {
    let ports = container.get("ports").map(Node::items).unwrap_or_default();
    let named: Vec<&str> = ports.iter().filter_map(|port| port.get("name")?.as_text()).collect();
    if container.get(helm::MARK).is_some() || ports.iter().any(|port| port.get(helm::MARK).is_some()) {
        return Vec::new();
    }
    let probes = PROBES.iter().filter_map(|(_, key)| container.get(key));
    let asked = probes.filter_map(|probe| {
        let port = ["httpGet", "tcpSocket"].into_iter().find_map(|kind| probe.at(&[kind, "port"]))?;
        port.as_text().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
    });
    let mut unmet: Vec<&str> = asked.filter(|name| !helm::is_templated(name) && !named.contains(name)).collect();
    unmet.sort_unstable();
    unmet.dedup();
    unmet
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
        assert_eq!(of("api").get("rights"), Some(&Value::texts(["network", "privileged"])));
        assert_eq!(facts[0].get("ready"), Some(&Value::bool(false)));
        assert_eq!(of("db").get("user"), Some(&Value::text("0")));
        assert_eq!(of("db").get("role"), Some(&Value::text("database")));
        assert_eq!(of("db").get("healthcheck"), Some(&Value::bool(false)));
        assert_eq!(of("migrate").get("one_shot"), Some(&Value::bool(true)));
        let paths: Vec<_> = facts.iter().filter_map(|f| f.get("path")).filter_map(Value::as_text).collect();
        assert_eq!(paths, ["/live", "/ready"]);
        assert_eq!(of("api").get("probes"), Some(&Value::texts(["liveness", "readiness"])));
        assert_eq!(
            (of("migrate").get("main"), of("db").get("main")),
            (Some(&Value::bool(false)), Some(&Value::bool(true)))
        );
    }

    #[test]
    fn pods_without_containers_speak_for_themselves() {
        let text = "apiVersion: apps/v1\nkind: DaemonSet\nspec: {template: {spec: {hostPID: true}}}\n";
        let facts = kubernetes(FileId(0), &yaml::parse(text).unwrap());
        assert_eq!((facts.len(), facts[0].get("rights")), (1, Some(&Value::texts(["pid"]))));
        let debugged = "apiVersion: v1\nkind: Pod\nspec: {hostIPC: true, containers: [{name: a, image: busybox}], ephemeralContainers: [{name: b}]}\n";
        let facts = kubernetes(FileId(0), &yaml::parse(debugged).unwrap());
        assert_eq!(facts[0].get("rights"), Some(&Value::texts(Vec::<&str>::new())));
        assert_eq!(
            (facts[1].get("role"), facts[1].get("workload")),
            (Some(&Value::text("app")), Some(&Value::text("Pod")))
        );
        assert_eq!((facts.len(), facts[2].get("one_shot")), (3, Some(&Value::bool(true))));
    }

    #[test]
    fn roles_are_manifests() {
        let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules:\n- {verbs: [\"*\"], resources: [pods]}\n";
        let facts = kubernetes(FileId(0), &yaml::parse(text).unwrap());
        assert_eq!((facts.len(), &*facts[0].symbol), (1, "all"));
        assert_eq!(facts[0].get("verbs"), Some(&Value::texts(["*"])));
    }

    #[test]
    fn other_workloads() {
        for (kind, api) in
            [("ReplicationController", "v1"), ("DeploymentConfig", "v1"), ("Service", "serving.knative.dev/v1")]
        {
            let text = format!(
                "apiVersion: {api}\nkind: {kind}\nspec:\n  selector: {{app: a}}\n  template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: a}}]}}}}\n"
            );
            let facts = kubernetes(FileId(0), &yaml::parse(&text).unwrap());
            assert_eq!(facts.len(), 2, "{kind}");
            assert_eq!(facts[0].get("labels"), Some(&Value::texts(["app=a"])));
        }
        let service = "apiVersion: v1\nkind: Service\nspec: {selector: {app: a}}\n";
        let facts = kubernetes(FileId(0), &yaml::parse(service).unwrap());
        assert_eq!(facts[0].get("selects"), Some(&Value::texts(["app=a"])));
    }

    #[test]
    fn other_documents_have_no_containers() {
        for text in ["kind: Service\napiVersion: v1", "apiVersion: v1\nkind: Pod\nspec: 1"] {
            assert_eq!(kubernetes(FileId(0), &yaml::parse(text).unwrap()).len(), 1, "{text}");
        }
        for text in ["kind: Pod", "[]"] {
            assert!(kubernetes(FileId(0), &yaml::parse(text).unwrap()).is_empty(), "{text}");
        }
        let pods =
            "apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}\n";
        assert_eq!(kubernetes(FileId(0), &yaml::parse(pods).unwrap()).len(), 2);
        let list =
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}\n";
        assert_eq!(kubernetes(FileId(0), &yaml::parse(list).unwrap()).len(), 2);
    }
}
