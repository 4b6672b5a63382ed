//! The EventBridge manager against the strict fake: every scripted fault at every call, crashes, rivals and guards.
#![expect(clippy::unwrap_used, reason = "the lint spares test functions, but not the helpers they share")]

mod adoption;
mod bed;
mod crashes;
mod faults;
mod guards;
mod promises;
mod rivals;
