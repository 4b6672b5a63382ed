//! Words that travel are spelt alike in code, in JSON and in the database.

use std::fmt::Debug;

use module_mgmt_protocol::usage::reject_reason::RejectReason;
use module_mgmt_protocol::usage::{EventStatus, EventType};
use serde::Serialize;
use serde_json::json;

fn check<T: Copy + Debug + PartialEq + Serialize>(
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
    from_text: impl Fn(&str) -> Option<T>,
) {
    for word in all {
        assert_eq!(json!(word), json!(as_str(*word)));
        assert_eq!(from_text(as_str(*word)), Some(*word));
    }
    assert_eq!(from_text("of a newer version"), None);
}

#[test]
fn a_word_is_read_as_it_was_written_and_others_are_unknown() {
    check(&EventType::ALL, EventType::as_str, EventType::from_text);
    check(&EventStatus::ALL, EventStatus::as_str, EventStatus::from_text);
    check(&RejectReason::ALL, RejectReason::as_str, RejectReason::from_text);
}

#[test]
fn a_reject_reason_of_a_newer_control_plane_is_unknown_and_never_sent() {
    #[derive(serde::Deserialize)]
    struct Counted {
        reason: Option<RejectReason>,
    }
    let read = |reason| serde_json::from_value::<Counted>(json!({"id": "i", "reason": reason})).unwrap().reason;
    assert_eq!(read(Some("quota_used")), Some(RejectReason::Unknown));
    assert_eq!(read(Some("too_old")), Some(RejectReason::TooOld));
    assert_eq!(read(None), None);
    assert!(!RejectReason::ALL.contains(&RejectReason::Unknown));
    assert!(serde_json::to_value(RejectReason::Unknown).is_err());
    assert_eq!(RejectReason::from_text("unknown"), None);
}
