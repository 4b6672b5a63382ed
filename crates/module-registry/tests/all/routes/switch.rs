//! Enabling and disabling.

use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::{Bed, path};

fn enable(name: &str, query: &str) -> Request {
    Request::post(&path(name, &format!("/enable{query}")))
}

fn disable(name: &str, query: &str) -> Request {
    Request::post(&path(name, &format!("/disable{query}")))
}

#[tokio::test]
async fn enabling_takes_what_is_needed_first_or_cascades_in_order() {
    let bed = Bed::new().await;
    bed.register("a", json!({})).await;
    bed.register("b", json!({"dependencies": ["module-a"]})).await;
    bed.register("c", json!({"dependencies": ["module-b", "module-a"]})).await;
    let refused = bed.send(&enable("c", "")).await.expect(409);
    assert_eq!(refused.code(), "dependency_disabled");
    assert_eq!(refused.json()["modules"], json!(["module-a", "module-b"]));
    assert_eq!(bed.on().await, Vec::<String>::new());
    let answer = bed.admin(enable("c", "?cascade=true"), 200).await;
    assert_eq!(answer["impact"]["changes"], json!(["module-a", "module-b", "module-c"]));
    assert_eq!((&answer["module"]["isEnabled"], &answer["module"]["disabledAt"]), (&json!(true), &Value::Null));
    assert_eq!(bed.on().await.len(), 3);
    let again = bed.admin(enable("c", "?cascade=true"), 200).await;
    assert_eq!((&again["impact"]["changes"], &again["module"]), (&json!([]), &answer["module"]));
    bed.send(&enable("none", "")).await.expect(404);
}

#[tokio::test]
async fn disabling_names_who_needs_it_or_cascades() {
    let bed = Bed::new().await;
    bed.enabled(&["a", "b>a", "c>b", "alone"]).await;
    let refused = bed.send(&disable("a", "")).await.expect(409);
    assert_eq!(
        (refused.code(), &refused.json()["dependents"]),
        ("has_dependents".to_owned(), &json!(["module-c", "module-b"]))
    );
    let answer = bed.admin(disable("a", "?cascade=true"), 200).await;
    assert_eq!(answer["impact"]["changes"], json!(["module-c", "module-b", "module-a"]));
    assert_eq!(bed.on().await, ["module-alone"]);
    assert!(answer["module"]["disabledAt"].is_string());
}

#[tokio::test]
async fn core_modules_take_force() {
    let bed = Bed::new().await;
    let refused = bed.send(&disable("mgmt", "")).await.expect(409);
    assert_eq!(refused.code(), "core_module");
    // Both reasons are told.
    let refused = bed.send(&disable("access", "")).await.expect(409).json();
    let codes: Vec<&str> =
        refused["refusals"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["has_dependents", "core_module"]);
    bed.admin(disable("access", "?cascade=true&force=true"), 200).await;
    bed.enabled(&["functional"]).await;
    bed.admin(disable("functional", ""), 200).await;
}

#[tokio::test]
async fn versions_and_installation_decide_too() {
    let bed = Bed::new().await;
    bed.register("ai2", json!({"version": "1.1.0", "isEnabled": true})).await;
    bed.register("user", json!({"dependencies": ["module-ai2@>=1.2"]})).await;
    let refused = bed.send(&enable("user", "?cascade=true")).await.expect(409);
    assert_eq!((refused.code(), &refused.json()["modules"]), ("dependency_unmet".to_owned(), &json!(["module-ai2"])));
    let update = |fields: Value| Request::put(&path("ai2", ""), &fields).header("if-match", "*");
    bed.admin(update(json!({"version": "1.2.0"})), 200).await;
    bed.admin(enable("user", ""), 200).await;
    // From now on the dependency may not leave what its dependent needs.
    for fields in [
        json!({"version": "1.1.9"}),
        json!({"isInstalled": false}),
        json!({"version": "1.4.0", "minCompatibleVersion": "1.3.0"}),
    ] {
        let refused = bed.send(&update(fields.clone())).await.expect(409);
        assert_eq!(
            (refused.code(), &refused.json()["modules"]),
            ("breaks_dependents".to_owned(), &json!(["module-user"])),
            "{fields}"
        );
    }
    bed.admin(disable("user", ""), 200).await;
    bed.admin(update(json!({"isInstalled": false})), 200).await;
    assert_eq!(bed.send(&enable("user", "?cascade=true")).await.expect(409).code(), "dependency_unmet");
    let refused = bed.send(&update(json!({"version": "1.4.0", "minCompatibleVersion": "1.3.0"}))).await.expect(409);
    assert_eq!(
        refused.code(),
        "breaks_dependents",
        "a requirement below the minimum is refused whether it is enabled or not"
    );
    bed.admin(disable("ai2", ""), 200).await;
    assert_eq!(bed.send(&enable("ai2", "")).await.expect(409).code(), "not_installed");
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing_and_its_hash_holds_the_call_to_it() {
    let bed = Bed::new().await;
    bed.register("a", json!({"isEnabled": true, "functions": ["shared", "only-a"]})).await;
    bed.register("b", json!({"isEnabled": true, "dependencies": ["module-a"], "functions": [{"name": "only-b", "qualifier": "live"}]})).await;
    bed.register("c", json!({"isEnabled": true, "functions": ["shared"]})).await;
    let impact = async |request: Request| bed.admin(request, 200).await["impact"].clone();
    let plain = impact(disable("a", "?dryRun=true")).await;
    assert_eq!((&plain["refusals"][0]["code"], &plain["changes"]), (&json!("has_dependents"), &json!([])));
    let dry = impact(disable("a", "?cascade=true&dryRun=true")).await;
    assert_eq!(dry["functions"], json!(["only-a", "only-b:live"]));
    assert_eq!(bed.on().await.len(), 3);

    // Somebody adds a dependent: the plan is no longer the one that was seen.
    bed.register("d", json!({"isEnabled": true, "dependencies": ["module-b"]})).await;
    let body = json!({"planHash": dry["planHash"]});
    let changed = bed.send(&disable("a", "?cascade=true").json(&body)).await.expect(409);
    assert_eq!(changed.code(), "plan_changed");
    let new = &changed.json()["impact"];
    assert_eq!(new["dependents"], json!(["module-d", "module-b"]));
    let done = bed.admin(disable("a", "?cascade=true").json(&json!({"plan_hash": new["planHash"]})), 200).await;
    assert_eq!(done["impact"], *new, "the same impact that the dry run told");
    assert_eq!(bed.on().await, ["module-c"]);
    let dry = impact(enable("d", "?cascade=true&dryRun=true")).await;
    assert_eq!(dry["functions"], json!(["only-a", "only-b:live"]));
    let done = impact(enable("d", "?cascade=true").json(&json!({"planHash": dry["planHash"]}))).await;
    assert_eq!(done, dry);
}

#[tokio::test]
async fn what_the_schedule_itself_warms_goes_on() {
    let bed = Bed::new().await;
    bed.register("a", json!({"isEnabled": true, "functions": ["own", "other"]})).await;
    let functions = async || bed.admin(disable("a", "?dryRun=true"), 200).await["impact"]["functions"].clone();
    assert_eq!(functions().await, json!(["other", "own"]));
    bed.arrange("update platform_lambda_config set config_value = config_value || '{\"lambda_functions\": [\"own\"]}'")
        .await;
    assert_eq!(functions().await, json!(["other"]));
    bed.arrange("update platform_lambda_config set config_value = config_value || '{\"include_modules\": false}'")
        .await;
    assert_eq!(functions().await, json!([]));
    // A schedule may be spelt in camelCase as well.
    let rename = "update platform_lambda_config set config_value =
        config_value - 'lambda_functions' - 'include_modules' || '{\"lambdaFunctions\": [\"other\"], \"includeModules\": true}'";
    bed.arrange(rename).await;
    assert_eq!(functions().await, json!(["own"]));
}

/// Who would miss it: organisations and users of all modules that the impact is about, each once, of the last 30 UTC days.
#[tokio::test]
async fn the_impact_names_who_was_active_in_the_last_30_days() {
    let bed = Bed::new().await;
    bed.enabled(&["a", "b>a", "alone"]).await;
    let active = async |name: &str| {
        let impact = bed.admin(disable(name, "?cascade=true&dryRun=true"), 200).await["impact"].clone();
        let number = |field: &str| impact[field].as_i64().unwrap();
        ((number("activeOrgs"), number("activeUsers")), impact["planHash"].clone())
    };
    let (before, hash) = active("a").await;
    assert_eq!(before, (0, 0));
    for (org, user, module, days_ago) in [
        ("org-1", "u1", "module-a", 0),
        ("org-1", "u1", "module-b", 1),
        ("org-1", "u2", "module-b", 29),
        ("org-2", "u3", "module-a", 3),
        ("org-3", "u4", "module-a", 30),
        ("org-4", "u5", "module-alone", 0),
    ] {
        bed.arrange(&format!(
            "with day as (select (now() at time zone 'UTC')::date - {days_ago} as date), daily as (
               insert into platform_module_usage_daily (org_id, usage_date, module_name, event_type, source, total, successes,
                 failures, partials, unique_users, duration_count, duration_sum, scope)
               select '{org}', date, '{module}', 'api_call', 'http', 1, 1, 0, 0, 1, 0, 0,
                 module_mgmt.usage_scope('{org}', date, '{module}', 'api_call', 'http') from day returning scope)
             insert into platform_module_usage_user (scope, user_id, org_id) select scope, '{user}', '{org}' from daily"
        ))
        .await;
    }
    // What people do meanwhile does not make the plan another one.
    assert_eq!(active("a").await, ((2, 3), hash.clone()));
    assert_eq!(active("b").await.0, (1, 2));
    assert_eq!(active("alone").await.0, (1, 1));
    let done = bed.admin(disable("a", "?cascade=true").json(&json!({"planHash": hash})), 200).await;
    assert_eq!((&done["impact"]["activeOrgs"], &done["impact"]["activeUsers"]), (&json!(2), &json!(3)));
    let enabled = bed.admin(enable("a", "?dryRun=true"), 200).await;
    assert_eq!(enabled["impact"].get("activeOrgs"), None, "nobody misses a module that goes on");
}

/// Counting users takes long where there are many: nothing is locked meanwhile, and it forbids nothing.
#[tokio::test(flavor = "multi_thread")]
async fn figures_that_take_too_long_are_left_out_and_nobody_waits_for_them() {
    let bed = std::sync::Arc::new(Bed::new().await);
    bed.enabled(&["a"]).await;
    let slow = bed.database.admin().await;
    slow.batch_execute("begin; lock table platform_module_usage_user").await.unwrap();
    let disabling = tokio::spawn({
        let bed = std::sync::Arc::clone(&bed);
        async move { bed.admin(disable("a", ""), 200).await }
    });
    // While it waits for the users, it must not hold the registry's lock.
    let admin = bed.database.admin().await;
    let locks = "select count(*) filter (where not granted and relation = 'platform_module_usage_user'::regclass),
          count(*) filter (where granted and relation = 'platform_module_version'::regclass)
        from pg_locks where database = (select oid from pg_database where datname = current_database())";
    loop {
        let row = admin.query_one(locks, &[]).await.unwrap();
        let (waiting, held) = (row.get::<_, i64>(0), row.get::<_, i64>(1));
        assert_eq!(held, 0);
        if waiting > 0 {
            break;
        }
        assert!(!disabling.is_finished(), "it did not ask");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let impact = disabling.await.unwrap()["impact"].clone();
    assert_eq!((&impact["activityUnknown"], impact.get("activeUsers")), (&json!(true), None));
    assert_eq!(impact["changes"], json!(["module-a"]));
}
