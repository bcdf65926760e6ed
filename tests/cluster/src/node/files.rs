//! The files that a node's programs read.

use std::net::Ipv4Addr;
use std::path::Path;

/// The bridge's address: the node's own, and the API server's.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 1);

/// The bridge that the pods are on. It is ours alone: a machine that has one runs such a node already.
pub(crate) const BRIDGE: &str = "asa0";

/// Where DNS is asked; pods cannot be told of another port.
pub(super) const DNS_PORT: u16 = 53;

/// The folder of names, a file for each, as /etc/hosts has them.
pub(super) const NAMES: &str = "names";

/// The node's name.
pub(crate) const NAME: &str = "n1";

/// User, group and kubeconfig of each part.
pub(crate) const USERS: [(&str, Option<&str>, &str); 3] = [
    ("system:node:n1", Some("system:nodes"), "kubelet.kubeconfig"),
    ("system:kube-scheduler", None, "scheduler.kubeconfig"),
    ("system:kube-proxy", None, "proxy.kubeconfig"),
];

/// Names of the files and their contents. `cni` is the folder of the network's programs, `sandbox_image` what holds a pod's
/// network open.
pub(super) fn all(dir: &Path, cni: &Path, sandbox_image: &str) -> [(&'static str, String); 7] {
    let (dir, cni) = (dir.display(), cni.display());
    [
        (
            "containerd.toml",
            format!(
                r#"version = 2
root = "{dir}/containerd/root"
state = "{dir}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{dir}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
# A container may not be allowed to lower it.
restrict_oom_score_adj = true
sandbox_image = "{sandbox_image}"
cni = {{bin_dir = "{cni}", conf_dir = "{dir}/cni"}}
"#
            ),
        ),
        (
            // No masquerading: pods reach each other and the API server, and nothing outside.
            "cni/10-asa.conflist",
            format!(
                r#"{{"cniVersion": "0.4.0", "name": "asa", "plugins": [{{"type": "bridge", "bridge": "{BRIDGE}", "isGateway": true,
"hairpinMode": true, "ipam": {{"type": "host-local", "dataDir": "{dir}/ipam",
"ranges": [[{{"subnet": "10.244.0.0/24"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"#
            ),
        ),
        (
            // syncFrequency: a changed Secret is in the pods within 2 s instead of 80.
            "kubelet.yaml",
            format!(
                r"apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {ADDRESS}
healthzPort: 0
authentication: {{x509: {{clientCAFile: {dir}/ca.crt}}}}
failCgroupV1: false
containerRuntimeEndpoint: unix://{dir}/containerd.sock
resolvConf: {dir}/resolv.conf
clusterDomain: cluster.local
clusterDNS: [{ADDRESS}]
evictionHard: {{memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}}
podLogsDir: {dir}/pod-logs
volumePluginDir: {dir}/volume-plugins
syncFrequency: 1s
# A container that is killed again and again comes back at once each time.
featureGates: {{KubeletCrashLoopBackOffMax: true}}
crashLoopBackOff: {{maxContainerRestartPeriod: 1s}}
"
            ),
        ),
        (
            "proxy.yaml",
            format!(
                r"apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 10.244.0.0/24
clientConnection: {{kubeconfig: {dir}/proxy.kubeconfig}}
conntrack: {{maxPerCore: 0}}
hostnameOverride: {NAME}
healthzBindAddress: {ADDRESS}:10256
metricsBindAddress: {ADDRESS}:10249
"
            ),
        ),
        (
            // Root, as nobody else can enter the directory. A name that is in no file is nobody's, whatever its domain.
            "dnsmasq.conf",
            format!(
                r"keep-in-foreground
log-facility=-
pid-file={dir}/dnsmasq.pid
user=root
group=root
listen-address={ADDRESS}
port={DNS_PORT}
bind-interfaces
no-resolv
no-hosts
local=/#/
hostsdir={dir}/{NAMES}
"
            ),
        ),
        ("resolv.conf", String::new()),
        ("sweep.sh", include_str!("sweep.sh").to_owned()),
    ]
}

/// What kube-apiserver is told beyond what a plane without a node tells it.
pub(crate) fn apiserver_flags() -> Vec<String> {
    [
        &format!("--bind-address={ADDRESS}"),
        &format!("--advertise-address={ADDRESS}"),
        // Pods find it by the Service `kubernetes`.
        "--endpoint-reconciler-type=master-count",
        "--allow-privileged",
        "--kubelet-client-certificate=admin.crt",
        "--kubelet-client-key=admin.key",
        "--kubelet-preferred-address-types=InternalIP",
    ]
    .map(str::to_owned)
    .into()
}

/// What kubelet is told besides its file.
pub(super) fn kubelet(dir: &Path) -> Vec<String> {
    let dir = dir.display();
    vec![
        format!("--config={dir}/kubelet.yaml"),
        format!("--kubeconfig={dir}/kubelet.kubeconfig"),
        format!("--hostname-override={NAME}"),
        format!("--node-ip={ADDRESS}"),
        format!("--root-dir={dir}/kubelet"),
        format!("--cert-dir={dir}/kubelet-pki"),
    ]
}
