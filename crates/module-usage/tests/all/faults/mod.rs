mod authority;
mod database;
mod input;
mod tricks;
