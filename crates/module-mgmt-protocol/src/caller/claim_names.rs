//! What an identity provider calls the claims that say who asks.

/// The claims' names, which differ between identity providers.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    pub user: String,
    pub organisation: String,
    pub platform_admin: String,
    pub organisation_admin: String,
    pub permissions: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            user: "sub".into(),
            organisation: "org_id".into(),
            platform_admin: "is_platform_admin".into(),
            organisation_admin: "is_org_admin".into(),
            permissions: "permissions".into(),
        }
    }
}

impl ClaimNames {
    /// From `CLAIM_USER`, `CLAIM_ORGANISATION`, `CLAIM_PLATFORM_ADMIN`, `CLAIM_ORGANISATION_ADMIN` and `CLAIM_PERMISSIONS`, as the control
    /// plane's functions and the gates of hosts read them; `variable` gives the value of one. A name that is not set is the default's.
    pub fn from_variables(mut variable: impl FnMut(&str) -> Option<String>) -> Self {
        let names = Self::default();
        let mut or = |name: &str, default: String| variable(name).unwrap_or(default);
        Self {
            user: or("CLAIM_USER", names.user),
            organisation: or("CLAIM_ORGANISATION", names.organisation),
            platform_admin: or("CLAIM_PLATFORM_ADMIN", names.platform_admin),
            organisation_admin: or("CLAIM_ORGANISATION_ADMIN", names.organisation_admin),
            permissions: or("CLAIM_PERMISSIONS", names.permissions),
        }
    }
}
