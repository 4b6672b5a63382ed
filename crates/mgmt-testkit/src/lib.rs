//! Strict fakes of the AWS APIs, a harness for functions and throw-away databases: for tests and benchmarks only.

pub mod claims;
pub mod database;
mod document;
pub mod droppable_server;
pub mod eventbridge;
pub mod events;
pub mod flaky_proxy;
pub mod function;
pub mod gateway;
pub mod lambda_api;
pub mod roles;
pub mod runtime_api;
pub mod tls;
pub mod unreachable;
