-- Objects of others through which our rows could leave, or which run when ours are used. A fresh database has none of them.
, reads as (
  select distinct ev_class as view, refobjid as table
  from pg_rewrite join pg_depend on objid = pg_rewrite.oid and classid = 'pg_rewrite'::regclass and refclassid = 'pg_class'::regclass
  where ev_class <> refobjid
), reader as (
  -- Views of views too.
  with recursive reader as (
    select view from reads where reads.table in (select oid from our_table)
    union select reads.view from reads join reader on reader.view = reads.table
  )
  select view from reader
), mention as (
  select '\m(' || array_to_string($1::text[], '|') || '|module_mgmt|module_mgmt_usage)\M' as pattern
)
select 'view' as kind, format('%I.%I', nspname, relname) as object, jsonb_build_object(
    'reads our tables as', case when relkind = 'm' then 'a copy' else 'its owner' end) as value
from reader join pg_class on pg_class.oid = reader.view join pg_namespace on pg_namespace.oid = relnamespace
where pg_class.oid not in (select oid from our_table)
  and (relkind = 'm' or (relkind = 'v' and not exists (select from pg_options_to_table(reloptions)
    where option_name = 'security_invoker' and option_value in ('true', 'on', '1', 'yes'))))
union all
-- Ours have sequences of tables and no types.
select 'sequence', format('%I.%I', nspname, relname), '{}'
from pg_class join our_schema on our_schema.oid = relnamespace where relkind = 'S'
union all
select 'type', format('%I.%I', nspname, typname), '{}'
from pg_type join our_schema on our_schema.oid = typnamespace
where typtype in ('d', 'e', 'r', 'm') or (typtype = 'c' and (select relkind = 'c' from pg_class where pg_class.oid = typrelid))
union all
-- Dynamic SQL is not seen, nor can it be.
select 'definer function', format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)), jsonb_build_object(
    'runs as', role_name.name, 'about', 'our tables')
from pg_proc join pg_namespace on pg_namespace.oid = pronamespace left join role_name on role_name.oid = proowner
where prosecdef and pg_proc.oid not in (select oid from our_function) and nspname not in ('pg_catalog', 'information_schema')
  and (prosrc ~ (select pattern from mention) or exists (select from pg_depend
    where objid = pg_proc.oid and classid = 'pg_proc'::regclass and refobjid in (select oid from our_table)))
union all
select 'publication', format('%I: %I.%I', pubname, schemaname, tablename), jsonb_build_object('publishes',
    case when (select puballtables from pg_publication where pg_publication.pubname = pg_publication_tables.pubname) then 'all tables' else 'this table' end)
from pg_publication_tables join our_table on our_table.name = format('%I.%I', schemaname, tablename)
union all
-- Those of an extension come and go with it, and Supabase has some that belong to its administrator.
select 'event trigger', quote_ident(evtname), jsonb_build_object('on', evtevent, 'runs', evtfoid::regprocedure::text, 'owner', role_name.name)
from pg_event_trigger left join role_name on role_name.oid = evtowner
where evtenabled <> 'D'
  and not exists (select from pg_depend where objid = pg_event_trigger.oid and classid = 'pg_event_trigger'::regclass and deptype = 'e')
  and not exists (select from pg_roles where pg_roles.oid = evtowner and rolname = 'supabase_admin')
