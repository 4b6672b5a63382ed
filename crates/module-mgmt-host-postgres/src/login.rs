//! The login that a host has.

use std::fmt;

use mgmt_common::settings::{DatabaseRole, DatabaseSettings};

/// How a host reaches the control plane's database: with the request login, which may act as any caller. So only functions that are
/// trusted like the control plane's own may have it; all others read and record over HTTP and the queue.
#[derive(Clone)]
pub struct PostgresLogin(DatabaseSettings);

/// `DATABASE_URL` is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginError;

impl PostgresLogin {
    /// A login by its URL, `postgres://…`. Supabase's transaction pooler (port 6543) works.
    pub fn new(url: impl Into<String>) -> Self {
        Self(DatabaseSettings { url: url.into(), role: DatabaseRole::Request, ca_pem: None, pool_size: None })
    }

    /// Roots to trust instead of the shipped ones of Supabase and RDS, PEM. TLS is always verified in full, except to this machine.
    #[must_use]
    pub fn trusting(self, ca_pem: impl Into<String>) -> Self {
        Self(DatabaseSettings { ca_pem: Some(ca_pem.into()), ..self.0 })
    }

    /// From `DATABASE_URL` and, if it is set, `DATABASE_CA_PEM`.
    ///
    /// # Errors
    /// [`LoginError`] without a URL.
    #[expect(clippy::disallowed_methods, reason = "this is the host's one reader of these variables")]
    pub fn from_environment() -> Result<Self, LoginError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let login = Self::new(variable("DATABASE_URL").ok_or(LoginError)?);
        Ok(match variable("DATABASE_CA_PEM") {
            Some(ca_pem) => login.trusting(ca_pem),
            None => login,
        })
    }

    pub(crate) fn into_settings(self) -> DatabaseSettings {
        self.0
    }
}

/// Written by hand so that no log line can hold the password.
impl fmt::Debug for PostgresLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresLogin(hidden)")
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DATABASE_URL is missing")
    }
}

impl std::error::Error for LoginError {}
