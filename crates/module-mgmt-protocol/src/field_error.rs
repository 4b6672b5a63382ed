//! One fault of one field of a request or a stored value.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field, for example `/weekly_schedule/monday/ranges/0/end`; empty for the whole value.
    pub pointer: String,
    /// One sentence for a person: what is wrong and what would be right.
    pub message: String,
}

/// The pointer to a field of the object that `parent` points to.
pub fn join(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6901 section 3. The order matters: `~` after `/` would escape the escape of the slash again.
    #[test]
    fn a_name_with_a_tilde_or_a_slash_stays_one_step_of_the_pointer() {
        for (name, pointer) in
            [("end", "/a/end"), ("m~n", "/a/m~0n"), ("m/n", "/a/m~1n"), ("~1", "/a/~01"), ("", "/a/")]
        {
            assert_eq!(join("/a", name), pointer);
        }
    }
}
