-- What must hold for every table, policy and function of ours, also for those that are added later. Each rule is shown to
-- see its own fault: fault, finding, fix, clean.
begin;
select no_plan();

create view pg_temp.our_tables as
  select oid, relname, relrowsecurity, relforcerowsecurity, relacl, relowner from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname like 'platform\_%';

create view pg_temp.tables_without_security as
  select relname from pg_temp.our_tables where not relrowsecurity or not relforcerowsecurity;

create view pg_temp.without_comment as
  select relname as what from pg_temp.our_tables where obj_description(oid, 'pg_class') is null
  union all
  select format('%s.%s', our_tables.relname, attname) from pg_attribute join pg_temp.our_tables on attrelid = our_tables.oid
  where attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null
  union all
  select format('policy %s on %s', polname, our_tables.relname) from pg_policy join pg_temp.our_tables on polrelid = our_tables.oid
  where obj_description(pg_policy.oid, 'pg_policy') is null;

-- Grantee 0 is PUBLIC.
create view pg_temp.grants as
  select our_tables.relname, acl.grantee, coalesce(pg_roles.rolname, 'PUBLIC') as grantee_name, acl.privilege_type
  from pg_temp.our_tables cross join aclexplode(our_tables.relacl) acl left join pg_roles on pg_roles.oid = acl.grantee
  where acl.grantee <> our_tables.relowner;

create view pg_temp.grants_to_everybody as
  select relname, grantee_name, privilege_type from pg_temp.grants where grantee_name in ('PUBLIC', 'anon');

create view pg_temp.grants_beyond_rows as
  select relname, grantee_name, privilege_type from pg_temp.grants
  where privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') and grantee_name <> 'service_role';

create view pg_temp.writes_of_authenticated as
  select relname, privilege_type from pg_temp.grants where grantee_name = 'authenticated' and privilege_type <> 'SELECT';

create view pg_temp.policies_for_everybody as
  select policyname, tablename from pg_policies
  where schemaname = 'public' and tablename like 'platform\_%' and roles && array['public', 'anon']::name[];

create view pg_temp.our_functions as
  select oid, oid::regprocedure::text as name, proacl, proconfig, prosecdef from pg_proc
  where pronamespace = 'module_mgmt'::regnamespace or (pronamespace = 'public'::regnamespace and proname like 'platform\_%');

create view pg_temp.functions_for_everybody as
  select name from pg_temp.our_functions
  where proacl is null or has_function_privilege('anon', oid, 'execute')
     or exists (select from aclexplode(proacl) where grantee = 0);

create view pg_temp.functions_without_search_path as
  select name from pg_temp.our_functions
  where not coalesce(exists (select from unnest(proconfig) setting where setting = 'search_path=pg_catalog, pg_temp'), false);

select is_empty('table ' || rule, rule)
from unnest(array[
  'pg_temp.tables_without_security', 'pg_temp.without_comment', 'pg_temp.grants_to_everybody', 'pg_temp.grants_beyond_rows',
  'pg_temp.writes_of_authenticated', 'pg_temp.policies_for_everybody', 'pg_temp.functions_for_everybody',
  'pg_temp.functions_without_search_path']) rule;

-- Fault.
create table public.platform_forgotten (id int);
grant truncate on public.platform_forgotten to authenticated;
grant select on public.platform_forgotten to anon;
create policy "Anybody" on public.platform_forgotten using (true);
create function public.platform_forgotten() returns int language sql as 'select 1';

-- Finding.
select isnt_empty('table ' || rule, rule || ' finds what was forgotten')
from unnest(array[
  'pg_temp.tables_without_security', 'pg_temp.without_comment', 'pg_temp.grants_to_everybody', 'pg_temp.grants_beyond_rows',
  'pg_temp.writes_of_authenticated', 'pg_temp.policies_for_everybody', 'pg_temp.functions_for_everybody',
  'pg_temp.functions_without_search_path']) rule;

-- Fix.
drop function public.platform_forgotten();
drop policy "Anybody" on public.platform_forgotten;
revoke all on public.platform_forgotten from anon, authenticated;
alter table public.platform_forgotten enable row level security, force row level security;
comment on table public.platform_forgotten is 'No longer.';
comment on column public.platform_forgotten.id is 'No longer.';

-- Clean.
select is_empty('table ' || rule, rule || ' is clean again')
from unnest(array[
  'pg_temp.tables_without_security', 'pg_temp.without_comment', 'pg_temp.grants_to_everybody', 'pg_temp.grants_beyond_rows',
  'pg_temp.writes_of_authenticated', 'pg_temp.policies_for_everybody', 'pg_temp.functions_for_everybody',
  'pg_temp.functions_without_search_path']) rule;

-- The two logins, and what each may become.
select is(concat_ws(' ', rolcanlogin, rolinherit, rolbypassrls, rolsuper, rolcreaterole), 't f f f f', rolname || ' has no right of its own')
from pg_roles where rolname in ('module_mgmt_request_login', 'module_mgmt_worker_login');
select is(concat_ws(' ', rolcanlogin, rolinherit, rolbypassrls, rolsuper, rolcreaterole), 'f f f f f', rolname || ' cannot log in')
from pg_roles where rolname in ('module_mgmt_request', 'module_mgmt_worker');
select is(string_agg(role.rolname, ','), replace(login.rolname, '_login', ''), login.rolname || ' may become its role and no other')
from pg_roles login
join pg_auth_members on member = login.oid join pg_roles role on role.oid = roleid
where login.rolname in ('module_mgmt_request_login', 'module_mgmt_worker_login') group by login.rolname;
select is(array_length(setconfig, 1), 3, setrole::regrole || ' has its time limits')
from pg_db_role_setting where setrole in ('module_mgmt_request_login'::regrole, 'module_mgmt_worker_login'::regrole);

select * from finish();
rollback;
