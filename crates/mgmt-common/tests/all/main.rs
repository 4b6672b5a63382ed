//! Everything of mgmt-common that needs a server, one binary.

mod database;
