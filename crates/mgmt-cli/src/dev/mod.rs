//! The local platform: real programs on this machine, started together and ended together.

pub(crate) mod home;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod process;
