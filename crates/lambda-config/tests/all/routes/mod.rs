//! One file per route, as in the source.

mod configs;
mod functions;
mod health;
mod limits;
mod preview;
mod put;
mod runs;
mod sync;
