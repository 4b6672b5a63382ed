mod authority;
mod database;
mod input;
mod tricks;
mod unreachable;
