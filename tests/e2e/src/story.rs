//! From `helm install` to `helm uninstall`, while a workload calls Apple.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::audit;
use crate::figures::Figures;
use crate::leases::{self, Leases, Sight};
use crate::objects::{self, KeyPair, NAMESPACE, OPERATOR};
use crate::shell::{Done, Failure, cannot, fail, now, run, seconds, until};
use crate::stage::{Stage, TEST_LIMIT};
use crate::workload::{self, Call};

/// Tokens that the workload has to have had: the first one and six renewals.
const TOKENS: usize = 7;

/// Seconds for whatever is usually there in a few.
const PATIENCE: i64 = 180;

/// The operator's Service, as a cluster's DNS has it.
const SERVICE: &str = "asa-operator.asa-operator.svc.cluster.local";

/// What Kubernetes calls the operator.
const USER: &str = "system:serviceaccount:asa-operator:asa-operator";

/// How often the leader is taken away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trials {
    pub(crate) crashes: usize,
    pub(crate) ends: usize,
}

/// Plays it, and tells the figures.
pub(crate) fn play(stage: &Stage, trials: Trials, figures: &mut Figures) -> Done {
    let (ads, app_store) = (key()?, key()?);
    let ca = start_apple(stage, &ads, &app_store)?;
    stage.apply(&objects::namespace(NAMESPACE))?;
    stage.apply(&objects::namespace(OPERATOR))?;

    figures.chapter("helm install");
    stage.install(&objects::values(&ca, "info,kube_client=off,kube_runtime=off"))?;
    stage.name(SERVICE, OPERATOR, "asa-operator")?;
    test_succeeds(stage)?;
    test_fails_without_pods(stage)?;
    let leases = Leases::watch(stage.kubectl_command(), OPERATOR)?;
    two_stand_ready(stage, &leases)?;
    start_workload(stage, &ca, &ads, &app_store)?;

    figures.chapter("helm upgrade");
    let before: Vec<Value> = stage.operators()?;
    stage.install(&objects::values(
        &ca,
        "debug,kube_client=off,kube_runtime=off,hyper=off,reqwest=off,rustls=off,tower=off",
    ))?;
    two_stand_ready(stage, &leases)?;
    let names = |pods: &[Value]| pods.iter().map(|pod| pod["metadata"]["name"].clone()).collect::<Vec<_>>();
    if names(&stage.operators()?).iter().any(|name| names(&before).contains(name)) {
        return fail("helm upgrade with other values left a pod as it was");
    }
    test_succeeds(stage)?;

    figures.chapter("taking the leader away");
    for _ in 0..trials.ends {
        figures.ends.push(delete_leader(stage, &leases)?);
    }
    for _ in 0..trials.crashes {
        figures.crashes.push(kill_leader(stage, &leases)?);
    }
    figures.memory = memory(stage)?;

    figures.chapter("six renewals");
    until("six renewals seen by the workload", PATIENCE * 3, || {
        Ok((workload::tokens(&calls(stage)?).len() >= TOKENS).then_some(()))
    })?;
    figures.gap = leases::longest_gap(&leases.seen());

    figures.chapter("helm uninstall");
    stage.uninstall()?;
    let (calls, writes) = (calls(stage)?, audit::writes(&stage.audit_log(), USER)?);
    stage.kubectl(&["delete", "pod", "--namespace", NAMESPACE, "workload"])?;
    what_stays(stage)?;
    figures.statuses = workload::by_status(&calls);
    figures.renewals = workload::tokens(&calls).len().saturating_sub(1);
    figures.delays = workload::delays(&calls, &writes, "acme");
    figures.writes = writes.len();
    audit::written_by_leaders(&leases::reigns(&leases.seen()), &writes, &stage.addresses())?;
    all_answered(&calls)
}

/// A key pair as one makes it for Apple.
fn key() -> Done<KeyPair> {
    let pair = rcgen::KeyPair::generate().map_err(cannot("make a key"))?;
    Ok(KeyPair { private: pair.serialize_pem(), public: pair.public_key_pem() })
}

/// Starts the stand-in for Apple; the certificate to trust.
fn start_apple(stage: &Stage, ads: &KeyPair, app_store: &KeyPair) -> Done<String> {
    let folder = stage.apple_folder();
    stage.apply(&objects::apple(&objects::config(ads, app_store), &folder.to_string_lossy()))?;
    stage.name(objects::APPLE_HOST, "apple", "apple")?;
    stage.kubectl(&["wait", "--for=condition=Ready", "--timeout=120s", "-n", "apple", "pod/apple"])?;
    fs::read_to_string(folder.join("ca.pem")).map_err(cannot("read the certificate of the stand-in for Apple"))
}

/// Creates both credentials and what uses them, and waits until it does.
fn start_workload(stage: &Stage, ca: &str, ads: &KeyPair, app_store: &KeyPair) -> Done {
    stage.apply(&objects::credentials(ads, app_store))?;
    stage.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "--timeout=60s",
        "-n",
        NAMESPACE,
        "asacred/acme",
        "asccred/acme-app-store",
    ])?;
    stage.apply(&objects::workload(ca))?;
    stage.kubectl(&["wait", "--for=condition=Ready", "--timeout=60s", "-n", NAMESPACE, "pod/workload"])?;
    until("a first call of the workload", PATIENCE, || Ok((!calls(stage)?.is_empty()).then_some(())))
}

/// `helm test` succeeds, by what was asked of the operator.
fn test_succeeds(stage: &Stage) -> Done {
    let said = stage.test()?;
    if said.contains("asa_build_info") { Ok(()) } else { fail(format!("helm test asked for no metrics:\n{said}")) }
}

/// `helm test` fails, and soon, while there is a Service and no pod behind it.
fn test_fails_without_pods(stage: &Stage) -> Done {
    let scale = |replicas| stage.kubectl(&["scale", "--namespace", OPERATOR, "deployment/asa-operator", replicas]);
    scale("--replicas=0")?;
    until("both pods gone", PATIENCE, || {
        let pods = stage.get(&["pods", "--namespace", OPERATOR, "--selector=app.kubernetes.io/component=operator"])?;
        Ok(pods["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    let started = now();
    let tested = stage.test();
    let took = seconds(started, now());
    match tested {
        Ok(said) => fail(format!("helm test succeeded without the operator:\n{said}")),
        Err(Failure(said)) if !said.contains("did not answer") => fail(format!("helm test failed otherwise: {said}")),
        Err(Failure(said)) if took * 2.0 > f64::from(TEST_LIMIT) => fail(format!("helm test took {took:.1} s: {said}")),
        Err(_) => scale("--replicas=2").map(drop),
    }
}

/// Waits until both pods are ready and one of them leads.
fn two_stand_ready(stage: &Stage, leases: &Leases) -> Done<String> {
    until("two pods ready, one of them the leader", PATIENCE, || {
        let pods = stage.operators()?;
        let leader = leases.leader();
        Ok(leader.filter(|leader| pods.len() == 2 && pods.iter().any(|pod| pod["metadata"]["name"] == leader.as_str())))
    })
}

/// Deletes the leader's pod; seconds from the release of the Lease to the next leader, and from the deletion.
fn delete_leader(stage: &Stage, leases: &Leases) -> Done<(f64, f64)> {
    let leader = two_stand_ready(stage, leases)?;
    let deleted = now();
    stage.kubectl(&["delete", "pod", "--namespace", OPERATOR, &leader, "--wait=false"])?;
    let next = until("another leader after a deletion", PATIENCE, || {
        let acquired = |sight: Sight| sight.acquired.filter(|_| sight.pod().is_some_and(|pod| pod != leader));
        Ok(leases.seen().into_iter().filter(|sight| sight.at > deleted).find_map(acquired))
    })?;
    let released = leases.seen().into_iter().rfind(|sight| sight.holder.is_none() && sight.at > deleted);
    match released.and_then(|sight| sight.renewed).filter(|released| *released <= next) {
        Some(released) => Ok((seconds(released, next), seconds(deleted, next))),
        None => fail("the leader ended without releasing its Lease"),
    }
}

/// Kills the leader's process; seconds until the Lease is held anew, by the other or by the process that takes its place.
fn kill_leader(stage: &Stage, leases: &Leases) -> Done<f64> {
    let leader = two_stand_ready(stage, leases)?;
    let pid = stage.process(&leader)?;
    let killed = now();
    run(Command::new("kill").args(["-s", "KILL", &pid]))?;
    let next = until("a leader after a crash", PATIENCE, || {
        let seen = leases.seen();
        Ok(seen
            .into_iter()
            .find(|sight| sight.at > killed && sight.renewed.is_some_and(|at| at > killed) && sight.holder.is_some()))
    })?;
    Ok(seconds(killed, next.at))
}

/// The most memory that a pod's process has had, in MiB, of each.
fn memory(stage: &Stage) -> Done<Vec<f64>> {
    let mut memory = Vec::new();
    for pod in stage.operators()? {
        let pid = stage.process(pod["metadata"]["name"].as_str().unwrap_or_default())?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(cannot("read a process' status"))?;
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<f64>().ok());
        memory.extend(peak.map(|kib| kib / 1024.0));
    }
    Ok(memory)
}

/// What the workload did so far.
fn calls(stage: &Stage) -> Done<Vec<Call>> {
    workload::calls(&stage.kubectl(&["logs", "--namespace", NAMESPACE, "workload", "--pod-running-timeout=60s"])?)
}

/// CRDs, credentials and Secrets stay after an uninstallation; the Secret that is to stay does so without its credential too.
fn what_stays(stage: &Stage) -> Done {
    stage.get(&["crds", "asacredentials.asa-operator.dev", "appstoreconnectcredentials.asa-operator.dev"])?;
    stage.get(&[
        "--namespace",
        NAMESPACE,
        "asacred/acme",
        "asccred/acme-app-store",
        "secret/acme",
        "secret/acme-app-store",
    ])?;
    stage.kubectl(&["delete", "--namespace", NAMESPACE, "asacred/acme", "asccred/acme-app-store", "--timeout=60s"])?;
    // The other one is collected, which shows that there was time to.
    until("the Secret of acme-app-store to be collected", PATIENCE, || {
        let gone =
            stage.get(&["--namespace", NAMESPACE, "secrets", "--field-selector=metadata.name=acme-app-store"])?;
        Ok(gone["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    stage.get(&["--namespace", NAMESPACE, "secret/acme"]).map(drop)
}

/// Each call was answered with 200.
fn all_answered(calls: &[Call]) -> Done {
    match calls.iter().find(|call| call.status != 200) {
        None => Ok(()),
        Some(call) => fail(format!("the workload met {} at {} by {}", call.status, call.at, call.file)),
    }
}
