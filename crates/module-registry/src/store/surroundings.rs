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
    /// The warming schedule as it is stored.
    pub(crate) schedule: Option<Value>,
}

pub(crate) async fn read_surroundings(tx: &Transaction, names: &[ModuleName]) -> Result<Surroundings> {
    let statement = "-- read_surroundings
        select row_to_json(answer)::text from (
          select
            (select count(distinct org_id) from public.platform_module_override where module_name = any($1)) as org_overrides,
            (select config_value from public.platform_lambda_config where config_key = 'lambda_warming') as schedule) answer";
    let names: Vec<&str> = names.iter().map(ModuleName::as_str).collect();
    let parameters: [Parameter<'_>; 1] = [(&names, Type::TEXT_ARRAY)];
    let rows = read_rows("read_surroundings", &tx.query(statement, &parameters).await?)?;
    rows.into_iter().next().ok_or_else(|| Error::Internal("read_surroundings: no row".to_owned()))
}
