-- Platform configs, the state of their EventBridge rules, and the history of warming.
-- Idempotent: runs on an empty database and on one that already has platform_lambda_config with rows.

create table if not exists public.platform_lambda_config (
  id           uuid primary key default gen_random_uuid(),
  config_key   varchar(100) not null unique,
  config_value jsonb not null,
  description  text,
  is_active    boolean not null default true,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  created_by   uuid,
  updated_by   uuid
);

-- 002 forces row-level security on the owner too, who then could not complete rows on a second run; 002 puts it back.
alter table public.platform_lambda_config no force row level security;

-- Rows of the old system start at version 1.
alter table public.platform_lambda_config add column if not exists row_version bigint not null default 1;

-- The old table may have allowed nulls here; a config without a state counts as active, as it did there.
update public.platform_lambda_config set is_active = true where is_active is null;
alter table public.platform_lambda_config
  alter column is_active set default true,
  alter column is_active set not null;

comment on table  public.platform_lambda_config is 'Platform-wide configs by key; lambda_warming is the warming schedule.';
comment on column public.platform_lambda_config.id is 'Surrogate key of the old system, kept for its references.';
comment on column public.platform_lambda_config.config_key is 'The name under which the API serves this config.';
comment on column public.platform_lambda_config.config_value is 'The value, stored as it was sent; its keys are never re-cased.';
comment on column public.platform_lambda_config.description is 'One sentence for people.';
comment on column public.platform_lambda_config.is_active is 'False keeps the value but switches its effect off.';
comment on column public.platform_lambda_config.created_at is 'When the config was first stored.';
comment on column public.platform_lambda_config.updated_at is 'When the config last changed.';
comment on column public.platform_lambda_config.created_by is 'Who stored it first, where that id is a UUID.';
comment on column public.platform_lambda_config.updated_by is 'Who changed it last, where that id is a UUID.';
comment on column public.platform_lambda_config.row_version is 'Counts changes; served as the ETag and compared with If-Match.';

-- Every change counts, whoever makes it: the ETag must never repeat for another content.
create or replace function public.platform_lambda_config_count_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.row_version := old.row_version + 1;
  new.updated_at := now();
  new.created_at := old.created_at;
  new.created_by := old.created_by;
  return new;
end
$$;

create or replace trigger platform_lambda_config_count_change
  before update on public.platform_lambda_config
  for each row execute function public.platform_lambda_config_count_change();

-- A fresh platform has a schedule to edit; it is off until somebody switches it on.
insert into public.platform_lambda_config (config_key, config_value, description)
values (
  'lambda_warming',
  '{"enabled": false, "timezone": "UTC", "interval_minutes": 5,
    "weekly_schedule": {
      "monday":    {"enabled": true,  "ranges": [{"start": "09:00", "end": "17:00"}]},
      "tuesday":   {"enabled": true,  "ranges": [{"start": "09:00", "end": "17:00"}]},
      "wednesday": {"enabled": true,  "ranges": [{"start": "09:00", "end": "17:00"}]},
      "thursday":  {"enabled": true,  "ranges": [{"start": "09:00", "end": "17:00"}]},
      "friday":    {"enabled": true,  "ranges": [{"start": "09:00", "end": "17:00"}]},
      "saturday":  {"enabled": false, "ranges": []},
      "sunday":    {"enabled": false, "ranges": []}},
    "lambda_functions": [], "include_modules": true}',
  'When Lambda functions are kept warm.'
)
on conflict (config_key) do nothing;

create table if not exists public.platform_rule_sync (
  config_key       varchar(100) primary key,
  status           text not null default 'pending' check (status in ('synced', 'pending')),
  applied_version  bigint,
  applied_at       timestamptz,
  attempted_at     timestamptz,
  last_error       text,
  observed         jsonb,
  generation       bigint not null default 0,
  lease_holder     text,
  lease_until      timestamptz
);

comment on table  public.platform_rule_sync is 'How far the EventBridge rules of a config follow its stored value.';
comment on column public.platform_rule_sync.config_key is 'The config whose rules these are.';
comment on column public.platform_rule_sync.status is 'synced: the rules were seen to be as the applied version wants them; pending: not yet.';
comment on column public.platform_rule_sync.applied_version is 'row_version of the config that the rules last followed completely.';
comment on column public.platform_rule_sync.applied_at is 'When they were last seen to follow it.';
comment on column public.platform_rule_sync.attempted_at is 'When a reconcile last ran.';
comment on column public.platform_rule_sync.last_error is 'Why the last reconcile did not finish; null when it did.';
comment on column public.platform_rule_sync.observed is 'The rules as the last reconcile left them, one report per rule.';
comment on column public.platform_rule_sync.generation is 'Counts leases; a reconcile that lost its lease cannot write its result.';
comment on column public.platform_rule_sync.lease_holder is 'Which reconcile is at work; null when none is.';
comment on column public.platform_rule_sync.lease_until is 'When that reconcile counts as dead.';

create table if not exists public.platform_warming_run (
  tick             timestamptz primary key check (date_trunc('minute', tick) = tick),
  status           text not null default 'running' check (status in ('running', 'done', 'cut', 'failed')),
  config_version   bigint,
  started_at       timestamptz not null default now(),
  finished_at      timestamptz,
  asked            integer not null default 0,
  reached          integer not null default 0,
  unique_instances integer,
  cold             integer not null default 0,
  init_ms          bigint not null default 0,
  throttled        integer not null default 0,
  errors           integer not null default 0,
  note             text,
  functions        jsonb not null default '[]'
);

comment on table  public.platform_warming_run is 'One row per tick that was due: what was pinged and what proved to be warm.';
comment on column public.platform_warming_run.tick is 'The scheduled minute, UTC; its insert claims the tick, so a second delivery does nothing.';
comment on column public.platform_warming_run.status is 'running, done, cut (concurrency limits left pings out) or failed.';
comment on column public.platform_warming_run.config_version is 'row_version of the config that the run followed.';
comment on column public.platform_warming_run.started_at is 'When the tick was claimed.';
comment on column public.platform_warming_run.finished_at is 'When the report was complete; null while running or after a crash.';
comment on column public.platform_warming_run.asked is 'Pings wanted: the sum of every function''s concurrency.';
comment on column public.platform_warming_run.reached is 'Pings that were answered.';
comment on column public.platform_warming_run.unique_instances is 'Distinct instances that answered; null when no payload returns instance ids.';
comment on column public.platform_warming_run.cold is 'Answers of instances that had just started.';
comment on column public.platform_warming_run.init_ms is 'Milliseconds those instances spent starting, added up.';
comment on column public.platform_warming_run.throttled is 'Pings refused with 429.';
comment on column public.platform_warming_run.errors is 'Pings that failed otherwise.';
comment on column public.platform_warming_run.note is 'What a person should know about the run; null when all is well.';
comment on column public.platform_warming_run.functions is 'The same figures per function, as a JSON array.';

create table if not exists public.platform_warming_target (
  function_name text not null,
  qualifier     text not null default '',
  fingerprint   text not null,
  status        text not null check (status in ('probing', 'proven', 'suspended')),
  code_sha256   text,
  reason        text,
  updated_at    timestamptz not null default now(),
  primary key (function_name, qualifier)
);

comment on table  public.platform_warming_target is 'What the first native ping of a function showed: whether it answers the warm protocol.';
comment on column public.platform_warming_target.function_name is 'Name or ARN as the schedule names it.';
comment on column public.platform_warming_target.qualifier is 'Alias or version; empty for $LATEST.';
comment on column public.platform_warming_target.fingerprint is 'Hash of the schedule''s entry; another entry is tried anew.';
comment on column public.platform_warming_target.status is 'probing: its first ping is under way, or was when a run broke off; proven: answers the protocol; suspended: does not. Only proven is pinged again.';
comment on column public.platform_warming_target.code_sha256 is 'Code that was pinged, base64 of SHA-256 as Lambda gives it; other code is tried anew. Null: Lambda did not tell.';
comment on column public.platform_warming_target.reason is 'What the suspended function answered; null otherwise.';
comment on column public.platform_warming_target.updated_at is 'When this was found.';
