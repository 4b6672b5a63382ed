//! Faults, rows 15 and 16: hostile text, and what a request leaves to the next one on the same connection.

use mgmt_testkit::database::{ConnectionMode, REQUEST_LOGIN, TestDatabase};
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::flaky_proxy::FlakyProxy;
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};

use crate::bed::Bed;

const HOSTILE: [&str; 9] = [
    "'; reset role; --",
    "'); select set_config('role', 'postgres', false); --",
    "$1",
    "$$; drop table public.platform_lambda_config; $$",
    "\\'; set role postgres; --",
    "\" or 1=1 --",
    "{a,b}",
    "NULL",
    "%00%27",
];

/// Writes down as whom every row is written.
const CANARY: &str = "
    create table public.canary (who text);
    grant insert on public.canary to public;
    create function public.sing() returns trigger language plpgsql as
      $$ begin insert into public.canary values (current_user); return null; end $$;
    create trigger canary after insert or update on public.platform_lambda_config
      for each row execute function public.sing()";

/// Every table of ours with its owner.
const OWNERS: &str = "select string_agg(tablename || ' ' || tableowner, ',' order by tablename) from pg_tables
    where tablename like 'platform%'";

async fn canary(bed: &Bed) -> String {
    bed.look("select string_agg(distinct who, ',') from public.canary").await
}

direct_and_through_pgbouncer!(hostile_text_in_every_field_is_text_and_the_role_stays);
/// Faults, row 15.
async fn hostile_text_in_every_field_is_text_and_the_role_stays(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.arrange(CANARY).await;
    let owners = bed.look(OWNERS).await;
    for text in HOSTILE {
        let mut claims = Who::PlatformAdmin.claims().unwrap();
        claims["sub"] = json!(text);
        claims["org_id"] = json!(text);
        let value = json!({text: [text, {"nested": text}]});
        let fields = json!({"configValue": value, "description": text});
        let key: String = text.chars().filter(|c| !"/\\?#%".contains(*c)).collect();
        let path = format!("/platform/lambda-config/{}", key.trim());
        let put = Request::put(&path, &fields).with_claims(Some(claims.clone())).header("if-match", "*");
        bed.send(&put.clone()).await.expect(412);
        let put = Request::put(&path, &fields).with_claims(Some(claims.clone()));
        let stored = bed.send(&put).await;
        assert!([200, 201].contains(&stored.status), "{text}: {stored:?}");
        let got = bed.send(&Request::get(&path).with_claims(Some(claims))).await.expect(200).json();
        assert_eq!(
            (&got["configValue"], &got["description"], &got["configKey"]),
            (&value, &json!(text), &json!(key.trim()))
        );
        for query in [format!("before={text}"), format!("limit={text}")] {
            let runs =
                Request::get("/platform/lambda-warming/runs").edit(|event| event["rawQueryString"] = json!(query));
            bed.send(&runs).await.expect(400);
        }
        let tag = Request::get(&path).header("if-none-match", text);
        bed.send(&tag).await.expect(200);
    }
    assert_eq!(bed.look(OWNERS).await, owners);
    assert_eq!(canary(&bed).await, "module_mgmt_request");
    // A member on the same connections still sees what a member sees.
    bed.send(&Request::get("/platform/lambda-config").by(Who::Member)).await.expect(403);
}

direct_and_through_pgbouncer!(a_failed_or_dropped_request_leaves_neither_claims_nor_rows);
/// The database checks again what the handler has checked: with the admin's claims gone, the same pool shows no rows. A request
/// that failed, or was dropped in the middle, must not leave them behind.
/// Faults, row 16.
async fn a_failed_or_dropped_request_leaves_neither_claims_nor_rows(mode: ConnectionMode) {
    let database = TestDatabase::create().await;
    let (requests, worker) = database.urls(mode);
    let proxy = FlakyProxy::to(&requests).await;
    let bed = Bed::with_urls(database, (proxy.url(&requests), worker)).await;
    let lock = bed.database.admin().await;
    lock.batch_execute("begin; lock table platform_lambda_config").await.unwrap();
    let put = Request::put("/platform/lambda-config/a", &json!({"configValue": 1}));
    let dropped = tokio::time::timeout(std::time::Duration::from_millis(300), bed.send(&put)).await;
    assert!(dropped.is_err(), "the lock did not hold it");
    // Two seconds later the lock timeout ends another one: Faults, row 19.
    let refused = bed.send(&put).await.expect(503);
    assert_eq!(refused.json()["dependency"], "database");
    lock.batch_execute("rollback").await.unwrap();

    // On the connection of the refused request, before anybody else uses it.
    let left = "select current_user::text || coalesce(current_setting('request.jwt.claims', true), '')";
    assert_eq!(proxy.ask(left).await, REQUEST_LOGIN);

    let list: Value = bed.send(&Request::get("/platform/lambda-config")).await.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "the dropped and the refused request stored nothing: {list}");
    bed.send(&put).await.expect(201);
    assert_eq!(proxy.ask(left).await, REQUEST_LOGIN);
}
