//! What the warmer and those who show its work share: which functions are to be kept warm, and what a run reports.

pub mod boundary;
pub mod report;
pub mod targets;
