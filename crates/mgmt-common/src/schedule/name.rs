//! The names of our rules on a bus that is shared with everybody, and of the old system's rules.

use sha2::{Digest, Sha256};

use super::cron::CronExpression;

/// Hexadecimal digits of the expression's hash in a rule name. 20 + 1 + 20 + 6 + 16 = 63 characters at most, and
/// EventBridge allows 64 (`PutRule`, parameter `Name`).
const HASH_DIGITS: usize = 16;

/// One project in one environment, for example `shop` in `prod`: the owner of a set of rules.
///
/// Neither part can hold a dot, so `{project}.{env}.warm.{hash}` has one reading only: the rules of `shop` in `prod` are
/// never a prefix match away from those of `shop` in `prod-eu`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace {
    project: String,
    env: String,
}

/// A project or environment name that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} {value:?} must be 1 to 20 characters of a-z, 0-9 and `-`, beginning with a letter")]
pub struct NamespaceError {
    /// `project` or `env`.
    pub part: &'static str,
    /// The refused value.
    pub value: String,
}

impl Namespace {
    /// Accepts two names that each match `^[a-z][a-z0-9-]{0,19}$`.
    ///
    /// # Errors
    /// The first of the two names that does not match.
    pub fn parse(project: &str, env: &str) -> Result<Self, NamespaceError> {
        for (part, value) in [("project", project), ("env", env)] {
            if !is_namespace_part(value) {
                return Err(NamespaceError { part, value: value.to_owned() });
            }
        }
        Ok(Self { project: project.to_owned(), env: env.to_owned() })
    }

    pub fn project(&self) -> &str {
        &self.project
    }

    pub fn env(&self) -> &str {
        &self.env
    }

    /// `{project}.{env}.warm.`: good for `ListRules`, not for deciding ownership; that is [`Namespace::owns`].
    pub fn prefix(&self) -> String {
        format!("{}.{}.warm.", self.project, self.env)
    }

    /// The name of the rule for this expression. It depends on nothing else, so an unchanged expression keeps its rule.
    pub fn rule_name(&self, expression: &CronExpression) -> String {
        let digest = Sha256::digest(expression.to_string().as_bytes());
        let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
        format!("{}{hash}", self.prefix())
    }

    /// Whether the name is exactly one that [`Namespace::rule_name`] could have made for this namespace.
    pub fn owns(&self, rule_name: &str) -> bool {
        rule_name.strip_prefix(&self.prefix()).is_some_and(|hash| {
            hash.len() == HASH_DIGITS && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    }

    /// `{project}-{env}-warmer-pattern-`, what the old system's rule names begin with.
    pub fn old_prefix(&self) -> String {
        format!("{}-{}-warmer-pattern-", self.project, self.env)
    }

    /// Whether the name is exactly `{project}-{env}-warmer-pattern-N` with a decimal N without leading zeros.
    ///
    /// The old grammar joins both parts with `-`, which they may hold themselves: `a-b` in `c` and `a` in `b-c` share
    /// their old names. Adopting is therefore something a person asks for, never a default.
    pub fn old_rule(&self, rule_name: &str) -> bool {
        rule_name.strip_prefix(&self.old_prefix()).is_some_and(|number| {
            !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && (number == "0" || !number.starts_with('0'))
        })
    }
}

fn is_namespace_part(value: &str) -> bool {
    value.len() <= 20
        && value.starts_with(|first: char| first.is_ascii_lowercase())
        && value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> CronExpression {
        CronExpression::parse(text).unwrap()
    }

    fn shop() -> Namespace {
        Namespace::parse("shop", "prod").unwrap()
    }

    #[test]
    fn only_the_documented_grammar_is_a_namespace() {
        let check = |value: &str, legal: bool| {
            assert_eq!(Namespace::parse(value, "prod").is_ok(), legal, "as project: {value:?}");
            assert_eq!(Namespace::parse("shop", value).is_ok(), legal, "as env: {value:?}");
        };
        check("a", true);
        check("a-1-", true);
        check("abcdefghij0123456789", true);
        check("abcdefghij0123456789x", false);
        for illegal in ["", "1a", "-a", "A", "a.b", "a_b", "a b", "ä", "a\n"] {
            check(illegal, false);
        }
    }

    #[test]
    fn a_namespace_is_its_two_parts() {
        assert_eq!((shop().project(), shop().env()), ("shop", "prod"));
        assert_eq!(shop().prefix(), "shop.prod.warm.");
        assert_eq!(shop().old_prefix(), "shop-prod-warmer-pattern-");
    }

    #[test]
    fn a_rule_name_is_the_first_16_digits_of_the_hash_of_the_expression() {
        // printf 'cron(* * ? * * *)' | sha256sum
        assert_eq!(shop().rule_name(&expression("cron(* * ? * * *)")), "shop.prod.warm.214173c6a4219078");
    }

    #[test]
    fn the_longest_name_fits_in_the_64_characters_of_eventbridge() {
        let longest = Namespace::parse("abcdefghij0123456789", "abcdefghij0123456789").unwrap();
        assert_eq!(longest.rule_name(&expression("cron(* * ? * * *)")).len(), 63);
    }

    #[test]
    fn only_names_of_exactly_this_namespace_are_owned() {
        assert!(shop().owns(&shop().rule_name(&expression("cron(0 9 ? * * *)"))));
        for foreign in [
            "shop.prod.warm.",
            "shop.prod.warm.0123456789abcde",
            "shop.prod.warm.0123456789abcdef0",
            "shop.prod.warm.0123456789ABCDEF",
            "shop.prod-eu.warm.0123456789abcdef",
            "my.shop.prod.warm.0123456789abcdef",
            "shop.prod.cool.0123456789abcdef",
            "shop-prod-warmer-pattern-1",
        ] {
            assert!(!shop().owns(foreign), "{foreign}");
        }
    }

    #[test]
    fn only_numbered_patterns_of_exactly_this_namespace_are_old_rules() {
        for old in ["shop-prod-warmer-pattern-0", "shop-prod-warmer-pattern-1", "shop-prod-warmer-pattern-10"] {
            assert!(shop().old_rule(old), "{old}");
        }
        for foreign in [
            "shop-prod-warmer-pattern-",
            "shop-prod-warmer-pattern-01",
            "shop-prod-warmer-pattern-1a",
            "shop-prod-warmer-pattern-+1",
            "shop-prod-eu-warmer-pattern-1",
            "my-shop-prod-warmer-pattern-1",
        ] {
            assert!(!shop().old_rule(foreign), "{foreign}");
        }
    }
}
