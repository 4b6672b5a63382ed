//! What can be wrong with the dependencies that a module declares.

use std::fmt;

use module_mgmt_protocol::field_error::FieldError;
use semver::Version;

use super::name::ModuleName;
use super::requirement::Requirement;

/// One fault; `index` is the place in `dependencies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Itself {
        index: usize,
    },
    Repeated {
        index: usize,
        name: ModuleName,
    },
    Missing {
        index: usize,
        name: ModuleName,
    },
    /// The way from the dependency back to the module, both included.
    Cycle {
        index: usize,
        path: Vec<ModuleName>,
    },
    HigherTier {
        index: usize,
        name: ModuleName,
        tier: u8,
        own: u8,
    },
    BelowMinimum {
        index: usize,
        requirement: Requirement,
        minimum: Version,
    },
}

impl Fault {
    pub fn index(&self) -> usize {
        match self {
            Self::Itself { index }
            | Self::Repeated { index, .. }
            | Self::Missing { index, .. }
            | Self::Cycle { index, .. }
            | Self::HigherTier { index, .. }
            | Self::BelowMinimum { index, .. } => *index,
        }
    }
}

/// The whole way of a cycle is told up to this many modules.
const LONGEST_PATH_TOLD: usize = 20;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself { .. } => f.write_str("a module cannot depend on itself"),
            Self::Repeated { name, .. } => write!(f, "{name} is named twice"),
            Self::Missing { name, .. } => write!(f, "{name} is not registered"),
            Self::Cycle { path, .. } => {
                // The way ends at the module itself, which is where the circle also begins.
                let all = path.last().into_iter().chain(path);
                let told: Vec<&str> = all.clone().take(LONGEST_PATH_TOLD).map(ModuleName::as_str).collect();
                write!(f, "this would close a cycle: {}", told.join(" -> "))?;
                match all.count() - told.len() {
                    0 => Ok(()),
                    more => write!(f, " -> … ({more} more)"),
                }
            }
            Self::HigherTier { name, tier, own, .. } => {
                write!(f, "{name} is of tier {tier}; a module of tier {own} may depend on tiers up to {own} only")
            }
            Self::BelowMinimum { requirement, minimum, .. } => {
                let name = &requirement.name;
                write!(f, "{requirement} asks for versions below {minimum}, the oldest that {name} is compatible with")
            }
        }
    }
}

impl From<&Fault> for FieldError {
    fn from(fault: &Fault) -> Self {
        Self::new(format!("/dependencies/{}", fault.index()), fault.to_string())
    }
}
