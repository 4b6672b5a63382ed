//! One module per subcommand.

pub(crate) mod dev;
pub(crate) mod migrate;
pub(crate) mod modules;
pub(crate) mod openapi;
pub(crate) mod usage;
pub(crate) mod warming;
