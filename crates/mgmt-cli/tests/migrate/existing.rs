//! On top of what is already there: the old system's table, and Supabase's own objects.

use mgmt_testkit::database::TestDatabase;

use crate::bed::{FILES, applied, migrate, said, text};

/// The production database as the old system left it.
const OLD_TABLE: &str = r#"
  create table platform_lambda_config (
    id uuid primary key default gen_random_uuid(), config_key varchar(100) not null unique, config_value jsonb not null,
    description text, is_active boolean default true, created_at timestamptz default now(),
    updated_at timestamptz default now(), created_by uuid, updated_by uuid);
  alter table platform_lambda_config enable row level security;
  create policy "Super admins can view all platform configs" on platform_lambda_config for select using (true);
  create policy "Super admins can insert all platform configs" on platform_lambda_config for insert with check (true);
  create policy "Super admins can update all platform configs" on platform_lambda_config for update using (true);
  create policy "Super admins can delete all platform configs" on platform_lambda_config for delete using (true);
  create policy "Auditors read configs" on platform_lambda_config for select using (false);
  insert into platform_lambda_config (config_key, config_value, description, is_active, created_at, updated_at, created_by) values
    ('lambda_warming', '{"enabled":true,"timezone":"America/New_York","interval_minutes":5,"weekly_schedule":{"monday":{"enabled":true,"ranges":[]}}}',
     'Warm', true, '2024-01-01Z', '2024-02-01Z', '00000000-0000-4000-8000-000000000001'),
    ('theme', '{"Key_One": 1.10}', null, null, '2024-01-01Z', '2024-02-01Z', null);
"#;

#[tokio::test]
async fn rows_of_the_old_system_survive_and_its_policies_are_replaced() {
    let database = TestDatabase::empty().await;
    let admin = database.admin().await;
    admin.batch_execute(OLD_TABLE).await.unwrap();
    let rows = "select jsonb_agg(to_jsonb(c) - 'row_version' - 'is_active' order by config_key)::text from platform_lambda_config c";
    let before = text(&admin, rows).await;

    let output = migrate(&database.admin_url()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = said(&output);
    assert!(said.contains("warning: policy \"Auditors read configs\" on platform_lambda_config"), "{said}");

    let without_updated_at = |rows: &str| -> Vec<serde_json::Value> {
        let mut rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
        // Only the row whose state was null has changed.
        rows[1]["updated_at"] = serde_json::Value::Null;
        rows
    };
    assert_eq!(without_updated_at(&text(&admin, rows).await), without_updated_at(&before));
    let versions = "select string_agg(config_key || row_version || is_active, ',' order by config_key) from platform_lambda_config";
    assert_eq!(text(&admin, versions).await, "lambda_warming1true,theme1true");
    let policies = "select string_agg(policyname, ',' order by policyname) from pg_policies where tablename = 'platform_lambda_config'";
    assert_eq!(
        text(&admin, policies).await,
        "Auditors read configs,Platform admins add platform configs,Platform admins change platform configs,\
         Platform admins read every platform config,Platform admins remove platform configs,The worker reads every platform config"
    );
}

/// Supabase's roles, helpers and default privileges: bootstrap changes none of them, and our tables end without their grants.
#[tokio::test]
async fn on_supabase_nothing_of_its_own_is_altered_and_its_default_grants_are_revoked() {
    let database = TestDatabase::empty().await;
    // Makes the roles where this server has never seen them.
    let fresh = TestDatabase::empty().await;
    applied(migrate(&fresh.admin_url())).await;
    let admin = database.admin().await;
    admin
        .batch_execute(
            "create schema auth;
             create function auth.jwt() returns jsonb language sql stable as $$ select '{\"supabase\": 1}'::jsonb $$;
             create function auth.uid() returns uuid language sql stable as $$ select null::uuid $$;
             grant usage on schema public, auth to anon, authenticated, service_role;
             alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
             alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
             alter default privileges in schema public grant all on sequences to anon, authenticated, service_role",
        )
        .await
        .unwrap();
    let own = "select jsonb_build_object(
        'roles', (select jsonb_agg(to_jsonb(r) order by rolname) from pg_roles r where rolname in ('anon', 'authenticated', 'service_role')),
        'auth', (select jsonb_agg(to_jsonb(p)) from pg_proc p where pronamespace = 'auth'::regnamespace),
        'schemas', (select jsonb_agg(jsonb_build_array(nspname, nspacl::text)) from pg_namespace where nspname = 'auth'))::text";
    let before = text(&admin, own).await;
    assert_eq!(applied(migrate(&database.admin_url())).await, FILES);
    assert_eq!(text(&admin, own).await, before);
    let history =
        "select has_table_privilege('service_role', 'platform_module_audit', 'insert, update, delete, truncate')::text";
    assert_eq!(text(&admin, history).await, "false");

    let sequences = "select count(*)::text from pg_class, unnest(array['anon', 'authenticated', 'service_role']) role
        where relkind = 'S' and relname like 'platform%' and has_sequence_privilege(role, pg_class.oid, 'usage, select, update')";
    assert_eq!(text(&admin, sequences).await, "0");
    let written = "select string_agg(relname || ' ' || privilege, ',' order by relname, privilege) from pg_class,
        unnest(array['insert', 'update', 'delete', 'truncate']) privilege
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname like 'platform%'
          and has_table_privilege('service_role', pg_class.oid, privilege)";
    assert_eq!(text(&admin, written).await, "platform_lambda_config insert,platform_lambda_config update");
    let of_everybody = "select has_database_privilege('anon', current_database(), 'temporary')::text
        || has_schema_privilege('anon', 'public', 'create')";
    assert_eq!(text(&admin, of_everybody).await, "falsefalse");

    let granted = "
      select string_agg(role || ' ' || privilege || ' ' || relname, ',' order by relname)
      from pg_class, unnest(array['anon', 'authenticated']) role,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) privilege
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and has_table_privilege(role, pg_class.oid, privilege)";
    let reads = ["platform_lambda_config", "platform_module_usage", "platform_module_usage_daily"];
    let reads = reads.map(|table| format!("authenticated select {table}"));
    assert_eq!(text(&admin, granted).await, reads.join(","));
    let callable = "select string_agg(proname, ',') from pg_proc, unnest(array['anon', 'authenticated']) role
        where pronamespace = 'public'::regnamespace and has_function_privilege(role, pg_proc.oid, 'execute')";
    assert_eq!(text(&admin, callable).await, "");
}
