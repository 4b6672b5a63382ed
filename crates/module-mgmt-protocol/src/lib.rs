#![doc = include_str!("../README.md")]

pub mod api_gateway;
pub mod caller;
pub mod decision;
pub mod effective;
pub mod field_error;
pub mod ping;
pub mod problem;
pub mod state;
pub mod usage;
