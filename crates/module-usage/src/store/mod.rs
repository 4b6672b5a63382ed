//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod maintenance;
pub(crate) mod stats;
