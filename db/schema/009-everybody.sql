-- What holds for all tables, sequences and functions of ours: for everybody, for Supabase's service_role, and for the owner.
-- Idempotent, and the last of the schema files, so that it finds all of them.

-- Rights of the database itself. A temporary table or type of the caller's is what attacks on definer functions are made of.
do $$
begin
  if exists (select from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) acl
      where datname = current_database() and acl.grantee = 0 and acl.privilege_type in ('TEMPORARY', 'CREATE')) then
    execute format('revoke temporary, create on database %I from public', current_database());
  end if;
  if exists (select from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) acl
      where nspname = 'public' and acl.grantee = 0 and acl.privilege_type = 'CREATE') then
    revoke create on schema public from public;
  end if;
end
$$;

do $$
declare
  our_tables constant text[] := array['platform_lambda_config', 'platform_rule_sync', 'platform_warming_run', 'platform_warming_target',
    'platform_module_registry', 'platform_module_override', 'platform_module_audit', 'platform_module_version',
    'platform_module_usage', 'platform_module_usage_daily', 'platform_module_usage_user', 'platform_module_usage_sealed_day',
    'platform_module_usage_day_lock', 'platform_module_rate', 'platform_module_usage_reject', 'platform_module_usage_reject_count'];
  -- What the old system writes while both run.
  of_the_old_system constant text[] := array['platform_lambda_config'];
  has_service_role constant boolean := exists (select from pg_roles where rolname = 'service_role');
  ours record;
begin
  -- Partitions too, which a statement may name.
  for ours in
    select oid::regclass as name, relname, relnamespace <> 'public'::regnamespace as is_partition from pg_class
    where (relnamespace = 'public'::regnamespace and relname = any (our_tables)) or
      (relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r')
  loop
    execute format('create or replace trigger forbid_truncate before truncate on %s
      for each statement execute function module_mgmt.forbid_truncate()', ours.name);
    if has_service_role then
      -- It passes by row-level security, and Supabase gives it everything on new tables.
      execute format('revoke all on %s from service_role', ours.name);
      if ours.relname = any (of_the_old_system) then
        execute format('grant select, insert, update on %s to service_role', ours.name);
      elsif not ours.is_partition then
        execute format('grant select on %s to service_role', ours.name);
      end if;
    end if;
    if ours.is_partition then
      execute format('revoke all on %s from public, anon, authenticated', ours.name);
    end if;
  end loop;

  -- Numbers of rows come from sequences, which only the tables' own triggers and functions advance.
  for ours in
    select sequence.oid::regclass as name from pg_class sequence
    join pg_depend on pg_depend.objid = sequence.oid and pg_depend.classid = 'pg_class'::regclass and deptype in ('a', 'i')
    join pg_class owner on owner.oid = pg_depend.refobjid
    where sequence.relkind = 'S' and owner.relnamespace = 'public'::regnamespace and owner.relname = any (our_tables)
  loop
    execute format('revoke all on sequence %s from public, anon, authenticated', ours.name);
    if has_service_role then
      execute format('revoke all on sequence %s from service_role', ours.name);
    end if;
  end loop;

  for ours in
    select oid::regprocedure as name from pg_proc
    where pronamespace = 'module_mgmt'::regnamespace or (pronamespace = 'public'::regnamespace and prorettype = 'trigger'::regtype
      and oid in (select tgfoid from pg_trigger join pg_class on pg_class.oid = tgrelid where relname = any (our_tables)
                  and relnamespace = 'public'::regnamespace))
  loop
    execute format('revoke all on function %s from public, anon', ours.name);
    if has_service_role then
      execute format('revoke all on function %s from service_role', ours.name);
    end if;
  end loop;
end
$$;
