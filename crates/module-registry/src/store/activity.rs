//! Who would miss modules.

use mgmt_common::db::{Database, Error, Result};
use mgmt_common::modules::name::ModuleName;
use module_mgmt_protocol::caller::Caller;
use serde::Deserialize;

/// Who used one of some modules today or on one of the 29 UTC days before.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Activity {
    pub(crate) active_orgs: i64,
    /// Different ones.
    pub(crate) active_users: i64,
}

/// Takes about half a second per million of users and days, so it belongs into no transaction that others wait for.
pub(crate) async fn read_activity(database: &Database, caller: &Caller, names: &[ModuleName]) -> Result<Activity> {
    // From the daily figures and their users, as the statistics: the same answer, whatever there is of raw events.
    let statement = "-- read_activity
        with active as materialized (
          select org_id, scope from public.platform_module_usage_daily
          where module_name = any(string_to_array(($1)[1], ',')) and usage_date > (now() at time zone 'UTC')::date - 30
        )
        select (select count(distinct org_id) from active) as active_orgs,
          (select count(*) from (
             select distinct users.user_id from active join public.platform_module_usage_user users using (scope, org_id)
           ) each) as active_users";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    let rows = database.read_as(caller, statement, &[Some(&names.join(","))]).await?;
    rows.into_iter().next().ok_or_else(|| Error::Internal("read_activity: no row".to_owned()))
}
