//! What a caller makes in its own temporary schema never runs with somebody else's rights. The functions are those of the catalog, so that
//! one that is added is tried too. (Databases of tests leave TEMP to everybody, which makes it harder for us.)

use mgmt_testkit::database::TestDatabase;
use tokio_postgres::Client;

const MEMBER: &str = r#"{"sub":"u","org_id":"org-a"}"#;
const ADMIN: &str = r#"{"sub":"u","org_id":"org-a","is_platform_admin":true,"is_org_admin":true}"#;
/// What the trap raises where it runs as somebody else than who laid it.
const CAUGHT: &str = "ran as";

/// Lays traps as a role: domains under the names of types, functions, operators, tables and views under the names of ours and of the
/// catalog's, and a path that finds them first.
async fn trapped(database: &TestDatabase, role: &str, claims: &str) -> Client {
    let client = database.admin().await;
    let statements = format!(
        "select set_config('role', '{role}', false), set_config('request.jwt.claims', '{claims}', false);
         create function pg_temp.trap() returns pg_catalog.bool language plpgsql as $$
           begin
             if current_user <> '{role}' then raise exception '{CAUGHT} %', current_user; end if;
             return true;
           end $$;
         do $$
         declare
           type_name text;
           table_name text;
         begin
           foreach type_name in array array['text', 'uuid', 'jsonb', 'bool', 'int2', 'int4', 'int8', 'date', 'timestamptz', 'timestamp', 'bytea',
               'interval', 'name', 'regclass', 'regrole', 'regnamespace', 'numeric'] loop
             execute format('create domain pg_temp.%I as pg_catalog.%I check (pg_temp.trap())', type_name, type_name);
           end loop;
           foreach table_name in array array['platform_module_registry', 'platform_module_override', 'platform_module_version',
               'platform_module_audit', 'platform_module_usage', 'platform_module_usage_daily', 'platform_module_usage_user',
               'platform_module_usage_sealed_day', 'platform_module_usage_day_lock', 'platform_module_usage_reject', 'pg_class',
               'pg_proc', 'pg_database', 'old_rows', 'new_rows', 'usage_other'] loop
             execute format('create view pg_temp.%I as select pg_temp.trap() as module_name, now() as occurred_at', table_name);
           end loop;
         end $$;
         create function pg_temp.now() returns pg_catalog.timestamptz language sql as 'select pg_catalog.now() where pg_temp.trap()';
         create function pg_temp.jsonb_typeof(pg_catalog.jsonb) returns pg_catalog.text language sql
           as $$ select pg_catalog.jsonb_typeof($1) where pg_temp.trap() $$;
         create function pg_temp.set_config(pg_catalog.text, pg_catalog.text, pg_catalog.bool) returns pg_catalog.text language sql
           as $$ select pg_catalog.set_config($1, $2, $3) where pg_temp.trap() $$;
         create function pg_temp.same(pg_catalog.text, pg_catalog.text) returns pg_catalog.bool language sql
           as $$ select pg_temp.trap() and pg_catalog.texteq($1, $2) $$;
         create operator pg_temp.= (function = pg_temp.same, leftarg = pg_catalog.text, rightarg = pg_catalog.text);
         create function pg_temp.greater(pg_catalog.date, pg_catalog.date) returns pg_catalog.bool language sql
           as $$ select pg_temp.trap() and pg_catalog.date_gt($1, $2) $$;
         create operator pg_temp.> (function = pg_temp.greater, leftarg = pg_catalog.date, rightarg = pg_catalog.date);
         set search_path = pg_temp, public, pg_catalog"
    );
    client.batch_execute(&statements).await.unwrap();
    client
}

/// Calls of every definer function that this session may call, with something that fits each argument.
async fn calls(client: &Client) -> Vec<String> {
    let statement = "
      select pg_catalog.format('select * from %s(%s)', oid::pg_catalog.regproc, (
        select pg_catalog.string_agg(case kind
            when 'integer' then '3' when 'date' then $$pg_catalog.date '2024-01-01'$$
            when 'jsonb' then $$'[{\"event_id\":\"01937a5c-8f00-7000-8000-000000000001\",\"module_name\":\"m\",\"event_type\":\"api_call\",
              \"status\":\"success\",\"occurred_at\":\"2026-11-02T14:00:00Z\",\"content_hash\":\"\\\\x00112233445566778899aabbccddeeff\"},
              {\"reason\":\"x\"}]'::pg_catalog.jsonb$$
            when 'text' then $$'module-ai'$$ when 'text[]' then 'array[''org-a'']::pg_catalog.text[]'
            else pg_catalog.format('array[null]::%s', case when kind like '%[]' then 'pg_catalog.' || kind else kind || '[]' end) end, ', ' order by number)
        from (select pg_catalog.format_type(type, null) as kind, number from pg_catalog.unnest(proargtypes) with ordinality as argument (type, number)) arguments))
      from pg_catalog.pg_proc
      where prosecdef and pronamespace in ('module_mgmt'::pg_catalog.regnamespace, 'public'::pg_catalog.regnamespace)
        and prorettype <> 'trigger'::pg_catalog.regtype
        and pg_catalog.has_function_privilege(oid, 'execute')
      order by 1";
    client.query(statement, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What a statement ran into, and that it left nothing.
async fn attempt(client: &Client, statement: &str) -> String {
    client.batch_execute("begin").await.unwrap();
    let said = match client.batch_execute(statement).await {
        Ok(()) => String::new(),
        Err(error) => error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()),
    };
    client.batch_execute("rollback").await.unwrap();
    said
}

/// Faults, row 46.
#[tokio::test]
async fn no_definer_function_trigger_or_policy_runs_what_a_caller_has_made() {
    let database = TestDatabase::create().await;
    let mut tried = std::collections::BTreeSet::new();
    for (role, claims) in [("module_mgmt_request", MEMBER), ("module_mgmt_request", ADMIN), ("module_mgmt_worker", "")]
    {
        let client = trapped(&database, role, claims).await;
        let own = calls(&client).await;
        assert!(own.len() > 4, "{role}: {own:?}");
        let writes = [
            "insert into public.platform_module_registry (module_name, display_name) values ('module-x', 'X')",
            "update public.platform_module_registry set is_enabled = not is_enabled, config = '{\"a\":1}'",
            "insert into public.platform_module_override (org_id, module_name, config) values ('org-a', 'module-ai', '{\"a\":1}')",
            "delete from public.platform_module_override",
            "select * from public.platform_module_usage",
            "select * from public.platform_lambda_config",
        ];
        for statement in own.iter().map(String::as_str).chain(writes) {
            let said = attempt(&client, statement).await;
            assert!(!said.contains(CAUGHT), "{role}: {statement}: {said}");
        }
        tried.extend(own.into_iter().map(|call| call.split('(').next().unwrap_or_default().to_owned()));
    }
    let all = "select count(*)::text from pg_proc where prosecdef and prorettype <> 'trigger'::regtype
        and pronamespace in ('module_mgmt'::regnamespace, 'public'::regnamespace)
        and (has_function_privilege('module_mgmt_request', oid, 'execute') or has_function_privilege('module_mgmt_worker', oid, 'execute'))";
    assert_eq!(database.look(all).await, tried.len().to_string(), "{tried:?}");
}

/// The control: the traps catch functions whose path is empty, as ours were, or not set.
#[tokio::test]
async fn the_traps_work() {
    let database = TestDatabase::create().await;
    let (empty, none) = ("set search_path = ''", "");
    for (path, body) in [
        (empty, "declare v text := 'x'; begin end"),
        (empty, "begin perform 'x'::text; end"),
        (none, "begin perform from platform_module_registry where module_name; end"),
    ] {
        let function = format!(
            "create or replace function module_mgmt.careless() returns void language plpgsql security definer {path} as $$ {body} $$;
             grant execute on function module_mgmt.careless() to module_mgmt_request"
        );
        database.arrange(&function).await;
        let client = trapped(&database, "module_mgmt_request", MEMBER).await;
        let said = attempt(&client, "select module_mgmt.careless()").await;
        assert!(said.contains(CAUGHT), "{path} {body}: {said:?}");
    }
}
