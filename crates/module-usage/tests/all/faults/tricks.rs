//! Faults, rows 15 and 16: hostile text, and what a request leaves to the next one on the same connection.

use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::{Request, Who};
use serde_json::json;

use crate::bed::{BATCH, Bed, STATS};
use crate::values::{event, with};

const HOSTILE: [&str; 9] = [
    "'; reset role; --",
    "'); select set_config('role', 'postgres', false); --",
    "$1",
    "$$; drop table public.platform_module_usage; $$",
    "\\'; set role postgres; --",
    "\" or 1=1 --",
    "{a,b}",
    "NULL",
    "\u{1f}",
];

direct_and_through_pgbouncer!(hostile_text_in_every_field_is_text_and_the_role_stays);
/// Faults, row 15.
async fn hostile_text_in_every_field_is_text_and_the_role_stays(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.arrange(
        "create table public.canary (who text); grant insert on public.canary to public;
         create function public.sing() returns trigger language plpgsql as
           $$ begin insert into public.canary values (concat_ws(' ', current_user, current_setting('role'))); return null; end $$;
         create trigger canary after insert on public.platform_module_usage_daily for each row execute function public.sing()",
    )
    .await;
    for (text, number) in HOSTILE.into_iter().zip(0..) {
        let mut claims = Who::OrgAdmin.claims().unwrap();
        // Control characters are no part of ids.
        claims["sub"] = json!(text.replace('\u{1f}', "x"));
        claims["org_id"] = json!(text.replace('\u{1f}', "x"));
        let mut event = with(event(number), "metadata", json!({text: [text]}));
        for field in ["eventAction", "endpoint", "errorCode", "errorMessage"] {
            event[field] = json!(text);
        }
        event["httpMethod"] = json!(text.chars().take(20).collect::<String>());
        let batch = json!({"events": [event, {"eventType": text, "moduleName": text, "status": text, "id": text, "occurredAt": text}]});
        let post = Request::post(BATCH).json(&batch).with_claims(Some(claims.clone()));
        let answer = bed.send(&post).await.expect(200).json();
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(1), &json!(1)), "{text}: {answer}");
        let stats = bed.send(&Request::get(STATS).with_claims(Some(claims.clone()))).await.expect(200).json();
        assert_eq!(stats["summary"]["total"], 1, "{text}");
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for query in ["orgId", "eventType", "source", "startDate"] {
            let get = Request::get(&format!("{STATS}?{query}={encoded}")).with_claims(Some(claims.clone()));
            let status = bed.send(&get).await.status;
            assert!([200, 404, 422].contains(&status), "{query}={text}: {status}");
        }
    }
    let who = bed.look("select string_agg(distinct who, ',') from public.canary").await;
    assert_eq!(who, "module_mgmt_definer module_mgmt_request");
    assert_eq!(bed.look("select count(distinct error_message)::text from platform_module_usage").await, "9");
}

direct_and_through_pgbouncer!(a_failed_request_leaves_no_caller_behind);
/// Faults, row 16.
async fn a_failed_request_leaves_no_caller_behind(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    bed.arrange(
        "create function public.stop() returns trigger language plpgsql as
        $$ begin raise exception 'stop' using errcode = '53100'; end $$;
        create trigger stop before insert on platform_module_usage_daily for each row execute function public.stop()",
    )
    .await;
    let post = Request::post(BATCH).json(&json!({"events": [event(1)]}));
    bed.send(&post.clone().by(Who::PlatformAdmin)).await.expect(503);
    bed.send(&Request::get(STATS).by(Who::Member)).await.expect(403);
    bed.arrange("drop trigger stop on platform_module_usage_daily").await;
    let stats = bed.send(&Request::get(STATS).by(Who::OtherOrgAdmin)).await.expect(200).json();
    assert_eq!(stats["orgId"], "org-b");
    assert_eq!(bed.counted().await, (0, 0, 0));
}
