//! Modules: which depend on which, and the one answer to whether a module is on. Pure: no I/O, no clock.

pub mod decision;
#[cfg(feature = "modules")]
pub mod fault;
#[cfg(feature = "modules")]
pub mod graph;
#[cfg(feature = "modules")]
pub mod name;
#[cfg(feature = "modules")]
pub mod plan;
#[cfg(feature = "modules")]
pub mod requirement;
pub mod standing;
pub mod state;
#[cfg(feature = "schedule")]
pub mod warm;
