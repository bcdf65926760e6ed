//! Command lines of the parts. They run in the directory that has the files named here.

use std::iter::once;

/// The audit log's name.
pub(crate) const AUDIT_LOG: &str = "audit.log";

/// etcd's two sockets, files in the directory: no port, so no other etcd can be taken for ours.
const ETCD: &str = "unix://127.0.0.1:1";
const ETCD_PEER: &str = "unix://127.0.0.1:2";

/// Deletion by owner and of namespaces, what a new namespace is given, and the aggregation of roles.
pub(crate) const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
    root-ca-certificate-publisher-controller,clusterrole-aggregation-controller";

pub(crate) fn etcd() -> Vec<String> {
    vec![
        "--name=e".to_owned(),
        "--data-dir=etcd".to_owned(),
        // What a crash of the machine would lose is of no use after it.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        format!("--listen-peer-urls={ETCD_PEER}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER}"),
        format!("--initial-cluster=e={ETCD_PEER}"),
    ]
}

pub(crate) fn apiserver(port: u16, further: &[String]) -> Vec<String> {
    let fixed = [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        // Others hold the port too: see `reserve_port`.
        "--permit-port-sharing",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--tls-cert-file=apiserver.crt",
        "--tls-private-key-file=apiserver.key",
        "--client-ca-file=ca.crt",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-signing-key-file=sa.key",
        "--service-account-key-file=sa.pub",
        "--audit-policy-file=audit-policy.json",
        // A line is in the file before the answer is on its way.
        "--audit-log-mode=blocking",
        // Megabytes before the file is exchanged for another: never. 0 would mean 100.
        "--audit-log-maxsize=1000000",
    ];
    once(format!("--etcd-servers={ETCD}"))
        .chain(once(format!("--secure-port={port}")))
        .chain(once(format!("--audit-log-path={AUDIT_LOG}")))
        .chain(fixed.map(str::to_owned))
        .chain(further.iter().cloned())
        .collect()
}

pub(crate) fn controller_manager(controllers: &str) -> Vec<String> {
    vec![
        "--kubeconfig=controller-manager.kubeconfig".to_owned(),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
        // The default, 20 per second, makes the start take seconds longer.
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
        "--service-account-private-key-file=sa.key".to_owned(),
        "--root-ca-file=ca.crt".to_owned(),
        format!("--controllers={controllers}"),
    ]
}
