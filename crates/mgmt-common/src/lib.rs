//! The vocabulary that all module-mgmt functions share.

pub mod field_error;
#[cfg(feature = "schedule")]
pub mod schedule;
