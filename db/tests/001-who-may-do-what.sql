-- Every role and every verb on the tables of 001, by the policies and grants of 002.
begin;
select no_plan();

-- One row in each table, so that what is seen or touched is 1 or 0.
insert into public.platform_rule_sync (config_key) values ('lambda_warming');
insert into public.platform_warming_run (tick) values ('2026-11-02 14:00Z');
insert into public.platform_warming_target (function_name, fingerprint, status) values ('orders', 'f', 'proven');

-- Runs a statement as a role with claims and undoes it: 'refused', or how many rows it saw or touched.
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
  when insufficient_privilege then return 'refused';
end
$$;

create temp table callers (caller text, role_name text, claims text);
insert into callers values
  ('anon',                'anon',                      ''),
  ('anon admin',          'anon',                      '{"sub":"u","org_id":"o","is_platform_admin":true}'),
  ('authenticated',       'authenticated',             '{"sub":"u","org_id":"o","is_platform_admin":false}'),
  ('authenticated org',   'authenticated',             '{"sub":"u","org_id":"o","is_org_admin":true}'),
  ('authenticated trick', 'authenticated',             '{"sub":"u","org_id":"o","is_platform_admin":["true"],"user_metadata":{"is_platform_admin":true}}'),
  ('authenticated admin', 'authenticated',             '{"sub":"u","org_id":"o","is_platform_admin":true}'),
  ('request no claims',   'module_mgmt_request',       ''),
  ('request member',      'module_mgmt_request',       '{"sub":"u","org_id":"o","is_platform_admin":"false","is_org_admin":"true"}'),
  ('request admin',       'module_mgmt_request',       '{"sub":"u","org_id":"o","is_platform_admin":"true"}'),
  ('worker',              'module_mgmt_worker',        ''),
  ('request login',       'module_mgmt_request_login', '{"sub":"u","org_id":"o","is_platform_admin":true}'),
  ('worker login',        'module_mgmt_worker_login',  '{"sub":"u","org_id":"o","is_platform_admin":true}');

-- select, insert, update, delete, truncate: rows seen or touched, - where it is refused.
create temp table expected (table_name text, caller text, outcome text);
insert into expected values
  ('platform_lambda_config', 'authenticated',       '0 - - - -'),
  ('platform_lambda_config', 'authenticated org',   '0 - - - -'),
  ('platform_lambda_config', 'authenticated trick', '0 - - - -'),
  ('platform_lambda_config', 'authenticated admin', '1 - - - -'),
  ('platform_lambda_config', 'request no claims',   '0 - 0 0 -'),
  ('platform_lambda_config', 'request member',      '0 - 0 0 -'),
  ('platform_lambda_config', 'request admin',       '1 1 1 1 -'),
  ('platform_lambda_config', 'worker',              '1 - - - -'),
  ('platform_rule_sync',     'request no claims',   '0 - 0 - -'),
  ('platform_rule_sync',     'request member',      '0 - 0 - -'),
  ('platform_rule_sync',     'request admin',       '1 1 1 - -'),
  ('platform_rule_sync',     'worker',              '1 1 1 - -'),
  ('platform_warming_run',   'request no claims',   '0 - - - -'),
  ('platform_warming_run',   'request member',      '0 - - - -'),
  ('platform_warming_run',   'request admin',       '1 - - - -'),
  ('platform_warming_run',   'worker',              '1 1 1 1 -'),
  ('platform_warming_target', 'request no claims',  '0 - - - -'),
  ('platform_warming_target', 'request member',     '0 - - - -'),
  ('platform_warming_target', 'request admin',      '1 - - - -'),
  ('platform_warming_target', 'worker',             '1 1 1 1 -');

create temp table statements (table_name text, number int, verb text, statement text);
insert into statements
select table_name, number, verb, format(statement, table_name)
from (values ('platform_lambda_config'), ('platform_rule_sync'), ('platform_warming_run'), ('platform_warming_target'))
       as tables (table_name),
     (values (1, 'select', 'select * from public.%I'), (4, 'delete', 'delete from public.%I'),
             (5, 'truncate', 'truncate public.%I')) as verbs (number, verb, statement);
insert into statements values
  ('platform_lambda_config', 2, 'insert', $$insert into public.platform_lambda_config (config_key, config_value) values ('x', '1')$$),
  ('platform_lambda_config', 3, 'update', 'update public.platform_lambda_config set is_active = false'),
  ('platform_rule_sync', 2, 'insert', $$insert into public.platform_rule_sync (config_key) values ('x')$$),
  ('platform_rule_sync', 3, 'update', $$update public.platform_rule_sync set last_error = 'x'$$),
  ('platform_warming_run', 2, 'insert', $$insert into public.platform_warming_run (tick) values ('2026-11-02 15:00Z')$$),
  ('platform_warming_run', 3, 'update', 'update public.platform_warming_run set asked = 1'),
  ('platform_warming_target', 2, 'insert',
   $$insert into public.platform_warming_target (function_name, fingerprint, status) values ('x', 'f', 'proven')$$),
  ('platform_warming_target', 3, 'update', $$update public.platform_warming_target set reason = 'x'$$);

select is((select count(*)::int from statements), 20, 'every verb of every table is tried');

-- Who has no line above may do nothing.
select is(
    pg_temp.attempt(callers.role_name, callers.claims, statements.statement),
    replace(split_part(coalesce(expected.outcome, '- - - - -'), ' ', statements.number), '-', 'refused'),
    format('%s: %s on %s', callers.caller, statements.verb, statements.table_name))
from callers cross join statements left join expected using (table_name, caller)
order by statements.table_name, callers.caller, statements.number;

select is(
    pg_temp.attempt('module_mgmt_request', '{"is_platform_admin":true}',
      $$update public.platform_lambda_config set row_version = 99, created_by = gen_random_uuid(), created_at = 'epoch'
        where row_version = 1 returning 1$$),
    '1', 'a request admin may send any column');
update public.platform_lambda_config set row_version = 99, created_by = gen_random_uuid(), created_at = 'epoch';
select is(row_version, 2::bigint, 'the version counts changes, whatever was sent')
from public.platform_lambda_config;
select ok(created_at > 'epoch' and created_by is null, 'who made a config, and when, cannot be rewritten')
from public.platform_lambda_config;

select is(current_user::text, session_user::text, 'no attempt left its role behind');
select * from finish();
rollback;
