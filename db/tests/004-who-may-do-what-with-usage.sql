-- Every role and every verb on the tables of 004, on rows of the own organisation and of another, by the policies of 005; and what
-- record_usage takes from whom.
begin;
select no_plan();

-- One event of each of two organisations, one refused item, one sealed day.
set local role module_mgmt_worker;
select module_mgmt.record_usage(jsonb_build_array(
  '{"event_id": "0190a000-0000-7000-8000-000000000001", "org_id": "own", "user_id": "u", "module_name": "module-ai", "event_type": "api_call", "status": "success", "occurred_at": "2024-07-11T12:00:00Z", "content_hash": "\\x00000000000000000000000000000000"}'::jsonb,
  '{"event_id": "0190a000-0000-7000-8000-000000000001", "org_id": "other", "user_id": "u", "module_name": "module-ai", "event_type": "api_call", "status": "success", "occurred_at": "2024-07-11T12:00:00Z", "content_hash": "\\x00000000000000000000000000000000"}'::jsonb,
  '{"org_id": "own", "reason": "malformed", "item": "x"}'::jsonb, '{"org_id": "other", "reason": "malformed", "item": "x"}'::jsonb));
reset role;
insert into public.platform_module_usage_sealed_day (usage_date, events) values ('2024-07-10', 0);

-- Runs a statement as a role with claims and undoes it: '-' when it is refused, or how many rows it saw or touched.
create function pg_temp.attempt(role_name text, claims text, statement text) returns text language plpgsql as $$
declare
  touched bigint;
begin
  perform set_config('role', role_name, true), set_config('request.jwt.claims', claims, true);
  execute statement;
  get diagnostics touched = row_count;
  raise exception using errcode = 'UNDO1', message = touched;
exception
  when sqlstate 'UNDO1' then return sqlerrm;
  when insufficient_privilege then return '-';
end
$$;

create temp table callers (caller text, role_name text, claims text);
insert into callers values
  ('anon',                'anon',                      '{"sub":"u","org_id":"own","is_platform_admin":true,"is_org_admin":true}'),
  ('nobody',              'authenticated',             ''),
  ('authenticated',       'authenticated',             '{"sub":"u","org_id":"own"}'),
  ('authenticated org',   'authenticated',             '{"sub":"u","org_id":"own","is_org_admin":true}'),
  ('authenticated admin', 'authenticated',             '{"sub":"u","org_id":"own","is_platform_admin":true}'),
  ('request nobody',      'module_mgmt_request',       ''),
  ('request no org',      'module_mgmt_request',       '{"sub":"u","is_org_admin":true}'),
  ('request member',      'module_mgmt_request',       '{"sub":"u","org_id":"own"}'),
  ('request trick',       'module_mgmt_request',       '{"sub":"u","org_id":["own"],"is_org_admin":["true"],"user_metadata":{"is_platform_admin":true}}'),
  ('request org admin',   'module_mgmt_request',       '{"sub":"u","org_id":"own","is_org_admin":"true"}'),
  ('request admin',       'module_mgmt_request',       '{"sub":"u","org_id":"own","is_platform_admin":"true"}'),
  ('worker',              'module_mgmt_worker',        ''),
  ('request login',       'module_mgmt_request_login', '{"sub":"u","org_id":"own","is_platform_admin":true}'),
  ('worker login',        'module_mgmt_worker_login',  '{"sub":"u","org_id":"own","is_platform_admin":true}');

create temp table statements (number int, what text, statement text);
insert into statements values
  (1, 'raw: read', 'select 1 from public.platform_module_usage'),
  (2, 'daily: read', 'select 1 from public.platform_module_usage_daily'),
  (3, 'users: read', 'select 1 from public.platform_module_usage_user'),
  (4, 'rejects: read', 'select 1 from public.platform_module_usage_reject'),
  (5, 'reject counts: read', 'select 1 from public.platform_module_usage_reject_count'),
  (6, 'days: read', 'select 1 from public.platform_module_usage_sealed_day'),
  (7, 'partition: read', 'select 1 from module_mgmt_usage.usage_other'),
  (8, 'raw: add', $$insert into public.platform_module_usage (event_id, org_id) values ('0190a000-0000-7000-8000-000000000002', 'own')$$),
  (9, 'raw: change', $$update public.platform_module_usage set status = 'failure'$$),
  (10, 'raw: remove', 'delete from public.platform_module_usage'),
  (11, 'daily: add', $$insert into public.platform_module_usage_daily (org_id) values ('own')$$),
  (12, 'daily: change', 'update public.platform_module_usage_daily set total = 9'),
  (13, 'daily: remove', 'delete from public.platform_module_usage_daily'),
  (14, 'users: add', $$insert into public.platform_module_usage_user values ('', 'u', 'own')$$),
  (15, 'users: remove', 'delete from public.platform_module_usage_user'),
  (16, 'rejects: add', $$insert into public.platform_module_usage_reject (org_id, source, reason) values ('own', 'sqs', 'x')$$),
  (17, 'rejects: remove', 'delete from public.platform_module_usage_reject'),
  (18, 'days: add', $$insert into public.platform_module_usage_sealed_day (usage_date, events) values ('2030-01-01', 0)$$),
  (19, 'record_usage', $$select module_mgmt.record_usage('[{"reason": "x"}]')$$),
  (20, 'states', $$select 1 from module_mgmt.usage_states('{}') limit 1$$),
  (21, 'rebuild', $$select module_mgmt.rebuild_usage('2024-07-11')$$),
  (22, 'seal', 'select 1 from module_mgmt.seal_usage(30)'),
  (23, 'partitions', 'select module_mgmt.make_usage_partitions(1)'),
  (24, 'truncate', 'truncate public.platform_module_usage, public.platform_module_usage_daily, public.platform_module_usage_user');

-- One column per statement, as it is numbered. Who has no line here may do nothing.
create temp table expected (caller text, outcome text);
insert into expected values
--                         raw day usr rej cnt sealed part | raw   | daily | users | rej | days | rec states reb seal part trunc
  ('nobody',              '0 0 - - - - -   - - -   - - -   - -   - -   -   - -   - - - -'),
  ('authenticated',       '0 0 - - - - -   - - -   - - -   - -   - -   -   - -   - - - -'),
  ('authenticated org',   '1 1 - - - - -   - - -   - - -   - -   - -   -   - -   - - - -'),
  ('authenticated admin', '2 2 - - - - -   - - -   - - -   - -   - -   -   - -   - - - -'),
  ('request nobody',      '0 0 0 0 0 - -   - - -   - - -   - -   - -   -   - 1   - - - -'),
  ('request no org',      '0 0 0 0 0 - -   - - -   - - -   - -   - -   -   - 1   - - - -'),
  ('request trick',       '0 0 0 0 0 - -   - - -   - - -   - -   - -   -   - 1   - - - -'),
  ('request member',      '0 0 0 0 0 - -   - - -   - - -   - -   - -   -   1 1   - - - -'),
  ('request org admin',   '1 1 1 1 1 - -   - - -   - - -   - -   - -   -   1 1   - - - -'),
  ('request admin',       '2 2 2 2 2 - -   - - -   - - -   - -   - -   -   1 1   - - - -'),
  ('worker',              '- 2 - - 2 1 -   - - -   - - -   - -   - -   -   1 1   1 1 1 -');

select is(
    pg_temp.attempt(callers.role_name, callers.claims, statements.statement),
    (regexp_split_to_array(coalesce(expected.outcome, repeat('- ', 24)), '\s+'))[statements.number],
    format('%s: %s', callers.caller, statements.what))
from callers cross join statements left join expected using (caller)
order by callers.caller, statements.number;

-- Counted events are never changed, not even by their owner.
select throws_ok('update public.platform_module_usage set status = status', '42501', 'counted events are never changed', 'raw: no update');
select throws_ok('delete from public.platform_module_usage', '42501', 'counted events are never changed', 'raw: no delete');
select throws_ok('truncate public.platform_module_usage', '42501', 'platform_module_usage is not truncated', 'raw: no truncate');
select throws_ok(format('truncate %s', oid::regclass), '42501', relname || ' is not truncated', 'raw: no truncate of ' || relname)
from pg_class where relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r';

-- A request counts for its claims, whatever the items say.
select set_config('role', 'module_mgmt_request', true),
  set_config('request.jwt.claims', '{"sub":"auth0|1","org_id":"third"}', true);
select is(
  module_mgmt.record_usage('[{"event_id": "0190a000-0000-7000-8000-000000000009", "org_id": "own", "user_id": "x", "module_name": "module-ai", "event_type": "api_call", "status": "success", "occurred_at": "2024-07-11T12:00:00Z", "content_hash": "\\x00000000000000000000000000000000"}, {"org_id": "own", "reason": "malformed"}]'),
  array['accepted', 'malformed'], 'one is counted and one is not');
reset role;
select is(concat_ws(' ', org_id, user_id, source), 'third auth0|1 http', 'the organisation and the user are the claims''')
from public.platform_module_usage where event_id = '0190a000-0000-7000-8000-000000000009';
select is(string_agg(org_id, ',' order by org_id), 'other,own,third', 'and so it is with what is refused') from public.platform_module_usage_reject;

-- Two organisations use the same id; in one of them it is one event.
select is(array_agg(org_id order by org_id), array['other', 'own'], 'ids belong to their organisation')
from public.platform_module_usage where event_id = '0190a000-0000-7000-8000-000000000001';
select set_config('role', 'module_mgmt_worker', true);
select is(
  module_mgmt.record_usage('[{"event_id": "0190a000-0000-7000-8000-000000000001", "org_id": "own", "user_id": "y", "module_name": "module-ai", "event_type": "error", "status": "failure", "occurred_at": "2024-07-12T12:00:00Z", "content_hash": "\\x00000000000000000000000000000000"}, {"event_id": "0190a000-0000-7000-8000-000000000001", "org_id": "own", "user_id": "y", "module_name": "module-ai", "event_type": "error", "status": "failure", "occurred_at": "2024-07-12T12:00:00Z", "content_hash": "\\x00000000000000000000000000000001"}, {"event_id": "0190a000-0000-7000-8000-000000000003", "org_id": "own", "user_id": "y", "module_name": "module-ai", "event_type": "error", "status": "failure", "occurred_at": "2024-07-10T23:59:59Z", "content_hash": "\\x00000000000000000000000000000001"}]'),
  array['duplicate', 'conflict', 'too_old'], 'a retry with another time is the same event; a sealed day takes none');
select is(module_mgmt.record_usage('[]'), null, 'nothing is nothing');
reset role;
select is_empty($$select * from generate_series(date '2024-07-10', '2024-07-13', interval '1 day') as day, module_mgmt.verify_usage(day::date)$$, 'the figures are what the events add up to');

-- Partitions are closed to everybody, their owner's functions aside.
select ok(bool_and(relrowsecurity and relforcerowsecurity and relowner = 'module_mgmt_definer'::regrole), 'every partition is closed')
from pg_class where relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r';
select ok(bool_and(not has_table_privilege(role_name, oid, 'select')), role_name || ' may read no partition')
from pg_class cross join unnest(array['anon', 'authenticated', 'module_mgmt_request', 'module_mgmt_worker']) role_name
where relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r' group by role_name;

select * from finish();
rollback;
