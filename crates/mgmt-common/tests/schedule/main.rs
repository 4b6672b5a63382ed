//! The schedule as a whole, checked against a second, naive implementation.

mod config;
mod due;
mod oracle;
mod preview;
mod rules;
mod sweep;
