//! What module-mgmt's own functions share: schedules, rules, modules, usage, AWS, and the database.
//!
//! Without features, this is what a host on Postgres needs too: the database, modules and usage. `service` adds what functions are
//! served with, and schedules; `eventbridge` and `lambda` each add one AWS SDK.

#[cfg(any(feature = "eventbridge", feature = "lambda"))]
pub mod aws;
pub mod clock;
pub mod db;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
#[cfg(feature = "lambda")]
pub mod functions;
pub mod json;
pub mod module_state;
pub mod modules;
#[cfg(feature = "service")]
pub mod rules;
#[cfg(feature = "service")]
pub mod schedule;
pub mod settings;
#[cfg(feature = "service")]
pub mod telemetry;
pub mod text;
pub mod usage;
pub mod usage_counting;
#[cfg(feature = "service")]
pub mod warming;
#[cfg(feature = "service")]
pub mod web;
#[cfg(feature = "service")]
pub mod work;
