//! Reading an export page by page, each in one round trip.

use jiff::civil::Date;
use mgmt_common::db::{Database, Result};
use module_mgmt_protocol::caller::Caller;
use serde::Deserialize;

use super::figures::{Figures, figures_sql, filter_sql};
use super::filter::StatsFilter;

/// One line of an export.
#[derive(Debug, Deserialize)]
pub(crate) struct ExportRow {
    pub(crate) bucket: Date,
    pub(crate) org_id: String,
    pub(crate) module_name: String,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

/// The place of a line in the order of an export: bucket, organisation, module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageKey {
    pub(crate) bucket: Date,
    pub(crate) org_id: String,
    pub(crate) module_name: String,
}

/// A page of an export.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<ExportRow>,
    /// Whether more lines follow.
    pub(crate) has_more: bool,
}

/// The first `limit` rows behind a place. Whether there is anything at that place, and whether the caller may see it, makes no difference:
/// it is only compared with.
///
/// Buckets are walked in their order, each no further than the page is long, so that a page costs no more for what lies behind it. Users
/// are looked up for the page's rows alone, from their own scopes.
pub(crate) async fn read_export(
    database: &Database,
    caller: &Caller,
    filter: &StatsFilter,
    after: Option<&PageKey>,
    limit: usize,
) -> Result<Page> {
    let statement = concat!(
        "-- read_export
        with page as (
          select bucket.first as bucket, line.*
          from (
            select first::date as first, (first + ('1 ' || ($1)[7])::interval)::date - 1 as last
            from generate_series(date_trunc(($1)[7], greatest(($1)[1]::date, ($1)[9]::date)::timestamp), ($1)[2]::timestamp,
              ('1 ' || ($1)[7])::interval) as first
            order by 1
          ) as bucket
          cross join lateral (
            select org_id, module_name, ",
        figures_sql!(),
        ", array_agg(scope) as scopes
            from public.platform_module_usage_daily
            where usage_date between bucket.first and bucket.last and ",
        filter_sql!(),
        " and (($1)[9] is null
                or (bucket.first, org_id collate \"C\", module_name collate \"C\") > (($1)[9]::date, ($1)[10], ($1)[11]))
            group by org_id, module_name
            order by org_id collate \"C\", module_name collate \"C\" limit ($1)[8]::bigint + 1
          ) as line
          order by bucket.first, org_id collate \"C\", module_name collate \"C\" limit ($1)[8]::bigint + 1
        ), numbered as (
          select *, row_number() over (order by bucket, org_id collate \"C\", module_name collate \"C\") as number from page
        )
        select bucket, org_id, module_name, total, successes, failures, partials, success_rate, average_duration_ms, min_duration_ms,
          max_duration_ms, duration_count,
          case when number > ($1)[8]::bigint then 0 else (
            select count(distinct users.user_id) from unnest(scopes) as own (scope)
            join public.platform_module_usage_user users on users.scope = own.scope and users.org_id = numbered.org_id
          ) end as unique_users
        from numbered order by number"
    );
    let (own, limit_text) = (filter.parameters(), limit.to_string());
    let bucket = after.map(|place| place.bucket.to_string());
    let mut parameters: Vec<Option<&str>> = own.iter().map(Option::as_deref).collect();
    parameters.extend([
        Some(limit_text.as_str()),
        bucket.as_deref(),
        after.map(|place| place.org_id.as_str()),
        after.map(|place| place.module_name.as_str()),
    ]);
    let mut rows: Vec<ExportRow> = database.read_as(caller, statement, &parameters).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Page { rows, has_more })
}
