//! What a change of modules meets outside the graph.

use mgmt_common::db::{Parameter, Transaction};
use mgmt_common::error::{Error, Result};
use mgmt_common::modules::name::ModuleName;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Type;

use super::read_rows;

#[derive(Debug, Deserialize)]
pub(crate) struct Surroundings {
    /// Organisations that have overridden one of the modules.
    pub(crate) org_overrides: i64,
    /// Organisations that have used one of the modules today or on one of the 29 UTC days before, where that was asked for.
    pub(crate) active_orgs: Option<i64>,
    /// Their users who did.
    pub(crate) active_users: Option<i64>,
    /// The warming schedule as it is stored.
    pub(crate) schedule: Option<Value>,
}

/// `with_activity`: who used the modules is asked too, which takes about half a second per million of users and days.
pub(crate) async fn read_surroundings(
    tx: &Transaction,
    names: &[ModuleName],
    with_activity: bool,
) -> Result<Surroundings> {
    // From the daily figures and their users, as the statistics: the same answer, whatever there is of raw events.
    let statement = "-- read_surroundings
        with active as materialized (
          select org_id, scope from public.platform_module_usage_daily
          where module_name = any($1) and usage_date > (now() at time zone 'UTC')::date - 30
        )
        select row_to_json(answer)::text from (
          select
            (select count(distinct org_id) from public.platform_module_override where module_name = any($1)) as org_overrides,
            case when $2 then (select count(distinct org_id) from active) end as active_orgs,
            case when $2 then (select count(*) from (
               select distinct users.user_id from active join public.platform_module_usage_user users using (scope, org_id)
             ) each) end as active_users,
            (select config_value from public.platform_lambda_config where config_key = 'lambda_warming') as schedule) answer";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    let parameters: [Parameter<'_>; 2] = [(&names, Type::TEXT_ARRAY), (&with_activity, Type::BOOL)];
    let rows = read_rows("read_surroundings", &tx.query(statement, &parameters).await?)?;
    rows.into_iter().next().ok_or_else(|| Error::Internal("read_surroundings: no row".to_owned()))
}
