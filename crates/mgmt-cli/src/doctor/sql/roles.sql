-- Roles, who is a member of whom, and settings. They belong to the whole server.
select 'role' as kind, quote_ident(rolname) as object, jsonb_build_object(
    'logs in', rolcanlogin, 'inherits', rolinherit, 'bypasses row security', rolbypassrls, 'superuser', rolsuper,
    'makes roles', rolcreaterole, 'makes databases', rolcreatedb, 'replicates', rolreplication) as value
from pg_roles where oid in (select oid from our_role)
union all
-- These are the platform's: whether they inherit is its matter.
select 'role', quote_ident(rolname), jsonb_build_object(
    'bypasses row security', rolbypassrls, 'superuser', rolsuper, 'makes roles', rolcreaterole, 'replicates', rolreplication)
from pg_roles where rolname in ('anon', 'authenticated')
union all
-- Who may become one of ours, but superusers, whoever makes roles, and owners of databases of this server, who hand functions to the definer.
select 'membership', format('%s in %I', member.name, role.rolname), '{}'
from pg_auth_members bond join our_role role on role.oid = bond.roleid join role_name member on member.oid = bond.member
join pg_roles on pg_roles.oid = bond.member
where member.name <> '(owner)' and not rolsuper and not rolcreaterole
  and not (role.rolname = 'module_mgmt_definer' and bond.member in (select datdba from pg_database))
union all
-- What roles with few rights may become.
select 'membership', format('%I in %I', member.rolname, role.rolname), '{}'
from pg_auth_members bond join pg_roles role on role.oid = bond.roleid join pg_roles member on member.oid = bond.member
where bond.member in (select oid from bound_role) and bond.roleid not in (select oid from our_role)
union all
select 'setting', concat_ws(' ', quote_ident(rolname), case when setdatabase <> 0 then 'in this database' end) || ': ' || split_part(setting, '=', 1),
  jsonb_build_object('value', substr(setting, strpos(setting, '=') + 1))
from pg_db_role_setting join our_role on our_role.oid = setrole cross join unnest(setconfig) setting
where setdatabase = 0 or setdatabase = (select oid from pg_database where datname = current_database())
union all
-- Settings of a database that switch triggers or row security off for everybody.
select 'setting', 'this database: ' || split_part(setting, '=', 1), jsonb_build_object('value', substr(setting, strpos(setting, '=') + 1))
from pg_db_role_setting cross join unnest(setconfig) setting
where setrole = 0 and setdatabase = (select oid from pg_database where datname = current_database())
  and split_part(setting, '=', 1) in ('session_replication_role', 'row_security', 'role', 'default_transaction_read_only')
union all
-- Claims that count where nobody is signed in.
select 'setting', case when setrole = 0 then 'this database' else concat_ws(' ', quote_ident(rolname), case when setdatabase <> 0 then 'in this database' end)
    end || ': ' || split_part(setting, '=', 1), jsonb_build_object('value', substr(setting, strpos(setting, '=') + 1))
from pg_db_role_setting left join pg_roles on pg_roles.oid = setrole cross join unnest(setconfig) setting
where setdatabase in (0, (select oid from pg_database where datname = current_database())) and setting like 'request.jwt%'
union all
select 'parameter grant', format('%s: %s to %s', parname, privilege_type, role_name.name), '{}'
from pg_parameter_acl cross join aclexplode(paracl) join role_name on role_name.oid = grantee
where grantee in (select oid from bound_role)
