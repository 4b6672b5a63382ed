//! The one decision: whether a module is on for a caller, and if not, why.
//!
//! The module list, navigation, the gate in the platform's own functions, the counting of usage and the warmer's targets all call
//! [`decide`], so that they cannot disagree.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Why a module is off; of several reasons the first in this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The platform has switched it off.
    PlatformOff,
    /// It is not registered, or registered without being installed.
    NotInstalled,
    /// A module that it needs is off.
    DependencyOff,
    /// The caller's organisation has switched it off.
    OrgOff,
    /// The caller lacks a permission that it requires.
    PermissionMissing,
    /// A reason of a newer control plane that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlatformOff => "platform_off",
            Self::NotInstalled => "not_installed",
            Self::DependencyOff => "dependency_off",
            Self::OrgOff => "org_off",
            Self::PermissionMissing => "permission_missing",
            Self::Unknown => "unknown",
        }
    }
}

/// The answer: on, or off for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    On,
    Off(Reason),
}

impl Decision {
    pub fn is_on(self) -> bool {
        self == Self::On
    }

    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::On => None,
            Self::Off(reason) => Some(reason),
        }
    }
}

impl From<Option<Reason>> for Decision {
    fn from(reason: Option<Reason>) -> Self {
        reason.map_or(Self::On, Self::Off)
    }
}

/// What is known about one module where the question is asked.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub is_enabled: bool,
    pub is_installed: bool,
    /// Whether everything that it needs is on for the same organisation.
    pub dependencies_on: bool,
    /// False where the organisation has switched it off.
    pub org_on: bool,
    pub required_permissions: &'a [String],
}

/// What a caller may do.
#[derive(Debug, Clone, Copy)]
pub enum Permissions<'a> {
    /// Everything: a platform admin, or a question that is not about a caller.
    All,
    Set(&'a BTreeSet<String>),
    /// One space-separated claim, as it stands in a token.
    Claim(&'a str),
}

impl Permissions<'_> {
    fn hold(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Set(set) => set.contains(permission),
            Self::Claim(claim) => claim.split_ascii_whitespace().any(|held| held == permission),
        }
    }
}

/// Whether a module is on for a caller, and why not. Nothing else in this workspace decides that.
pub fn decide(module: &Facts<'_>, caller: &Permissions<'_>) -> Decision {
    if !module.is_enabled {
        Decision::Off(Reason::PlatformOff)
    } else if !module.is_installed {
        Decision::Off(Reason::NotInstalled)
    } else if !module.dependencies_on {
        Decision::Off(Reason::DependencyOff)
    } else if !module.org_on {
        Decision::Off(Reason::OrgOff)
    } else if !module.required_permissions.iter().all(|permission| caller.hold(permission)) {
        Decision::Off(Reason::PermissionMissing)
    } else {
        Decision::On
    }
}

/// Completes a decision that was made before the caller was known, as `GET /platform/modules/state` sends it.
pub fn decide_for_caller(decided: Decision, required_permissions: &[String], caller: &Permissions<'_>) -> Decision {
    let on = Facts { is_enabled: true, is_installed: true, dependencies_on: true, org_on: true, required_permissions };
    if decided.is_on() { decide(&on, caller) } else { decided }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bits: u8, required: &[String]) -> Facts<'_> {
        Facts {
            is_enabled: bits & 1 == 0,
            is_installed: bits & 2 == 0,
            dependencies_on: bits & 4 == 0,
            org_on: bits & 8 == 0,
            required_permissions: required,
        }
    }

    #[test]
    fn the_most_fundamental_reason_is_told() {
        let reasons = [Reason::PlatformOff, Reason::NotInstalled, Reason::DependencyOff, Reason::OrgOff];
        for bits in 0..16_u8 {
            let expected = (0..4).find(|bit| bits & (1 << bit) != 0).map(|bit| reasons[bit]);
            assert_eq!(decide(&facts(bits, &[]), &Permissions::Claim("")).reason(), expected, "{bits:04b}");
        }
    }

    #[test]
    fn every_required_permission_is_needed_as_a_whole_word() {
        let required = ["ai.use".to_owned(), "ai.train".to_owned()];
        let decide = |permissions| decide(&facts(0, &required), &permissions).is_on();
        assert!(decide(Permissions::All));
        assert!(decide(Permissions::Claim("ai.train ai.use other")));
        for claim in ["", "ai.use", "ai.used ai.train", "ai.use,ai.train"] {
            assert!(!decide(Permissions::Claim(claim)), "{claim:?}");
        }
        let set = BTreeSet::from(required.clone());
        assert!(decide(Permissions::Set(&set)));
    }

    #[test]
    fn a_decision_that_travelled_is_decided_alike_again() {
        let required = ["ai.use".to_owned()];
        for bits in 0..16 {
            for permissions in [Permissions::All, Permissions::Claim("")] {
                let sent = decide(&facts(bits, &required), &Permissions::All);
                let again = decide_for_caller(sent, &required, &permissions);
                assert_eq!(again, decide(&facts(bits, &required), &permissions));
            }
        }
    }
}
