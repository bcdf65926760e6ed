//! The floor: a bare loop that sends for each credential the same requests, at a fixed concurrency, and decides nothing.

use asa_operator::{
    api::{AsaCredential, CredentialStatus},
    apple::{
        PrivateKey,
        ads::{Client as AppleClient, sign},
    },
    controller::clock::Clock,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, ResourceExt,
    api::{ListParams, PostParams},
};
use serde_json::Value;

use crate::{
    Result,
    operator::{Operator, now},
    stage::{AT_ONCE, Fleet, KEY_ID, Stage, TEAM, boxed, client_id},
};

/// What the operator writes for one credential: the floor writes the same bytes but for names, uids and tokens.
pub(crate) struct Template {
    managed: Secret,
    client_secret: Secret,
    status: CredentialStatus,
}

impl Template {
    /// Taken from a credential that the operator looked after.
    pub(crate) async fn take(stage: &Stage) -> Result<Self> {
        let fleet = stage.namespace(1).await?;
        stage.credentials(&fleet).await?;
        let _operator = Operator::start(stage, Some(&fleet.namespace))?;
        stage.all_ready(&fleet).await?;
        let name = fleet.names().next().ok_or("no name")?;
        let secrets = stage.secrets(&fleet);
        let object = stage.api(&fleet).get(&name).await.map_err(boxed)?;
        Ok(Self {
            managed: secrets.get(&name).await.map_err(boxed)?,
            client_secret: secrets.get(&format!("{name}-client-secret")).await.map_err(boxed)?,
            status: object.status.ok_or("no status")?,
        })
    }

    fn secret(of: &Secret, name: String, owner: &AsaCredential, values: &[(&str, String)]) -> Secret {
        let mut secret = of.clone();
        let mut owners = secret.metadata.owner_references.take().unwrap_or_default();
        for reference in &mut owners {
            reference.name = owner.name_any();
            reference.uid = owner.uid().unwrap_or_default();
        }
        secret.metadata = kube::api::ObjectMeta {
            name: Some(name),
            labels: secret.metadata.labels,
            annotations: secret.metadata.annotations,
            owner_references: Some(owners),
            ..kube::api::ObjectMeta::default()
        };
        let data = secret.data.get_or_insert_default();
        for (key, value) in values {
            data.insert((*key).to_owned(), ByteString(value.clone().into_bytes()));
        }
        secret
    }
}

/// Seconds until every credential of the fleet is seen to be Ready.
pub(crate) async fn run(stage: &Stage, fleet: &Fleet, template: &Template) -> Result<f64> {
    let http = reqwest::Client::new();
    let key = PrivateKey::parse(stage.private_key()?.as_bytes())?;
    let objects = stage.api(fleet).list(&ListParams::default()).await.map_err(boxed)?.items;
    let started = now();
    let work = objects.into_iter().map(|object| one(stage, fleet, template, (&http, &key), object));
    let work = stream::iter(work).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) });
    tokio::try_join!(work, stage.all_ready(fleet))?;
    Ok(started.elapsed().as_secs_f64())
}

async fn one(
    stage: &Stage,
    fleet: &Fleet,
    template: &Template,
    (http, key): (&reqwest::Client, &PrivateKey),
    mut object: AsaCredential,
) -> Result<()> {
    let name = object.name_any();
    let client = AppleClient { client_id: client_id(&name), team_id: TEAM.into(), key_id: KEY_ID.into() };
    let jwt = sign(key, &client, Clock::system().now().wall, object.client_secret_lifetime())?;
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
    let api: Api<Secret> = stage.secrets(fleet);
    let values = [("client_secret", jwt.expose().to_owned())];
    let signed = Template::secret(&template.client_secret, format!("{name}-client-secret"), &object, &values);
    let values = [("authorization", format!("Bearer {token}")), ("access_token", token)];
    let managed = Template::secret(&template.managed, name.clone(), &object, &values);
    for secret in [signed, managed] {
        api.create(&PostParams::default(), &secret).await.map_err(boxed)?;
    }
    object.status = Some(template.status.clone());
    stage.api(fleet).replace_status(&name, &PostParams::default(), &object).await.map_err(boxed)?;
    Ok(())
}
