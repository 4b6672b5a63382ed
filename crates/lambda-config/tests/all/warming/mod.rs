//! A schedule's way from a save to the bus.

mod guards;
mod heartbeat;
mod races;
mod save;
mod trouble;
