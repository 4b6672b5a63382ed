//! Keys of configs. Somebody who means our schedule and writes its key a little otherwise would store a config that nobody ever reads.

use mgmt_common::text::{first_invisible, is_invisible};
use unicode_security::confusable_detection::skeleton;

use crate::store::leases::WARMING_KEY;

/// As wide as the column.
const MAX_KEY: usize = 100;
/// Keys that somebody reads.
const OURS: [&str; 1] = [WARMING_KEY];

/// Why a config cannot be stored under a key; `None`: it can.
pub(crate) fn fault(key: &str) -> Option<String> {
    if key.chars().count() > MAX_KEY || key.trim() != key || key.is_empty() {
        return Some(format!("the config key must have 1 to {MAX_KEY} characters and no outer spaces"));
    }
    if OURS.contains(&key) {
        return None;
    }
    if let Some(near) = OURS.into_iter().find(|ours| looks_like(key, ours)) {
        return Some(format!(
            "the config key is not {near:?}, and so near to it that nobody could tell; did you mean {near:?}?"
        ));
    }
    let hidden = first_invisible(key)?;
    Some(format!("the config key holds U+{:04X}, a control character or one that nobody sees", u32::from(hidden)))
}

/// Whether two keys differ by case, separators, letters that look alike, what nobody sees, or one slip.
fn looks_like(key: &str, ours: &str) -> bool {
    let is_near = |seen: fn(&str) -> String| strsim::osa_distance(&seen(key), &seen(ours)) <= 1;
    is_near(letters) || is_near(shapes)
}

/// Its letters and digits that are seen.
fn letters(key: &str) -> String {
    key.to_lowercase().chars().filter(|letter| letter.is_alphanumeric() && !is_invisible(*letter)).collect()
}

/// The same by their shapes (the skeletons of UTS 39).
fn shapes(key: &str) -> String {
    skeleton(&letters(key)).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_nearly_ours_is_refused_with_ours() {
        for near in [
            "lambda_warmіng",
            "lаmbdа_wаrming",
            "lambda_warming\u{200b}",
            "lamb\u{2060}da_warming",
            "LAMBDA_WARMING",
            "Lambda_Warming",
            "lambdaWarming",
            "lambda-warming",
            "lambda.warming",
            "lambda warming",
            "lambda__warming",
            "lambda_warmin",
            "lambda_warmming",
            "lambda_wraming",
            "lamda_warming",
            "ｌａｍｂｄａ_ｗａｒｍｉｎｇ",
            "lambda_warming1",
            "1ambda_warming",
        ] {
            let said = fault(near).unwrap_or_default();
            assert!(said.contains("did you mean \"lambda_warming\"?"), "{near}: {said}");
        }
    }

    #[test]
    fn other_keys_are_fine_if_they_can_be_seen() {
        for fine in ["lambda_warming", "theme", "lambda_warming_backup", "lambda_cooling", "größe", "a b", "x"] {
            assert_eq!(fault(fine), None, "{fine}");
        }
        for bad in ["", " x", "x\u{a0}", "the\u{200b}me", "\u{202e}theme", &"x".repeat(101)] {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
    }
}
