//! The gate's source that reads Postgres itself.

use std::time::{Duration, Instant};

use mgmt_testkit::database::{REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::flaky_proxy::{FlakyProxy, Traffic};
use module_mgmt_host::gate::{ClosedReason, Gate, GateLimits, Verdict};
use module_mgmt_host_postgres::{PostgresLogin, PostgresSource};
use module_mgmt_protocol::decision::{Permissions, Reason};
use module_mgmt_protocol::state::ModuleType;

use crate::clock::TestClock;

/// A gate that revalidates at every check, and waits for it on a loaded machine too.
fn gate(url: String) -> Gate {
    let source = PostgresSource::new(PostgresLogin::new(url));
    let patience = Duration::from_secs(2);
    let limits = GateLimits { max_age: Duration::ZERO, patience, ..GateLimits::default() };
    Gate::for_module("module-orders", ModuleType::Functional).limits(limits).reading(source)
}

async fn registered() -> TestDatabase {
    let database = TestDatabase::create().await;
    let orders = "insert into platform_module_registry (module_name, display_name, is_enabled, required_permissions)
        values ('module-orders', 'Orders', true, '{orders.use}')";
    database.admin().await.batch_execute(orders).await.unwrap();
    database
}

#[tokio::test]
async fn a_gate_on_postgres_follows_the_registry_per_organisation() {
    let database = registered().await;
    let gate = gate(database.url(REQUEST_LOGIN));
    let check = async |org: &str, claim: &str| gate.check(org, &Permissions::Claim(claim)).await;
    let off = |reason| Verdict::Closed(ClosedReason::Off(reason));
    assert_eq!(check("a", "orders.use").await, Verdict::Open);
    assert_eq!(check("a", "").await, off(Reason::PermissionMissing));
    let admin = database.admin().await;
    let own =
        "insert into platform_module_override (org_id, module_name, is_enabled) values ('a', 'module-orders', false)";
    admin.batch_execute(own).await.unwrap();
    assert_eq!(check("a", "orders.use").await, off(Reason::OrgOff));
    assert_eq!(check("b", "orders.use").await, Verdict::Open);
    admin
        .batch_execute("update platform_module_registry set is_enabled = false where module_name = 'module-orders'")
        .await
        .unwrap();
    assert_eq!(check("b", "orders.use").await, off(Reason::PlatformOff));
}

/// Unchanged, the registry costs one short statement; unreachable, it costs no request its answer.
#[tokio::test]
async fn an_unchanged_registry_is_one_round_trip_and_a_lost_one_is_the_last_seen() {
    let database = registered().await;
    let url = database.url(REQUEST_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    let gate = gate(proxy.url(&url));
    let check = async || gate.check("a", &Permissions::All).await;
    assert_eq!(check().await, Verdict::Open);
    let before = proxy.round_trips();
    assert_eq!(check().await, Verdict::Open);
    assert_eq!(proxy.round_trips() - before, 1);
    proxy.set(Traffic::Cut);
    assert_eq!(check().await, Verdict::Open);
}

/// The connection is real, and only the gate's clock runs ten minutes ahead. A request that waits for the whole read takes two seconds, and
/// 600 that wait for 150 ms take ninety.
#[tokio::test]
async fn a_database_that_hangs_holds_one_request_for_150_ms_and_no_other() {
    let database = registered().await;
    let url = database.url(REQUEST_LOGIN);
    let proxy = FlakyProxy::to(&url).await;
    let clock = TestClock::new();
    let limits = GateLimits { max_stale: Duration::from_secs(3_600), ..GateLimits::default() };
    let gate = Gate::for_module("module-orders", ModuleType::Functional).limits(limits).clock(clock.clone());
    let gate = gate.reading(PostgresSource::new(PostgresLogin::new(proxy.url(&url))));
    let check = async || gate.check("a", &Permissions::All).await;
    assert_eq!(check().await, Verdict::Open);
    proxy.set(Traffic::Silent);
    clock.advance(30);
    let before = Instant::now();
    assert_eq!(check().await, Verdict::Open);
    let first = before.elapsed();
    assert!((Duration::from_millis(150)..Duration::from_millis(1_500)).contains(&first), "{first:?}");
    let before = Instant::now();
    for _ in 0..600 {
        assert_eq!(check().await, Verdict::Open);
        clock.advance(1);
        tokio::task::yield_now().await;
    }
    let others = before.elapsed();
    assert!(others < Duration::from_secs(10), "{others:?}");
}
