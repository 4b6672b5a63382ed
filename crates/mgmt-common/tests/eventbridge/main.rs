//! The EventBridge manager against the strict fake: every scripted fault at every call, crashes, rivals and guards.
#![cfg(feature = "eventbridge")]

mod adoption;
mod bed;
mod crashes;
mod faults;
mod guards;
mod promises;
mod rivals;
