-- What a table obeys: constraints, indexes, triggers, rules, policies, and which tables hang on it.
select 'constraint' as kind, our_table.name || ': ' || quote_ident(conname) as object, jsonb_build_object(
    'definition', replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID', ''),
    'validated', convalidated) as value
from our_table join pg_constraint on conrelid = our_table.oid and contype not in ('n', 't')
union all
select 'index', format('%I.%I', nspname, class.relname), jsonb_build_object(
    'definition', pg_get_indexdef(indexrelid),
    'valid', indisvalid and indisready and indislive)
from our_table join pg_index on indrelid = our_table.oid
join pg_class class on class.oid = indexrelid join pg_namespace on pg_namespace.oid = class.relnamespace
union all
select 'trigger', our_table.name || ': ' || quote_ident(tgname), jsonb_build_object(
    'definition', pg_get_triggerdef(pg_trigger.oid),
    'fires', case tgenabled when 'O' then 'yes' when 'D' then 'no' when 'A' then 'always' else 'on replicas' end)
from our_table join pg_trigger on tgrelid = our_table.oid and not tgisinternal
union all
-- Postgres checks a foreign key by triggers, which can be switched off like others.
select 'foreign key', tables.name || ': ' || quote_ident(conname), jsonb_build_object('checked', bool_and(tgenabled = 'O'))
from our_table tables join pg_constraint on conrelid = tables.oid and contype = 'f'
join pg_trigger on tgconstraint = pg_constraint.oid and tgisinternal
group by 1, 2
union all
select 'rule', our_table.name || ': ' || quote_ident(rulename), jsonb_build_object('definition', pg_get_ruledef(pg_rewrite.oid))
from our_table join pg_rewrite on ev_class = our_table.oid and rulename <> '_RETURN'
union all
select 'policy', our_table.name || ': ' || quote_ident(polname), jsonb_build_object(
    'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'permissive', polpermissive,
    'roles', (select string_agg(coalesce(role_name.name, member::text), ', ' order by role_name.name)
              from unnest(polroles) member left join role_name on role_name.oid = member),
    'using', coalesce(pg_get_expr(polqual, polrelid), ''),
    'check', coalesce(pg_get_expr(polwithcheck, polrelid), ''))
from our_table join pg_policy on polrelid = our_table.oid
union all
-- The partitions of usage are the tables of module_mgmt_usage. The bounds of a month follow from its name.
select 'partition', our_table.name, jsonb_build_object(
    'of', coalesce((select format('%I.%I', nspname, parent.relname) from pg_inherits
                    join pg_class parent on parent.oid = inhparent join pg_namespace on pg_namespace.oid = parent.relnamespace
                    where inhrelid = our_table.oid and not inhdetachpending), 'nothing: it is detached'),
    'bounds', case
      when pg_get_expr(relpartbound, our_table.oid) = month.bounds then 'those of its month'
      else coalesce(pg_get_expr(relpartbound, our_table.oid), 'none') end)
from our_table
left join lateral (
  select format('FOR VALUES FROM (''%s'') TO (''%s'')', min(id), max(id)) as bounds
  from (
    select (lpad(to_hex((extract(epoch from (first + after) at time zone 'UTC') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid::text as id
    from (select case when relname ~ '^usage_[1-9][0-9]{3}_(0[1-9]|1[0-2])$'
            then make_timestamp(substr(relname, 7, 4)::integer, right(relname, 2)::integer, 1, 0, 0, 0) end as first) as named,
      unnest(array[interval '0', interval '1 month']) after
  ) as bound
) as month on true
where our_table.relnamespace = (select oid from our_schema where nspname = 'module_mgmt_usage')
union all
-- A table that inherits from one of ours, or from which ours inherits: its rows show in both.
select 'child', format('%s: %I.%I', parent_name, nspname, relname), jsonb_build_object('a partition', relispartition)
from (
  select our_table.name as parent_name, inhrelid as other from our_table join pg_inherits on inhparent = our_table.oid
  union all select our_table.name, inhparent from our_table join pg_inherits on inhrelid = our_table.oid
    where our_table.relnamespace <> (select oid from our_schema where nspname = 'module_mgmt_usage')
) as bond
join pg_class on pg_class.oid = other join pg_namespace on pg_namespace.oid = relnamespace
where nspname <> 'module_mgmt_usage' and relkind not in ('i', 'I')
