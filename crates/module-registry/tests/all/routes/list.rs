//! Lists and single reads.

use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::{Bed, MODULES, names, path, permitted, put};

#[tokio::test]
async fn admins_see_all_and_filter() {
    let bed = Bed::new().await;
    bed.enabled(&["on"]).await;
    bed.register("off", json!({})).await;
    for (query, expected) in [
        ("", vec!["module-access", "module-ai", "module-mgmt", "module-off", "module-on"]),
        ("?includeDisabled=true", vec!["module-access", "module-ai", "module-mgmt", "module-off", "module-on"]),
        ("?include_disabled=false&type=functional", vec!["module-on"]),
        ("?type=functional", vec!["module-off", "module-on"]),
        ("?enabled=false", vec!["module-off"]),
        ("?enabled=false&includeDisabled=false", vec![]),
        ("?type=core&enabled=true", vec!["module-access", "module-ai", "module-mgmt"]),
    ] {
        let modules = bed.admin(Request::get(&format!("{MODULES}{query}")), 200).await;
        assert_eq!(names(&modules), expected, "{query}");
    }
}

#[tokio::test]
async fn others_see_the_public_part_of_what_is_on_for_them() {
    let bed = Bed::new().await;
    let fields = json!({"isEnabled": true, "config": {"secret": "s"}, "functions": ["f"], "featureFlags": {"x": true}});
    bed.register("open", fields).await;
    bed.register("off", json!({})).await;
    bed.register("locked", json!({"isEnabled": true, "requiredPermissions": ["locked.use"]})).await;
    bed.enabled(&["gone"]).await;
    bed.admin(put("gone", &json!(1), &json!({"isInstalled": false})), 200).await;
    for (who, query) in [(Who::Member, ""), (Who::OrgAdmin, "?includeDisabled=true")] {
        let modules = bed.send(&Request::get(&format!("{MODULES}{query}")).by(who)).await.expect(200).json();
        assert_eq!(names(&modules), ["module-access", "module-ai", "module-mgmt", "module-open"]);
        let mut fields: Vec<&String> = modules[3].as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, ["description", "displayName", "featureFlags", "name", "navConfig", "version"]);
    }
    for name in ["off", "locked", "gone", "none"] {
        bed.send(&Request::get(&path(name, "")).by(Who::Member)).await.expect(404);
    }
    let member = Request::get(&format!("{MODULES}?type=functional")).with_claims(permitted(Who::Member, "locked.use"));
    assert_eq!(names(&bed.send(&member).await.json()), ["module-locked", "module-open"]);
    let none: Value = bed.send(&Request::get(&format!("{MODULES}?enabled=false")).by(Who::Member)).await.json();
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn what_did_not_change_is_304() {
    let bed = Bed::new().await;
    bed.enabled(&["thing"]).await;
    for target in [MODULES.to_owned(), path("thing", "")] {
        let tag = bed.send(&Request::get(&target)).await.header("etag").to_owned();
        let again = Request::get(&target).header("if-none-match", &format!("\"other\", {tag}"));
        let answer = bed.send(&again).await.expect(304);
        assert_eq!((answer.body.as_str(), answer.header("etag")), ("", tag.as_str()));
        bed.admin(put("thing", &json!("*"), &json!({})).header("if-match", "*"), 200).await;
        bed.send(&again).await.expect(200);
    }
}
