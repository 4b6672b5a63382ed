mod authority;
mod database;
mod full_disk;
mod input;
mod tricks;
mod unreachable;
