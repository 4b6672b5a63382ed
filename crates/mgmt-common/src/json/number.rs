//! Numbers of JSON from outside. `1e-16383` is eight bytes, and Postgres writes out every zero of it at every read: so a number is held to
//! what it would take written out.

/// The most digits that a number may have when it is written without an exponent.
pub const MAX_DIGITS: u64 = 100;

/// Where the first number lies in a JSON text, in bytes, that would take more than [`MAX_DIGITS`].
pub fn first_oversized(json: &str) -> Option<usize> {
    numbers(json).find(|(_, number)| is_oversized(number)).map(|(at, _)| at)
}

/// How many bytes a JSON text takes when its numbers are written without exponents, as Postgres answers them.
pub fn written_out_bytes(json: &str) -> u64 {
    let more = numbers(json).map(|(_, number)| digits(number).saturating_sub(number.len() as u64));
    more.fold(json.len() as u64, u64::saturating_add)
}

/// The numbers of a JSON text, each with its place.
fn numbers(json: &str) -> impl Iterator<Item = (usize, &str)> {
    let (bytes, mut at) = (json.as_bytes(), 0);
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at)? {
                b'"' => at = end_of_text(bytes, at),
                b'-' | b'0'..=b'9' => {
                    let (start, end) = (at, end_of_number(bytes, at));
                    at = end;
                    return Some((start, &json[start..end]));
                }
                _ => at += 1,
            }
        }
    })
}

/// Behind the quote that closes the text which begins at `start`.
pub(super) fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

pub(super) fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |length| start + length)
}

/// A number as JSON writes it.
pub(super) fn is_oversized(number: &str) -> bool {
    digits(number) > MAX_DIGITS
}

/// The digits that it has when it is written without an exponent.
fn digits(number: &str) -> u64 {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    // An exponent that is no i64 has twenty digits and more.
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<i64>() else { return u64::MAX };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, fraction) = (whole.trim_start_matches('-').len() as u64, fraction.len() as u64);
    let moved = exponent.unsigned_abs();
    if exponent >= 0 {
        whole.saturating_add(moved).saturating_add(fraction.saturating_sub(moved))
    } else {
        fraction.saturating_add(moved).saturating_add(whole.saturating_sub(moved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_held_to_its_digits_written_out() {
        for (number, expected) in [
            ("1", false),
            ("-12.50", false),
            ("12345678901234567890123", false),
            ("1e99", false),
            ("1e100", true),
            ("1E+100", true),
            ("1.5e-98", false),
            ("1e-16383", true),
            ("0.1e99999999999999999999", true),
            ("0e-99999999999999999999", true),
        ] {
            assert_eq!(is_oversized(number), expected, "{number}");
        }
        assert!(!is_oversized(&"9".repeat(100)));
        assert!(is_oversized(&"9".repeat(101)));
        assert!(is_oversized(&format!("0.{}", "0".repeat(100))));
    }

    #[test]
    fn a_text_is_as_long_as_it_is_written_out() {
        assert_eq!(written_out_bytes(r#"{"a": [1, 2.5, "1e-98"]}"#), 24);
        assert_eq!(written_out_bytes("[1e-98,1e98]"), 12 + (98 - 5) + (99 - 4));
        assert_eq!(written_out_bytes("[1e99999999999999999999]"), u64::MAX);
    }

    #[test]
    fn it_is_found_wherever_it_lies_and_texts_are_none() {
        assert_eq!(first_oversized(r#"{"1e-999": ["1e-999", "\"1e-999", 1e9, -2.5]}"#), None);
        assert_eq!(first_oversized(r#"{"a": [1, "\\", 1e-999]}"#), Some(16));
        assert_eq!(first_oversized("1e-999"), Some(0));
    }
}
