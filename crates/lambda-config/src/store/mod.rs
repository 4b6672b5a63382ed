//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod configs;
pub(crate) mod leases;
pub(crate) mod warming;
