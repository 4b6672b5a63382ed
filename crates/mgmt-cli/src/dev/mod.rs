//! The local platform: real programs on this machine, started together and ended together.

mod aws;
mod deploy;
mod functions;
mod gateway;
pub(crate) mod home;
mod http;
mod http_api;
mod identity;
mod ministack;
mod package;
pub(crate) mod pgbouncer;
pub(crate) mod platform;
pub(crate) mod postgres;
pub(crate) mod process;
mod queues;
mod samples;
pub(crate) mod seed;
pub(crate) mod smoke;
