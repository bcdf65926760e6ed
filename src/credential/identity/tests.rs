use super::*;

const BOTH: [AdsApi; 2] = [AdsApi::PlatformV1, AdsApi::CampaignManagementV5];
const PARENT: i64 = 900;

fn choice() -> Choice {
    Choice {
        client_id: None,
        apis: BOTH.to_vec(),
        org_id: None,
        ad_account_id: None,
        any_organization: false,
        any_ad_account: false,
    }
}

fn group(org_id: i64) -> Organization {
    Organization { org_id, name: Some(format!("group {org_id}")), parent_org_id: Some(PARENT) }
}

fn account(id: i64) -> AdAccount {
    AdAccount { id, name: None, org_id: Some(PARENT) }
}

fn round(groups: &[i64], accounts: &[i64]) -> Round {
    Round {
        org_id: Some(PARENT),
        ad_accounts: Some(Ok(accounts.iter().copied().map(account).collect())),
        organizations: Some(Ok(groups.iter().copied().map(group).collect())),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn ids(org_id: Option<i64>, ad_account_id: Option<i64>) -> Ids {
    Ids { org_id, parent_org_id: Some(PARENT), ad_account_id }
}

#[test]
fn the_only_ones_are_taken_and_there_is_nothing_to_choose() {
    let found = resolve(&round(&[1], &[7]), choice(), None, at(0));
    assert_eq!(found.ids, ids(Some(1), Some(7)));
    assert_eq!((found.verdict, found.organizations, found.ad_accounts), (Verdict::Resolved, vec![], vec![]));
}

#[test]
fn among_several_nothing_is_guessed() {
    let found = resolve(&round(&[1, 2], &[7]), choice(), None, at(0));
    assert_eq!(found.ids, ids(None, Some(7)));
    assert_eq!(found.verdict, Verdict::Ambiguous(Kind::Organization, 2));
    assert_eq!(found.organizations, [group(1), group(2)]);

    let found = resolve(&round(&[1], &[7, 8, 9]), choice(), None, at(0));
    assert_eq!(found.ids, ids(Some(1), None));
    assert_eq!(found.verdict, Verdict::Ambiguous(Kind::AdAccount, 3));
    assert_eq!(found.ad_accounts, [account(7), account(8), account(9)]);
}

#[test]
fn the_chosen_ones_are_taken_among_several() {
    let choice = Choice { org_id: Some(2), ad_account_id: Some(8), ..choice() };
    let found = resolve(&round(&[1, 2], &[7, 8]), choice, None, at(0));
    assert_eq!((found.ids, &found.verdict), (ids(Some(2), Some(8)), &Verdict::Resolved));
    assert_eq!(found.organization, Some(group(2)));
}

#[test]
fn a_chosen_one_that_is_not_there_is_not_replaced_by_another() {
    let choice = Choice { org_id: Some(3), ..choice() };
    let found = resolve(&round(&[1], &[7]), choice, None, at(0));
    assert_eq!((found.ids.org_id, found.verdict), (None, Verdict::NotFound(Kind::Organization, 1)));
    assert_eq!(found.organizations, [group(1)], "what there is");
}

#[test]
fn no_ad_account_yet_is_no_fault() {
    let found = resolve(&round(&[1], &[]), choice(), None, at(0));
    assert_eq!((found.ids, found.verdict), (ids(Some(1), None), Verdict::Resolved));
}

#[test]
fn no_organization_is_one() {
    let found = resolve(&round(&[], &[7]), choice(), None, at(0));
    assert_eq!(found.verdict, Verdict::NotFound(Kind::Organization, 0));
}

#[test]
fn without_v5_the_platforms_organization_is_the_organization() {
    let choice = Choice { apis: vec![AdsApi::PlatformV1], ..choice() };
    let round = Round { organizations: None, ..round(&[], &[7]) };
    let found = resolve(&round, choice.clone(), None, at(0));
    assert_eq!((found.ids, found.verdict), (ids(Some(PARENT), Some(7)), Verdict::Resolved));

    let other = Choice { org_id: Some(1), ..choice };
    let found = resolve(&round, other, None, at(0));
    assert_eq!((found.ids.org_id, found.verdict), (None, Verdict::NotFound(Kind::Organization, 1)));
}

#[test]
fn an_api_that_no_longer_answers_takes_nothing_away() {
    let before = resolve(&round(&[1], &[7]), choice(), None, at(100));
    let gone = Round { organizations: Some(Err(Class::Gone)), ..round(&[], &[7]) };
    let found = resolve(&gone, choice(), Some(&before), at(200));
    assert_eq!(found.ids, before.ids);
    assert_eq!(found.verdict, Verdict::Unconfirmed(AdsApi::CampaignManagementV5, Class::Gone, at(100)));

    let again = resolve(&gone, choice(), Some(&found), at(300));
    let since = Verdict::Unconfirmed(AdsApi::CampaignManagementV5, Class::Gone, at(100));
    assert_eq!(again.verdict, since, "it says since when, not since the last try");
}

#[test]
fn an_api_that_never_answered_leaves_its_ids_out_and_the_others_in() {
    let gone = Round { organizations: Some(Err(Class::Gone)), ..round(&[], &[7]) };
    let found = resolve(&gone, choice(), None, at(0));
    assert_eq!(found.ids, ids(None, Some(7)));
    assert_eq!(found.verdict, Verdict::Partial(AdsApi::CampaignManagementV5, Class::Gone));
    assert!(found.passing_failure().is_none(), "asking again soon does not bring an API back");
}

#[test]
fn that_no_api_ever_answered_is_said() {
    let silent =
        Round { org_id: None, ad_accounts: Some(Err(Class::TimedOut)), organizations: Some(Err(Class::Server(503))) };
    let found = resolve(&silent, choice(), None, at(0));
    assert_eq!(found.ids, Ids::default());
    assert_eq!(found.verdict, Verdict::Unresolved(AdsApi::PlatformV1, Class::TimedOut));
    assert!(found.passing_failure().is_some());
}

#[test]
fn every_choice_is_kept() {
    let many: Vec<i64> = (1..=120).collect();
    let found = resolve(&round(&many, &[7]), choice(), None, at(0));
    assert_eq!((found.organizations.len(), found.verdict), (120, Verdict::Ambiguous(Kind::Organization, 120)));
}

#[test]
fn questions_are_asked_once_each() {
    let mut round = Round::default();
    assert_eq!(round.next(&BOTH), Some(AdsApi::PlatformV1));
    round.ad_accounts = Some(Ok(vec![]));
    assert_eq!(round.next(&BOTH), Some(AdsApi::CampaignManagementV5));
    round.organizations = Some(Err(Class::Gone));
    assert_eq!(round.next(&BOTH), None);
}
