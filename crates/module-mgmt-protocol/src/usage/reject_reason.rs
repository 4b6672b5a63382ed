//! Why the control plane does not count an event.

use serde::{Deserialize, Serialize};

use crate::decision::Reason;

/// Why an event is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// It is no JSON, or none of an event.
    Malformed,
    /// A value is not what it should be.
    Invalid,
    TooLarge,
    UnknownModule,
    InFuture,
    TooOld,
    PlatformOff,
    NotInstalled,
    DependencyOff,
    OrgOff,
    /// A reason of a newer control plane that this version does not know. It is read and never sent, hence not in [`Self::ALL`].
    #[serde(other, skip_serializing)]
    Unknown,
}

impl RejectReason {
    /// Those that the control plane answers with.
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::Invalid,
        Self::TooLarge,
        Self::UnknownModule,
        Self::InFuture,
        Self::TooOld,
        Self::PlatformOff,
        Self::NotInstalled,
        Self::DependencyOff,
        Self::OrgOff,
    ];

    /// As the API and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
            Self::UnknownModule => "unknown_module",
            Self::InFuture => "in_future",
            Self::TooOld => "too_old",
            Self::PlatformOff => Reason::PlatformOff.as_str(),
            Self::NotInstalled => Reason::NotInstalled.as_str(),
            Self::DependencyOff => Reason::DependencyOff.as_str(),
            Self::OrgOff => Reason::OrgOff.as_str(),
            Self::Unknown => Reason::Unknown.as_str(),
        }
    }

    /// The reason that the API spells so; strict, as the database holds no others.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}
