use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ready(status: ConditionStatus, reason: Reason, now: &str) -> Condition {
    Condition::new(ConditionType::Ready, status, reason, "a message", 3, at(now))
}

#[test]
fn is_a_metav1_condition_on_the_wire() {
    let condition = ready(ConditionStatus::True, Reason::Available, "2026-03-01T12:00:00.987654321Z");
    assert_eq!(
        serde_json::to_value(&condition).unwrap(),
        serde_json::json!({
            "type": "Ready",
            "status": "True",
            "reason": "Available",
            "message": "a message",
            "observedGeneration": 3,
            "lastTransitionTime": "2026-03-01T12:00:00Z",
        })
    );
    let theirs: k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition =
        serde_json::from_value(serde_json::to_value(&condition).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(theirs).unwrap(), serde_json::to_value(&condition).unwrap());
}

#[test]
fn a_reason_of_another_version_can_be_read() {
    let read: Condition = serde_json::from_value(serde_json::json!({
        "type": "Shiny",
        "status": "False",
        "reason": "NotInventedYet",
        "message": "",
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }))
    .unwrap();
    assert_eq!(read.reason, "NotInventedYet");
    assert_eq!(read.observed_generation, None);
}

#[test]
fn the_time_of_transition_stays_while_the_status_does() {
    let mut list = vec![ready(ConditionStatus::False, Reason::Pending, "2026-03-01T12:00:00Z")];

    set_condition(&mut list, ready(ConditionStatus::False, Reason::Throttled, "2026-03-01T13:00:00Z"));
    assert_eq!(list[0].reason, "Throttled");
    assert_eq!(list[0].last_transition_time, at("2026-03-01T12:00:00Z"));

    set_condition(&mut list, ready(ConditionStatus::True, Reason::Available, "2026-03-01T14:00:00Z"));
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].last_transition_time, at("2026-03-01T14:00:00Z"));
}

#[test]
fn the_list_has_one_order_and_keeps_conditions_of_others_last() {
    let mut foreign = ready(ConditionStatus::True, Reason::Available, "2026-03-01T12:00:00Z");
    "example.com/Audited".clone_into(&mut foreign.type_);
    let mut list = vec![foreign];
    for type_ in ConditionType::ALL.iter().rev() {
        let new = Condition::new(*type_, ConditionStatus::True, Reason::Pending, "", 1, at("2026-03-01T12:00:00Z"));
        set_condition(&mut list, new);
    }

    let types: Vec<&str> = list.iter().map(|condition| condition.type_.as_str()).collect();
    let mut expected: Vec<&str> = ConditionType::ALL.iter().map(|type_| type_.as_str()).collect();
    expected.push("example.com/Audited");
    assert_eq!(types, expected);
}

#[test]
fn conditions_of_others_leave_room_for_ours() {
    let ours = ready(ConditionStatus::True, Reason::Available, "2026-03-01T12:00:00Z");
    let theirs = |n| Condition { type_: format!("Theirs{n}"), ..ours.clone() };
    let mut list: Vec<Condition> = (0..MAX_CONDITIONS).map(theirs).collect();
    set_condition(&mut list, ours.clone());
    assert_eq!(list.len(), MAX_CONDITIONS);
    assert!(find(&list, ConditionType::Ready).is_some());
    assert_eq!(list[1], theirs(0));
}

#[test]
fn a_condition_is_found_and_removed_by_its_type() {
    let mut list = vec![ready(ConditionStatus::True, Reason::Available, "2026-03-01T12:00:00Z")];
    assert!(find(&list, ConditionType::Ready).is_some());
    assert!(find(&list, ConditionType::Stalled).is_none());

    remove_condition(&mut list, ConditionType::Ready);
    assert!(list.is_empty());
}

#[test]
fn words_are_camel_case_and_the_same_for_display_and_serde() {
    let reasons = Reason::ALL.iter().map(|word| (word.to_string(), serde_json::to_value(word).unwrap()));
    let types = ConditionType::ALL.iter().map(|word| (word.to_string(), serde_json::to_value(word).unwrap()));
    for (shown, written) in reasons.chain(types) {
        assert_eq!(written, shown);
        assert!(shown.starts_with(|first: char| first.is_ascii_uppercase()), "{shown}");
        assert!(shown.chars().all(|letter| letter.is_ascii_alphanumeric()), "{shown}");
    }
}

#[test]
fn every_type_of_ours_fits_into_the_list() {
    assert!(ConditionType::ALL.len() <= MAX_CONDITIONS);
}

#[test]
fn seconds_are_rounded_down_on_both_sides_of_1970() {
    assert_eq!(whole_seconds(at("2026-03-01T12:00:00.999Z")), at("2026-03-01T12:00:00Z"));
    assert_eq!(whole_seconds(at("1969-12-31T23:59:58.5Z")), at("1969-12-31T23:59:58Z"));
}
