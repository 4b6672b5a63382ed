//! The SQL of this function. Each statement begins with its function's name.

pub(crate) mod activity;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod impact_inputs;
pub(crate) mod modules;
pub(crate) mod overrides;
pub(crate) mod visible;
