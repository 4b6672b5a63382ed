//! The web layer: an event of API Gateway becomes a routed request, and what a handler says becomes the answer.

pub mod body;
pub mod error;
pub mod etag;
mod event;
pub mod gateway;
pub mod page;
pub mod query;
pub mod routes;
pub mod serve;
pub mod signed_in;
