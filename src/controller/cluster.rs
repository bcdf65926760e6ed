//! The port to the cluster: what the operator does there, and nothing more.

use std::future::Future;

use zeroize::Zeroizing;

use crate::{
    api::{Credential, CredentialStatus},
    controller::events::Note,
    credential::{
        failure::ClusterClass,
        published::Body,
        secret_meta::{SecretMeta, Version},
    },
};

/// A Secret as it was read.
pub struct SecretContent {
    /// Its metadata.
    pub meta: SecretMeta,
    /// Its type.
    pub type_: String,
    /// Its entries, wiped when dropped.
    pub data: Vec<(String, Zeroizing<Vec<u8>>)>,
}

/// What the operator asks of the API server.
///
/// Errors are [`ClusterClass`]; a conflict is one of them, and means: look again.
pub trait Cluster: Send + Sync + 'static {
    /// The metadata of a Secret, or `None` if it is not there.
    fn look(
        &self,
        namespace: &str,
        name: &str,
    ) -> impl Future<Output = Result<Option<SecretMeta>, ClusterClass>> + Send;

    /// A whole Secret, or `None` if it is not there.
    fn read(
        &self,
        namespace: &str,
        name: &str,
    ) -> impl Future<Output = Result<Option<SecretContent>, ClusterClass>> + Send;

    /// Creates a Secret; a conflict if one of its name is there.
    fn create(&self, namespace: &str, body: &Body) -> impl Future<Output = Result<SecretMeta, ClusterClass>> + Send;

    /// Changes a Secret by a merge patch that carries uid and resourceVersion; a conflict if they are others, or none.
    fn change(
        &self,
        namespace: &str,
        name: &str,
        body: &Body,
    ) -> impl Future<Output = Result<SecretMeta, ClusterClass>> + Send;

    /// Deletes a Secret in this state; a conflict if it is in another one, or gone.
    fn delete(
        &self,
        namespace: &str,
        name: &str,
        version: &Version,
    ) -> impl Future<Output = Result<(), ClusterClass>> + Send;

    /// Whether the resource is there with the uid and the generation of `object`, and not being deleted.
    fn is_there(&self, object: &Credential) -> impl Future<Output = Result<bool, ClusterClass>> + Send;

    /// Replaces the status of `object`; a conflict if the object is no longer as seen.
    fn write_status(
        &self,
        object: &Credential,
        status: &CredentialStatus,
    ) -> impl Future<Output = Result<Credential, ClusterClass>> + Send;

    /// Takes an Event to be made, some time. That it could not be made is logged, and nothing else.
    fn tell(&self, object: &Credential, note: Note) -> impl Future<Output = ()> + Send;
}
