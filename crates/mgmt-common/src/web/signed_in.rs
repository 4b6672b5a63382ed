//! The caller as an argument of axum handlers. A handler that takes neither of these visibly needs no identity.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use module_mgmt_protocol::caller::Caller;

use super::error::Error;

/// Any signed-in caller; everybody else is answered 401.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or(Error::Unauthenticated)
    }
}

/// A caller who administers the platform; everybody else is answered 403.
#[derive(Debug, Clone)]
pub struct PlatformAdmin(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for PlatformAdmin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let SignedIn(caller) = SignedIn::from_request_parts(parts, state).await?;
        if caller.is_platform_admin { Ok(Self(caller)) } else { Err(Error::Forbidden) }
    }
}
