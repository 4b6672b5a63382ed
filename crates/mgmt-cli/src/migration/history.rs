//! Which files have run. refinery keeps the table and refuses files that changed afterwards.

use anyhow::{Context as _, Result};
use refinery::Migration;
use tokio_postgres::Client;

use super::files::{FIRST_MIGRATION, superseded};

/// A schema file describes how things are to be and may run again, so a release may bring another text of it. Where the database has
/// an earlier release's text, that file and all schema files after it are forgotten, so that they run again. Every other
/// difference is left for refinery to refuse: an earlier release, for one, knows none of the later texts and undoes nothing.
pub(super) async fn reopen_superseded(client: &Client, migrations: &[Migration]) -> Result<()> {
    if client.query_one("select to_regclass('public.module_mgmt_schema_history') is null", &[]).await?.get(0) {
        return Ok(());
    }
    let superseded = superseded()?;
    let mut first = None;
    for row in client.query("select version, checksum from public.module_mgmt_schema_history", &[]).await? {
        let (version, checksum): (i32, String) = (row.get(0), row.get(1));
        let is_as_ours =
            migrations.iter().any(|own| own.version() == version && own.checksum().to_string() == checksum);
        if is_as_ours {
            continue;
        }
        if !superseded.iter().any(|(of, earlier)| *of == version && earlier.to_string() == checksum) {
            return Ok(());
        }
        first = Some(first.map_or(version, |first: i32| first.min(version)));
    }
    if let Some(first) = first {
        let forget = "delete from public.module_mgmt_schema_history where version >= $1 and version < $2";
        client.execute(forget, &[&first, &FIRST_MIGRATION]).await.context("the schema history cannot be written")?;
    }
    Ok(())
}

/// Forgets all schema files, so that they run again. Each of them does no harm the second time.
pub(super) async fn reopen_all(client: &Client) -> Result<()> {
    if client.query_one("select to_regclass('public.module_mgmt_schema_history') is null", &[]).await?.get(0) {
        return Ok(());
    }
    let forget = "delete from public.module_mgmt_schema_history where version < $1";
    client.execute(forget, &[&FIRST_MIGRATION]).await.context("the schema history cannot be written")?;
    Ok(())
}

/// Supabase grants its API roles everything on new tables of public, refinery's history included.
pub(super) async fn protect(client: &Client) -> Result<()> {
    let statements = "revoke all on public.module_mgmt_schema_history from public, anon, authenticated;
        do $$ begin
          if exists (select from pg_roles where rolname = 'service_role') then
            revoke all on public.module_mgmt_schema_history from service_role;
          end if;
        end $$;
        alter table public.module_mgmt_schema_history enable row level security;
        comment on table public.module_mgmt_schema_history is
          'Which schema files and migrations of module-mgmt have run, with their checksums; kept by mgmt migrate. Row-level '
          'security is on but not forced: the migrating owner writes here.'";
    client.batch_execute(statements).await.context("the schema history cannot be protected")
}
