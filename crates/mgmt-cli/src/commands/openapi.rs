//! `mgmt openapi`: the API document, as it was when this was built.

use clap::Args;

use crate::output::{Failure, write};

/// Made by the crate `mgmt-openapi` from the functions' routers, whose test keeps it fresh.
pub(crate) const DOCUMENT: &str = include_str!("../../../../openapi.json");

/// Print the OpenAPI document of all functions.
#[derive(Debug, Args)]
pub(crate) struct Openapi {}

pub(crate) fn run(_: &Openapi) -> Result<(), Failure> {
    write(|out| out.write_all(DOCUMENT.as_bytes()))
}
