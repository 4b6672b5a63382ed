//! The name of a module.

use std::fmt;

use serde::Serialize;

/// As long as a Lambda function's name.
const MAX_LENGTH: usize = 64;

/// `module-` and then a lower-case letter, followed by lower-case letters, digits and hyphens; at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ModuleName(String);

impl ModuleName {
    /// # Errors
    /// One sentence that says what a name is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("module-").unwrap_or_default();
        let fits = text.len() <= MAX_LENGTH
            && rest.starts_with(|first: char| first.is_ascii_lowercase())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "{text:?} is no module name: it must be \"module-\" and a lower-case letter, then lower-case letters, digits and \
             hyphens, at most {MAX_LENGTH} characters"
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ModuleName;

    #[test]
    fn names_have_one_grammar() {
        let longest = format!("module-{}", "a".repeat(57));
        for good in ["module-a", "module-ai", "module-a1-b2", "module-a-", &longest] {
            assert_eq!(ModuleName::parse(good).unwrap().to_string(), good);
        }
        let long = format!("module-{}", "a".repeat(58));
        for bad in [
            "",
            "module-",
            "ai",
            "module-1",
            "module--a",
            "Module-a",
            "module-A",
            "module-a_b",
            "module-a ",
            "module-ä",
            &long,
        ] {
            assert!(ModuleName::parse(bad).is_err(), "{bad}");
        }
    }
}
