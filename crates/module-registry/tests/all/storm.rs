//! Faults, row 35, at length: random changes from eight workers at once. The audit is the record of every committed moment, because
//! writers wait for each other until the commit: replayed, it must never show an enabled module without what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mgmt_testkit::database::REQUEST_LOGIN;
use mgmt_testkit::gateway::Request;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, function, path};

const WORKERS: u64 = 8;
const NAMES: u64 = 12;

/// Faults, row 35.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_changes_leave_no_enabled_module_without_what_it_needs() {
    storm(10_000).await;
}

async fn storm(operations: u64) {
    let bed = Arc::new(Bed::new().await);
    let workers = (0..WORKERS).map(|worker| {
        let bed = Arc::clone(&bed);
        tokio::spawn(async move {
            let function = function(&bed.database.url(REQUEST_LOGIN));
            let mut seed = [7; 32];
            seed[0] = u8::try_from(worker).unwrap();
            let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let mut statuses: BTreeMap<u64, u64> = BTreeMap::new();
            for _ in 0..operations / WORKERS {
                let request = operation(&mut || random.next_u64());
                *statuses.entry(function.send(&request).await.status).or_default() += 1;
            }
            statuses
        })
    });
    let mut statuses: BTreeMap<u64, u64> = BTreeMap::new();
    for worker in workers.collect::<Vec<_>>() {
        for (status, count) in worker.await.unwrap() {
            *statuses.entry(status).or_default() += count;
        }
    }
    // Every kind of outcome has happened, and no other: above all no 500 and nothing that waited in vain.
    let seen: Vec<u64> = statuses.keys().copied().collect();
    assert_eq!(seen, [200, 201, 204, 404, 409, 422], "{statuses:?}");
    let moments = replay(&bed).await;
    assert!(moments > operations / 20, "only {moments} changes were committed");
}

/// The lock orders writers; at repeatable read one would wait for it and then judge by what was before.
#[tokio::test]
async fn a_registry_is_not_changed_at_repeatable_read_and_the_doors_do_not_follow_the_databases_default() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let admin = bed.database.admin().await;
    let refused = admin
        .batch_execute("begin isolation level repeatable read; update platform_module_registry set is_enabled = false")
        .await
        .unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("repeatable read"), "{refused:?}");
    admin.batch_execute("rollback").await.unwrap();
    let statement =
        format!("alter database {} set default_transaction_isolation = 'repeatable read'", bed.database.name);
    bed.arrange(&statement).await;
    let function = function(&bed.database.url(REQUEST_LOGIN));
    function.send(&Request::post(&path("thing", "/disable"))).await.expect(200);
}

fn operation(random: &mut impl FnMut() -> u64) -> Request {
    let name = format!("s{}", random() % NAMES);
    let cascade = if random().is_multiple_of(2) { "?cascade=true" } else { "" };
    let needs: Vec<String> = (0..random() % 3).map(|_| format!("module-s{}", random() % NAMES)).collect();
    match random() % 10 {
        0..=2 => {
            let enabled = random().is_multiple_of(2);
            Request::post(MODULES)
                .json(&json!({"name": format!("module-{name}"), "isEnabled": enabled, "dependencies": needs}))
        }
        3 | 4 => Request::post(&path(&name, &format!("/enable{cascade}"))),
        5 | 6 => Request::post(&path(&name, &format!("/disable{cascade}"))),
        7 => Request::new("DELETE", &path(&name, "")),
        8 => Request::put(&path(&name, ""), &json!({ "dependencies": needs })).header("if-match", "*"),
        _ => {
            Request::put(&path(&name, ""), &json!({"isInstalled": !random().is_multiple_of(4)})).header("if-match", "*")
        }
    }
}

/// Applies the audit change by change, grouped into the transactions that made them; how many there were.
async fn replay(bed: &Bed) -> u64 {
    let statement = "select xmin::text, module_name, action, changes from platform_module_audit
        where org_id is null and module_name like 'module-s%' order by id";
    let rows = bed.database.admin().await.query(statement, &[]).await.unwrap();
    let mut modules: BTreeMap<String, Value> = BTreeMap::new();
    let mut transactions: BTreeSet<String> = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let (transaction, name, action): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let changes: Value = row.get(3);
        if action == "delete" {
            modules.remove(&name);
        } else {
            let module = modules.entry(name).or_insert_with(|| json!({}));
            if action == "register" {
                *module = json!({});
            }
            for change in changes.as_array().unwrap() {
                apply(module, change);
            }
        }
        let is_whole = rows.get(index + 1).is_none_or(|next| next.get::<_, String>(0) != transaction);
        if is_whole {
            assert_sound(&modules);
            assert!(transactions.insert(transaction), "two transactions wrote at once");
        }
    }
    u64::try_from(transactions.len()).unwrap()
}

/// Sets what is at a path, or takes it away.
fn apply(module: &mut Value, change: &Value) {
    let path: Vec<&str> = change["path"].as_str().unwrap().split('/').skip(1).collect();
    let (last, way) = path.split_last().unwrap();
    let place = way.iter().fold(module, |place, key| match place {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        other => &mut other[*key],
    });
    match (place, change.get("after")) {
        (Value::Array(items), after) => {
            let index: usize = last.parse().unwrap();
            match after {
                Some(after) => {
                    items.resize(items.len().max(index + 1), Value::Null);
                    items[index] = after.clone();
                }
                // What is behind it is taken away too, by this change or another.
                None => items.truncate(index),
            }
        }
        (place, after) => place[*last] = after.cloned().unwrap_or_default(),
    }
}

fn assert_sound(modules: &BTreeMap<String, Value>) {
    for (name, module) in modules {
        for needed in module["dependencies"].as_array().unwrap_or_else(|| panic!("{name}: {module}")) {
            let needed = needed.as_str().unwrap();
            let dependency =
                modules.get(needed).unwrap_or_else(|| panic!("{name} needs {needed}, which is not registered"));
            if module["is_enabled"] == true {
                assert!(
                    dependency["is_enabled"] == true && dependency["is_installed"] == true,
                    "{name} is enabled and needs {needed}: {dependency}"
                );
            }
        }
    }
}
