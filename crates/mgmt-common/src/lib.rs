//! The vocabulary that all module-mgmt functions share.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
pub mod field_error;
#[cfg(feature = "functions")]
pub mod functions;
#[cfg(feature = "schedule")]
pub mod rules;
#[cfg(feature = "schedule")]
pub mod schedule;
