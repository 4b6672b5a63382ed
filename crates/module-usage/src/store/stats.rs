//! Reading figures: one round trip each, from the daily rows and their users, never from the raw events.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::{Date, Weekday};
use mgmt_common::caller::Caller;
use mgmt_common::db::Database;
use mgmt_common::error::Result;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rows of one export; about as many fit into an answer.
pub(crate) const MAX_EXPORT_ROWS: usize = 50_000;

/// What is asked for; every value is checked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// `None`: all organisations.
    pub(crate) org_id: Option<String>,
    /// `None`: all modules.
    pub(crate) module: Option<String>,
    pub(crate) start: Date,
    /// Itself included.
    pub(crate) end: Date,
    pub(crate) granularity: &'static str,
    pub(crate) event_type: Option<String>,
    pub(crate) source: Option<String>,
}

impl Question {
    fn parameters(&self) -> [Option<String>; 7] {
        [
            Some(self.start.to_string()),
            Some(self.end.to_string()),
            self.org_id.clone(),
            self.module.clone(),
            self.event_type.clone(),
            self.source.clone(),
            // As date_trunc spells them.
            Some(match self.granularity {
                "weekly" => "week".into(),
                "monthly" => "month".into(),
                _ => "day".into(),
            }),
        ]
    }

    /// The first day of the bucket, and the part of the bucket that lies in the period.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Date, Date, Date)> {
        let first = match self.granularity {
            "weekly" => self.start.saturating_sub(Span::new().days(self.start.weekday().since(Weekday::Monday))),
            "monthly" => self.start.first_of_month(),
            _ => self.start,
        };
        let starts = std::iter::successors(Some(first), |first| Some(self.next(*first)));
        starts.take_while(|first| *first <= self.end).map(|first| {
            let (start, end) = self.clip(first);
            (first, start, end)
        })
    }

    pub(crate) fn clip(&self, first: Date) -> (Date, Date) {
        (first.max(self.start), self.next(first).saturating_sub(Span::new().days(1)).min(self.end))
    }

    fn next(&self, first: Date) -> Date {
        first.saturating_add(match self.granularity {
            "weekly" => Span::new().days(7),
            "monthly" => Span::new().months(1),
            _ => Span::new().days(1),
        })
    }
}

/// What a number of uses adds up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub(crate) struct Figures {
    pub(crate) total: i64,
    pub(crate) successes: i64,
    pub(crate) failures: i64,
    pub(crate) partials: i64,
    /// Successes of all, 0 to 1; null without any use.
    pub(crate) success_rate: Option<f64>,
    /// Over the uses that came with a duration; null without any.
    pub(crate) average_duration_ms: Option<f64>,
    pub(crate) min_duration_ms: Option<i64>,
    pub(crate) max_duration_ms: Option<i64>,
    /// Uses that came with a duration.
    pub(crate) duration_count: i64,
    /// Different users in the whole of it, exactly.
    pub(crate) unique_users: i64,
}

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

/// The daily rows of a question; the parameters are those of [`Question::parameters`]. Both are macros because statements are
/// literals, so that nothing of a request can get into one.
macro_rules! chosen {
    () => {
        "chosen as (
          select daily.*, date_trunc(($1)[7], usage_date::timestamp)::date as bucket
          from public.platform_module_usage_daily daily
          where usage_date between ($1)[1]::date and ($1)[2]::date
            and (($1)[3] is null or org_id = ($1)[3]) and (($1)[4] is null or module_name = ($1)[4])
            and (($1)[5] is null or event_type = ($1)[5]) and (($1)[6] is null or source = ($1)[6])
        )"
    };
}
macro_rules! figures {
    () => {
        "sum(total)::bigint as total, sum(successes)::bigint as successes, sum(failures)::bigint as failures,
         sum(partials)::bigint as partials, round(sum(successes) / sum(total), 6)::float8 as success_rate,
         round(sum(duration_sum) / nullif(sum(duration_count), 0), 3)::float8 as average_duration_ms,
         min(duration_min) as min_duration_ms, max(duration_max) as max_duration_ms,
         sum(duration_count)::bigint as duration_count"
    };
}

#[derive(Debug, Deserialize)]
struct StatsRow {
    bucket: Option<Date>,
    module_name: Option<String>,
    rejected: i64,
    is_known: bool,
    figures: Option<Figures>,
}

pub(crate) async fn read_stats(database: &Database, caller: &Caller, question: &Question) -> Result<Found> {
    // Users are made distinct before they are counted, which hashes; count(distinct) would sort.
    let statement = concat!(
        "-- read_stats
        with ",
        chosen!(),
        ", figures as (
          select bucket, module_name, ",
        figures!(),
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
    let parameters = question.parameters();
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

/// One line of an export.
#[derive(Debug, Deserialize)]
pub(crate) struct ExportRow {
    pub(crate) bucket: Date,
    pub(crate) org_id: String,
    pub(crate) module_name: String,
    pub(crate) figures: Figures,
}

/// One row more than fit, where there are so many.
pub(crate) async fn read_export(database: &Database, caller: &Caller, question: &Question) -> Result<Vec<ExportRow>> {
    let statement = concat!(
        "-- read_export
        with ",
        chosen!(),
        ", figures as (
          select bucket, org_id, module_name, ",
        figures!(),
        " from chosen group by bucket, org_id, module_name order by bucket, org_id, module_name limit 50001
        ), users as (
          select bucket, org_id, module_name, count(*) as unique_users from (
            select distinct chosen.bucket, chosen.org_id, chosen.module_name, users.user_id
            from chosen join public.platform_module_usage_user users on users.scope = chosen.scope and users.org_id = chosen.org_id
          ) as each group by bucket, org_id, module_name
        )
        select bucket, org_id, module_name,
          to_jsonb(figures) || jsonb_build_object('unique_users', coalesce(users.unique_users, 0)) as figures
        from figures left join users using (bucket, org_id, module_name)
        order by bucket, org_id, module_name"
    );
    let parameters = question.parameters();
    let parameters: Vec<Option<&str>> = parameters.iter().map(Option::as_deref).collect();
    database.read_as(caller, statement, &parameters).await
}
