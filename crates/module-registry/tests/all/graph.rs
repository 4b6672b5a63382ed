//! Faults, rows 34 and 35: the graph of dependencies through the API.

use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, path, put};

/// Faults, row 34.
#[tokio::test]
async fn a_dependency_that_cannot_be_is_422_with_its_place() {
    let bed = Bed::new().await;
    bed.register("low", json!({"tier": 1})).await;
    bed.register("high", json!({"tier": 3, "version": "2.0.0", "minCompatibleVersion": "1.5.0"})).await;
    let cases = [
        (json!({"tier": 3, "dependencies": ["module-low", "module-x"]}), "/dependencies/1", "itself"),
        (json!({"tier": 3, "dependencies": ["module-none"]}), "/dependencies/0", "not registered"),
        (json!({"tier": 3, "dependencies": ["module-low", "module-low@1"]}), "/dependencies/1", "twice"),
        (json!({"tier": 2, "dependencies": ["module-high"]}), "/dependencies/0", "tier"),
        (json!({"tier": 3, "dependencies": ["module-high@>=1.4"]}), "/dependencies/0", "1.5.0"),
    ];
    for (mut body, pointer, words) in cases {
        body["name"] = json!("module-x");
        let answer = bed.send(&Request::post(MODULES).json(&body)).await.expect(422);
        assert_eq!(answer.pointers(), [pointer], "{body}");
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(words), "{answer:?}");
    }
    // A dependent keeps the tier of what it needs below its own.
    bed.register("middle", json!({"tier": 2, "dependencies": ["module-low"]})).await;
    let refused = bed.send(&put("low", &json!(1), &json!({"tier": 3}))).await.expect(409);
    assert_eq!(refused.code(), "breaks_dependents");
}

/// Faults, row 34.
#[tokio::test]
async fn a_cycle_is_told_with_its_path() {
    let bed = Bed::new().await;
    bed.register("a", json!({})).await;
    bed.register("b", json!({"dependencies": ["module-a"]})).await;
    bed.register("c", json!({"dependencies": ["module-b"]})).await;
    let message = async |name: &str, needs: &str| -> String {
        let answer = bed.send(&put(name, &json!(1), &json!({"dependencies": [needs]}))).await.expect(422);
        answer.json()["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    assert!(message("a", "module-a").await.contains("itself"));
    assert!(message("a", "module-b").await.ends_with("module-a -> module-b -> module-a"));
    assert!(message("a", "module-c").await.ends_with("module-a -> module-c -> module-b -> module-a"));
}

/// Faults, row 34.
#[tokio::test]
async fn of_two_updates_that_close_a_cycle_one_fails() {
    let bed = Bed::new().await;
    for round in 0..10 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        bed.register(&a, json!({})).await;
        bed.register(&b, json!({})).await;
        let (one, two) = (
            put(&a, &json!(1), &json!({"dependencies": [format!("module-{b}")]})),
            put(&b, &json!(1), &json!({"dependencies": [format!("module-{a}")]})),
        );
        let (one, two) = tokio::join!(bed.send(&one), bed.send(&two));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }
}

/// Faults, row 35.
#[tokio::test]
async fn enable_disable_and_delete_at_once_leave_nothing_without_what_it_needs() {
    let bed = Bed::new().await;
    for round in 0..10 {
        let (x, y) = (format!("x{round}"), format!("y{round}"));
        bed.register(&x, json!({"isEnabled": true})).await;
        bed.register(&y, json!({"dependencies": [format!("module-{x}")]})).await;
        let (on, off, gone) = (
            Request::post(&path(&y, "/enable")),
            Request::post(&path(&x, "/disable")),
            Request::new("DELETE", &path(&x, "")),
        );
        let (on, off, gone) = tokio::join!(bed.send(&on), bed.send(&off), bed.send(&gone));
        // The dependency is named, so deleting it fails whatever comes first; of the other two one wins.
        let statuses = (on.status, off.status, gone.status);
        assert!(matches!(statuses, (200, 409, 409) | (409, 200, 409)), "{statuses:?}");
    }
}

/// A chain of 10,000 modules, loaded past the API: everything that walks it stays on its stack. Switching that many takes a moment, so
/// only a tenth of them is switched.
/// Faults, row 34.
#[tokio::test]
async fn a_chain_of_ten_thousand_is_walked_without_recursion() {
    let bed = Bed::new().await;
    bed.arrange(
        "insert into platform_module_registry (module_name, display_name, dependencies)
         select 'module-n' || n, 'n', case when n > 0 then array['module-n' || n - 1] else '{}' end from generate_series(0, 9999) n",
    )
    .await;
    let impact = async |target: &str| -> Value {
        let answer = bed.admin(Request::post(&path(target, "")), 200).await;
        answer["impact"]["changes"].as_array().unwrap().len().into()
    };
    assert_eq!(impact("n9999/enable?cascade=true&dryRun=true").await, 10_000);
    assert_eq!(impact("n999/enable?cascade=true").await, 1_000);
    assert_eq!(impact("n0/disable?cascade=true&dryRun=true").await, 1_000);
    let closing = Request::put(&path("n0", ""), &json!({"dependencies": ["module-n9999"]})).header("if-match", "*");
    let cycle = bed.send(&closing).await.expect(422);
    let message: Value = cycle.json()["errors"][0]["message"].clone();
    let expected = "this would close a cycle: module-n0 -> module-n9999 -> module-n9998";
    assert!(message.as_str().unwrap().starts_with(expected), "{message}");
}
