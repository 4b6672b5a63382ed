//! The caller as an argument of axum handlers.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Caller;
use crate::error::Error;

/// Any signed-in caller.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthenticated)
    }
}

/// A caller who administers the platform; everybody else is answered 403.
#[derive(Debug, Clone)]
pub struct PlatformAdmin(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for PlatformAdmin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.is_platform_admin { Ok(Self(caller)) } else { Err(Error::Forbidden) }
    }
}
