//! One difference between a database and a freshly migrated one.

use serde::Serialize;

/// One fault, and what ends it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    /// `policy`, `table grant`, `sealed day`, …
    pub(super) kind: String,
    /// As SQL names it: `public.platform_module_registry: "Everybody reads"`.
    pub(super) object: String,
    pub(super) found: String,
    pub(super) expected: String,
    /// A statement to paste, or the command to run.
    pub(super) cure: String,
    /// Somebody added it to a table of ours, and may have meant to: `mgmt migrate` reports it and still succeeds.
    #[serde(skip)]
    pub(crate) is_of_others: bool,
}

impl Finding {
    pub(super) fn new(
        kind: &str,
        object: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            object: object.into(),
            found: found.into(),
            expected: expected.into(),
            cure: cure.into(),
            is_of_others: false,
        }
    }

    /// An object that this login cannot read. That is a finding too, because a fault could be there.
    pub(super) fn unseen(object: impl Into<String>, why: impl Into<String>) -> Self {
        let cure = "run mgmt doctor as a superuser, or as an owner who is a member of module_mgmt_request, module_mgmt_worker and \
                    module_mgmt_definer";
        Self::new("not seen", object, why, "readable", cure)
    }
}
