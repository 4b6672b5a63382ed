use mgmt_testkit::database::ConnectionMode;
use mgmt_testkit::direct_and_through_pgbouncer;
use mgmt_testkit::gateway::Request;
use serde_json::{Value, json};

use crate::bed::Bed;

const RUNS: &str = "/platform/lambda-warming/runs";

async fn with_runs(bed: &Bed, count: u32) {
    bed.arrange(&format!(
        "insert into platform_warming_run (tick, status, config_version, finished_at, asked, reached, unique_instances, cold, init_ms)
         select timestamptz '2026-11-02 14:00Z' + n * interval '5 min', 'done', 7, now(), 10, 9, 8, 1, 120
         from generate_series(1, {count}) n"
    ))
    .await;
}

direct_and_through_pgbouncer!(a_run_has_every_figure);
async fn a_run_has_every_figure(mode: ConnectionMode) {
    let bed = Bed::by(mode).await;
    with_runs(&bed, 1).await;
    let answer = bed.send(&Request::get(RUNS)).await.expect(200);
    let mut run = answer.json()[0].clone();
    for changing in ["startedAt", "finishedAt"] {
        assert!(run.as_object_mut().unwrap().remove(changing).unwrap().is_string());
    }
    let expected = json!({
        "tick": "2026-11-02T14:05:00Z", "status": "done", "configVersion": 7, "asked": 10, "reached": 9, "unique": 8,
        "cold": 1, "initMs": 120, "throttled": 0, "errors": 0, "note": null, "functions": [],
    });
    assert_eq!(run, expected);
    assert_eq!(answer.header("link"), "");
}

#[tokio::test]
async fn following_the_links_gives_every_run_once_newest_first() {
    let bed = Bed::new().await;
    with_runs(&bed, 7).await;
    let (mut target, mut ticks) = (format!("{RUNS}?limit=3"), Vec::new());
    loop {
        let answer = bed.send(&Request::get(&target)).await.expect(200);
        let page: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        ticks.extend(page.iter().map(|run| run["tick"].as_str().unwrap().to_owned()));
        let link = answer.header("link");
        if link.is_empty() {
            break;
        }
        let (path, relation) = link.split_once(">; ").unwrap();
        assert_eq!(relation, "rel=\"next\"");
        target = path[1..].to_owned();
    }
    assert_eq!(ticks.len(), 7);
    assert!(ticks.is_sorted_by(|one, next| one > next), "{ticks:?}");
}

#[tokio::test]
async fn odd_pages_are_refused_or_empty() {
    let bed = Bed::new().await;
    with_runs(&bed, 2).await;
    let check = async |query: &str, status: u64, rows: usize| {
        let answer = bed.send(&Request::get(&format!("{RUNS}?{query}"))).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        if status == 200 {
            assert_eq!(answer.json().as_array().unwrap().len(), rows, "{query}");
        }
    };
    check("limit=0", 422, 0).await;
    check("limit=201", 422, 0).await;
    check("limit=-1", 400, 0).await;
    check("limit=70000", 400, 0).await;
    check("limit=1&limit=2", 400, 0).await;
    check("before=yesterday", 400, 0).await;
    check("cursor=1", 400, 0).await;
    check("limit=200", 200, 2).await;
    check("before=2026-11-02T14:05:00Z", 200, 0).await;
    check("before=2026-11-02T09:10:00-05:00", 200, 1).await;
    check("before=-009999-01-02T01:59:59Z", 200, 0).await;
    check("before=9999-12-30T22:00:00Z", 200, 2).await;
}
