//! Keys in all the forms that users have, and everything else that they take for one.

use asa_operator::api::{AsaCredential, Condition, ConditionStatus, ConditionType, Reason};
use asa_operator::apple::private_key::KeyError;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::support::accepted::{Written, written};
use crate::support::awaited::{conditions, message, ready};
use crate::support::credential::{credential, other_client};
use crate::support::fleet::UNPACED;
use crate::support::forms::transformed;
use crate::support::openssl::{fingerprint, public, sec1};
use crate::support::refused::{Refused, refused, words};
use crate::support::stage::Stage;

const ENTRY: &str = "private-key.pem";

/// Each file as tools write it, and the plainest of them in every state that it reaches the cluster in.
fn forms() -> Vec<Written> {
    let mut forms = written();
    let plain = &forms[0];
    let changed = transformed(&plain.pem).into_iter();
    let changed =
        changed.map(|(name, pem)| Written { name, original: plain.original.clone(), pem }).collect::<Vec<_>>();
    forms.extend(changed);
    forms
}

#[tokio::test]
async fn a_key_in_any_form_makes_its_credential_ready() {
    let stage = Stage::with_arguments(&UNPACED).await;
    let forms = forms();
    assert!(forms.len() > 30, "{}", forms.len());
    let name = |number: usize| format!("form-{number:02}");
    let (mut secrets, mut credentials) = (Vec::new(), Vec::new());
    for (number, form) in forms.iter().enumerate() {
        let client_id = format!("SEARCHADS.{}", name(number));
        // Apple accepts what this key signs, and nothing else.
        stage.register(other_client(&client_id, public(&form.original)));
        secrets.push((format!("{}-key", name(number)), "Opaque".into(), ENTRY.into(), form.pem.clone().into_bytes()));
        credentials.push(credential().named(&name(number)).of_client(&client_id));
    }
    stage.create_secrets(secrets).await;
    stage.apply_all(credentials).await;

    let all = stage.until_each("Ready", |credential| ready().holds(credential)).await;

    assert_eq!(all.len(), forms.len());
    for (number, form) in forms.iter().enumerate() {
        let key = all[&name(number)].status.as_ref().unwrap().private_key.as_ref().unwrap();
        assert_eq!(key.fingerprint, format!("SHA256:{}", fingerprint(&form.original)), "{}", form.name);
        assert_eq!(key.public_key, public(&form.original), "{}", form.name);
    }
}

/// What a user gives as a key and what is told of it.
struct Row {
    name: String,
    type_: String,
    entry: &'static str,
    input: Vec<u8>,
    reason: Reason,
    /// All of this stands in the message.
    says: Vec<String>,
}

fn reason(error: KeyError) -> Reason {
    match error {
        KeyError::SampleKey => Reason::SampleKey,
        KeyError::Unsupported(_) | KeyError::Encrypted | KeyError::PublicKey | KeyError::Certificate => {
            Reason::KeyUnsupported
        }
        _ => Reason::KeyInvalid,
    }
}

fn rows() -> Vec<Row> {
    let of_content = refused().into_iter().map(|Refused { name, input, error }| {
        let (found, remedy) = words(error);
        let says = vec![found.to_owned(), remedy.to_owned()];
        Row { name: name.to_owned(), type_: "Opaque".to_owned(), entry: ENTRY, input, reason: reason(error), says }
    });
    let good = sec1("prime256v1");
    let types = [
        ("kubernetes.io/ssh-auth", "ssh-privatekey"),
        ("helm.sh/release.v1", "release"),
        ("asa-operator.dev/access-token", "access_token"),
        ("asa-operator.dev/client-secret", "client_secret"),
        ("example.com/key", ENTRY),
    ];
    let of_type = types.into_iter().map(|(type_, entry)| Row {
        name: format!("a good key in a Secret of type {type_}"),
        type_: type_.to_owned(),
        entry,
        input: good.clone(),
        reason: Reason::KeySecretTypeRefused,
        says: vec!["of a type that keys are not read from. Put the key into a Secret of type Opaque.".to_owned()],
    });
    of_content.chain(of_type).collect()
}

#[tokio::test]
async fn what_is_no_usable_key_is_refused_by_name_and_neither_apple_nor_a_secret_is_touched() {
    let stage = Stage::with_arguments(&UNPACED).await;
    let rows = rows();
    assert!(rows.len() > 50, "{}", rows.len());
    let name = |number: usize| format!("refused-{number:02}");
    let mark = stage.mark();
    let (mut secrets, mut credentials) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        secrets.push((format!("{}-key", name(number)), row.type_.clone(), row.entry.to_owned(), row.input.clone()));
        credentials.push(credential().named(&name(number)).key_entry(row.entry));
    }
    stage.create_secrets(secrets).await;
    stage.apply_all(credentials).await;

    let all = stage.until_each("a report", |credential| conditions(credential).len() > 1).await;
    stage.operator_saw_it_all().await;

    for (number, row) in rows.iter().enumerate() {
        is_refused(&all[&name(number)], row);
    }
    let secrets = stage.secrets().list(&ListParams::default()).await.unwrap();
    let keys = |secret: &str| secret.ends_with("-key");
    assert!(secrets.iter().all(|secret| keys(&secret.name_any())), "a Secret was written");
    let work = stage.work_since(&mark);
    let reads_and_tells = |line: &String| {
        ["get secrets refused-", "update asacredentials/status refused-", "create events"]
            .iter()
            .any(|expected| line.starts_with(expected))
    };
    assert!(work.iter().all(reads_and_tells), "{work:#?}");
    assert!(stage.apple.state().calls().is_empty(), "Apple was asked");
}

/// Ready, the key and the renewal say the same; nothing moves until somebody changes something.
fn is_refused(credential: &AsaCredential, Row { name, reason, says, .. }: &Row) {
    let line = |condition: &Condition| (condition.type_.clone(), condition.status, condition.reason.clone());
    let seen: Vec<_> = conditions(credential).iter().map(line).collect();
    let (no, unknown) = (ConditionStatus::False, ConditionStatus::Unknown);
    let expected = [
        (ConditionType::Ready, no, reason.as_str()),
        (ConditionType::PrivateKeyLoaded, no, reason.as_str()),
        (ConditionType::ClientSecretIssued, unknown, "Pending"),
        (ConditionType::AccessTokenIssued, unknown, "Pending"),
        (ConditionType::OrganizationResolved, unknown, "Pending"),
        (ConditionType::SecretPublished, unknown, "Pending"),
        (ConditionType::RenewalHealthy, no, reason.as_str()),
        (ConditionType::Stalled, ConditionStatus::True, reason.as_str()),
    ];
    let expected = expected.map(|(type_, status, reason)| (type_.to_string(), status, reason.to_owned()));
    assert_eq!(seen, expected, "{name}");
    let told = message(credential, ConditionType::Ready);
    for says in says {
        assert!(told.contains(says), "{name}: {told}");
    }
    for type_ in [ConditionType::PrivateKeyLoaded, ConditionType::RenewalHealthy, ConditionType::Stalled] {
        assert_eq!(message(credential, type_), told, "{name}");
    }
}
