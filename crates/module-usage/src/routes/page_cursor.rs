//! Where the next page of an export begins, as one opaque word: base64url (RFC 4648 section 5) of `[bucket, org, module]`.
//!
//! It is only ever compared with, so it gives no right to anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde_json::json;

use crate::store::export::PageKey;

pub(super) fn write(place: &PageKey) -> String {
    URL_SAFE_NO_PAD.encode(json!([place.bucket, place.org_id, place.module_name]).to_string())
}

/// What [`write`] has written, to the byte, and nothing else.
pub(super) fn read(sent: &str) -> Option<PageKey> {
    let bytes = URL_SAFE_NO_PAD.decode(sent).ok()?;
    let (bucket, org_id, module_name): (Date, String, String) = serde_json::from_slice(&bytes).ok()?;
    let place = PageKey { bucket, org_id, module_name };
    // What Postgres takes as a date and as text; no line has anything else.
    let is_text = |text: &str| !text.contains('\0');
    let is_place = (1..=9999).contains(&place.bucket.year()) && is_text(&place.org_id) && is_text(&place.module_name);
    (is_place && write(&place) == sent).then_some(place)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{PageKey, URL_SAFE_NO_PAD, read, write};

    #[test]
    fn a_cursor_reads_back_whatever_the_ids_are() {
        for org_id in ["org-a", "=1+1", "auth0|1 \"\\\r\n\t", "ü\u{10ffff}", ""] {
            let place = PageKey {
                bucket: "2026-11-02".parse().unwrap(),
                org_id: org_id.into(),
                module_name: "module-ai".into(),
            };
            assert_eq!(read(&write(&place)), Some(place), "{org_id:?}");
        }
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        let good = r#"["2026-11-02","o","m"]"#;
        assert!(read(&URL_SAFE_NO_PAD.encode(good)).is_some());
        for json in [
            "",
            "null",
            "{}",
            "[]",
            r#"["2026-11-02","o"]"#,
            r#"["2026-11-02","o","m","x"]"#,
            r#"["2026-11-02", "o","m"]"#,
            r#"["2026-11-02T00:00:00","o","m"]"#,
            r#"["2026-13-02","o","m"]"#,
            r#"["20261102","o","m"]"#,
            r#"["-000001-11-02","o","m"]"#,
            r#"["0000-11-02","o","m"]"#,
            r#"["2026-11-02",1,"m"]"#,
            r#"["2026-11-02","\u006f","m"]"#,
            r#"["2026-11-02","\u0000","m"]"#,
            r#"["2026-11-02","o","m"]]"#,
        ] {
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(json)), None, "{json}");
        }
        assert_eq!(read(&URL_SAFE_NO_PAD.encode([0xff, 0xfe])), None);
        for sent in ["%", "=", &format!("{}=", URL_SAFE_NO_PAD.encode(good)), "' or true --"] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }
}
