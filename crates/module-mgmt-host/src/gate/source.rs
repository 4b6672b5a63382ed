//! Where a gate reads the state of an organisation's modules.

use module_mgmt_protocol::state::RegistryState;

use super::Credential;
use crate::BoxFuture;

/// Reads states. The gate limits the time, keeps the pace and checks the organisation of the answer.
pub trait StateSource: Send + Sync {
    /// `credential` is that of a caller of this organisation, where one is known. `known_version` is the version of the snapshot
    /// that the gate has; if it is still the current one, [`StateRead::Unchanged`] spares the rest.
    fn read<'a>(
        &'a self,
        org_id: &'a str,
        credential: Option<&'a Credential>,
        known_version: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>>;
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRead {
    /// The known version is the current one.
    Unchanged,
    Changed(RegistryState),
}

/// Why a read found nothing. No variant holds a credential or what an answer said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source does not accept the credential, or there is none.
    #[error("the credential is refused: {0}")]
    Credential(String),
    #[error("{0}")]
    Failed(String),
}
