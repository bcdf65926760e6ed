use std::time::Duration;

use super::*;
use crate::credential::entries::{Choices, Parts};

fn life() -> Life {
    let [issued_at, expires_at] = ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"].map(|time| time.parse().unwrap());
    Life { issued_at, expires_at }
}

fn managed(ids: Ids) -> Entries {
    let formats = BTreeSet::new();
    let (life, choices) = (life(), Choices::default());
    let token = "token".into();
    Entries::managed(&Parts { client_id: "c", token: &token, life, ids, apis: &[], formats: &formats, choices })
}

fn record(entries: &Entries) -> Record {
    let version = Version { uid: "uid-of-key".into(), resource_version: "1".into() };
    Record {
        secret: "acme".into(),
        formats: BTreeSet::new(),
        thumbprint: None,
        verified_at: None,
        issued_at: life().issued_at,
        expires_at: life().expires_at,
        bundle: "b".into(),
        key: KeySource { version, entry: "private-key.pem".into() },
        fingerprint: "SHA256:abc".into(),
        identity: None,
        unverified: false,
        digest: entries.digest(),
    }
}

#[test]
fn a_record_is_of_the_entries_that_it_was_written_with_and_of_no_other() {
    let entries = managed(Ids::default());
    let written = record(&entries);
    assert!(written.is_of(&entries));
    let ids = Ids { org_id: Some(2), ..Ids::default() };
    assert!(!written.is_of(&managed(ids)));

    let signed = Entries::client_secret("c", &"a.b.c".into(), life());
    assert!(record(&signed).is_of(&signed));
}

#[test]
fn a_record_whose_times_were_edited_is_not_of_its_entries() {
    let later = "2026-11-22T14:00:00Z".parse().unwrap();
    for entries in [managed(Ids::default()), Entries::client_secret("c", &"a.b.c".into(), life())] {
        assert!(!Record { expires_at: later, ..record(&entries) }.is_of(&entries));
    }
    let entries = managed(Ids::default());
    assert!(!Record { issued_at: later, ..record(&entries) }.is_of(&entries));
}

#[test]
fn no_token_of_apples_lives_for_more_than_a_day_and_nothing_signed_here_for_more_than_180() {
    let entries = managed(Ids::default());
    let from = life().issued_at;
    let after = |hours| Record { expires_at: from + Duration::from_hours(hours), ..record(&entries) };
    let table = [
        (Target::Managed, Kind::Ads, 24),
        (Target::Managed, Kind::AppStoreConnect, 4320),
        (Target::ClientSecret, Kind::Ads, 4320),
    ];
    for (target, kind, hours) in table {
        assert!(after(hours).is_possible(target, kind));
        assert!(!after(hours + 1).is_possible(target, kind));
        assert!(!after(0).is_possible(target, kind), "it never lived");
        assert!(!Record { expires_at: Timestamp::MIN, ..record(&entries) }.is_possible(target, kind));
    }
}

#[test]
fn two_operators_with_the_same_token_come_to_rest_at_the_ids_that_were_resolved_last() {
    let resolved = |seconds: u64, org_id: Option<i64>, chosen: Option<i64>| {
        let ids = Ids { org_id, ..Ids::default() };
        let apis = Vec::new();
        let (client_id, any) = (None, false);
        let choice =
            Choice { client_id, apis, org_id: chosen, ad_account_id: None, any_organization: any, any_ad_account: any };
        let resolved_at = life().issued_at + Duration::from_secs(seconds);
        let identity = Some(IdentityRecord { resolved_at, choice, ids });
        Record { thumbprint: Some("t".into()), identity, ..record(&managed(ids)) }
    };
    let first = resolved(0, Some(1), None);
    for last in [resolved(10, Some(1), None), resolved(10, Some(2), None), resolved(10, None, None)] {
        assert!(last.serves_as(&first), "{last:?} is overwritten by what is older");
        assert!(!first.serves_as(&last), "{last:?} is not published");
    }
    // What is chosen since is published, whenever it was resolved.
    let chosen = resolved(0, Some(2), Some(2));
    assert!(!resolved(10, Some(1), None).serves_as(&chosen));
    // Another token, times or form too.
    let other = Record { thumbprint: Some("u".into()), ..first.clone() };
    assert!(!resolved(10, Some(1), None).serves_as(&other));
    let dressed = Record { formats: BTreeSet::from([SecretFormat::Json]), ..first };
    assert!(!resolved(10, Some(1), None).serves_as(&dressed));
}
