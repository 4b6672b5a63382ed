//! `db/catalog.json` is what a fresh database looks like.

use crate::bed::{mgmt, migrated};

/// To write it anew: `mgmt doctor --write-catalog --database-url URL > db/catalog.json`, on a database that `mgmt migrate --bootstrap-roles` made.
#[tokio::test]
async fn the_catalog_is_what_a_fresh_database_looks_like() {
    let database = migrated().await;
    let output = mgmt(&["doctor", "--write-catalog"], &database.admin_url()).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../db/catalog.json");
    let written = std::fs::read_to_string(path).unwrap();
    let fresh = String::from_utf8(output.stdout).unwrap();
    let differing = fresh.lines().zip(written.lines()).find(|(fresh, written)| fresh != written);
    assert!(fresh == written, "db/catalog.json is to be written anew; the first line that differs: {differing:?}");
}
