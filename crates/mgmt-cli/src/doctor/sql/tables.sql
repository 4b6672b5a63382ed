-- Tables, their columns and sequences.
select 'table' as kind, our_table.name as object, jsonb_build_object(
    'sort', case relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
      else 'foreign table' end,
    'owner', role_name.name,
    'row security', case when not relrowsecurity then 'off' when relforcerowsecurity then 'forced' else 'on' end,
    'logged', relpersistence = 'p',
    -- How often autovacuum comes is tuning; that it comes is not.
    'options', coalesce((select string_agg(option, ', ' order by option) from unnest(reloptions) option
      where option !~ '^(autovacuum|toast|parallel|vacuum|log_autovacuum)' or option ~ '^autovacuum_enabled'), '')) as value
from our_table left join role_name on role_name.oid = relowner
union all
select 'column', our_table.name || '.' || quote_ident(attname), jsonb_build_object(
    'type', format_type(atttypid, atttypmod),
    'not null', attnotnull,
    'default', coalesce(pg_get_expr(adbin, adrelid), ''),
    'identity', case attidentity when 'a' then 'always' when 'd' then 'by default' else '' end,
    'generated', attgenerated <> '',
    'collation', coalesce((select quote_ident(collname) from pg_collation where pg_collation.oid = attcollation and collname <> 'default'), ''))
from our_table join pg_attribute on attrelid = our_table.oid and attnum > 0 and not attisdropped
left join pg_attrdef on adrelid = attrelid and adnum = attnum
union all
select 'sequence', format('%I.%I', nspname, sequence.relname), jsonb_build_object(
    'owner', role_name.name,
    'type', format_type(seqtypid, null),
    'counts', format('from %s by %s, %s to %s%s', seqstart, seqincrement, seqmin, seqmax, case when seqcycle then ', again and again' else '' end),
    'of', our_table.name || '.' || quote_ident(attname))
from our_table
join pg_depend on refobjid = our_table.oid and refclassid = 'pg_class'::regclass and classid = 'pg_class'::regclass and deptype in ('a', 'i')
join pg_class sequence on sequence.oid = objid and sequence.relkind = 'S'
join pg_sequence on seqrelid = sequence.oid
join pg_namespace on pg_namespace.oid = sequence.relnamespace
join pg_attribute on attrelid = our_table.oid and attnum = refobjsubid
left join role_name on role_name.oid = sequence.relowner
