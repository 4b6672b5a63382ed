//! The menu.

use mgmt_testkit::gateway::{Answer, Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, NAVIGATION, path, permitted};

/// Labels with those of their children, as `a(b c)`.
fn outline(items: &Value) -> String {
    let item = |item: &Value| {
        let children = outline(&item["children"]);
        let label = item["label"].as_str().unwrap();
        if children.is_empty() { label.to_owned() } else { format!("{label}({children})") }
    };
    items.as_array().unwrap().iter().map(item).collect::<Vec<_>>().join(" ")
}

async fn menu(bed: &Bed, claims: Option<Value>) -> String {
    outline(&bed.send(&Request::get(NAVIGATION).with_claims(claims)).await.expect(200).json())
}

#[tokio::test]
async fn the_menu_is_sorted_nested_and_the_callers_own() {
    let bed = Bed::new().await;
    let nav = |label: &str, order: i32| {
        json!({"isEnabled": true, "navConfig": {"route": format!("/{label}"), "label": label, "order": order,
        "children": [{"label": "z", "route": "/z", "order": 1}, {"label": "a", "route": "/a", "order": 1}, {"label": "secret", "route": "/s", "adminOnly": true}]}})
    };
    bed.register("late", nav("late", 50)).await;
    bed.register("b", nav("b", 15)).await;
    bed.register("a", nav("a", 15)).await;
    let mut locked = nav("locked", 1);
    locked["requiredPermissions"] = json!(["x", "y"]);
    bed.register("locked", locked).await;
    let mut off = nav("off", 1);
    off["isEnabled"] = json!(false);
    bed.register("off", off).await;

    let member = menu(&bed, Who::Member.claims()).await;
    assert_eq!(member, "Access(Members) a(a z) b(a z) AI late(a z)");
    let permitted_member = menu(&bed, permitted(Who::Member, "y x")).await;
    assert_eq!(permitted_member, format!("locked(a z) {member}"));
    let admin = menu(&bed, Who::PlatformAdmin.claims()).await;
    assert_eq!(
        admin,
        "locked(secret a z) Access(Members Organisations) a(secret a z) b(secret a z) AI(Providers) late(secret a z) \
         Platform(Modules Warming Usage)"
    );
}

#[tokio::test]
async fn the_menu_follows_the_registry_and_the_organisation_at_once() {
    let bed = Bed::new().await;
    bed.register("base", json!({"isEnabled": true, "navConfig": {"route": "/base", "label": "base"}})).await;
    let fields =
        json!({"isEnabled": true, "dependencies": ["module-base"], "navConfig": {"route": "/user", "label": "user"}});
    bed.register("user", fields).await;
    let member = || async { menu(&bed, Who::Member.claims()).await };
    assert_eq!(member().await, "base user Access(Members) AI");
    let own = "/platform/orgs/org-a/modules/module-base";
    bed.send(&Request::put(own, &json!({"isEnabled": false})).by(Who::OrgAdmin)).await.expect(201);
    assert_eq!(member().await, "Access(Members) AI", "what needs it goes too");
    bed.send(&Request::new("DELETE", own).by(Who::OrgAdmin)).await.expect(204);
    assert_eq!(member().await, "base user Access(Members) AI");
    bed.admin(Request::post(&path("user", "/disable")), 200).await;
    assert_eq!(member().await, "base Access(Members) AI");
}

/// What was edited past the API takes no other entry away, and the API can mend it.
#[tokio::test]
async fn an_entry_that_cannot_be_read_is_left_out_of_the_menu() {
    let bed = Bed::new().await;
    bed.enabled(&["odd"]).await;
    bed.arrange(r#"update platform_module_registry set nav_config = '{"lable": 7}' where module_name = 'module-odd'"#)
        .await;
    assert_eq!(menu(&bed, Who::Member.claims()).await, "Access(Members) AI");
    let odd = bed.admin(Request::get(&path("odd", "")), 200).await;
    assert_eq!(odd["navConfig"], json!({"lable": 7}));
    let put = |body: Value| Request::put(&path("odd", ""), &body).header("if-match", "*");
    bed.send(&put(json!({"tier": 2}))).await.expect(422);
    bed.admin(put(json!({"navConfig": {"label": "Mended", "route": "/m", "order": 1}})), 200).await;
    assert_eq!(menu(&bed, Who::Member.claims()).await, "Mended Access(Members) AI");
}

#[tokio::test]
async fn an_unchanged_menu_is_304_and_a_changed_one_is_not() {
    let bed = Bed::new().await;
    let ask = async |tag: &str| -> Answer {
        bed.send(&Request::get(NAVIGATION).by(Who::Member).header("if-none-match", tag)).await
    };
    let first = ask("\"x\"").await.expect(200);
    ask(first.header("etag")).await.expect(304);
    // A change that the caller cannot see is none.
    bed.register("hidden", json!({"navConfig": {"route": "/h", "label": "h"}})).await;
    ask(first.header("etag")).await.expect(304);
    bed.admin(Request::post(&path("hidden", "/enable")), 200).await;
    ask(first.header("etag")).await.expect(200);
}
