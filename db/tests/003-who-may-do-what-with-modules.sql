-- Every role and every verb on the tables of 003, on rows of the own organisation and of another, by the policies of 005.
begin;
select no_plan();

-- One module that is on for everybody and one that is off, and overrides of two organisations.
delete from public.platform_module_override;
delete from public.platform_module_registry;
insert into public.platform_module_registry (module_name, display_name, is_enabled)
values ('module-on', 'On', true), ('module-off', 'Off', false);
insert into public.platform_module_override (org_id, module_name, is_enabled)
values ('own', 'module-on', false), ('other', 'module-on', false);

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
  ( 1, 'modules: read',                  'select module_name from public.platform_module_registry'),
  ( 2, 'modules: read config',           'select config from public.platform_module_registry'),
  ( 3, 'modules: register',              $$insert into public.platform_module_registry (module_name, display_name) values ('module-x', 'X')$$),
  ( 4, 'modules: change',                $$update public.platform_module_registry set display_name = 'X'$$),
  ( 5, 'modules: remove',                'delete from public.platform_module_registry'),
  ( 6, 'overrides: read',                'select org_id from public.platform_module_override'),
  ( 7, 'overrides: read config',         'select config from public.platform_module_override'),
  ( 8, 'overrides: make, own',           $$insert into public.platform_module_override (org_id, module_name) values ('own', 'module-off')$$),
  ( 9, 'overrides: make, other',         $$insert into public.platform_module_override (org_id, module_name) values ('other', 'module-off')$$),
  (10, 'overrides: change, own',         $$update public.platform_module_override set is_enabled = true where org_id = 'own'$$),
  (11, 'overrides: change, other',       $$update public.platform_module_override set is_enabled = true where org_id = 'other'$$),
  (12, 'overrides: give away',           $$update public.platform_module_override set org_id = 'third' where org_id = 'own'$$),
  (13, 'overrides: remove, own',         $$delete from public.platform_module_override where org_id = 'own'$$),
  (14, 'overrides: remove, other',       $$delete from public.platform_module_override where org_id = 'other'$$),
  (15, 'audit: read',                    $$select 1 from public.platform_module_audit where module_name = 'module-off'$$),
  (16, 'audit: write',                   $$insert into public.platform_module_audit (module_name, action) values ('module-x', 'update')$$),
  (17, 'audit: change',                  $$update public.platform_module_audit set actor = 'x'$$),
  (18, 'audit: remove',                  'delete from public.platform_module_audit'),
  (19, 'version: read',                  'select version from public.platform_module_version'),
  (20, 'version: change',                'update public.platform_module_version set version = 0'),
  (21, 'states',                         'select name from module_mgmt.module_states()'),
  (22, 'truncate',                       'truncate public.platform_module_registry, public.platform_module_override, public.platform_module_audit, public.platform_module_version');

-- One column per statement, as it is numbered. Who has no line here may do nothing.
create temp table expected (caller text, outcome text);
insert into expected values
--                          read cfg  reg  chg del | read cfg  mine their chg chg give rem rem | audit       | version | states
  ('nobody',              '0    -    -    -    -     0    -    -    -    -    -    -    -    -    -  -  -  -    -   -     -  -'),
  ('authenticated',       '1    -    -    -    -     1    -    -    -    -    -    -    -    -    -  -  -  -    -   -     -  -'),
  ('authenticated org',   '1    -    -    -    -     1    -    -    -    -    -    -    -    -    -  -  -  -    -   -     -  -'),
  ('authenticated admin', '2    -    -    -    -     2    -    -    -    -    -    -    -    -    -  -  -  -    -   -     -  -'),
  ('request nobody',      '0    0    -    0    -     0    0    -    -    0    0    0    0    0    0  -  -  -    -   -     0  -'),
  ('request no org',      '0    0    -    0    -     0    0    -    -    0    0    0    0    0    0  -  -  -    -   -     0  -'),
  ('request trick',       '0    0    -    0    -     0    0    -    -    0    0    0    0    0    0  -  -  -    -   -     0  -'),
  ('request member',      '1    1    -    0    -     1    1    -    -    0    0    0    0    0    0  -  -  -    -   -     2  -'),
  ('request org admin',   '1    1    -    0    -     1    1    1    -    1    0    -    1    0    0  -  -  -    -   -     2  -'),
  ('request admin',       '2    2    1    2    -     2    2    1    1    1    1    1    1    1    1  -  -  -    -   -     2  -'),
  ('worker',              '2    2    -    -    -     -    -    -    -    -    -    -    -    -    -  -  -  -    -   -     -  -');

select is(
    pg_temp.attempt(callers.role_name, callers.claims, statements.statement),
    (regexp_split_to_array(coalesce(expected.outcome, repeat('- ', 22)), '\s+'))[statements.number],
    format('%s: %s', callers.caller, statements.what))
from callers cross join statements left join expected using (caller)
order by callers.caller, statements.number;

-- What PostgREST may not show of a module, and who of Supabase's may not write history.
select is(pg_temp.attempt('authenticated', '{"sub":"u","org_id":"own","is_platform_admin":true}',
    format('select %I from public.platform_module_registry', hidden)), '-', hidden || ' goes through the API only')
from unnest(array['config', 'config_schema', 'functions', 'dependencies', 'required_permissions', 'nav_config', 'created_by']) hidden;
select is(has_table_privilege('service_role', name, 'insert, update, delete, truncate'), false, 'service_role does not write ' || name)
from unnest(array['public.platform_module_audit', 'public.platform_module_version']) name;
select set_config('role', 'module_mgmt_request', true), set_config('request.jwt.claims', '{"sub":"u","org_id":"own","is_org_admin":true}', true);
select is(string_agg(distinct org_id, ','), 'own', 'an organisation''s admin reads the audit of its own overrides')
from public.platform_module_audit;
select set_config('role', 'none', true);

-- Nobody changes the audit, not even its owner.
select throws_ok($$update public.platform_module_audit set actor = 'x'$$, '42501', 'the audit is append-only', 'audit: no update');
select throws_ok($$delete from public.platform_module_audit$$, '42501', 'the audit is append-only', 'audit: no delete');
select throws_ok($$truncate public.platform_module_audit$$, '42501', 'platform_module_audit is not truncated', 'audit: no truncate');
select throws_ok($$truncate public.platform_module_registry cascade$$, '42501', null, 'registry: no truncate, not even by its owner');

-- What is sent about who and when is overwritten.
select set_config('request.jwt.claims', '{"sub":"auth0|1","org_id":"own","request_id":"r-1"}', true);
update public.platform_module_registry
set row_version = 99, created_by = 'x', updated_by = 'x', created_at = 'epoch', disabled_at = 'epoch', config = '{"a": 1}'
where module_name = 'module-off';
select is(row_version || ' ' || coalesce(created_by, 'nobody') || ' ' || updated_by, '2 nobody auth0|1', 'stamps are the database''s')
from public.platform_module_registry where module_name = 'module-off';
select ok(created_at > 'epoch' and disabled_at > 'epoch', 'times are the database''s')
from public.platform_module_registry where module_name = 'module-off';
select is(concat_ws(' ', actor, action, changes, request_id), 'auth0|1 update [{"path": "/config/a", "after": 1}] r-1', 'the audit holds what changed')
from public.platform_module_audit where module_name = 'module-off' order by id desc limit 1;

-- The graph holds whatever writes.
insert into public.platform_module_registry (module_name, display_name, is_enabled, dependencies)
values ('module-user', 'User', true, '{module-on@>=1}');
select throws_ok($$update public.platform_module_registry set is_enabled = false where module_name = 'module-on'$$, '23000', null, 'a needed module stays on');
select throws_ok($$update public.platform_module_registry set is_installed = false where module_name = 'module-on'$$, '23000', null, 'a needed module stays installed');
select throws_ok($$update public.platform_module_registry set dependencies = '{module-off}' where module_name = 'module-user'$$, '23000', null, 'an enabled module needs what is on');
select lives_ok($$update public.platform_module_registry set is_enabled = false where module_name in ('module-on', 'module-user')$$, 'a cascade is one statement');
select ok(bool_and(disabled_at is not null), 'and says since when') from public.platform_module_registry;

-- Versions tell one organisation nothing about another.
create function pg_temp.version_of(org text) returns text language sql as $$
  select set_config('request.jwt.claims', jsonb_build_object('sub', 'u', 'org_id', org)::text, true);
  select module_mgmt.registry_version();
$$;
create temp table before_change as select pg_temp.version_of('own') as own, pg_temp.version_of('other') as other;
update public.platform_module_override set is_enabled = true where org_id = 'other';
select is(pg_temp.version_of('own'), own, 'an override of another organisation shows nowhere') from before_change;
select isnt(pg_temp.version_of('other'), other, 'one''s own does') from before_change;
update public.platform_module_registry set display_name = 'New' where module_name = 'module-on';
select isnt(pg_temp.version_of('own'), own, 'a change of the registry shows') from before_change;
select isnt(pg_temp.version_of('own'), pg_temp.version_of('third'), 'two organisations never share a version');

select * from finish();
rollback;
