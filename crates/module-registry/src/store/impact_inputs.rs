//! What a change of modules meets outside the graph.

use mgmt_common::db::{Result, Transaction};
use mgmt_common::modules::name::ModuleName;
use mgmt_common::params;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct ImpactInputs {
    /// Organisations that have overridden one of the modules.
    pub(crate) org_overrides: i64,
    /// The warming schedule as it is stored.
    pub(crate) schedule: Option<Value>,
}

pub(crate) async fn read_impact_inputs(tx: &Transaction, names: &[ModuleName]) -> Result<ImpactInputs> {
    let statement = "-- read_impact_inputs
        select
          (select count(distinct org_id) from public.platform_module_override where module_name = any($1)) as org_overrides,
          (select config_value from public.platform_lambda_config where config_key = 'lambda_warming') as schedule";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    tx.read_one(statement, params![names]).await
}
