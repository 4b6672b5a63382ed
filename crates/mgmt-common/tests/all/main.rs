//! Everything of mgmt-common that needs a server, one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod database;
