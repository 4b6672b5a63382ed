//! The module-usage function as API Gateway, SQS and EventBridge see it: every test sends events and reads answers. One binary;
//! `routes` mirrors the source, `faults` holds the rows of docs/faults.md, `storm` counts exactly under all of them at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod bed;
mod durability;
mod faults;
mod maintenance;
mod property;
mod queue;
mod routes;
mod server;
mod small_disk;
mod storm;
mod tenancy;
mod values;
