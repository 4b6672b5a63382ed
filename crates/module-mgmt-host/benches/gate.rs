//! What a gate costs each request: a check on a cached snapshot. Promise: less than a microsecond.

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use module_mgmt_host::BoxFuture;
use module_mgmt_host::gate::{Credential, Gate, ReadError, StateRead, StateSource};
use module_mgmt_protocol::decision::Permissions;
use module_mgmt_protocol::state::{ModuleState, ModuleType, RegistryState};

/// Answers every organisation with the same fifty modules.
struct FiftyModules;

impl StateSource for FiftyModules {
    fn read<'a>(
        &'a self,
        org_id: &'a str,
        _: Option<&'a Credential>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<StateRead, ReadError>> {
        let module = |n| ModuleState {
            name: format!("module-m{n:02}"),
            module_type: ModuleType::Functional,
            enabled: true,
            reason: None,
            required_permissions: vec!["orders.read".to_owned(), "orders.write".to_owned()],
        };
        let modules = (0..50).map(module).collect();
        let state = RegistryState { version: "7".to_owned(), org_id: org_id.to_owned(), modules };
        Box::pin(async { Ok(StateRead::Changed(state)) })
    }
}

/// A gate that a thousand organisations have gone through.
fn busy_gate() -> Gate {
    let gate = Gate::for_module("module-m25", ModuleType::Functional).reading(FiftyModules);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without I/O needs nothing that could be missing");
    for n in 0..1_000 {
        runtime.block_on(gate.check(&format!("org-{n}"), &Permissions::All));
    }
    gate
}

fn cached_check(criterion: &mut Criterion) {
    let gate = busy_gate();
    let held = ["orders.export", "orders.read", "orders.write"].map(str::to_owned);
    let held = BTreeSet::from(held);
    let callers = [
        ("platform admin", Permissions::All),
        ("member with a set of permissions", Permissions::Set(&held)),
        ("member with a claim", Permissions::Claim("orders.export orders.read orders.write")),
    ];
    let mut group = criterion.benchmark_group("gate: check on a cached snapshot");
    for (who, permissions) in callers {
        group.bench_function(who, |bencher| {
            bencher.iter(|| {
                // A fresh snapshot answers at once: the future is ready when it is first polled.
                let verdict = gate.check(black_box("org-500"), black_box(&permissions)).now_or_never();
                assert!(verdict.is_some_and(module_mgmt_host::gate::Verdict::is_open));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cached_check);
criterion_main!(benches);
