-- Rights on our objects, each one a row. What an owner may do with its own objects is left out, and MAINTAIN with it, which Postgres 17 added.
select 'table grant' as kind, format('%s: %s to %s', our_table.name, privilege_type, role_name.name) as object,
  jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false))) as value
from our_table cross join aclexplode(coalesce(relacl, acldefault('r', relowner))) left join role_name on role_name.oid = grantee
where grantee <> relowner
union all
-- A migration or a reset of rights can take those of the owner too.
select 'table grant', format('%s: %s to its owner', our_table.name, needed), '{}'
from our_table, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) needed
where exists (select from aclexplode(coalesce(relacl, acldefault('r', relowner))) where grantee = relowner and privilege_type = needed)
union all
select 'column grant', format('%s.%I: %s to %s', our_table.name, attname, privilege_type, role_name.name),
  jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from our_table join pg_attribute on attrelid = our_table.oid and attnum > 0 and not attisdropped
cross join aclexplode(attacl) left join role_name on role_name.oid = grantee
where grantee <> relowner
union all
select 'sequence grant', format('%I.%I: %s to %s', nspname, sequence.relname, privilege_type, role_name.name),
  jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from our_table
join pg_depend on refobjid = our_table.oid and refclassid = 'pg_class'::regclass and classid = 'pg_class'::regclass and deptype in ('a', 'i')
join pg_class sequence on sequence.oid = objid and sequence.relkind = 'S'
join pg_namespace on pg_namespace.oid = sequence.relnamespace
cross join aclexplode(coalesce(sequence.relacl, acldefault('s', sequence.relowner))) left join role_name on role_name.oid = grantee
where grantee <> sequence.relowner
union all
select 'function grant', format('%s: %s to %s', our_function.name, privilege_type, role_name.name),
  jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from our_function cross join aclexplode(coalesce(proacl, acldefault('f', proowner))) left join role_name on role_name.oid = grantee
where grantee <> proowner
union all
select 'schema', quote_ident(nspname), jsonb_build_object('owner', role_name.name)
from our_schema left join role_name on role_name.oid = nspowner
union all
select 'schema grant', format('%I: %s to %s', nspname, privilege_type, role_name.name), jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from our_schema cross join aclexplode(coalesce(nspacl, acldefault('n', nspowner))) left join role_name on role_name.oid = grantee
where grantee <> nspowner
union all
-- The schema public and the database are the platform's. Of theirs we need little, and less must be open to everybody.
select 'schema grant', format('public: %s to %s', privilege_type, role_name.name), jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from pg_namespace cross join aclexplode(coalesce(nspacl, acldefault('n', nspowner))) join role_name on role_name.oid = grantee
where nspname = 'public' and grantee in (select oid from bound_role) and grantee <> nspowner
  and (privilege_type = 'CREATE' or grantee in (select oid from our_role))
union all
select 'database grant', format('(database): %s to %s', privilege_type, role_name.name), jsonb_strip_nulls(jsonb_build_object('may grant it', nullif(is_grantable, false)))
from pg_database cross join aclexplode(coalesce(datacl, acldefault('d', datdba))) join role_name on role_name.oid = grantee
where datname = current_database() and grantee in (select oid from bound_role) and privilege_type <> 'CONNECT'
union all
select 'login', quote_ident(rolname), jsonb_build_object('may connect', has_database_privilege(oid, current_database(), 'connect')
  and rolconnlimit <> 0 and coalesce(rolvaliduntil > now(), true))
from pg_roles where oid in (select oid from our_role) and rolname like '%\_login'
