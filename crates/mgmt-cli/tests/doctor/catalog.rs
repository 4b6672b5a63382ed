//! `db/catalog.json` is what a fresh database looks like.

use mgmt_testkit::database::TestDatabase;

use crate::bed::mgmt;

#[tokio::test]
async fn the_catalog_is_what_a_fresh_database_looks_like() {
    let database = TestDatabase::empty().await;
    // It exits 1 while the catalog describes an earlier schema.
    mgmt(&["migrate", "--bootstrap-roles"], &database.admin_url()).await;
    let output = mgmt(&["doctor", "--write-catalog"], &database.admin_url()).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../db/catalog.json");
    let written = std::fs::read_to_string(path).unwrap();
    let fresh = String::from_utf8(output.stdout).unwrap();
    if fresh == written {
        return;
    }
    let new = concat!(env!("CARGO_TARGET_TMPDIR"), "/catalog.json");
    std::fs::write(new, &fresh).unwrap();
    let differing = fresh.lines().zip(written.lines()).find(|(fresh, written)| fresh != written);
    panic!(
        "db/catalog.json describes another schema. If this one is right: cp {new} db/catalog.json. First difference: {differing:?}"
    );
}
