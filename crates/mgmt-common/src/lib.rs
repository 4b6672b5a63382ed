//! The vocabulary that all module-mgmt functions share.
//!
//! Every room has a cargo feature, so that a function links only what it uses; without features there is no I/O here.

#[cfg(any(feature = "http", feature = "host"))]
pub mod api_gateway;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(any(feature = "http", feature = "host"))]
pub mod caller;
#[cfg(feature = "db")]
pub mod db;
#[cfg(feature = "http")]
pub mod error;
#[cfg(feature = "http")]
pub mod etag;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
pub mod field_error;
#[cfg(feature = "functions")]
pub mod functions;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "http")]
pub mod json;
#[cfg(feature = "db")]
pub mod module_state;
pub mod modules;
#[cfg(any(feature = "http", feature = "host"))]
mod problem;
#[cfg(feature = "schedule")]
pub mod rules;
#[cfg(feature = "schedule")]
pub mod schedule;
#[cfg(feature = "http")]
pub mod serve;
#[cfg(any(feature = "http", feature = "host"))]
pub mod settings;
#[cfg(feature = "http")]
pub mod telemetry;
#[cfg(feature = "usage")]
pub mod usage;
#[cfg(all(feature = "db", feature = "usage"))]
pub mod usage_counting;
