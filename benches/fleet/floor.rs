//! The floor: a bare loop that sends for each credential the same requests, at a fixed concurrency, and decides nothing.

use std::{collections::BTreeMap, time::Duration};

use asa_operator::{
    api::AsaCredential,
    apple::{
        PrivateKey,
        ads::{Client as AppleClient, sign},
    },
    controller::clock::Clock,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Resource,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    Result,
    operator::now,
    stage::{AT_ONCE, Fleet, Stage, boxed, client_id},
};

/// Seconds until all is sent and answered.
pub(crate) async fn run(stage: &Stage, fleet: &Fleet) -> Result<f64> {
    let http = reqwest::Client::new();
    let key = PrivateKey::parse(stage.private_key()?.as_bytes())?;
    let started = now();
    let work = fleet.names().map(|name| one(stage, fleet, &http, &key, name));
    stream::iter(work).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
    Ok(started.elapsed().as_secs_f64())
}

async fn one(stage: &Stage, fleet: &Fleet, http: &reqwest::Client, key: &PrivateKey, name: String) -> Result<()> {
    let client = AppleClient { client_id: client_id(&name), team_id: "SEARCHADS.team".into(), key_id: "key".into() };
    let jwt = sign(key, &client, Clock::system().now().wall, Duration::from_hours(4296))?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client.client_id),
        ("client_secret", jwt.expose()),
        ("scope", "searchadsorg"),
    ];
    let url = stage.apple.url();
    let answer = http.post(format!("{url}/auth/oauth2/token")).form(&form).send().await?.error_for_status()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let token = answer["access_token"].as_str().ok_or("no token")?.to_owned();
    for path in ["/v1/me", "/v1/acls", "/api/v5/acls"] {
        let answer = http.get(format!("{url}{path}")).bearer_auth(&token).send().await?.error_for_status()?;
        answer.bytes().await?;
    }
    let api = stage.secrets(fleet);
    let authorization = format!("Bearer {token}");
    let managed = [("access_token", token.as_str()), ("authorization", &authorization), ("org_id", "1")];
    let secrets =
        [secret(&format!("{name}-client-secret"), &[("client_secret", jwt.expose())]), secret(&name, &managed)];
    for secret in secrets {
        api.create(&PostParams::default(), &secret).await.map_err(boxed)?;
    }
    let statuses: Api<AsaCredential> = Api::namespaced(stage.client.clone(), &fleet.namespace);
    let status = json!({
        "apiVersion": AsaCredential::api_version(&()),
        "kind": AsaCredential::kind(&()),
        "status": {"observedGeneration": 1, "secret": {"name": name, "resourceVersion": "1"}},
    });
    statuses.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await.map_err(boxed)?;
    Ok(())
}

fn secret(name: &str, entries: &[(&str, &str)]) -> Secret {
    let data: BTreeMap<_, _> =
        entries.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))).collect();
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Secret { metadata, data: Some(data), ..Secret::default() }
}
