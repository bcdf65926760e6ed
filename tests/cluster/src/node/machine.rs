//! What a node changes on a machine, looked at from outside: before it starts and after it ended it must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::error::Error;
use crate::process::SYSTEM_PATH;

/// How each fact is told, one per line. Of processes only those that belong to pods or to a node: others come and go. One that
/// ended and that init has not looked after yet is gone.
const FACTS: [(&str, &str); 9] = [
    (
        "process",
        "find /sys/fs/cgroup -path '*/kubepods*' -name cgroup.procs -exec cat {} +
         ps -eo args= | grep -v '<defunct>' |
             grep -E '^[^ ]*(containerd|containerd-shim[^ ]*|kubelet|kube-proxy|kube-scheduler|dnsmasq) '",
    ),
    ("mount", "awk '{print $5, $9, $10}' /proc/self/mountinfo"),
    ("network namespace", "ls /run/netns 2>/dev/null"),
    ("link", "ls /sys/class/net"),
    ("address", "ip -o addr show | sed 's/ *valid_lft.*//'"),
    ("route", "ip route show; ip -6 route show"),
    ("firewall rule", "nft -s list ruleset"),
    (
        "setting",
        "cd /proc/sys && grep -s '' kernel/panic* vm/overcommit_memory vm/panic_on_oom kernel/keys/root_max* \
         net/ipv4/ip_forward net/ipv4/conf/all/* net/ipv4/conf/default/* net/netfilter/nf_conntrack_tcp* \
         net/netfilter/nf_conntrack_max",
    ),
    (
        "file or cgroup",
        "ls -d /run/* /var/lib/* /var/log/* /etc/cni/* /opt/* /usr/libexec/* /var/lib/containers/storage/*/*
         find /sys/fs/cgroup -type d '(' -name '*kube*' -o -name '*k8s*' -o -name '*cri*' -o -name '*buildah*' ')'",
    ),
];

/// Processes, mounts, network, rules, settings and folders of this machine at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine(BTreeMap<&'static str, BTreeSet<String>>);

impl Machine {
    /// Looks. A fact that cannot be told (no `nft`, say) is empty.
    pub fn look() -> Result<Machine, Error> {
        let mut machine = BTreeMap::new();
        for (fact, script) in FACTS {
            let output = Command::new("/bin/sh").args(["-c", script]).env("PATH", SYSTEM_PATH).output();
            let output = output.map_err(Error::io(format!("look at each {fact}")))?;
            let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
            machine.insert(fact, lines);
        }
        Ok(Machine(machine))
    }

    /// What is there now and was not at `before`, and the other way round: `+ link asa0`.
    pub fn changes_since(&self, before: &Machine) -> Vec<String> {
        let none = BTreeSet::new();
        let mut changes = Vec::new();
        for (fact, now) in &self.0 {
            let then = before.0.get(fact).unwrap_or(&none);
            changes.extend(now.difference(then).map(|line| format!("+ {fact} {line}")));
            changes.extend(then.difference(now).map(|line| format!("- {fact} {line}")));
        }
        changes
    }
}
