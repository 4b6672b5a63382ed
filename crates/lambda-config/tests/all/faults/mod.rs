//! The rows of docs/faults.md on HTTP input, authority and the database.

mod authority;
mod database;
mod input;
mod tricks;
