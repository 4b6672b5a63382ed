-- What belongs to module-mgmt. Every query of the catalog begins with this text, and takes $1: the names of our tables in public, and $2: those
-- of our functions in public. Each answers rows of kind, object and value. Nothing here needs a right on the objects.
with our_schema as (
  select oid, nspname, nspowner, nspacl from pg_namespace where nspname in ('module_mgmt', 'module_mgmt_usage')
), our_table as (
  select class.*, format('%I.%I', namespace.nspname, class.relname) as name
  from pg_class class join pg_namespace namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'p', 'v', 'm', 'f')
    and ((namespace.nspname = 'public' and class.relname = any ($1::text[])) or class.relnamespace in (select oid from our_schema))
), our_function as (
  select proc.*, format('%I.%I(%s)', namespace.nspname, proc.proname, pg_get_function_identity_arguments(proc.oid)) as name
  from pg_proc proc join pg_namespace namespace on namespace.oid = proc.pronamespace
  where (namespace.nspname = 'public' and proc.proname = any ($2::text[])) or proc.pronamespace in (select oid from our_schema)
), our_role as (
  select oid, rolname from pg_roles where rolname in ('module_mgmt_request', 'module_mgmt_worker', 'module_mgmt_definer',
    'module_mgmt_request_login', 'module_mgmt_worker_login')
), bound_role as (
  -- Roles whose rights we count on being small.
  select oid from our_role union all select oid from pg_roles where rolname in ('anon', 'authenticated') union all select 0
), owner as (
  -- The role that migrated has another name in every database: it owns most of our tables. A role with few rights cannot be it.
  select relowner as oid from our_table where relowner not in (select oid from bound_role)
  group by relowner order by count(*) desc, relowner limit 1
), role_name as (
  select oid, case when oid = (select oid from owner) then '(owner)' else quote_ident(rolname) end as name from pg_roles
  union all select 0, 'PUBLIC'
)
