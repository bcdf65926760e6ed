//! What was asked of the API server, from its own audit log.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Error;

/// Who asked for what, of every request; no bodies. `RequestReceived` is left out, as it knows no answer.
pub(crate) const POLICY: &str = r#"{
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}]
}"#;

/// One request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The plural, `secrets`; for a request outside the resources the URL, `/readyz`.
    pub resource: String,
    /// `status` and the like.
    pub subresource: Option<String>,
    /// Of the object; of a created one too, unless the server was to make it up.
    pub name: Option<String>,
    /// Of the object; `None` also for a list or watch over all namespaces.
    pub namespace: Option<String>,
    /// As the client calls itself; empty if it does not.
    pub user_agent: String,
    /// Who asked; where a user acts as another, that other.
    pub user: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// When it came.
    pub received: Timestamp,
    /// When it was answered; for a watch, when its answer began.
    pub answered: Timestamp,
}

/// The log of one control plane. Each line is read once.
#[derive(Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    read: Mutex<Read>,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Read {
    /// Bytes of whole lines.
    offset: u64,
    requests: Vec<Request>,
    /// Audit ids of requests that were answered and still go on: watches.
    under_way: HashSet<String>,
}

impl AuditLog {
    pub(crate) fn new(path: PathBuf) -> AuditLog {
        AuditLog { path, read: Mutex::default() }
    }

    /// The requests that `wanted` takes, in the order of their answers.
    ///
    /// The server writes a line before the client has the whole answer, so what a client has seen answered is in here. A
    /// watch counts as soon as it is answered, and once.
    pub(crate) fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Result<Vec<Request>, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.news(read.offset).map_err(Error::io(format!("read {}", self.path.display())))?;
        read.take(&news)?;
        Ok(read.requests.iter().filter(|request| wanted(request)).cloned().collect())
    }

    fn news(&self, offset: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut news = Vec::new();
        file.read_to_end(&mut news)?;
        Ok(news)
    }
}

impl Read {
    /// Takes the whole lines; one that is just being written waits for the next time.
    fn take(&mut self, news: &[u8]) -> Result<(), Error> {
        for line in news.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            let event = serde_json::from_slice(line)
                .map_err(|source| Error::Audit { line: String::from_utf8_lossy(line).into_owned(), source })?;
            self.offset += line.len() as u64;
            self.count(event);
        }
        Ok(())
    }

    /// A request has one event, when it is complete, or two, the first when its answer starts: watches, and requests
    /// without valid credentials. It counts at the first.
    fn count(&mut self, event: Event) {
        let counted = match event.stage {
            Stage::ResponseStarted => !self.under_way.insert(event.audit_id.clone()),
            Stage::ResponseComplete | Stage::Panic => self.under_way.remove(&event.audit_id),
        };
        if !counted {
            self.requests.push(event.into());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    stage: Stage,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    user: User,
    impersonated_user: Option<User>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
    object_ref: Option<ObjectRef>,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Deserialize)]
enum Stage {
    ResponseStarted,
    ResponseComplete,
    Panic,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize)]
struct ObjectRef {
    resource: Option<String>,
    subresource: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
}

#[derive(Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl From<Event> for Request {
    fn from(event: Event) -> Request {
        let (resource, subresource, name, namespace) = match event.object_ref {
            Some(object) => (object.resource, object.subresource, object.name, object.namespace),
            None => (None, None, None, None),
        };
        Request {
            verb: event.verb,
            resource: resource.unwrap_or(event.request_uri),
            subresource,
            name,
            namespace,
            user_agent: event.user_agent,
            user: event.impersonated_user.unwrap_or(event.user).username,
            received: event.request_received_timestamp,
            answered: event.stage_timestamp,
            code: event.response_status.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, stage: &str, verb: &str) -> String {
        format!(
            r#"{{"kind":"Event","level":"Metadata","auditID":"{id}","stage":"{stage}","requestURI":"/x","verb":"{verb}",
            "userAgent":"test/1","requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z",
            "stageTimestamp":"2026-01-01T00:00:00.000002Z","user":{{"username":"admin"}},"objectRef":{{"resource":"secrets","namespace":"a","name":"b","apiVersion":"v1"}},
            "responseStatus":{{"metadata":{{}},"code":200}}}}"#
        )
        .replace('\n', "")
            + "\n"
    }

    fn verbs(read: &Read) -> Vec<&str> {
        read.requests.iter().map(|request| request.verb.as_str()).collect()
    }

    #[test]
    fn a_watch_counts_when_it_starts_and_not_again_when_it_ends() {
        let mut read = Read::default();
        read.take(event("1", "ResponseStarted", "watch").as_bytes()).unwrap();
        assert_eq!(verbs(&read), ["watch"]);
        read.take(event("2", "ResponseComplete", "get").as_bytes()).unwrap();
        read.take(event("1", "ResponseComplete", "watch").as_bytes()).unwrap();
        assert_eq!(verbs(&read), ["watch", "get"]);
        assert!(read.under_way.is_empty());
    }

    #[test]
    fn a_line_that_is_being_written_is_read_when_it_is_whole() {
        let mut read = Read::default();
        let lines = event("1", "ResponseComplete", "get") + &event("2", "ResponseComplete", "list");
        let (written, _) = lines.as_bytes().split_at(lines.len() - 20);
        read.take(written).unwrap();
        assert_eq!(verbs(&read), ["get"]);
        let offset = usize::try_from(read.offset).unwrap();
        read.take(&lines.as_bytes()[offset..]).unwrap();
        assert_eq!(verbs(&read), ["get", "list"]);
    }

    #[test]
    fn a_request_outside_the_resources_is_named_by_its_url() {
        let mut read = Read::default();
        let line = event("1", "ResponseComplete", "get").replace("/x", "/readyz?verbose");
        read.take(line.replace("objectRef", "noObject").as_bytes()).unwrap();
        assert_eq!(read.requests[0].resource, "/readyz?verbose");
    }

    #[test]
    fn a_user_who_acts_as_another_is_that_other() {
        let mut read = Read::default();
        let plain = event("1", "ResponseComplete", "get");
        read.take(plain.as_bytes()).unwrap();
        let acting = plain.replace("\"user\"", r#""impersonatedUser":{"username":"operator"},"user""#);
        read.take(acting.as_bytes()).unwrap();
        let users: Vec<_> = read.requests.iter().map(|request| request.user.as_str()).collect();
        assert_eq!(users, ["admin", "operator"]);
    }

    #[test]
    fn a_line_that_is_no_event_is_shown() {
        let error = Read::default().take(b"{\"auditID\":1}\n").unwrap_err();
        assert!(error.to_string().contains(r#"{"auditID":1}"#), "{error}");
    }
}
