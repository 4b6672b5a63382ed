-- Rights that new objects of ours would be given. On Supabase, the API roles get those of public; the schema files take them back.
select 'default privilege', format('of %s in %s: %s on %s to %s', maker.name, coalesce(quote_ident(nspname), 'every schema'), privilege_type,
    case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end, taker.name),
  '{}'::jsonb
from pg_default_acl cross join aclexplode(defaclacl) join role_name taker on taker.oid = grantee join role_name maker on maker.oid = defaclrole
left join pg_namespace on pg_namespace.oid = defaclnamespace
where (defaclrole = (select oid from owner) or defaclrole in (select oid from our_role)) and grantee <> defaclrole
  and (defaclnamespace = 0 or nspname = 'public' or nspname in (select nspname from our_schema))
  -- Everybody may use functions and types from the start.
  and not (grantee = 0 and ((defaclobjtype = 'f' and privilege_type = 'EXECUTE') or (defaclobjtype = 'T' and privilege_type = 'USAGE'))
    and defaclnamespace = 0)
  and not (nspname = 'public' and taker.name in ('anon', 'authenticated', 'service_role') and to_regrole('supabase_admin') is not null)
