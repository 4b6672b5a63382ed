-- Who may do what with the tables of 003.
-- Idempotent: policies are dropped and made again, in one transaction.

-- Owns the functions that must see or write more than their caller may: each does one thing, and nobody can become this role.
-- The owner of the database has to be a member to hand functions over.
do $$
begin
  if not exists (select from pg_roles where rolname = 'module_mgmt_definer') then
    create role module_mgmt_definer nologin noinherit;
  end if;
  if not pg_has_role(current_user, 'module_mgmt_definer', 'usage') then
    begin
      execute format('grant module_mgmt_definer to %I', current_user);
    exception when insufficient_privilege then
      raise exception 'the role module_mgmt_definer was made by somebody else; who made it must run: grant module_mgmt_definer to %',
        quote_ident(current_user);
    end;
  end if;
end
$$;
grant usage on schema public, module_mgmt to module_mgmt_definer;
grant execute on function module_mgmt.claims(), module_mgmt.get_current_org_id() to module_mgmt_definer;

create or replace function module_mgmt.is_signed_in() returns boolean
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select coalesce(module_mgmt.claims() ->> 'sub' <> '' and module_mgmt.get_current_org_id() is not null, false)
$$;
comment on function module_mgmt.is_signed_in() is 'Whether the caller has an identity and an organisation.';

-- The claims' organisation's view of the registry, in one short text; asking for it reads two rows.
create or replace function module_mgmt.registry_version() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select concat_ws('-',
    (select version from public.platform_module_version where scope = ''),
    coalesce((select version from public.platform_module_version where scope = module_mgmt.get_current_org_id()), 0),
    left(encode(sha256(convert_to(module_mgmt.get_current_org_id(), 'UTF8')), 'hex'), 12))
  where module_mgmt.is_signed_in()
$$;
comment on function module_mgmt.registry_version() is
  'Changes with every change of the registry or of the overrides of the caller''s organisation; null without a caller.';

-- Gates must tell why a module is off, and callers may not read the rows of modules that are: so this tells that much and no more.
create or replace function module_mgmt.module_states()
returns table (name text, module_type text, is_enabled boolean, is_installed boolean, org_on boolean, dependencies text[],
  required_permissions text[])
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select module.module_name, module.module_type, module.is_enabled, module.is_installed,
    coalesce(override.is_enabled, true), module.dependencies, module.required_permissions
  from public.platform_module_registry module
  left join public.platform_module_override override
    on override.module_name = module.module_name and override.org_id = module_mgmt.get_current_org_id()
  where module.deleted_at is null and module_mgmt.is_signed_in()
  order by module.module_name
$$;
comment on function module_mgmt.module_states() is
  'What decides whether each module is on for the caller''s organisation; nothing without a caller.';

-- A definer function runs as its owner; ours may create nothing, neither before nor afterwards.
create or replace function module_mgmt.hand_to_definer(variadic names text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  handed record;
  missing text;
begin
  select name into missing from unnest(names) as name
  where not exists (select from pg_catalog.pg_proc
    where proname = name and prosecdef and pronamespace in ('public'::regnamespace, 'module_mgmt'::regnamespace));
  if missing is not null then
    raise exception 'there is no definer function %', missing;
  end if;
  grant create on schema public, module_mgmt to module_mgmt_definer;
  for handed in
    select oid::regprocedure as name from pg_catalog.pg_proc
    where proname = any (names) and prosecdef and pronamespace in ('public'::regnamespace, 'module_mgmt'::regnamespace)
      and proowner <> 'module_mgmt_definer'::regrole
  loop
    execute format('alter function %s owner to module_mgmt_definer', handed.name);
  end loop;
  revoke create on schema public, module_mgmt from module_mgmt_definer;
end
$$;
comment on function module_mgmt.hand_to_definer(text[]) is 'Makes module_mgmt_definer the owner of definer functions that a schema file has made.';
revoke all on function module_mgmt.hand_to_definer(text[]) from public;

do $$
begin
  perform module_mgmt.hand_to_definer(
    'platform_module_registry_lock', 'lock_registry', 'hold_module', 'platform_module_registry_check', 'platform_module_audit_change',
    'prune_module_audit', 'registry_version', 'module_states');
end
$$;

revoke all on function module_mgmt.is_signed_in(), module_mgmt.registry_version(), module_mgmt.module_states(),
  module_mgmt.lock_registry(), module_mgmt.hold_module(text), module_mgmt.changed_paths(jsonb, jsonb), module_mgmt.prune_module_audit(integer) from public;
grant execute on function module_mgmt.is_signed_in() to authenticated, module_mgmt_request, module_mgmt_worker, module_mgmt_definer;
grant execute on function module_mgmt.registry_version(), module_mgmt.module_states(), module_mgmt.lock_registry(),
  module_mgmt.hold_module(text) to module_mgmt_request;
grant execute on function module_mgmt.changed_paths(jsonb, jsonb), module_mgmt.is_platform_admin() to module_mgmt_definer;
grant execute on function module_mgmt.prune_module_audit(integer) to module_mgmt_worker;

-- Triggers run their functions whoever may execute them; nobody needs to call them.
revoke all on function public.platform_module_registry_lock(), public.platform_module_stamp(),
  public.platform_module_registry_disabled_at(), public.platform_module_registry_check(),
  public.platform_module_audit_change(), public.platform_module_audit_is_append_only() from public, anon, authenticated;

revoke all on public.platform_module_registry, public.platform_module_override, public.platform_module_audit,
  public.platform_module_version
  from public, anon, authenticated, module_mgmt_request, module_mgmt_worker, module_mgmt_definer;

-- Not granted to authenticated: config, config_schema, functions, dependencies, required_permissions and nav_config, which are for
-- platform admins, wholly or in part; they go through the API.
grant select (module_name, display_name, description, module_type, tier, is_enabled, is_installed, version, feature_flags,
    created_at, updated_at)
  on public.platform_module_registry to authenticated;
grant select (org_id, module_name, is_enabled, created_at, updated_at) on public.platform_module_override to authenticated;

grant select, insert, update on public.platform_module_registry to module_mgmt_request;
grant select, insert, update, delete on public.platform_module_override to module_mgmt_request;
grant select on public.platform_module_audit to module_mgmt_request;
grant select on public.platform_module_registry to module_mgmt_worker;
grant select on public.platform_module_registry, public.platform_module_override to module_mgmt_definer;
-- So that it may lock rows; the policy lets it change none.
grant update (module_name) on public.platform_module_registry to module_mgmt_definer;
grant select (occurred_at), insert, delete on public.platform_module_audit to module_mgmt_definer;
grant select, insert, update on public.platform_module_version to module_mgmt_definer;

alter table public.platform_module_registry enable row level security, force row level security;
alter table public.platform_module_override enable row level security, force row level security;
alter table public.platform_module_audit    enable row level security, force row level security;
alter table public.platform_module_version  enable row level security, force row level security;

do $$
begin
  perform module_mgmt.drop_our_policies(
    'platform_module_registry', 'platform_module_override', 'platform_module_audit', 'platform_module_version');
end
$$;

create policy "Platform admins read every module" on public.platform_module_registry
  for select to authenticated, module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Platform admins register modules" on public.platform_module_registry
  for insert to module_mgmt_request with check ((select module_mgmt.is_platform_admin()));
create policy "Platform admins change modules" on public.platform_module_registry
  for update to module_mgmt_request
  using ((select module_mgmt.is_platform_admin())) with check ((select module_mgmt.is_platform_admin()));
create policy "Everybody signed in reads enabled modules" on public.platform_module_registry
  for select to authenticated, module_mgmt_request
  using (is_enabled and deleted_at is null and (select module_mgmt.is_signed_in()));
create policy "The worker reads every module" on public.platform_module_registry
  for select to module_mgmt_worker using (true);
create policy "The definer reads every module" on public.platform_module_registry
  for select to module_mgmt_definer using (true);

create policy "The definer locks modules" on public.platform_module_registry
  for update to module_mgmt_definer using (true) with check (false);

create policy "Members read the overrides of their organisation" on public.platform_module_override
  for select to authenticated, module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_signed_in()));
create policy "Organisation admins keep the overrides of their organisation" on public.platform_module_override
  for all to module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin()))
  with check (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin()));
create policy "Platform admins read every override" on public.platform_module_override
  for select to authenticated, module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Platform admins keep every override" on public.platform_module_override
  for all to module_mgmt_request
  using ((select module_mgmt.is_platform_admin())) with check ((select module_mgmt.is_platform_admin()));
create policy "The definer reads every override" on public.platform_module_override
  for select to module_mgmt_definer using (true);

create policy "Platform admins read the audit" on public.platform_module_audit
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Organisation admins read the audit of their overrides" on public.platform_module_audit
  for select to module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin()));
create policy "The definer adds to the audit" on public.platform_module_audit
  for insert to module_mgmt_definer with check (true);
create policy "The definer reads what is a month old of the audit" on public.platform_module_audit
  for select to module_mgmt_definer using (occurred_at < now() - interval '1 month');
create policy "The definer removes what is a month old of the audit" on public.platform_module_audit
  for delete to module_mgmt_definer using (occurred_at < now() - interval '1 month');

create policy "The definer counts changes" on public.platform_module_version
  for all to module_mgmt_definer using (true) with check (true);

comment on policy "Platform admins read every module" on public.platform_module_registry is
  'Disabled and deleted ones too.';
comment on policy "Platform admins register modules" on public.platform_module_registry is
  'POST of a name that was never used.';
comment on policy "Platform admins change modules" on public.platform_module_registry is
  'Updates, enable, disable and the soft delete. There is no DELETE.';
comment on policy "Everybody signed in reads enabled modules" on public.platform_module_registry is
  'Menus and module lists of members.';
comment on policy "The worker reads every module" on public.platform_module_registry is
  'The warmer pings the functions of modules that are on.';
comment on policy "The definer reads every module" on public.platform_module_registry is
  'The check of the graph, and the states that gates ask for.';
comment on policy "The definer locks modules" on public.platform_module_registry is
  'hold_module. It writes none.';
comment on policy "Members read the overrides of their organisation" on public.platform_module_override is
  'What is off for them, they may know.';
comment on policy "Organisation admins keep the overrides of their organisation" on public.platform_module_override is
  'PUT and DELETE of an override, in their own organisation only.';
comment on policy "Platform admins read every override" on public.platform_module_override is
  'The impact of a change names how many organisations it meets.';
comment on policy "Platform admins keep every override" on public.platform_module_override is
  'Help for organisations; deleting a module removes its overrides.';
comment on policy "The definer reads every override" on public.platform_module_override is
  'The states that gates ask for.';
comment on policy "Platform admins read the audit" on public.platform_module_audit is
  'GET /platform/modules/{name}/history.';
comment on policy "Organisation admins read the audit of their overrides" on public.platform_module_audit is
  'A refused write of an override tells what changed since the version that was sent.';
comment on policy "The definer adds to the audit" on public.platform_module_audit is
  'The triggers write it; nobody else can.';
comment on policy "The definer reads what is a month old of the audit" on public.platform_module_audit is
  'To find what is to be removed.';
comment on policy "The definer removes what is a month old of the audit" on public.platform_module_audit is
  'prune_module_audit. What is younger stays, whatever it is called with.';
comment on policy "The definer counts changes" on public.platform_module_version is
  'The triggers count; registry_version() tells.';
