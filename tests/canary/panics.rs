//! A panic tells nothing secret: neither its message nor its backtrace, nor what is logged of it.

use std::env;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asa_operator::api::{AdsApi, AsaCredential, Credential, CredentialStatus, Program};
use asa_operator::apple::error::{Class, Endpoint, Error};
use asa_operator::controller::apple::{Apple, Issued, Listed};
use asa_operator::controller::clock::Clock;
use asa_operator::controller::cluster::{Cluster, SecretContent};
use asa_operator::controller::events::Note;
use asa_operator::controller::health::Health;
use asa_operator::controller::index::SecretName;
use asa_operator::controller::metrics::{Metrics, objects::Objects};
use asa_operator::controller::pump;
use asa_operator::controller::world::{Settings, World};
use asa_operator::credential::failure::ClusterClass;
use asa_operator::credential::pacing::Rate;
use asa_operator::credential::probing::Heard;
use asa_operator::credential::published::Body;
use asa_operator::credential::secret_meta::{SecretMeta, Version};
use asa_operator::operator::metrics::{self, Exposition};
use asa_operator::operator::telemetry::{self, Format};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use crate::between::{Answer, Behind, Between, Trick};
use crate::needles::Needles;
use crate::story::plain;
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, credential};
use crate::support::eventually;
use crate::support::key::KeyPair;
use crate::support::operator::{Operator, command};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Longer than the type of durations can hold. The CRD refuses it; an API server with another CRD may not.
const TOO_LONG: &str = "9999999999999999999999h";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_panics_with_tokens_in_hand_tells_none() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let api_server = Between::start(Behind::ApiServer(stage.kube.clone()), Box::new(|_, _| {})).await;
    let kubeconfig = tempfile::NamedTempFile::new().unwrap();
    fs::write(kubeconfig.path(), plain(&api_server.url).to_string()).unwrap();
    let mut operator = Operator::new();
    let mut command = command(&stage.namespace, &stage.apple.url(), kubeconfig.path());
    operator.run(command.args(["--log-filter", "trace"]).env("RUST_BACKTRACE", "full"));
    let mut acme = json!(stage.become_ready().await);
    let mut needles = Needles::default();
    needles.key("the key", stage.key.private());
    needles.token("the client secret", &entries(&stage.secret(CLIENT_SECRET).await)["client_secret"]);
    needles.token("the token", &stage.token().await);

    acme["spec"]["clientSecret"]["lifetime"] = json!(TOO_LONG);
    let body = json!({"type": "MODIFIED", "object": acme}).to_string() + "\n";
    api_server.play(Trick {
        name: "a duration that is too long".to_owned(),
        to: Box::new(|asked| asked.path.contains("/asacredentials?") && asked.path.contains("watch=")),
        has_effect: false,
        spoil: Box::new(|_, _| Answer { status: 200, body, ..Answer::default() }),
    });
    api_server.end_watches();
    let log = eventually("end of the operator", async || {
        let log = operator.log();
        if log.contains("ended by itself") { Ok(log) } else { Err("none") }
    })
    .await;

    assert!(log.contains("panicked at") && log.contains("stack backtrace"));
    assert_eq!(needles.find(&log), None);
}

/// The variables by which [`in_a_process_of_its_own`] learns the key, and the file for the client secret.
const KEY: &str = "CANARY_KEY";
const FILE: &str = "CANARY_CLIENT_SECRET_FILE";

#[test]
fn a_run_that_panics_with_key_and_client_secret_in_hand_tells_neither() {
    let key = KeyPair::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "panics::in_a_process_of_its_own"])
        .env(KEY, key.private())
        .env(FILE, file.path())
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let mut needles = Needles::default();
    needles.key("the key", key.private());
    needles.token("the client secret", &fs::read_to_string(file.path()).unwrap());

    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();

    for expected in ["provoked with SecretBox", "stack backtrace", "a run ended in a panic"] {
        assert!(told.contains(expected), "no {expected}: {told}");
    }
    assert_eq!(needles.find(&told), None);
}

#[tokio::test]
#[ignore = "the process of the test above: its panic hook writes to its own output"]
async fn in_a_process_of_its_own() {
    telemetry::install(Format::Text, "trace", None).unwrap();
    let clock = Clock::system();
    let metrics = Metrics::default();
    let one = 1.try_into().unwrap();
    let settings =
        Settings { rate: Rate { per_second: one, burst: one }, secret_poll_interval: Duration::from_mins(1) };
    let world = Arc::new(World::new(OneSecret, Panicking, clock, metrics.clone(), settings));
    let mut acme: AsaCredential = serde_json::from_value(credential().document().clone()).unwrap();
    acme.metadata.namespace = Some("default".to_owned());
    acme.metadata.uid = Some("a-uid".to_owned());
    let id = world.index().apply_credential(acme).unwrap();
    let key = SecretName { namespace: "default".to_owned(), name: KEY_SECRET.to_owned() };
    world.index().secrets_listed(&None, &[key].into());
    world.wake([id]);

    let exposition = Exposition::new(&metrics, Objects::new(Arc::clone(&world)));
    let stop = eventually("end of the run", async || {
        let text = exposition.text(metrics::Format::Text).unwrap();
        let has_ended = PANICS.load(Ordering::Relaxed) && text.contains("controller_runtime_active_workers 0");
        if has_ended { Ok(()) } else { Err(text) }
    });
    pump::run(world, Health::default(), stop).await;
}

/// Whether the run is about to panic.
static PANICS: AtomicBool = AtomicBool::new(false);

/// An API server with the key's Secret and no other; what is written is lost.
struct OneSecret;

fn meta() -> SecretMeta {
    SecretMeta {
        version: Version { uid: "a".to_owned(), resource_version: "1".to_owned() },
        owner_label: None,
        owner_references: Vec::new(),
        record: None,
        applied: None,
        is_going: false,
    }
}

impl Cluster for OneSecret {
    async fn look(&self, _: &str, name: &str) -> Result<Option<SecretMeta>, ClusterClass> {
        Ok((name == KEY_SECRET).then(meta))
    }

    async fn read(&self, _: &str, name: &str) -> Result<Option<SecretContent>, ClusterClass> {
        let entry = || ("private-key.pem".to_owned(), Zeroizing::new(env::var(KEY).unwrap().into_bytes()));
        let content = || SecretContent { meta: meta(), type_: "Opaque".to_owned(), data: vec![entry()] };
        Ok((name == KEY_SECRET).then(content))
    }

    async fn create(&self, _: &str, _: &Body) -> Result<SecretMeta, ClusterClass> {
        Err(ClusterClass::Unavailable(format!("{NAME} cannot be written here")))
    }

    async fn change(&self, _: &str, _: &str, _: &Body) -> Result<SecretMeta, ClusterClass> {
        Err(ClusterClass::Conflict)
    }

    async fn delete(&self, _: &str, _: &str, _: &Version) -> Result<(), ClusterClass> {
        Err(ClusterClass::Conflict)
    }

    async fn is_there(&self, _: &Credential) -> Result<bool, ClusterClass> {
        Ok(true)
    }

    async fn write_status(&self, object: &Credential, _: &CredentialStatus) -> Result<Credential, ClusterClass> {
        Ok(object.clone())
    }

    async fn tell(&self, _: &Credential, _: Note) {}
}

/// Panics with what it was given, as an `unwrap` in the wrong place would.
struct Panicking;

impl Apple for Panicking {
    async fn request_token(&self, _: &str, client_secret: &SecretString, _: Timestamp) -> Result<Issued, Error> {
        fs::write(env::var(FILE).unwrap(), client_secret.expose_secret()).unwrap();
        PANICS.store(true, Ordering::Relaxed);
        panic!("provoked with {client_secret:?}");
    }

    async fn me(&self, api: AdsApi, _: &SecretString, _: Timestamp) -> Result<Option<i64>, Error> {
        Err(Error::new(Endpoint::Me(api), Class::Forbidden))
    }

    async fn acls(&self, api: AdsApi, _: &SecretString, _: Timestamp) -> Result<Listed, Error> {
        Err(Error::new(Endpoint::Acls(api), Class::Forbidden))
    }

    async fn probe(&self, program: Program, _: &SecretString, _: Timestamp) -> Heard {
        Heard { result: Err(Error::new(Endpoint::Probe(program), Class::Forbidden)), is_budget_low: false }
    }
}
