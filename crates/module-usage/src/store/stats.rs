//! Reading figures: one round trip each, from the daily rows and their users, never from the raw events.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mgmt_common::db::{Database, Result};
use module_mgmt_protocol::caller::Caller;
use serde::Deserialize;

use super::figures::{Figures, figures_sql, filter_sql};
use super::filter::StatsFilter;

/// Figures of a period.
pub(crate) struct Found {
    pub(crate) summary: Figures,
    /// By the first day of the bucket; those without use are absent.
    pub(crate) buckets: BTreeMap<Date, Figures>,
    pub(crate) modules: BTreeMap<String, Figures>,
    pub(crate) rejected: i64,
    /// Whether the module that was asked for is registered; true when all were.
    pub(crate) is_known: bool,
}

#[derive(Debug, Deserialize)]
struct StatsRow {
    bucket: Option<Date>,
    module_name: Option<String>,
    rejected: i64,
    is_known: bool,
    figures: Option<Figures>,
}

pub(crate) async fn read_stats(database: &Database, caller: &Caller, filter: &StatsFilter) -> Result<Found> {
    // Users are made distinct before they are counted, which hashes; count(distinct) would sort.
    let statement = concat!(
        "-- read_stats
        with chosen as (
          select daily.*, date_trunc(($1)[7], usage_date::timestamp)::date as bucket
          from public.platform_module_usage_daily daily
          where ",
        filter_sql!(),
        "), figures as (
          select bucket, module_name, ",
        figures_sql!(),
        " from chosen group by grouping sets ((), (bucket), (module_name)) having count(*) > 0
        ), seen as materialized (
          select distinct chosen.bucket, chosen.module_name, users.user_id
          from chosen join public.platform_module_usage_user users on users.scope = chosen.scope and users.org_id = chosen.org_id
        ), users as (
          select null::date as bucket, null::text as module_name, count(*) as unique_users
          from (select distinct user_id from seen) as whole
          union all
          select bucket, null, count(*) from (select distinct bucket, user_id from seen) as each group by bucket
          union all
          select null, module_name, count(*) from (select distinct module_name, user_id from seen) as each group by module_name
        )
        select figures.bucket, figures.module_name,
          case when figures.total is not null then
            to_jsonb(figures) || jsonb_build_object('unique_users', coalesce(users.unique_users, 0)) end as figures,
          (select coalesce(sum(rejects), 0)::bigint from public.platform_module_usage_reject_count
           where reject_date between ($1)[1]::date and ($1)[2]::date and (($1)[3] is null or org_id = ($1)[3])) as rejected,
          ($1)[4] is null or exists (select from module_mgmt.module_states() state where state.name = ($1)[4]) as is_known
        from (select 1) as always
        left join figures on true
        left join users on coalesce(users.bucket::text, '') = coalesce(figures.bucket::text, '')
          and coalesce(users.module_name, '') = coalesce(figures.module_name collate \"default\", '')"
    );
    let parameters = filter.parameters();
    let parameters: Vec<Option<&str>> = parameters.iter().map(Option::as_deref).collect();
    let rows: Vec<StatsRow> = database.read_as(caller, statement, &parameters).await?;
    let mut found = Found {
        summary: Figures::default(),
        buckets: BTreeMap::new(),
        modules: BTreeMap::new(),
        rejected: rows.first().map_or(0, |row| row.rejected),
        is_known: rows.first().is_none_or(|row| row.is_known),
    };
    for row in rows {
        let Some(figures) = row.figures else { continue };
        match (row.bucket, row.module_name) {
            (Some(bucket), _) => drop(found.buckets.insert(bucket, figures)),
            (None, Some(module)) => drop(found.modules.insert(module, figures)),
            (None, None) => found.summary = figures,
        }
    }
    Ok(found)
}
