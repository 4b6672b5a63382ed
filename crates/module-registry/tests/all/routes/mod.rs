//! One file per room of the routes.

mod define;
mod history;
mod list;
mod navigation;
mod overrides;
mod state;
mod switch;
