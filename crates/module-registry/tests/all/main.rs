//! The module-registry function as API Gateway sees it: every test sends events and reads answers. One binary; `routes` mirrors the
//! source, the others follow a concern through all routes.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod authority;
mod bed;
mod database;
mod graph;
mod input;
mod routes;
mod storm;
mod tenancy;
