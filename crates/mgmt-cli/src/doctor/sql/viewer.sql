select quote_ident(current_user) as login, quote_ident(current_database()) as database,
  coalesce((select quote_ident(rolname) from pg_roles where oid = (select oid from owner)), quote_ident(current_user)) as owner,
  rolsuper as is_superuser,
  coalesce(pg_has_role((select oid from owner), 'usage'), false) as is_owner,
  rolsuper or rolbypassrls as passes_by,
  exists (select from pg_roles where rolname = 'service_role') as has_service_role,
  array(select to_char(month, 'YYYY_MM') from generate_series(date_trunc('month', now() at time zone 'UTC' - interval '35 days'),
    date_trunc('month', now() at time zone 'UTC'), interval '1 month') month) as months
from pg_roles where rolname = current_user
