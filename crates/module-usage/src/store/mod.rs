//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod export;
pub(crate) mod figures;
pub(crate) mod filter;
pub(crate) mod maintenance;
pub(crate) mod stats;
