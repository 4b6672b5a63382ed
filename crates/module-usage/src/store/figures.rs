//! What daily rows add up to, and how.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a number of uses adds up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
#[schema(as = UsageFigures)]
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

/// Which rows of the daily table a filter takes; the parameters are those of [`super::filter::StatsFilter::parameters`]. This and the
/// next are macros because statements are literals, so that nothing of a request can get into one.
macro_rules! filter_sql {
    () => {
        "usage_date between ($1)[1]::date and ($1)[2]::date
            and (($1)[3] is null or org_id = ($1)[3]) and (($1)[4] is null or module_name = ($1)[4])
            and (($1)[5] is null or event_type = ($1)[5]) and (($1)[6] is null or source = ($1)[6])"
    };
}

/// [`Figures`] of such rows, without the users.
macro_rules! figures_sql {
    () => {
        "sum(total)::bigint as total, sum(successes)::bigint as successes, sum(failures)::bigint as failures,
         sum(partials)::bigint as partials, round(sum(successes) / sum(total), 6)::float8 as success_rate,
         round(sum(duration_sum) / nullif(sum(duration_count), 0), 3)::float8 as average_duration_ms,
         min(duration_min) as min_duration_ms, max(duration_max) as max_duration_ms,
         sum(duration_count)::bigint as duration_count"
    };
}
pub(super) use {figures_sql, filter_sql};
