//! The functions of modules: warm while the module is on, and no longer.

use mgmt_testkit::lambda_api::{Answer, FakeFunction};
use serde_json::{Value, json};

use crate::bed::{Bed, always};

async fn bed(include_modules: Value) -> Bed {
    let bed = Bed::new().await;
    for name in ["orders", "reports", "render"] {
        bed.lambda.add(FakeFunction::new(name));
    }
    let mut schedule = always(&json!(["orders"]));
    schedule["include_modules"] = include_modules;
    bed.store(&schedule).await;
    let modules = r#"insert into platform_module_registry (module_name, display_name, is_enabled, functions, dependencies) values
        ('module-reports', 'Reports', true, '["reports", "orders"]', '{}'),
        ('module-render', 'Render', true, '[{"name": "render", "concurrency": 2}]', '{module-reports}')"#;
    bed.database.admin().await.batch_execute(modules).await.unwrap();
    bed
}

/// Names and pings asked of the functions of a tick.
async fn ticked(bed: &Bed) -> Vec<(String, u64)> {
    bed.forget_ticks().await;
    let answer = bed.tick().await;
    let functions = answer["report"]["functions"].as_array().unwrap_or_else(|| panic!("{answer}"));
    functions.iter().map(|part| (part["name"].as_str().unwrap().to_owned(), part["asked"].as_u64().unwrap())).collect()
}

fn all() -> Vec<(String, u64)> {
    [("orders", 1), ("render", 2), ("reports", 1)].map(|(name, asked)| (name.to_owned(), asked)).to_vec()
}

#[tokio::test]
async fn disabling_a_module_stops_its_pings_at_the_next_tick() {
    let bed = bed(json!(true)).await;
    assert_eq!(ticked(&bed).await, all());
    let change = async |statement: &str| bed.database.admin().await.batch_execute(statement).await.unwrap();
    change("update platform_module_registry set is_enabled = false where module_name in ('module-reports', 'module-render')").await;
    let before = bed.lambda.counters("render").invokes;
    assert_eq!(ticked(&bed).await, [("orders".to_owned(), 1)]);
    assert_eq!(bed.lambda.counters("render").invokes, before);
    change("update platform_module_registry set is_enabled = true where module_name in ('module-reports', 'module-render')").await;
    assert_eq!(ticked(&bed).await, all());
    // What is enabled without being installed is off, and so is what needs it.
    change("update platform_module_registry set is_enabled = false where module_name = 'module-render'").await;
    change("update platform_module_registry set is_installed = false where module_name = 'module-reports'").await;
    assert_eq!(ticked(&bed).await, [("orders".to_owned(), 1)]);
    bed.assert_no_violation();
}

/// What a first ping has shown outlives the time in which a module is off: its real handler runs once, not once per switch.
#[tokio::test]
async fn a_suspended_function_of_a_module_stays_suspended_when_the_module_comes_back() {
    let bed = bed(json!(true)).await;
    bed.lambda.add(FakeFunction::new("real").answering(Answer::Raw(json!({"statusCode": 200}))));
    let change = async |statement: &str| bed.database.admin().await.batch_execute(statement).await.unwrap();
    change(
        r#"insert into platform_module_registry (module_name, display_name, is_enabled, functions)
              values ('module-real', 'Real', true, '["real"]')"#,
    )
    .await;
    ticked(&bed).await;
    assert_eq!((bed.lambda.counters("real").invokes, &bed.row("real").await["status"]), (1, &json!("suspended")));
    change("update platform_module_registry set is_enabled = false where module_name = 'module-real'").await;
    ticked(&bed).await;
    change("update platform_module_registry set is_enabled = true where module_name = 'module-real'").await;
    ticked(&bed).await;
    assert_eq!(bed.lambda.counters("real").invokes, 1);
}

#[tokio::test]
async fn a_schedule_may_leave_modules_out() {
    assert_eq!(ticked(&bed(json!(false)).await).await, [("orders".to_owned(), 1)]);
}

/// One organisation's override is no reason to leave the others cold.
#[tokio::test]
async fn what_an_organisation_switches_off_stays_warm() {
    let bed = bed(json!(true)).await;
    let own =
        "insert into platform_module_override (org_id, module_name, is_enabled) values ('a', 'module-reports', false)";
    bed.database.admin().await.batch_execute(own).await.unwrap();
    assert_eq!(ticked(&bed).await, all());
}

#[tokio::test]
async fn functions_that_cannot_be_read_are_named_and_the_others_pinged() {
    let bed = bed(json!(true)).await;
    let broken = "update platform_module_registry set functions = '[7]' where module_name = 'module-reports'";
    bed.database.admin().await.batch_execute(broken).await.unwrap();
    bed.forget_ticks().await;
    let report = bed.tick().await["report"].clone();
    assert!(report["note"].as_str().unwrap().contains("module-reports"), "{report}");
    assert_eq!(report["reached"], 3);
}

/// The warmer has rights that those who write schedules have not: it is nobody's deputy, however an entry came into the database.
/// Faults, row 51.
#[tokio::test]
async fn a_function_of_our_own_or_of_another_account_is_never_pinged() {
    let bed = Bed::new().await;
    let foreign = "arn:aws:lambda:eu-central-1:999999999999:function:orders";
    for name in ["shop-test-module-usage", "orders"] {
        bed.lambda.add(FakeFunction::new(name));
    }
    let mut schedule = always(&json!(["orders", "shop-test-module-usage", foreign]));
    schedule["include_modules"] = json!(true);
    bed.store(&schedule).await;
    let modules = r#"insert into platform_module_registry (module_name, display_name, is_enabled, functions) values
        ('module-odd', 'Odd', true, '["shop-test-lambda-config-background", "arn:aws:lambda:eu-central-1:123456789012:function:lambda-warmer"]')"#;
    bed.database.admin().await.batch_execute(modules).await.unwrap();
    let answer = bed.tick().await;
    let functions = answer["report"]["functions"].as_array().unwrap();
    assert_eq!(functions.iter().map(|part| part["name"].as_str().unwrap()).collect::<Vec<_>>(), ["orders"]);
    let note = answer["report"]["note"].as_str().unwrap();
    for told in
        ["shop-test-module-usage is a function of module-mgmt itself", "999999999999", "lambda-warmer is a function"]
    {
        assert!(note.contains(told), "{note}");
    }
    assert_eq!(bed.lambda.counters("shop-test-module-usage").invokes, 0);
}
