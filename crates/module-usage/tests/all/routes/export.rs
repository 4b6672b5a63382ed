//! GET of exports, whole and in pages.

use mgmt_testkit::gateway::{Answer, Request, Who};
use serde_json::{Value, json};

use super::stats::bed;
use crate::bed::{BATCH, Bed, STATS};
use crate::values::{event, message};

/// A platform admin's question.
fn get(target: &str) -> Request {
    Request::get(target).header("accept", "text/csv")
}

/// The path and query of the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    (!link.is_empty()).then(|| link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned())
}

/// Follows the links; the lines of each page without its header.
async fn pages(bed: &Bed, first: Request) -> Vec<Vec<String>> {
    let who = first.clone();
    let (mut pages, mut request) = (Vec::new(), first);
    loop {
        let answer = bed.send(&request).await.expect(200);
        let (header, lines) = answer.body.split_once("\r\n").unwrap();
        assert!(header.starts_with("bucket,start,end,org_id,module_name,total,"), "{header}");
        pages.push(lines.split_terminator("\r\n").map(str::to_owned).collect::<Vec<_>>());
        let Some(target) = next(&answer) else { return pages };
        assert!(pages.len() < 1_000, "the pages do not end");
        let (path, query) = target.split_once('?').unwrap();
        assert_eq!(path, who.path());
        request = who.clone().edit(|event| event["rawQueryString"] = json!(query));
    }
}

/// Lines straight into the daily table; `org` is an expression over `n`, from 1.
async fn lines(bed: &Bed, day: &str, org: &str, count: u32) {
    bed.arrange(&format!(
        "insert into platform_module_usage_daily
         select {org}, date '{day}', 'module-ai', 'api_call', 'http', 1, 1, 0, 0, 0, 0, 0, null, null,
           module_mgmt.usage_scope({org}, date '{day}', 'module-ai', 'api_call', 'http') from generate_series(1, {count}) n"
    ))
    .await;
}

#[tokio::test]
async fn an_export_is_csv_with_one_line_per_bucket_organisation_and_module() {
    let (bed, days) = bed().await;
    bed.deliver(&[message("org,\"b\"", "u1", &event(9))]).await;
    let path = format!("{STATS}?startDate={}&endDate={}&granularity=monthly", days[25], days[0]);
    let own = bed.send(&Request::get(&path).by(Who::OrgAdmin).header("accept", "text/csv")).await.expect(200);
    assert_eq!(own.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(own.body.starts_with("bucket,start,end,org_id,module_name,total,"), "{}", own.body);
    assert!(!own.body.contains("org,"), "{}", own.body);
    let all = bed.send(&Request::get(&path).header("accept", "text/csv")).await.expect(200);
    assert!(all.body.contains(",\"org,\"\"b\"\"\",\"module-ai\",1,1,0,0,1,10,10,10,1,1\r\n"), "{}", all.body);
}

/// Days of many lines and of none, users over several days, and ids of which some languages sort the letters otherwise.
#[tokio::test]
async fn pages_are_the_whole_in_parts_whatever_their_length() {
    let (bed, days) = bed().await;
    let ids = ["Z", "a", "B", "ä", "z\"z", "with,comma", "1", "a a", "a-a", "aa"];
    let messages: Vec<String> = ids
        .iter()
        .zip(100..)
        .flat_map(|(org, number)| {
            [("u1", "module-ai"), ("u2", "module-ai"), ("u1", "module-access")].into_iter().zip(0..).map(
                move |((user, module), n)| {
                    message(org, user, &crate::values::with(event(number * 10 + n), "moduleName", module))
                },
            )
        })
        .collect();
    assert_eq!(bed.deliver(&messages).await, json!({"batchItemFailures": []}));
    for granularity in ["daily", "weekly", "monthly"] {
        let target = format!("{BATCH}?startDate={}&endDate={}&granularity={granularity}", days[25], days[0]);
        for who in [Who::PlatformAdmin, Who::OrgAdmin] {
            let whole = pages(&bed, get(&target).by(who)).await.concat();
            assert!(whole.len() >= if who == Who::PlatformAdmin { 21 } else { 1 }, "{whole:?}");
            for limit in [1, 2, 3, 19, 20, whole.len(), 50_000] {
                let pages = pages(&bed, get(&format!("{target}&limit={limit}")).by(who)).await;
                assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit), "{granularity} {limit}: {pages:?}");
                assert_eq!(pages.len(), whole.len().div_ceil(limit), "{granularity} {limit}");
                assert_eq!(pages.concat(), whole, "{granularity} {limit}");
            }
        }
    }
    // By bytes, as the database and every locale without one would.
    let today = get(&format!("{STATS}?startDate={}&limit=4", days[1]));
    let orgs: Vec<String> =
        pages(&bed, today).await.concat().iter().map(|line| line.split(',').nth(3).unwrap().into()).collect();
    assert_eq!(
        orgs,
        ["\"1\"", "\"B\"", "\"Z\"", "\"a\"", "\"a a\"", "\"a-a\"", "\"aa\"", "\"with", "\"z\"\"z\"", "\"ä\""]
    );
}

#[tokio::test]
async fn an_export_that_does_not_fit_is_413_unless_it_is_asked_for_in_pages() {
    let bed = Bed::new().await;
    lines(&bed, "2026-11-02", "'org-' || n", 50_001).await;
    let target = format!("{STATS}?startDate=2026-11-01&endDate=2026-11-03");
    let refused = bed.send(&get(&target)).await.expect(413);
    assert_eq!(refused.code(), "answer_too_large");
    assert!(refused.json()["detail"].as_str().unwrap().contains("pages with limit"), "{refused:?}");
    let pages = pages(&bed, get(&format!("{target}&limit=50000"))).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50_000, 1]);
    let distinct: std::collections::BTreeSet<&String> = pages.iter().flatten().collect();
    assert_eq!(distinct.len(), 50_001);
}

/// Quotes are what grows most on the way: twice in CSV, and each of those twice in the JSON of a Lambda's answer.
#[tokio::test]
async fn a_page_ends_before_a_lambda_could_not_answer_it() {
    let bed = Bed::new().await;
    lines(&bed, "2026-11-02", "repeat('\"', 190) || n", 7_000).await;
    let target = format!("{STATS}?startDate=2026-11-02&endDate=2026-11-02");
    bed.send(&get(&target)).await.expect(413);
    let request = get(&format!("{target}&limit=50000"));
    let first = bed.send(&request).await.expect(200);
    let bytes = Value::from(first.body.as_str()).to_string().len();
    assert!((4_185_000..4_195_000).contains(&bytes), "{bytes}");
    let pages = pages(&bed, request).await;
    assert_eq!((pages.len(), pages.concat().len()), (2, 7_000));
}

#[tokio::test]
async fn no_cell_begins_like_a_formula() {
    let bed = Bed::new().await;
    for (org, cell) in [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|calc", "'|calc"),
        ("％a", "'％a"),
        ("＝1+1", "'＝1+1"),
        (" =1", "' =1"),
        ("\u{a0}=1", "'\u{a0}=1"),
        ("\u{200b}=1", "'\u{200b}=1"),
        ("\u{feff}\u{3000}@a", "'\u{feff}\u{3000}@a"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("=HYPERLINK(\"x\",\"y\")", "'=HYPERLINK(\"\"x\"\",\"\"y\"\")"),
        ("a;=1+1", "a;=1+1"),
        ("a=1", "a=1"),
        ("auth0|1", "auth0|1"),
        ("007", "007"),
    ] {
        bed.arrange("delete from platform_module_usage_daily").await;
        lines(&bed, "2026-11-02", &format!("'{org}'::text || repeat('', n)"), 1).await;
        let answer = bed.send(&get(&format!("{STATS}?startDate=2026-11-02&endDate=2026-11-02"))).await.expect(200);
        let line = answer.body.split_once("\r\n").unwrap().1;
        assert_eq!(line, format!("2026-11-02,2026-11-02,2026-11-02,\"{cell}\",\"module-ai\",1,1,0,0,1,,,,0,0\r\n"));
    }
}

#[tokio::test]
async fn pages_that_make_no_sense_are_422() {
    let bed = Bed::new().await;
    for (query, pointers) in [
        ("limit=0", "limit"),
        ("limit=50001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&cursor=", "cursor"),
        ("limit=1&cursor=abc", "cursor"),
        ("cursor=%27%20or%20true%20--", "cursor"),
        ("cursor=WyIyMDI2LTExLTAyIiwibyIsIm0iXQ=", "cursor"),
        ("limit=x&cursor=x&granularity=x", "granularity,limit,cursor"),
    ] {
        let answer = bed.send(&get(&format!("{STATS}?{query}"))).await.expect(422);
        assert_eq!(answer.pointers().join(","), pointers, "{query}");
    }
    bed.send(&get(&format!("{STATS}?cursor=WyIyMDI2LTExLTAyIiwibyIsIm0iXQ"))).await.expect(200);
    // They belong to CSV.
    for (query, pointers) in [("limit=1", "limit"), ("cursor=x", "cursor"), ("limit=x&cursor=x", "limit,cursor")] {
        let answer = bed.send(&Request::get(&format!("{BATCH}?{query}"))).await.expect(422);
        assert_eq!(answer.pointers().join(","), pointers, "{query}");
        assert!(answer.body.contains("belongs to Accept: text/csv"), "{answer:?}");
    }
}
