//! What a check on a cached snapshot takes from the allocator: nothing.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use module_mgmt_host::gate::Verdict;
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::state::ModuleType;

use crate::bed::{Registry, check, module, off};

#[tokio::test]
async fn a_check_on_a_cached_snapshot_allocates_nothing() {
    let mut needing = module(None);
    needing.required_permissions = vec!["orders.read".into(), "orders.write".into()];
    // The machine's own clock, as in a real sandbox; the reads are over within the 30 seconds.
    let gate = module_mgmt_host::gate::Gate::for_module(crate::bed::MODULE, ModuleType::Functional)
        .reading(Registry::of("a", vec![needing]));
    check(&gate, "a").await;
    let held = BTreeSet::from(["orders.read".to_owned(), "orders.write".to_owned()]);
    let questions = [
        (Permissions::All, Verdict::Open),
        (Permissions::Set(&held), Verdict::Open),
        (Permissions::Claim("orders.read orders.write"), Verdict::Open),
        (Permissions::Claim("orders.read"), off(module_mgmt_protocol::decision::Reason::PermissionMissing)),
    ];
    let measured = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            for (permissions, expected) in &questions {
                assert!(gate.check("a", permissions).now_or_never() == Some(*expected));
            }
        }
    });
    assert_eq!((measured.count_total, measured.bytes_total), (0, 0));
    let control = allocation_counter::measure(|| drop(std::hint::black_box(vec![0_u8; 10])));
    assert_eq!(control.count_total, 1, "the counter counts");
}
