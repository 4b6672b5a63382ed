use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::Request;
use mgmt_testkit::lambda_api::FakeFunction;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::values::office;

const FUNCTIONS: &str = "/platform/lambda-functions";

#[tokio::test]
async fn all_pages_are_one_sorted_list_with_every_field() {
    let bed = Bed::new().await;
    for number in (0..130).rev() {
        bed.lambda.add(FakeFunction::new(&format!("fn-{number:03}")).described("A function", 256));
    }
    let answer = bed.send(&Request::get(FUNCTIONS)).await.expect(200).json();
    let functions = answer.as_array().unwrap();
    let names: Vec<&str> = functions.iter().map(|function| function["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 130);
    assert!(names.is_sorted());
    let one = &functions[0];
    for field in ["arn", "runtime", "timeoutSeconds", "architectures", "lastModified", "handler", "version"] {
        assert!(!one[field].is_null(), "{field}: {one}");
    }
    assert_eq!(
        (&one["memoryMb"], &one["description"], &one["warming"]),
        (&json!(256), &json!("A function"), &json!([]))
    );
    assert_eq!(bed.lambda.violations(), Vec::<String>::new());
}

direct_and_through_pgbouncer!(each_function_says_how_it_is_warmed);
async fn each_function_says_how_it_is_warmed(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    for name in ["orders", "billing", "idle"] {
        bed.lambda.add(FakeFunction::new(name));
    }
    bed.save(&office()).await;
    bed.arrange(
        r#"insert into platform_warming_target (function_name, qualifier, fingerprint, status, reason)
           values ('billing', 'live', 'f', 'suspended', 'it answered something else');
           insert into platform_warming_run (tick, status, finished_at, functions) values
           ('2026-11-02 14:00Z', 'done', now(), '[{"name":"billing","qualifier":"live","state":"short","asked":5,"reached":4,
             "unique":4,"cold":1,"initMs":7,"throttled":0,"errors":1,"cut":false,"note":null}]'),
           ('2026-11-02 14:05Z', 'running', null, '[]')"#,
    )
    .await;
    let answer = bed.send(&Request::get(FUNCTIONS)).await.expect(200).json();
    let warming = |name: &str| -> Value {
        let all = answer.as_array().unwrap();
        all.iter().find(|function| function["name"] == name).unwrap()["warming"].clone()
    };
    assert_eq!(warming("idle"), json!([]));
    assert_eq!(
        warming("orders"),
        json!([{"module": null, "qualifier": null, "concurrency": 1, "payload": "native", "status": "unproven", "reason": null, "lastRun": null}]),
        "{mode:?}"
    );
    assert_eq!(
        warming("billing"),
        json!([{"module": null, "qualifier": "live", "concurrency": 5, "payload": "native", "status": "suspended",
            "reason": "it answered something else",
            "lastRun": {"name": "billing", "qualifier": "live", "state": "short", "asked": 5, "reached": 4, "unique": 4, "cold": 1,
                "initMs": 7, "throttled": 0, "errors": 1, "cut": false, "note": null}}])
    );
}

#[tokio::test]
async fn a_function_that_a_module_wants_warm_names_the_module() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("reports"));
    bed.save(&office()).await;
    bed.arrange(
        r#"insert into platform_module_registry (module_name, display_name, is_enabled, functions) values
           ('module-reports', 'Reports', true, '[{"name": "reports", "concurrency": 4}]'),
           ('module-off', 'Off', false, '[{"name": "reports", "concurrency": 9}]')"#,
    )
    .await;
    let warming = async || bed.send(&Request::get(FUNCTIONS)).await.expect(200).json()[0]["warming"].clone();
    let entry = warming().await[0].clone();
    assert_eq!((&entry["module"], &entry["concurrency"]), (&json!("module-reports"), &json!(4)));
    bed.arrange("update platform_module_registry set is_enabled = false where module_name = 'module-reports'").await;
    assert_eq!(warming().await, json!([]));
}

/// Faults, row 24. Out of reach it is 503; `tests/binary.rs` shows that.
#[tokio::test]
async fn a_missing_permission_is_named_and_nobody_is_told_to_try_again() {
    let bed = Bed::new().await;
    bed.lambda.deny("lambda:ListFunctions");
    let answer = bed.send(&Request::get(FUNCTIONS)).await.expect(502);
    assert_eq!(answer.json()["code"], "refused_by_aws");
    assert!(answer.json()["detail"].as_str().unwrap().contains("lambda:ListFunctions"));
    assert_eq!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn an_unreadable_schedule_does_not_hide_the_functions() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.arrange("update platform_lambda_config set config_value = '7' where config_key = 'lambda_warming'").await;
    assert_eq!(bed.send(&Request::get(FUNCTIONS)).await.expect(200).json()[0]["warming"], json!([]));
}
