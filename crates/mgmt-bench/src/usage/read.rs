//! Figures of 30 days for one organisation and module: from the daily rows with few and with many raw events behind them, and from
//! the raw events themselves. `USAGE_BENCH_EVENTS` is how many are many: a million by default, ten in the full measurement.

use std::time::Instant;

use anyhow::Result;
use mgmt_testkit::database::TestDatabase;
use tokio_postgres::Client;

use super::connect::connect;
use crate::row::{Row, median};

const FEW: u64 = 100_000;
const ROUNDS: usize = 15;

/// As module-usage's `read_stats` reads them.
const TOTALS: &str =
    "select sum(total), sum(successes), sum(failures), sum(duration_sum) from public.platform_module_usage_daily
    where usage_date between (now() at time zone 'UTC')::date - 29 and (now() at time zone 'UTC')::date
      and org_id = 'org-7' and module_name = 'module-1'";
const USERS: &str = "select count(*) from (select distinct users.user_id
    from public.platform_module_usage_daily daily
    join public.platform_module_usage_user users on users.scope = daily.scope and users.org_id = daily.org_id
    where usage_date between (now() at time zone 'UTC')::date - 29 and (now() at time zone 'UTC')::date
      and daily.org_id = 'org-7' and module_name = 'module-1') as each";
const RAW_TOTALS: &str =
    "select count(*), count(*) filter (where status = 'success'), count(*) filter (where status = 'failure'),
      sum(duration_ms) from public.platform_module_usage
    where occurred_at >= ((now() at time zone 'UTC')::date - 29)::timestamp at time zone 'UTC'
      and org_id = 'org-7' and module_name = 'module-1'";
const RAW_USERS: &str = "select count(*) from (select distinct user_id from public.platform_module_usage
    where occurred_at >= ((now() at time zone 'UTC')::date - 29)::timestamp at time zone 'UTC'
      and org_id = 'org-7' and module_name = 'module-1') as each";

#[expect(clippy::disallowed_methods, reason = "the size of a measurement is no setting of a function")]
pub(super) async fn measure() -> Result<Vec<Row>> {
    let many = std::env::var("USAGE_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let (few_database, many_database) = (TestDatabase::create().await, TestDatabase::create().await);
    let (small, large) = (connect(&few_database.admin_url()).await?, connect(&many_database.admin_url()).await?);
    fill(&small, FEW).await?;
    fill(&large, many).await?;
    let (of_few, of_many) = (time(&small, TOTALS).await?, time(&large, TOTALS).await?);
    let (raw, users, raw_users) =
        (time(&large, RAW_TOTALS).await?, time(&large, USERS).await?, time(&large, RAW_USERS).await?);
    let row = |what: String, measured: String, ratio: f64, promise| Row {
        what,
        measured,
        ratio: format!("{ratio:.2}"),
        promise,
    };
    Ok(vec![
        row(
            format!("30-day totals on {many} raw events / on {FEW}"),
            format!("{of_many:.2} ms / {of_few:.2} ms, median of {ROUNDS}"),
            of_many / of_few,
            "<= 1.2",
        ),
        row(
            format!("scanning {many} raw events / 30-day totals"),
            format!("{raw:.1} ms / {of_many:.2} ms"),
            raw / of_many,
            ">= 100",
        ),
        row(
            "exact unique users of 30 days: from raw / ours".into(),
            format!("{raw_users:.1} ms / {users:.2} ms"),
            raw_users / users,
            ">= 10",
        ),
    ])
}

/// Events of 30 days: 100 organisations with 300 users each, three modules, three types. The daily rows are rebuilt from them.
async fn fill(client: &Client, events: u64) -> Result<()> {
    let raw = format!(
        "select setseed(0.5);
         insert into public.platform_module_usage (event_id, org_id, user_id, module_name, event_type, source, status, occurred_at,
           duration_ms, content_hash)
         select (left(module_mgmt.usage_id_at(at)::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'org-' || n % 100,
           'user-' || floor(300 * random()), 'module-' || n / 100 % 3, (array['api_call', 'page_view', 'feature_use'])[1 + n / 300 % 3],
           'http', (array['success', 'failure'])[1 + n / 7 % 2], at, n % 1000, decode(md5(n::text), 'hex')
         from (select n, date_trunc('day', now(), 'UTC') - n / 900 % 30 * interval '1 day' + random() * interval '1 hour' as at
               from generate_series(1, {events}) n) as use;
         set role module_mgmt_worker"
    );
    client.batch_execute(&raw).await?;
    for ago in 0..30_i32 {
        client
            .query_one("select module_mgmt.rebuild_usage((now() at time zone 'UTC')::date - $1::int)", &[&ago])
            .await?;
    }
    client.batch_execute("reset role").await?;
    client.batch_execute("vacuum analyze").await?;
    Ok(())
}

/// Milliseconds.
async fn time(client: &Client, statement: &'static str) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        client.query_typed(statement, &[]).await?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(times))
}
