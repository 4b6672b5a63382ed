-- The registry of modules, what organisations override, and the audit of both.
-- Idempotent. Who may do what is in 005.

create table if not exists public.platform_module_registry (
  module_name            text primary key check (module_name ~ '^module-[a-z][a-z0-9-]*$' and length(module_name) <= 64),
  display_name           text not null check (length(display_name) between 1 and 200),
  description            text,
  module_type            text not null default 'functional' check (module_type in ('core', 'functional')),
  tier                   smallint not null default 3 check (tier between 1 and 3),
  is_enabled             boolean not null default false,
  is_installed           boolean not null default true,
  version                text not null default '1.0.0' check (version ~ '^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$'),
  min_compatible_version text check (min_compatible_version ~ '^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$'),
  config                 jsonb not null default '{}' check (jsonb_typeof(config) = 'object'),
  config_schema          jsonb,
  feature_flags          jsonb not null default '{}' check (jsonb_typeof(feature_flags) = 'object'),
  dependencies           text[] not null default '{}'
    check (array_to_string(dependencies, E'\n') ~ '^(module-[a-z][a-z0-9-]*(@[^\n]+)?(\n|$))*$'),
  nav_config             jsonb,
  required_permissions   text[] not null default '{}',
  functions              jsonb not null default '[]' check (jsonb_typeof(functions) = 'array'),
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  created_by             text,
  updated_by             text,
  disabled_at            timestamptz,
  deleted_at             timestamptz,
  row_version            bigint not null default 1,
  constraint a_deleted_module_is_disabled check (deleted_at is null or not is_enabled)
);

comment on table  public.platform_module_registry is 'The modules of the platform, deleted ones too.';
comment on column public.platform_module_registry.module_name is 'Its name everywhere; never used for another module.';
comment on column public.platform_module_registry.display_name is 'Its name for people.';
comment on column public.platform_module_registry.description is 'What it does, for people.';
comment on column public.platform_module_registry.module_type is 'core: carries the platform, disabling it takes force; functional: the rest.';
comment on column public.platform_module_registry.tier is '1 to 3; a module needs only modules of its own or a lower tier.';
comment on column public.platform_module_registry.is_enabled is 'Switched by enable and disable only, which follow the dependencies.';
comment on column public.platform_module_registry.is_installed is 'Whether its code is deployed; without it the module is off.';
comment on column public.platform_module_registry.version is 'Semantic version of what is installed.';
comment on column public.platform_module_registry.min_compatible_version is 'Oldest version that dependents may still ask for; null: any.';
comment on column public.platform_module_registry.config is 'Settings of the module, valid by config_schema; its keys are never re-cased.';
comment on column public.platform_module_registry.config_schema is 'JSON Schema of config; null: anything goes.';
comment on column public.platform_module_registry.feature_flags is 'Flags that everybody signed in may read.';
comment on column public.platform_module_registry.dependencies is 'What it needs: names, with @ and a version requirement where it matters.';
comment on column public.platform_module_registry.nav_config is 'Its part of the menu; null: it has none.';
comment on column public.platform_module_registry.required_permissions is 'A caller needs all of them to use the module.';
comment on column public.platform_module_registry.functions is 'Lambda functions to keep warm while it is on; entries as in lambda_functions of the warming schedule.';
comment on column public.platform_module_registry.created_at is 'When it was registered; anew when a deleted module is registered again.';
comment on column public.platform_module_registry.updated_at is 'When it last changed.';
comment on column public.platform_module_registry.created_by is 'Who registered it; null: the schema did.';
comment on column public.platform_module_registry.updated_by is 'Who changed it last.';
comment on column public.platform_module_registry.disabled_at is 'Since when it is disabled; null while it is enabled. Usage from before then still counts.';
comment on column public.platform_module_registry.deleted_at is 'When it was deleted; null while it is registered.';
comment on column public.platform_module_registry.row_version is 'Counts changes; served as the ETag and compared with If-Match.';

create table if not exists public.platform_module_override (
  org_id      text not null check (length(org_id) between 1 and 200),
  module_name text not null references public.platform_module_registry,
  is_enabled  boolean not null default true,
  config      jsonb check (jsonb_typeof(config) = 'object'),
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  created_by  text,
  updated_by  text,
  row_version bigint not null default 1,
  primary key (org_id, module_name)
);

comment on table  public.platform_module_override is 'What an organisation has otherwise than the platform: a module off, or other settings.';
comment on column public.platform_module_override.org_id is 'The organisation, by its opaque id.';
comment on column public.platform_module_override.module_name is 'The module.';
comment on column public.platform_module_override.is_enabled is 'False: off for this organisation. True changes nothing: it cannot be on where the platform has it off.';
comment on column public.platform_module_override.config is 'Merged over the config of the module (RFC 7396); null: nothing of its own.';
comment on column public.platform_module_override.created_at is 'When the override was made.';
comment on column public.platform_module_override.updated_at is 'When it last changed.';
comment on column public.platform_module_override.created_by is 'Who made it.';
comment on column public.platform_module_override.updated_by is 'Who changed it last.';
comment on column public.platform_module_override.row_version is 'Grows with each change, and begins later than any override before it; served as the ETag and compared with If-Match.';

create table if not exists public.platform_module_audit (
  id          bigint generated always as identity primary key,
  occurred_at timestamptz not null default now(),
  module_name text not null,
  org_id      text,
  actor       text,
  action      text not null check (action in
    ('register', 'update', 'enable', 'disable', 'delete', 'override', 'override_change', 'override_remove')),
  changes     jsonb not null default '[]' check (jsonb_typeof(changes) = 'array'),
  row_version bigint,
  request_id  text
);
create index if not exists platform_module_audit_by_module on public.platform_module_audit (module_name, id desc);
create index if not exists platform_module_audit_by_time on public.platform_module_audit using brin (occurred_at);
-- As databases had it whose audit kept copies of whole columns.
alter table public.platform_module_audit add column if not exists changes jsonb not null default '[]' check (jsonb_typeof(changes) = 'array');

comment on table  public.platform_module_audit is 'Every change of the registry and of overrides, written by triggers. Rows are never changed; they leave when they are old, through prune_module_audit.';
comment on column public.platform_module_audit.id is 'Counts up in the order of the changes of one module.';
comment on column public.platform_module_audit.occurred_at is 'When the change began.';
comment on column public.platform_module_audit.module_name is 'The module that changed.';
comment on column public.platform_module_audit.org_id is 'The organisation whose override changed; null: the platform''s own row did.';
comment on column public.platform_module_audit.actor is 'Who did it; null: no caller, but somebody with access to the database.';
comment on column public.platform_module_audit.action is 'What was done.';
comment on column public.platform_module_audit.changes is 'The JSON pointers that changed, each with before and after, at most 100 of at most 2 KB; see module_mgmt.changed_paths.';
comment on column public.platform_module_audit.row_version is 'The version that the change made, or removed; it tells what changed since another.';
comment on column public.platform_module_audit.request_id is 'The request that did it; the same for all modules of a cascade.';

create table if not exists public.platform_module_version (
  scope   text primary key,
  version bigint not null
);

comment on table  public.platform_module_version is 'One number per scope that grows with every change, so that an unchanged registry is cheap to recognise.';
comment on column public.platform_module_version.scope is 'Empty for the registry itself, or an organisation''s id for its overrides.';
comment on column public.platform_module_version.version is 'Milliseconds since 1970 at the change, or one more than before: it never repeats, even after a restore.';

-- A re-run works on tables that 005 has closed to their owner; 005 closes them again.
alter table public.platform_module_registry no force row level security;
alter table public.platform_module_override no force row level security;
alter table public.platform_module_version  no force row level security;

-- Whoever changes the registry holds this row until the end of the transaction, and every change counts it up at last. A row and not an
-- advisory lock, which anybody could take who may connect.
create or replace function module_mgmt.lock_registry() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Who may change nothing keeps nobody waiting.
  if current_setting('role') = 'module_mgmt_request' and not module_mgmt.is_platform_admin() then
    return;
  end if;
  perform from public.platform_module_version where scope = '' for update;
  if not found then
    insert into public.platform_module_version (scope, version)
    values ('', (extract(epoch from clock_timestamp()) * 1000)::bigint) on conflict (scope) do nothing;
    perform from public.platform_module_version where scope = '' for update;
  end if;
end
$$;
comment on function module_mgmt.lock_registry() is 'Waits until no other transaction changes the registry; nothing for callers who may not.';

-- Holds a module as it is until the end of the transaction, for who writes beside it. Who may not change a row may not lock it; so this does.
create or replace function module_mgmt.hold_module(name text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from public.platform_module_registry where module_name = name and deleted_at is null for share;
  return found;
end
$$;
comment on function module_mgmt.hold_module(text) is
  'Keeps a module from being changed or deleted until the end of the transaction; false where there is none.';

-- Whoever writes to the registry waits for the others first, even with psql: enabling X (which needs Y) and disabling Y would
-- pass each other by at any isolation level below serialisable.
create or replace function public.platform_module_registry_lock() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Its snapshot would be older than the lock: it would check the graph as it was before the one that it waited for.
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'the module registry cannot be changed at repeatable read; use read committed or serializable'
      using errcode = 'feature_not_supported';
  end if;
  perform module_mgmt.lock_registry();
  return null;
end
$$;

-- Who asks is the claims' matter: what a statement sends about it is overwritten.
create or replace function public.platform_module_stamp() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  actor text := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
  is_new boolean := tg_op = 'INSERT';
begin
  new.updated_at := now();
  new.updated_by := actor;
  -- An override that was removed and made again must not begin where the old one did: its tag would stand for other content.
  new.row_version := case when tg_table_name = 'platform_module_override'
    then (extract(epoch from clock_timestamp()) * 1000)::bigint else 1 end;
  if not is_new then
    new.row_version := old.row_version + 1;
    -- A deleted module that is registered again begins anew, but its versions go on: an ETag must never repeat.
    if tg_table_name = 'platform_module_registry' then
      is_new := (to_jsonb(old) ->> 'deleted_at') is not null and (to_jsonb(new) ->> 'deleted_at') is null;
    end if;
  end if;
  if is_new then
    new.created_at := now();
    new.created_by := actor;
  else
    new.created_at := old.created_at;
    new.created_by := old.created_by;
  end if;
  return new;
end
$$;

-- Usage is judged by when its module was disabled, so nobody sets that by hand.
create or replace function public.platform_module_registry_disabled_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.is_enabled then
    new.disabled_at := null;
  elsif tg_op = 'INSERT' or old.is_enabled then
    new.disabled_at := clock_timestamp();
  else
    new.disabled_at := old.disabled_at;
  end if;
  return new;
end
$$;

-- The last line of defence: no statement may leave an enabled module without what it needs. The function that made the statement
-- should have refused with better words.
create or replace function public.platform_module_registry_check() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  broken text;
begin
  select format('%s needs %s', module.module_name, needed.name) into broken
  from public.platform_module_registry module
  cross join lateral (select split_part(dependency, '@', 1) as name from unnest(module.dependencies) dependency) needed
  left join public.platform_module_registry other on other.module_name = needed.name
  where module.is_enabled and not coalesce(other.is_enabled and other.is_installed, false)
  limit 1;
  if found then
    raise exception 'an enabled module would be left without what it needs: %', broken
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;

-- What differs between two values, as JSON pointers with what was and what is, each at most 2 KB: so a change of one word in a config of
-- 64 KB costs the audit one word. A longer value is cut and becomes a text.
create or replace function module_mgmt.changed_paths(was jsonb, now_is jsonb) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  with recursive pair (pointer, was, now_is) as (
    select '', was, now_is
    union all
    select pair.pointer || '/' || part.pointer, part.was, part.now_is
    from pair
    cross join lateral (
      select replace(replace(key, '~', '~0'), '/', '~1') as pointer, pair.was -> key as was, pair.now_is -> key as now_is
      from jsonb_object_keys(case when jsonb_typeof(pair.was) = 'object' and jsonb_typeof(pair.now_is) = 'object'
        then pair.was || pair.now_is else '{}' end) key
      union all
      select place::text, pair.was -> place, pair.now_is -> place
      from generate_series(0, case when jsonb_typeof(pair.was) = 'array' and jsonb_typeof(pair.now_is) = 'array'
        then greatest(jsonb_array_length(pair.was), jsonb_array_length(pair.now_is)) - 1 else -1 end) place
    ) part
    where part.was is distinct from part.now_is
  ), changed as (
    select left(pointer, 500) as path, row_number() over (order by pointer collate "C") as number, count(*) over () as count,
      case when octet_length(was::text) > 2048 then to_jsonb(left(was::text, 500) || '…') else was end as before,
      case when octet_length(now_is::text) > 2048 then to_jsonb(left(now_is::text, 500) || '…') else now_is end as after
    from pair
    where was is distinct from now_is
      and (jsonb_typeof(was) is distinct from jsonb_typeof(now_is) or jsonb_typeof(was) not in ('object', 'array'))
  )
  select coalesce(jsonb_agg(jsonb_build_object('path', path)
    || case when before is null then '{}' else jsonb_build_object('before', before) end
    || case when after is null then '{}' else jsonb_build_object('after', after) end
    || case when number = 100 and count > 100 then jsonb_build_object('more', count - 100) else '{}' end
    order by number), '[]')
  from changed where number <= 100
$$;
comment on function module_mgmt.changed_paths(jsonb, jsonb) is
  'The first 100 JSON pointers at which two values differ, with before and after; the last one says how many more there are.';

do $$
begin
  if exists (select from pg_attribute
      where attrelid = 'public.platform_module_audit'::regclass and attname = 'before' and not attisdropped) then
    alter table public.platform_module_audit no force row level security, disable trigger user;
    update public.platform_module_audit
    set changes = module_mgmt.changed_paths(coalesce(before, '{}'), coalesce(after, '{}') - array['module_name', 'org_id']);
    alter table public.platform_module_audit force row level security, enable trigger user, drop column before, drop column after;
  end if;
end
$$;

-- One row per changed module or override with the paths that changed, and one new version per scope: for a whole statement at
-- once, because a cascade may change thousands of rows.
create or replace function public.platform_module_audit_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  bookkeeping text[] := array['module_name', 'org_id', 'row_version', 'created_at', 'updated_at', 'created_by', 'updated_by'];
  is_override boolean := tg_table_name = 'platform_module_override';
  changed_scopes text[];
begin
  if tg_op = 'INSERT' then
    changed_scopes := array(select distinct coalesce(to_jsonb(row) ->> 'org_id', '') from new_rows row order by 1);
    insert into public.platform_module_audit (module_name, org_id, actor, action, changes, row_version, request_id)
    select row.module_name, to_jsonb(row) ->> 'org_id', left(claims ->> 'sub', 200),
      case when is_override then 'override' else 'register' end,
      module_mgmt.changed_paths('{}', to_jsonb(row) - bookkeeping), row.row_version, left(claims ->> 'request_id', 200)
    from new_rows row;
  elsif tg_op = 'DELETE' then
    changed_scopes := array(select distinct coalesce(to_jsonb(row) ->> 'org_id', '') from old_rows row order by 1);
    insert into public.platform_module_audit (module_name, org_id, actor, action, changes, row_version, request_id)
    select row.module_name, to_jsonb(row) ->> 'org_id', left(claims ->> 'sub', 200),
      case when is_override then 'override_remove' else 'delete' end,
      module_mgmt.changed_paths(to_jsonb(row) - bookkeeping, '{}'), row.row_version, left(claims ->> 'request_id', 200)
    from old_rows row;
  else
    -- "offset 0" keeps the planner from writing a row out as JSON once per column.
    changed_scopes := array(select distinct coalesce(to_jsonb(row) ->> 'org_id', '') from new_rows row order by 1);
    insert into public.platform_module_audit (module_name, org_id, actor, action, changes, row_version, request_id)
    select change.module_name, change.org_id, left(claims ->> 'sub', 200), action,
      module_mgmt.changed_paths(case when action = 'register' then '{}' else was end, now_is),
      change.row_version, left(claims ->> 'request_id', 200)
    from (
      select pair.*,
        case
          when is_override then 'override_change'
          when was ->> 'deleted_at' is not null and now_is ->> 'deleted_at' is null then 'register'
          when was ->> 'deleted_at' is null and now_is ->> 'deleted_at' is not null then 'delete'
          when was -> 'is_enabled' = 'false' and now_is -> 'is_enabled' = 'true' then 'enable'
          when was -> 'is_enabled' = 'true' and now_is -> 'is_enabled' = 'false' then 'disable'
          else 'update'
        end as action
      from (
        select new_row.module_name, new_row.row_version, to_jsonb(new_row) ->> 'org_id' as org_id,
          to_jsonb(old_row) - bookkeeping as was, to_jsonb(new_row) - bookkeeping as now_is
        from new_rows new_row
        join old_rows old_row on old_row.module_name = new_row.module_name
          and to_jsonb(old_row) ->> 'org_id' is not distinct from to_jsonb(new_row) ->> 'org_id'
        offset 0
      ) pair
      offset 0
    ) change;
  end if;

  insert into public.platform_module_version as current (scope, version)
  select scope, (extract(epoch from clock_timestamp()) * 1000)::bigint from unnest(changed_scopes) scope
  on conflict (scope) do update set version = greatest(excluded.version, current.version + 1);
  return null;
end
$$;

-- The definer removes what is old, through prune_module_audit; nobody else changes anything.
create or replace function public.platform_module_audit_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' and current_user = 'module_mgmt_definer' then
    return null;
  end if;
  raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$;

create or replace function module_mgmt.prune_module_audit(months integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with pruned as (
    delete from public.platform_module_audit where occurred_at < now() - make_interval(months => months) returning 1
  )
  select count(*) from pruned
$$;
comment on function module_mgmt.prune_module_audit(integer) is
  'Removes the audit of changes that are older than the months given, at least one; answers how many.';

-- Triggers of one event, kind and level fire in the order of their names. Those before a statement fire before those of its rows, so that
-- the registry is locked before anything else; the check is the last.
drop trigger if exists a_lock on public.platform_module_registry;
create or replace trigger lock_registry before insert or update or delete on public.platform_module_registry
  for each statement execute function public.platform_module_registry_lock();
create or replace trigger b_stamp before insert or update on public.platform_module_registry
  for each row execute function public.platform_module_stamp();
create or replace trigger c_disabled_at before insert or update on public.platform_module_registry
  for each row execute function public.platform_module_registry_disabled_at();
create or replace trigger d_audit_insert after insert on public.platform_module_registry
  referencing new table as new_rows for each statement execute function public.platform_module_audit_change();
create or replace trigger d_audit_update after update on public.platform_module_registry
  referencing old table as old_rows new table as new_rows for each statement execute function public.platform_module_audit_change();
create or replace trigger d_audit_delete after delete on public.platform_module_registry
  referencing old table as old_rows for each statement execute function public.platform_module_audit_change();
create or replace trigger e_check after insert or update or delete on public.platform_module_registry
  for each statement execute function public.platform_module_registry_check();

create or replace trigger b_stamp before insert or update on public.platform_module_override
  for each row execute function public.platform_module_stamp();
create or replace trigger d_audit_insert after insert on public.platform_module_override
  referencing new table as new_rows for each statement execute function public.platform_module_audit_change();
create or replace trigger d_audit_update after update on public.platform_module_override
  referencing old table as old_rows new table as new_rows for each statement execute function public.platform_module_audit_change();
create or replace trigger d_audit_delete after delete on public.platform_module_override
  referencing old table as old_rows for each statement execute function public.platform_module_audit_change();

drop trigger if exists a_stay on public.platform_module_audit;
drop function if exists public.platform_module_audit_stays();
create or replace trigger forbid_change before update or delete on public.platform_module_audit
  for each statement execute function public.platform_module_audit_is_append_only();

-- The modules that every platform of this kind has. What a platform has made of them stays.
insert into public.platform_module_registry
  (module_name, display_name, description, module_type, tier, is_enabled, dependencies, nav_config)
values
  ('module-access', 'Access', 'Organisations, members and their permissions.', 'core', 1, true, '{}',
   '{"route": "/access", "icon": "users", "label": "Access", "order": 10, "adminOnly": false, "children": [
      {"route": "/access/members", "icon": "user", "label": "Members", "order": 10, "adminOnly": false, "children": []},
      {"route": "/access/organisations", "icon": "building", "label": "Organisations", "order": 20, "adminOnly": true, "children": []}]}'),
  ('module-ai', 'AI', 'Providers and models that the other modules use.', 'core', 2, true, '{module-access}',
   '{"route": "/ai", "icon": "sparkles", "label": "AI", "order": 20, "adminOnly": false, "children": [
      {"route": "/ai/providers", "icon": "plug", "label": "Providers", "order": 10, "adminOnly": true, "children": []}]}'),
  ('module-mgmt', 'Management', 'Warm functions, modules and their use.', 'core', 3, true, '{module-access,module-ai}',
   '{"route": "/platform", "icon": "settings", "label": "Platform", "order": 90, "adminOnly": true, "children": [
      {"route": "/platform/modules", "icon": "blocks", "label": "Modules", "order": 10, "adminOnly": true, "children": []},
      {"route": "/platform/warming", "icon": "flame", "label": "Warming", "order": 20, "adminOnly": true, "children": []},
      {"route": "/platform/usage", "icon": "chart", "label": "Usage", "order": 30, "adminOnly": true, "children": []}]}')
on conflict (module_name) do nothing;

insert into public.platform_module_version (scope, version)
values ('', (extract(epoch from clock_timestamp()) * 1000)::bigint) on conflict (scope) do nothing;
