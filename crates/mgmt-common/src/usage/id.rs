//! Ids of events: UUIDv7 (RFC 9562 section 5.7), whose first 48 bits are milliseconds since 1970.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The largest time that 48 bits of milliseconds hold is in the year 10889, which [`Timestamp`] does not reach.
fn time_of(id: Uuid) -> Timestamp {
    let milliseconds = i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// An id and its time.
///
/// # Errors
/// One sentence, when it is another kind of id.
pub fn parse(text: &str) -> Result<(Uuid, Timestamp), &'static str> {
    let wrong = "must be a UUID of version 7, in lower or upper case with hyphens";
    let id = Uuid::try_parse(text).ok().filter(|id| text.len() == 36 && id.get_version_num() == 7).ok_or(wrong)?;
    // The variant of RFC 9562: other bits there are another kind of UUID, whose version means something else.
    if id.get_variant() != uuid::Variant::RFC4122 {
        return Err(wrong);
    }
    Ok((id, time_of(id)))
}

/// A new id, for an event that came without.
pub fn make() -> (Uuid, Timestamp) {
    let id = Uuid::now_v7();
    (id, time_of(id))
}

/// The id of an event that came without one in a message of a queue. The message may be delivered again, and then gets it again.
pub fn of_message(message_id: &str, sent: Timestamp) -> (Uuid, Timestamp) {
    let hash: [u8; 32] = Sha256::digest(message_id.as_bytes()).into();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    let id = uuid::Builder::from_unix_timestamp_millis(sent.as_millisecond().unsigned_abs(), &random).into_uuid();
    (id, time_of(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_new_and_of_now() {
        let (before, (id, time), (other, _)) = (Timestamp::now().as_millisecond(), make(), make());
        assert_ne!(id, other);
        assert!((before..=Timestamp::now().as_millisecond()).contains(&time.as_millisecond()));
        assert_eq!(parse(&id.to_string()), Ok((id, time)));
    }

    #[test]
    fn only_version_7_is_an_id() {
        let (id, time) = parse("0190A000-0000-7000-8000-000000000001").unwrap();
        assert_eq!(
            (id.to_string().as_str(), time.to_string().as_str()),
            ("0190a000-0000-7000-8000-000000000001", "2024-07-11T04:14:32.96Z")
        );
        for other in [
            "",
            "1",
            "0190a000-0000-4000-8000-000000000001",
            "0190a000-0000-7000-c000-000000000001",
            "0190a00000007000800000000000 0001",
            "0190a000000070008000000000000001",
            "{0190a000-0000-7000-8000-000000000001}",
            "urn:uuid:0190a000-0000-7000-8000-000000000001",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert!(parse(other).is_err(), "{other}");
        }
        assert!(parse("ffffffff-ffff-7fff-bfff-ffffffffffff").is_ok_and(|(_, time)| time == Timestamp::MAX));
    }

    #[test]
    fn a_message_that_is_delivered_again_has_the_same_id() {
        let sent: Timestamp = "2026-11-02T14:00:00.123Z".parse().unwrap();
        let (id, time) = of_message("m-1", sent);
        assert_eq!((of_message("m-1", sent).0, time), (id, sent));
        assert_eq!(parse(&id.to_string()).unwrap(), (id, sent));
        assert_ne!(of_message("m-2", sent).0, id);
    }
}
