-- Functions of ours and all others in our schemas. The body is told by its hash: the text is in db/schema.
select 'function' as kind, our_function.name as object, jsonb_build_object(
    'owner', role_name.name,
    'runs as', case when prosecdef then 'its owner' else 'its caller' end,
    'settings', coalesce(array_to_string(proconfig, '; '), ''),
    'body', coalesce('sha256 ' || left(encode(sha256(convert_to(coalesce(prosrc, '') || coalesce(pg_get_function_sqlbody(our_function.oid), ''), 'UTF8')), 'hex'), 32), ''),
    'returns', pg_get_function_result(our_function.oid),
    'language', lanname,
    'promises', concat_ws(', ',
      case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
      case proparallel when 's' then 'parallel safe' when 'r' then 'parallel restricted' end,
      case when proisstrict then 'strict' end, case when proleakproof then 'leakproof' end)) as value
from our_function join pg_language on pg_language.oid = prolang left join role_name on role_name.oid = proowner
