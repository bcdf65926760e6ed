//! The control endpoint: JSON under `/control/`, the documents of [`model`](crate::model).

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    api_key::Program,
    jwt::BadKey,
    message::{Message, Request},
    state::State,
};

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the body is not the document expected here: {0}")]
    Document(#[from] serde_json::Error),
    #[error("settings are changed by a JSON object")]
    NotAnObject,
    #[error(transparent)]
    Key(#[from] BadKey),
    #[error("there is nothing by this name and method")]
    NotFound,
}

/// Answers a request under `/control/`. It is not counted, and no fault meets it.
pub(super) fn handle(state: &State, request: &Request) -> Message {
    let path = request.path.trim_start_matches("/control/");
    let parts = path.split('/').collect::<Vec<_>>();
    let answer = match request.method.as_str() {
        "GET" => show(state, &parts),
        _ => change(state, &parts, request),
    };
    answer.unwrap_or_else(|refused| {
        let status = if matches!(refused, Refused::NotFound) { 404 } else { 400 };
        Message::json(status, &json!({ "error": refused.to_string() }))
    })
}

fn show(state: &State, parts: &[&str]) -> Result<Message, Refused> {
    match parts {
        ["config"] => shown(&state.config()),
        ["settings"] => shown(&state.settings()),
        ["clients"] => shown(&state.clients()),
        ["api-keys"] => shown(&state.api_keys()),
        ["faults"] => shown(&state.faults()),
        ["counts"] => shown(&state.counts()),
        ["calls"] => shown(&state.calls()),
        ["refusals"] => shown(&state.refusals()),
        _ => Err(Refused::NotFound),
    }
}

fn change(state: &State, parts: &[&str], request: &Request) -> Result<Message, Refused> {
    match (request.method.as_str(), parts) {
        ("PUT", ["config"]) => state.configure(read(request)?)?,
        ("PATCH", ["settings"]) => patch_settings(state, request)?,
        ("PUT", ["clients"]) => state.replace_clients(read(request)?)?,
        ("POST", ["clients"]) => state.register(read(request)?)?,
        ("DELETE", ["clients", id]) => found(state.remove_client(id))?,
        ("DELETE", ["clients", id, "tokens"]) => {
            return shown(&json!({ "revoked": state.revoke_tokens(id) }));
        }
        ("DELETE", ["clients", id, "faults"]) => state.clear_faults_of(id),
        ("PUT", ["api-keys"]) => state.replace_api_keys(read(request)?)?,
        ("POST", ["api-keys"]) => state.register_api_key(read(request)?)?,
        ("DELETE", ["api-keys", program, id]) => found(state.remove_api_key(named(program)?, id))?,
        ("PUT", ["api-keys", program, id, "standing"]) => {
            found(state.set_standing(named(program)?, id, read(request)?))?;
        }
        ("POST", ["faults"]) => state.fail(read(request)?),
        ("DELETE", ["faults"]) => state.clear_faults(),
        ("DELETE", ["counts"]) => state.reset_counts(),
        _ => return Err(Refused::NotFound),
    }
    Ok(Message { status: 204, ..Message::default() })
}

fn found(is_there: bool) -> Result<(), Refused> {
    if is_there { Ok(()) } else { Err(Refused::NotFound) }
}

/// The program that a path names.
fn named(program: &str) -> Result<Program, Refused> {
    serde_json::from_value(program.into()).map_err(|_| Refused::NotFound)
}

/// Only the named members change.
fn patch_settings(state: &State, request: &Request) -> Result<(), Refused> {
    let (Value::Object(changes), Value::Object(mut settings)) =
        (read(request)?, serde_json::to_value(state.settings())?)
    else {
        return Err(Refused::NotAnObject);
    };
    settings.extend(changes);
    state.set_settings(serde_json::from_value(Value::Object(settings))?);
    Ok(())
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    Ok(serde_json::from_slice(&request.body)?)
}

fn shown(document: &impl Serialize) -> Result<Message, Refused> {
    Ok(Message::json(200, &serde_json::to_value(document)?))
}
