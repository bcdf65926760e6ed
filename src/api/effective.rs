//! What holds for a resource once every default is applied: here and nowhere else.

use std::time::Duration;

use kube::ResourceExt as _;

use super::asa_credential::{AccessTokenSpec, AdsApi, AsaCredential, ClientSecretSpec, SecretSpec, default_lifetime};

impl AsaCredential {
    /// The APIs in use, in the user's order; both, the Platform API first, where the user named none.
    pub fn apis(&self) -> Vec<AdsApi> {
        match &self.spec.apis {
            Some(apis) => apis.clone(),
            None => vec![AdsApi::PlatformV1, AdsApi::CampaignManagementV5],
        }
    }

    /// The name of the Secret with the access token.
    pub fn secret_name(&self) -> String {
        match &self.spec.secret {
            Some(SecretSpec { name: Some(name) }) => name.clone(),
            _ => self.name_any(),
        }
    }

    /// The name of the Secret with the client secret.
    pub fn client_secret_name(&self) -> String {
        match &self.spec.client_secret {
            Some(ClientSecretSpec { secret_name: Some(name), .. }) => name.clone(),
            _ => format!("{}-client-secret", self.name_any()),
        }
    }

    /// How long a client secret is valid.
    pub fn client_secret_lifetime(&self) -> Duration {
        match &self.spec.client_secret {
            Some(secret) => secret.lifetime.into(),
            None => default_lifetime().into(),
        }
    }

    /// How long before its end a client secret is replaced: a sixth of its life unless the user says otherwise.
    pub fn client_secret_renew_before(&self) -> Duration {
        match &self.spec.client_secret {
            Some(ClientSecretSpec { renew_before: Some(renew_before), .. }) => (*renew_before).into(),
            _ => self.client_secret_lifetime() / 6,
        }
    }

    /// How long before its end a token is renewed; `None`: at half of its life.
    pub fn access_token_renew_before(&self) -> Option<Duration> {
        match &self.spec.access_token {
            Some(AccessTokenSpec { renew_before }) => renew_before.map(Into::into),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::asa_credential::SecretKeyRef;

    const HOUR: Duration = Duration::from_hours(1);

    /// The resource `acme` with these fields besides those that are required.
    fn acme(fields: Value) -> AsaCredential {
        let mut spec = json!({
            "clientId": "SEARCHADS.1",
            "teamId": "SEARCHADS.1",
            "keyId": "1",
            "privateKey": {"secretRef": {"name": "acme-key"}},
        });
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        spec.as_object_mut().unwrap().extend(fields);
        AsaCredential::new("acme", serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn a_bare_resource_has_every_default() {
        let acme = acme(json!({}));
        assert_eq!(acme.apis(), [AdsApi::PlatformV1, AdsApi::CampaignManagementV5]);
        assert_eq!(acme.secret_name(), "acme");
        assert_eq!(acme.client_secret_name(), "acme-client-secret");
        assert_eq!(acme.client_secret_lifetime(), 4296 * HOUR);
        assert_eq!(acme.client_secret_renew_before(), 716 * HOUR);
        assert_eq!(acme.access_token_renew_before(), None);
    }

    #[test]
    fn what_the_user_says_counts() {
        let acme = acme(json!({
            "apis": ["CampaignManagementV5"],
            "secret": {"name": "token"},
            "clientSecret": {"lifetime": "1h30m", "renewBefore": "0.5h", "secretName": "signed"},
            "accessToken": {"renewBefore": "40m"},
        }));
        assert_eq!(acme.apis(), [AdsApi::CampaignManagementV5]);
        assert_eq!(acme.secret_name(), "token");
        assert_eq!(acme.client_secret_name(), "signed");
        assert_eq!(acme.client_secret_lifetime(), HOUR * 3 / 2);
        assert_eq!(acme.client_secret_renew_before(), HOUR / 2);
        assert_eq!(acme.access_token_renew_before(), Some(HOUR * 2 / 3));
    }

    #[test]
    fn objects_that_leave_everything_out_change_nothing() {
        let bare = acme(json!({}));
        let empty = acme(json!({"secret": {}, "clientSecret": {}, "accessToken": {}}));
        assert_eq!(empty.secret_name(), bare.secret_name());
        assert_eq!(empty.client_secret_name(), bare.client_secret_name());
        assert_eq!(empty.client_secret_lifetime(), bare.client_secret_lifetime());
        assert_eq!(empty.client_secret_renew_before(), bare.client_secret_renew_before());
        assert_eq!(empty.access_token_renew_before(), None);
    }

    #[test]
    fn a_client_secret_is_renewed_when_a_sixth_of_its_life_is_left() {
        let acme = acme(json!({"clientSecret": {"lifetime": "60s"}}));
        assert_eq!(acme.client_secret_renew_before(), Duration::from_secs(10));
    }

    #[test]
    fn the_types_and_the_schema_know_the_same_defaults() {
        let crds = serde_json::to_value(crate::api::crd::crds()).unwrap();
        let spec = &crds[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
        let lifetime = &spec["clientSecret"]["properties"]["lifetime"]["default"];
        let written: kube::core::Duration = serde_json::from_value(lifetime.clone()).unwrap();
        assert_eq!(written, ClientSecretSpec::default().lifetime);

        let entry = &spec["privateKey"]["properties"]["secretRef"]["properties"]["key"]["default"];
        let read: SecretKeyRef = serde_json::from_value(json!({"name": "acme-key"})).unwrap();
        assert_eq!(*entry, read.key);
    }
}
