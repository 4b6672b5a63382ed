#![doc = include_str!("../README.md")]

mod login;
mod state_source;
mod usage_sink;

pub use login::{LoginError, PostgresLogin};
pub use state_source::PostgresSource;
pub use usage_sink::PostgresSink;
