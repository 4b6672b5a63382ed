use mgmt_testkit::eventbridge::Rule;
use mgmt_testkit::gateway::Request;
use mgmt_testkit::lambda_api::FakeFunction;
use serde_json::json;

use crate::bed::{Bed, WARMING};
use crate::values::{body, office};

const PREVIEW: &str = "/platform/lambda-config/lambda_warming/preview";

#[tokio::test]
async fn a_preview_shows_rules_pings_costs_and_room_and_stores_nothing() {
    let bed = Bed::new().await;
    bed.lambda.add(FakeFunction::new("orders").described("Orders", 512));
    bed.bus.edit(|bus| {
        for number in 0..120 {
            bus.insert(format!("stranger-{number:03}"), Rule::scheduled("rate(1 hour)"));
        }
    });
    let answer = bed.send(&Request::post(PREVIEW).json(&body(&office()))).await.expect(200).json();
    assert!(!answer["rules"].as_array().unwrap().is_empty());
    assert_eq!(answer["nextPings"].as_array().unwrap().len(), 20);
    assert!(
        answer["nextPings"][0]["local"].as_str().unwrap().ends_with(":00-05:00")
            || answer["nextPings"][0]["local"].as_str().unwrap().ends_with(":00-04:00"),
        "{answer}"
    );
    assert!(answer["pingsPerMonth"].as_u64().unwrap() > 1000);
    assert_eq!(answer["rulesLeftOnBus"], 180);
    for field in ["ticks", "cost", "warnings"] {
        assert!(!answer[field].is_null(), "{field}: {answer}");
    }
    assert_eq!(bed.bus.writes(), 0);
    assert_eq!(bed.send(&Request::get(WARMING)).await.json()["rowVersion"], 1);
}

#[tokio::test]
async fn the_functions_of_modules_that_are_on_count() {
    let bed = Bed::new().await;
    bed.arrange(
        r#"insert into platform_module_registry (module_name, display_name, is_enabled, functions)
           values ('module-reports', 'Reports', true, '[{"name": "reports", "concurrency": 14}]')"#,
    )
    .await;
    let mut value = office();
    let mut pings = async |include: bool| -> u64 {
        value["include_modules"] = json!(include);
        let answer = bed.send(&Request::post(PREVIEW).json(&body(&value))).await.expect(200).json();
        answer["pingsPerMonth"].as_u64().unwrap()
    };
    // The schedule's own functions are six copies.
    assert_eq!(pings(true).await * 6, pings(false).await * 20);
}

#[tokio::test]
async fn a_preview_reads_what_a_save_reads() {
    let bed = Bed::new().await;
    let old = json!({ "config_value": office() });
    bed.send(&Request::post(PREVIEW).json(&old)).await.expect(200);
    let wrong = bed.send(&Request::post(PREVIEW).json(&body(&json!({"enabled": 1, "extra": 2})))).await.expect(422);
    assert!(wrong.pointers().contains(&"/configValue/enabled".to_owned()), "{wrong:?}");
    bed.send(&Request::post("/platform/lambda-config/theme/preview").json(&body(&office()))).await.expect(404);
}

/// Faults, row 24: one denied action does not take the rest away.
#[tokio::test]
async fn a_preview_without_aws_lacks_only_what_aws_knows() {
    let bed = Bed::new().await;
    bed.lambda.deny("lambda:ListFunctions");
    bed.bus.fail_always("ListRules", mgmt_testkit::eventbridge::Fault::AccessDenied);
    let answer = bed.send(&Request::post(PREVIEW).json(&body(&office()))).await.expect(200).json();
    assert_eq!(answer["rulesLeftOnBus"], serde_json::Value::Null);
    assert_eq!(answer["nextPings"].as_array().unwrap().len(), 20);
}
