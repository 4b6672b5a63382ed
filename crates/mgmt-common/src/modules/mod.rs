//! Modules: which depend on which, and the one answer to whether a module is on. Pure: no I/O, no clock.

pub mod fault;
pub mod graph;
pub mod name;
pub mod plan;
pub mod requirement;
