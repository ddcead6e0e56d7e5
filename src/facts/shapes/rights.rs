//! What a container may do to its host beyond what a process needs, in words that rules match: `privileged`, `socket`,
//! `network`, `pid`, `ipc`, `unconfined`, `capability:SYS_ADMIN`, `path:/etc`, `port:80`; `folder:/data` is a folder of
//! the node that a pod writes to.

use crate::facts::shapes::images;
use crate::facts::shapes::values::{scalar_text, texts};
use crate::syntax::Node;

/// Folders of a host that hold its keys, its devices or its other containers. What lies below counts too.
const SENSITIVE: [&str; 10] =
    ["/etc", "/root", "/boot", "/dev", "/proc", "/sys", "/var/lib/docker", "/var/lib/kubelet", "/usr", "/lib"];
/// Files below them that only tell the time or the name of the host.
const HARMLESS: [&str; 6] =
    ["/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/machine-id", "/etc/ssl", "/etc/letsencrypt"];
/// Devices that are handed over one by one, for graphics, entropy and the like.
const DEVICES: [&str; 6] = ["/dev/shm", "/dev/dri", "/dev/net/tun", "/dev/urandom", "/dev/null", "/dev/log"];
/// Sockets through which a container runtime takes orders.
const SOCKETS: [&str; 4] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"];

/// A folder of the host as a right, if it gives any.
fn of_path(path: &str) -> Option<String> {
    if SOCKETS.iter().any(|socket| path.ends_with(socket)) {
        return Some("socket".to_owned());
    }
    let whole = matches!(path, "/" | "/var" | "/var/run" | "/run" | "/home");
    let sensitive = || SENSITIVE.iter().any(|folder| is_under(path, folder)) && !is_harmless(path);
    (whole || sensitive()).then(|| format!("path:{path}"))
}

fn is_harmless(path: &str) -> bool {
    HARMLESS.iter().chain(&DEVICES).any(|folder| is_under(path, folder))
}

fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The rights of a service of a compose file.
pub fn of_compose(body: &Node) -> Vec<String> {
    let host = |key: &str| body.get(key).and_then(Node::as_text) == Some("host");
    let mut found = named(&[
        ("privileged", body.get("privileged").and_then(Node::as_bool) == Some(true)),
        ("network", host("network_mode")),
        ("pid", host("pid")),
        ("ipc", host("ipc")),
        ("unconfined", is_unconfined(body)),
    ]);
    found.extend(capabilities(body.get("cap_add")));
    let volumes = body.get("volumes").map(Node::items).unwrap_or_default().iter();
    let sources = volumes.filter_map(|volume| match volume.as_text() {
        Some(text) => text.split_once(':').map(|(source, _)| source),
        None => volume.get("source").and_then(Node::as_text),
    });
    found.extend(sources.filter_map(of_path));
    sorted(found)
}

/// The rights of a container of a pod, its pod's included.
pub fn of_pod(pod: &Node, container: &Node) -> Vec<String> {
    let is_on = |node: &Node, path: &[&str]| node.at(path).and_then(Node::as_bool) == Some(true);
    let says = |node: &Node, path: &[&str], word: &str| node.at(path).and_then(Node::as_text) == Some(word);
    let seccomp = [container, pod].iter().find_map(|node| node.at(&["securityContext", "seccompProfile", "type"]));
    let unconfined = seccomp.and_then(Node::as_text) == Some("Unconfined")
        || says(container, &["securityContext", "procMount"], "Unmasked");
    let process = ["securityContext", "windowsOptions", "hostProcess"];
    let privileged =
        is_on(container, &["securityContext", "privileged"]) || is_on(container, &process) || is_on(pod, &process);
    let mut found = named(&[
        ("privileged", privileged),
        ("network", is_on(pod, &["hostNetwork"])),
        ("pid", is_on(pod, &["hostPID"])),
        ("ipc", is_on(pod, &["hostIPC"])),
        ("unconfined", unconfined),
    ]);
    found.extend(capabilities(container.at(&["securityContext", "capabilities", "add"])));
    let ports = container.get("ports").map(Node::items).unwrap_or_default().iter();
    found
        .extend(ports.filter_map(|port| port.get("hostPort").and_then(scalar_text)).map(|port| format!("port:{port}")));
    found.extend(host_folders(pod, container));
    found.extend(kernel_settings(pod));
    sorted(found)
}

/// Settings of the kernel that a pod changes although they are not kept to the pod alone, or a node has to allow them:
/// <https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/>.
fn kernel_settings(pod: &Node) -> impl Iterator<Item = String> {
    const SAFE: [&str; 5] =
        ["kernel.shm_rmid_forced", "net.ipv4.ip_", "net.ipv4.tcp_", "net.ipv4.ping_group_range", "net.core.somaxconn"];
    let all = pod.at(&["securityContext", "sysctls"]).map(Node::items).unwrap_or_default().iter();
    let names = all.filter_map(|one| one.get("name").and_then(Node::as_text));
    names.filter(|name| !SAFE.iter().any(|safe| name.starts_with(safe))).map(|name| format!("kernel:{name}"))
}

/// What the volumes of a container give of its node. A volume that no container mounts is counted for all of them.
fn host_folders(pod: &Node, container: &Node) -> Vec<String> {
    let volumes = pod.get("volumes").map(Node::items).unwrap_or_default().iter();
    let found = volumes.filter_map(|volume| {
        let name = volume.get("name").and_then(Node::as_text).unwrap_or_default();
        let path = volume.at(&["hostPath", "path"])?.as_text()?;
        let own = mounts_of(container, name).next();
        let unused = || containers(pod).all(|other| mounts_of(other, name).next().is_none());
        let readable_only =
            mounts_of(container, name).all(|mount| mount.get("readOnly").and_then(Node::as_bool) == Some(true));
        match own {
            None if !unused() => None,
            Some(_) if readable_only => of_path(path),
            _ => of_path(path).or_else(|| (!is_harmless(path)).then(|| format!("folder:{path}"))),
        }
    });
    found.collect()
}

fn containers(pod: &Node) -> impl Iterator<Item = &Node> {
    ["containers", "initContainers"].into_iter().filter_map(|key| pod.get(key)).flat_map(Node::items)
}

fn mounts_of<'n>(container: &'n Node, volume: &str) -> impl Iterator<Item = &'n Node> {
    let mounts = container.get("volumeMounts").map(Node::items).unwrap_or_default().iter();
    mounts.filter(move |mount| mount.get("name").and_then(Node::as_text) == Some(volume))
}

/// What a container of a pod does not give up although it could.
pub fn kept_by_pod(pod: &Node, container: &Node, image: Option<&str>) -> Vec<&'static str> {
    let own = container.get("securityContext");
    let flag = |key: &str| own.and_then(|context| context.get(key)).and_then(Node::as_bool);
    let either = |key: &str| flag(key).or_else(|| pod.at(&["securityContext", key]).and_then(Node::as_bool));
    let user = [container, pod].iter().find_map(|node| node.at(&["securityContext", "runAsUser"]));
    let ordinary = user.and_then(scalar_text).is_some_and(|user| user != "0");
    let drops = container.at(&["securityContext", "capabilities", "drop"]).map(texts).unwrap_or_default();
    let all = [
        ("allowPrivilegeEscalation", flag("allowPrivilegeEscalation") != Some(false)),
        ("capabilities", !drops.iter().any(|name| name.eq_ignore_ascii_case("all"))),
        ("readOnlyRootFilesystem", flag("readOnlyRootFilesystem") != Some(true)),
        ("runAsNonRoot", either("runAsNonRoot") != Some(true) && !ordinary && !image.is_some_and(images::is_nonroot)),
    ];
    all.into_iter().filter(|(_, kept)| *kept).map(|(name, _)| name).collect()
}

fn named(all: &[(&str, bool)]) -> Vec<String> {
    all.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()).collect()
}

/// Capabilities that reach beyond the container; `NET_BIND_SERVICE`, `CHOWN` and the like do not.
fn capabilities(node: Option<&Node>) -> Vec<String> {
    const STRONG: [&str; 12] = [
        "ALL",
        "SYS_ADMIN",
        "NET_ADMIN",
        "SYS_PTRACE",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_TIME",
        "SYS_BOOT",
        "DAC_READ_SEARCH",
        "NET_RAW",
        "BPF",
        "MAC_ADMIN",
    ];
    let names = node.map(texts).unwrap_or_default().into_iter().map(str::to_ascii_uppercase);
    let plain = names.map(|name| name.strip_prefix("CAP_").map_or(name.clone(), str::to_owned));
    plain.filter(|name| STRONG.contains(&name.as_str())).map(|name| format!("capability:{name}")).collect()
}

fn is_unconfined(body: &Node) -> bool {
    let options = body.get("security_opt").map(texts).unwrap_or_default();
    options.iter().any(|option| option.replace('=', ":").ends_with(":unconfined"))
}

fn sorted(mut found: Vec<String>) -> Vec<String> {
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    #[test]
    fn rights_of_compose_services() {
        let node = parse("privileged: true\npid: host\ncap_add: [CAP_SYS_ADMIN, CHOWN]\nsecurity_opt: ['seccomp:unconfined']\nvolumes:\n  - /etc/localtime:/etc/localtime:ro\n  - /etc:/host/etc\n  - {type: bind, source: /var/run/docker.sock, target: /s}\n  - data:/data\n  - /dev/dri:/dev/dri\n").unwrap();
        let wanted = ["capability:SYS_ADMIN", "path:/etc", "pid", "privileged", "socket", "unconfined"];
        assert_eq!(of_compose(&node), wanted);
        assert!(of_compose(&parse("volumes: [x]\ncap_add: 3").unwrap()).is_empty());
    }

    #[test]
    fn rights_of_pods() {
        let pod = parse("hostPID: true\nvolumes:\n- {name: a, hostPath: {path: /}}\n- {name: b, hostPath: {path: /etc}}\nsecurityContext: {runAsNonRoot: true}\n").unwrap();
        let container = parse("volumeMounts: [{name: a}]\nsecurityContext: {capabilities: {add: [NET_ADMIN], drop: [all]}, allowPrivilegeEscalation: false}").unwrap();
        assert_eq!(of_pod(&pod, &container), ["capability:NET_ADMIN", "path:/", "path:/etc", "pid"]);
        assert_eq!(kept_by_pod(&pod, &container, None), ["readOnlyRootFilesystem"]);
        let volumes = "volumes: [{name: a, hostPath: {path: /data}}, {name: b, hostPath: {path: /logs}}, {name: c, hostPath: {path: /etc/ssl}}, {name: d, hostPath: {path: /x}}]\ncontainers: [{volumeMounts: [{name: d}]}]\nsecurityContext: {seccompProfile: {type: Unconfined}}";
        let own = "volumeMounts: [{name: a}, {name: b, readOnly: true}, {name: c}]\nsecurityContext: {seccompProfile: {type: RuntimeDefault}}";
        assert_eq!(of_pod(&parse(volumes).unwrap(), &parse(own).unwrap()), ["folder:/data"]);
        let tuned = "securityContext: {sysctls: [{name: kernel.sem}, {name: net.ipv4.tcp_syncookies}], windowsOptions: {hostProcess: true}}";
        assert_eq!(of_pod(&parse(tuned).unwrap(), &parse("{}").unwrap()), ["kernel:kernel.sem", "privileged"]);
        let bare = parse("{}").unwrap();
        assert_eq!(kept_by_pod(&bare, &bare, None).len(), 4);
        assert_eq!(kept_by_pod(&bare, &bare, Some("nginxinc/nginx-unprivileged:1.27")).len(), 3);
    }
}
