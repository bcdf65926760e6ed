//! The real port to the cluster, over kube's client.

use std::{fmt::Debug, future::Future, time::Duration};

use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::{NamespaceResourceScope, PartialObjectMeta, Request, Status},
};
use kube_runtime::events::{Event, EventType, Recorder, Reporter};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, Receiver, Sender},
    },
    time::MissedTickBehavior,
};
use zeroize::Zeroizing;

use super::{
    cluster::{Cluster, SecretContent},
    events::Note,
    mandate::Mandate,
};
use crate::{
    api::{Credential, CredentialStatus},
    apple::Echoes,
    credential::{
        failure::ClusterClass,
        published::Body,
        secret_meta::{SecretMeta, Version},
        status::{LONGEST_MESSAGE, cut},
    },
};

/// A request takes at most this long: kube repeats 429, 503 and 504 up to 15 times, which would hold a run for minutes.
const DEADLINE: Duration = Duration::from_secs(20);

/// Requests under way at once. An API server takes 200 writes at once by default and answers 429 to the others; on a busy
/// one more than this many gain nothing.
const MOST_IN_FLIGHT: usize = 64;

/// The name that Events carry.
const REPORTER: &str = "asa-operator";

/// Events wait here while the API server has better things to do; one that does not fit is dropped.
const MOST_EVENTS_WAITING: usize = 1024;

/// Events are made at most this often: a thousand credentials that become Ready at once shall not wait for theirs.
const EVENT_PACE: Duration = Duration::from_millis(100);

/// What kube gives as the reason of an answer that is no `Status`. Its message is then the whole body, whose it may be.
const NO_STATUS: &str = "Failed to parse error data";

/// More than any reason that an API server gives.
const LONGEST_REASON: usize = 40;

/// So that the answer to a POST does not carry the secret back.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// What both kinds of credentials are to the API server.
trait Namespaced:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug + Into<Credential> + Sync
{
}

impl<K> Namespaced for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + DeserializeOwned
        + Clone
        + Debug
        + Into<Credential>
        + Sync
{
}

/// An API server.
pub struct KubeCluster {
    client: Client,
    places: Semaphore,
    events: Sender<(Event, ObjectReference)>,
}

impl KubeCluster {
    /// The API server that `client` talks to. Has to be called within a runtime, in which Events are then made, while the
    /// mandate lasts.
    #[must_use]
    pub fn new(client: Client, mandate: Mandate) -> Self {
        let (events, waiting) = mpsc::channel(MOST_EVENTS_WAITING);
        tokio::spawn(make_events(client.clone(), mandate, waiting));
        Self { client, places: Semaphore::new(MOST_IN_FLIGHT), events }
    }

    /// The answer to a request, once there is a place for it.
    async fn ask<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterClass> {
        // The semaphore is never closed; without a permit the request would merely be one too many.
        let _place = self.places.acquire().await;
        within(request).await
    }

    async fn is_there_as<K: Namespaced>(&self, object: &K) -> Result<bool, ClusterClass> {
        let api: Api<K> = Api::namespaced(self.client.clone(), object.meta().namespace.as_deref().unwrap_or_default());
        let found = self.ask(async move { api.get_metadata_opt(&object.name_any()).await }).await?;
        Ok(found.is_some_and(|found| {
            found.metadata.uid == object.meta().uid
                && found.metadata.generation == object.meta().generation
                && found.metadata.deletion_timestamp.is_none()
        }))
    }

    async fn write_status_as<K: Namespaced>(
        &self,
        object: &K,
        status: &CredentialStatus,
    ) -> Result<Credential, ClusterClass> {
        let unreadable = || ClusterClass::Unavailable("the request could not be built".to_owned());
        let meta = object.meta();
        // The spec is left out: on this path the API server takes the status and keeps everything else.
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "uid": meta.uid,
                "resourceVersion": meta.resource_version,
            },
            "status": status,
        });
        let body = serde_json::to_vec(&body).map_err(|_| unreadable())?;
        let url = K::url_path(&(), meta.namespace.as_deref());
        let request = Request::new(url)
            .replace_subresource("status", &object.name_any(), &PostParams::default(), body)
            .map_err(|_| unreadable())?;
        self.ask(self.client.request::<K>(request)).await.map(Into::into)
    }

    fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

impl Cluster for KubeCluster {
    async fn look(&self, namespace: &str, name: &str) -> Result<Option<SecretMeta>, ClusterClass> {
        let found = self.ask(self.secrets(namespace).get_metadata_opt(name)).await?;
        found.map(|found| meta_of(&found.metadata)).transpose()
    }

    async fn read(&self, namespace: &str, name: &str) -> Result<Option<SecretContent>, ClusterClass> {
        let Some(secret) = self.ask(self.secrets(namespace).get_opt(name)).await? else { return Ok(None) };
        let data = secret.data.unwrap_or_default();
        Ok(Some(SecretContent {
            meta: meta_of(&secret.metadata)?,
            type_: secret.type_.unwrap_or_default(),
            data: data.into_iter().map(|(key, value)| (key, Zeroizing::new(value.0))).collect(),
        }))
    }

    async fn create(&self, namespace: &str, sent: &Body) -> Result<SecretMeta, ClusterClass> {
        let unreadable = || ClusterClass::Unavailable("the request could not be built".to_owned());
        let body = serde_json::to_vec(sent).map_err(|_| unreadable())?;
        let url = Secret::url_path(&(), Some(namespace));
        let mut request = Request::new(url).create(&PostParams::default(), body).map_err(|_| unreadable())?;
        request.headers_mut().insert("accept", METADATA_ONLY.parse().map_err(|_| unreadable())?);
        let created = self.ask(self.client.request::<PartialObjectMeta<Secret>>(request)).await;
        let created = created.map_err(|class| without_echoes(class, sent))?;
        meta_of(&created.metadata)
    }

    async fn change(&self, namespace: &str, name: &str, body: &Body) -> Result<SecretMeta, ClusterClass> {
        let patch = Patch::Merge(body);
        let changed = self.ask(self.secrets(namespace).patch_metadata(name, &PatchParams::default(), &patch)).await;
        let changed = changed.map_err(|class| without_echoes(class, body))?;
        meta_of(&changed.metadata)
    }

    async fn delete(&self, namespace: &str, name: &str, version: &Version) -> Result<(), ClusterClass> {
        let expected =
            Preconditions { uid: Some(version.uid.clone()), resource_version: Some(version.resource_version.clone()) };
        let options = DeleteParams { preconditions: Some(expected), ..DeleteParams::default() };
        self.ask(self.secrets(namespace).delete(name, &options)).await.map(drop)
    }

    async fn is_there(&self, object: &Credential) -> Result<bool, ClusterClass> {
        match object {
            Credential::Ads(object) => self.is_there_as(&**object).await,
            Credential::AppStoreConnect(object) => self.is_there_as(&**object).await,
        }
    }

    async fn write_status(&self, object: &Credential, status: &CredentialStatus) -> Result<Credential, ClusterClass> {
        match object {
            Credential::Ads(object) => self.write_status_as(&**object, status).await,
            Credential::AppStoreConnect(object) => self.write_status_as(&**object, status).await,
        }
    }

    async fn tell(&self, object: &Credential, note: Note) {
        let event = Event {
            type_: if note.is_warning { EventType::Warning } else { EventType::Normal },
            reason: note.reason,
            note: Some(note.message),
            action: note.action.to_string(),
            secondary: None,
        };
        if self.events.try_send((event, object.object_ref())).is_err() {
            tracing::debug!(name = object.name(), "too many Events are waiting; one is dropped");
        }
    }
}

/// Makes Events one after the other. That one could not be made is logged, and nothing else;
/// those of a time in office that is over are dropped.
async fn make_events(client: Client, mandate: Mandate, mut waiting: Receiver<(Event, ObjectReference)>) {
    let recorder = Recorder::new(client, Reporter { controller: REPORTER.to_owned(), instance: None });
    let mut pace = tokio::time::interval(EVENT_PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some((event, object)) = waiting.recv().await {
        pace.tick().await;
        let made = mandate.while_it_lasts(within(recorder.publish(&event, &object))).await;
        if let Some(Err(class)) = made {
            tracing::debug!(name = object.name, "an Event could not be made: {class}");
        }
    }
}

fn meta_of(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> Result<SecretMeta, ClusterClass> {
    SecretMeta::of(metadata)
        .ok_or_else(|| ClusterClass::Unavailable("an answer without uid or resourceVersion".to_owned()))
}

async fn within<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterClass> {
    match tokio::time::timeout(DEADLINE, request).await {
        Ok(answer) => answer.map_err(|error| class_of(&error)),
        Err(_) => Err(ClusterClass::Unavailable(format!("nothing within {} s", DEADLINE.as_secs()))),
    }
}

/// Admission sees what is written, and a policy's message may quote it.
fn without_echoes(class: ClusterClass, sent: &Body) -> ClusterClass {
    let ClusterClass::Refused(words) = &class else { return class };
    let is_quoted = sent.secrets().iter().any(|secret| Echoes::of(secret).are_in(words));
    if is_quoted { ClusterClass::Refused("its words quote the Secret and are left out".to_owned()) } else { class }
}

/// An error's class. Its text is dropped but for what the API server itself says of a refusal: others may quote bodies.
fn class_of(error: &kube::Error) -> ClusterClass {
    match error {
        kube::Error::Api(status) => class_of_status(status),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            ClusterClass::Unavailable("an answer that could not be read".to_owned())
        }
        _ => ClusterClass::Unavailable("the connection failed".to_owned()),
    }
}

fn class_of_status(status: &Status) -> ClusterClass {
    let details = status.details.as_ref();
    let has_cause =
        |field: &str| details.is_some_and(|details| details.causes.iter().any(|cause| cause.field == field));
    let is_terminating =
        || details.is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"));
    match status.code {
        404 | 409 => ClusterClass::Conflict,
        403 if is_terminating() => ClusterClass::NamespaceGoing,
        403 if status.reason != NO_STATUS => ClusterClass::Refused(cut(&status.message, LONGEST_MESSAGE)),
        422 if has_cause("metadata.uid") => ClusterClass::Conflict,
        422 if has_cause("type") => ClusterClass::WrongType,
        422 if has_cause("data") => ClusterClass::Immutable,
        408 | 429 | 500.. => ClusterClass::Unavailable(format!("status {}", status.code)),
        // Refusals of other kinds may quote what was sent.
        code => ClusterClass::Refused(format!("status {code} {}", cut(&status.reason, LONGEST_REASON))),
    }
}
