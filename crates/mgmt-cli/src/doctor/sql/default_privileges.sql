-- Rights that new objects of ours would be given. On Supabase, the API roles get those of public; the schema files take them back.
select 'default privilege' as kind, format('of %s in %s: %s to %s', maker.name, coalesce(quote_ident(nspname), 'every schema'), sort.name, taker.name)
  as object, jsonb_build_object('rights', string_agg(privilege_type, ', ' order by privilege_type)) as value
from pg_default_acl cross join aclexplode(defaclacl) join role_name taker on taker.oid = grantee join role_name maker on maker.oid = defaclrole
join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'), ('n', 'schemas')) as sort (code, name)
  on sort.code = defaclobjtype::text
left join pg_namespace on pg_namespace.oid = defaclnamespace
where (defaclrole = (select oid from owner) or defaclrole in (select oid from our_role)) and grantee <> defaclrole
  and (defaclnamespace = 0 or nspname = 'public' or nspname in (select nspname from our_schema))
  -- Everybody may use functions and types from the start.
  and not (grantee = 0 and defaclnamespace = 0 and (defaclobjtype, privilege_type) in (('f', 'EXECUTE'), ('T', 'USAGE')))
  and not (nspname = 'public' and taker.name in ('anon', 'authenticated', 'service_role') and to_regrole('supabase_admin') is not null)
group by 2
