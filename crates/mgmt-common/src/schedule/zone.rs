//! Time zones: one bundled list, so that a schedule means the same on every machine.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The database compiled into the program. The machine's own is never read: it may be older, or absent in a Lambda image.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone with exactly this IANA name (aliases such as `US/Eastern` included, the case of every letter as in the list).
///
/// # Errors
/// One sentence for a person, with a suggestion if a name of the list is near.
pub(super) fn find(name: &str) -> Result<TimeZone, String> {
    // The database itself ignores the case of names, so the spelling is checked against the list.
    if names().any(|known| known == name)
        && let Ok(zone) = DATABASE.get(name)
    {
        return Ok(zone);
    }
    let hint = match suggestion(name) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => ", for example \"America/New_York\"".to_owned(),
    };
    Err(format!("{name:?} is not the name of an IANA time zone{hint}"))
}

/// All names that a schedule accepts, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(String::as_str)
}

/// The wall clock with its offset, RFC 3339, for example `2026-11-02T09:00:00-05:00`.
pub fn local_time(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names: Vec<String> = DATABASE.available().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    names
});

/// The nearest name, if it is so near that it can only be a slip: other case, spaces for underscores, the city without
/// its region, or about one wrong letter in five.
fn suggestion(name: &str) -> Option<&'static str> {
    let wanted = normal(name);
    if wanted.is_empty() || wanted.len() > 64 {
        return None;
    }
    let allowed = wanted.len() / 5;
    names()
        .map(|known| {
            let normal_known = normal(known);
            let city = normal_known.rsplit('/').next().unwrap_or_default();
            (strsim::osa_distance(&wanted, &normal_known).min(strsim::osa_distance(&wanted, city)), known)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, known)| known)
}

fn normal(name: &str) -> String {
    name.trim().to_lowercase().replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_list_are_zones() {
        for name in ["America/New_York", "US/Eastern", "UTC", "Etc/UTC", "Etc/GMT+3", "Asia/Kathmandu"] {
            assert!(find(name).is_ok(), "{name}");
        }
        for name in ["", " ", "Mars/Phobos", "XYZ3", "UTC+3", "+03:00", "local", "Europe/Berlin ", "EST5EDT4,M3.2.0"] {
            assert!(find(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let check = |name: &str, near: Option<&str>| assert_eq!(suggestion(name), near, "{name}");
        check("america/new_york", Some("America/New_York"));
        check("America/New York", Some("America/New_York"));
        check("Europe/Berln", Some("Europe/Berlin"));
        check("Kathmandu", Some("Asia/Kathmandu"));
        check("Mars/Phobos", None);
        check("XYZ3", None);
        check("UTC+3", None);
        check("", None);
    }

    #[test]
    fn no_name_of_the_list_is_a_placeholder() {
        for name in names() {
            let zone = find(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!zone.is_unknown(), "{name}");
        }
    }
}
