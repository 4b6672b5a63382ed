//! What organisations override.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, names, path};

const OWN: &str = "/platform/orgs/org-a/modules";

fn own(name: &str) -> String {
    format!("{OWN}/module-{name}")
}

#[tokio::test]
async fn an_override_takes_away_and_never_gives() {
    let bed = Bed::new().await;
    bed.enabled(&["base", "user>base"]).await;
    bed.register("off", json!({})).await;
    let admin = |request: Request| request.by(Who::OrgAdmin);
    let answer = bed.send(&admin(Request::put(&own("base"), &json!({"isEnabled": false})))).await.expect(201);
    let module = answer.json();
    assert_eq!((&module["enabled"], &module["reason"]), (&json!(false), &json!("org_off")));
    assert_eq!(answer.header("etag"), format!("\"{}\"", module["override"]["rowVersion"]));
    let list = bed.send(&admin(Request::get(OWN))).await.expect(200).json();
    assert_eq!(names(&list), ["module-access", "module-ai", "module-base", "module-mgmt", "module-user"]);
    assert_eq!(list[4]["reason"], "dependency_off");
    // Off for the platform stays off, whoever says otherwise.
    bed.send(&admin(Request::put(&own("off"), &json!({"isEnabled": true})))).await.expect(404);
    let module = bed.admin(Request::put(&own("off"), &json!({"isEnabled": true})), 201).await;
    assert_eq!((&module["enabled"], &module["reason"]), (&json!(false), &json!("platform_off")));
    bed.send(&admin(Request::new("DELETE", &own("base")))).await.expect(204);
    bed.send(&admin(Request::new("DELETE", &own("base")))).await.expect(404);
    assert_eq!(bed.send(&admin(Request::get(&own("user")))).await.expect(200).json()["enabled"], json!(true));
}

#[tokio::test]
async fn a_config_is_merged_over_the_platforms_and_must_stay_valid() {
    let bed = Bed::new().await;
    let schema = json!({"properties": {"limit": {"type": "integer", "maximum": 100}}, "required": ["limit"]});
    bed.register(
        "thing",
        json!({"isEnabled": true, "config": {"limit": 10, "deep": {"a": 1, "b": 2}}, "configSchema": schema}),
    )
    .await;
    let put = |config: Value| Request::put(&own("thing"), &json!({ "config": config })).by(Who::OrgAdmin);
    let module = bed.send(&put(json!({"limit": 50, "deep": {"b": null, "c_d": 3}}))).await.expect(201).json();
    assert_eq!(module["config"], json!({"limit": 50, "deep": {"a": 1, "c_d": 3}}));
    assert_eq!(module["override"]["config"], json!({"limit": 50, "deep": {"b": null, "c_d": 3}}));
    for (config, pointer) in
        [(json!({"limit": 101}), "/config/limit"), (json!({"limit": null}), "/config"), (json!([1]), "/config")]
    {
        assert_eq!(bed.send(&put(config)).await.expect(422).pointers(), [pointer]);
    }
    // What is absent stays, and null is nothing of one's own.
    let module = bed
        .send(&Request::put(&own("thing"), &json!({"is_enabled": false})).by(Who::OrgAdmin))
        .await
        .expect(200)
        .json();
    assert_eq!((&module["config"]["limit"], &module["override"]["isEnabled"]), (&json!(50), &json!(false)));
    // A stricter schema of the platform keeps the override, tells it, and does not apply it.
    let stricter = json!({"configSchema": {"properties": {"limit": {"maximum": 20}}}});
    let platform = Request::put(&path("thing", ""), &stricter).header("if-match", "*");
    let unfit = bed.send(&platform).await.expect(200).json()["unfitOverrides"].clone();
    assert_eq!((&unfit["count"], &unfit["isComplete"]), (&json!(1), &json!(true)));
    let first = &unfit["first"][0];
    assert_eq!((&first["orgId"], &first["pointer"]), (&json!("org-a"), &json!("/config/limit")));
    let module = bed.send(&Request::get(&own("thing")).by(Who::OrgAdmin)).await.expect(200).json();
    let own_part = &module["override"];
    assert_eq!(
        (&module["config"]["limit"], &own_part["config"]["limit"], &own_part["fits"], &own_part["misfit"]["pointer"]),
        (&json!(10), &json!(50), &json!(false), &json!("/config/limit"))
    );
    // What does not fit may be left so, and is mended by a PUT.
    bed.send(&Request::put(&own("thing"), &json!({"isEnabled": false})).by(Who::OrgAdmin)).await.expect(200);
    let module = bed.send(&put(json!({"limit": 20}))).await.expect(200).json();
    assert_eq!((&module["config"]["limit"], &module["override"]["fits"]), (&json!(20), &json!(true)));
    let module = bed.send(&put(Value::Null)).await.expect(200).json();
    assert_eq!((&module["config"]["limit"], &module["override"]["isEnabled"]), (&json!(10), &json!(false)));
}

/// Faults, row 8.
#[tokio::test]
async fn a_stale_override_is_412_and_says_what_changed() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let put = |body: Value| Request::put(&own("thing"), &body).by(Who::OrgAdmin);
    let off = json!({"isEnabled": false});
    let nothing_there = bed.send(&put(off.clone()).header("if-match", "*")).await.expect(412);
    assert_eq!((nothing_there.header("etag"), &nothing_there.json()["currentEtag"]), ("", &Value::Null));
    let first = bed.send(&put(off.clone())).await.expect(201).header("etag").to_owned();
    let second = bed.send(&put(json!({"config": {"x": 1}})).header("if-match", &first)).await.expect(200);
    let stale = bed.send(&put(off).header("if-match", &first)).await.expect(412);
    assert_eq!((stale.header("etag"), &stale.json()["changed"]), (second.header("etag"), &json!(["/config"])));
    let delete = Request::new("DELETE", &own("thing")).by(Who::OrgAdmin);
    bed.send(&delete.clone().header("if-match", &first)).await.expect(412);
    // What is made anew is another one: a tag of the old one does not fit it.
    bed.send(&delete.clone()).await.expect(204);
    let anew = bed.send(&put(json!({}))).await.expect(201).header("etag").to_owned();
    assert!(anew != first && anew != second.header("etag"), "{anew}");
    bed.send(&delete.header("if-match", second.header("etag"))).await.expect(412);
}

#[tokio::test]
async fn a_core_module_takes_force_here_too() {
    let bed = Bed::new().await;
    let put =
        |query: &str| Request::put(&format!("{}{query}", own("ai")), &json!({"isEnabled": false})).by(Who::OrgAdmin);
    assert_eq!(bed.send(&put("")).await.expect(409).code(), "core_module");
    bed.send(&put("?force=true")).await.expect(201);
}

#[tokio::test]
async fn a_platform_admin_helps_any_organisation() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    bed.admin(Request::put("/platform/orgs/elsewhere/modules/module-thing", &json!({"isEnabled": false})), 201).await;
    let module = bed.admin(Request::get("/platform/orgs/elsewhere/modules/module-thing"), 200).await;
    assert_eq!(module["reason"], "org_off");
    let impact = bed.admin(Request::post(&path("thing", "/disable?dryRun=true")), 200).await;
    assert_eq!(impact["impact"]["orgOverrides"], 1);
}

/// Whichever comes first, no override outlives its module: the next one of that name must not inherit it.
#[tokio::test]
async fn an_override_that_meets_the_deletion_of_its_module_goes_with_it() {
    let bed = Bed::new().await;
    for round in 0..10 {
        let name = format!("r{round}");
        bed.register(&name, json!({"isEnabled": true})).await;
        let (delete, put) = (
            Request::new("DELETE", &path(&name, "")),
            Request::put(&own(&name), &json!({"isEnabled": false})).by(Who::OrgAdmin),
        );
        let (delete, put) = tokio::join!(bed.send(&delete), bed.send(&put));
        assert!(delete.status == 204 && matches!(put.status, 201 | 404), "{delete:?} {put:?}");
    }
    assert_eq!(bed.look("select count(*)::text from platform_module_override").await, "0");
}

/// The others go on, and so does the platform.
/// Faults, row 44.
#[tokio::test]
async fn a_flood_of_overrides_is_braked_for_its_organisation_alone() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    let put = |n: usize, who: Who, org: &str| {
        Request::put(&format!("/platform/orgs/{org}/modules/module-thing"), &json!({"config": {"n": n}})).by(who)
    };
    let mut refused = None;
    // A minute may begin meanwhile.
    for n in 0..130 {
        let answer = bed.send(&put(n, Who::OrgAdmin, "org-a")).await;
        if answer.status == 429 {
            refused = Some((n, answer));
            break;
        }
    }
    let (accepted, answer) = refused.expect("nothing was braked");
    assert!(accepted >= 60, "{accepted}");
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds) && answer.code() == "too_many_requests", "{answer:?}");
    bed.send(&Request::new("DELETE", &own("thing")).by(Who::OrgAdmin)).await.expect(429);
    bed.send(&put(0, Who::OtherOrgAdmin, "org-b")).await.expect(201);
    bed.admin(Request::put(&own("thing"), &json!({"isEnabled": false})), 200).await;
    bed.arrange("update platform_module_rate set minute = minute - interval '1 minute'").await;
    bed.send(&put(1, Who::OrgAdmin, "org-a")).await.expect(200);
}
