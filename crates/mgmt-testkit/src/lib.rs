//! Strict fakes of the AWS APIs, a Runtime API harness and throw-away databases: for tests and benchmarks only.

pub mod cuttable;
pub mod database;
pub mod eventbridge;
pub mod gateway;
pub mod lambda_api;
pub mod runtime_api;
pub mod severable;
pub mod tls;
pub mod unreachable;
