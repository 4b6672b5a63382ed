-- What Supabase already has and plain Postgres lacks: its three API roles and the auth helpers.
-- `mgmt migrate --bootstrap-roles` runs this file; each object is made only where it is missing, so that on
-- Supabase nothing of Supabase's own is touched.

do $$
begin
  if not exists (select from pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit;
    -- Managed servers have no superuser, and only who may bypass row-level security can give that right away.
    if (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) then
      alter role service_role bypassrls;
    end if;
  end if;

  if to_regnamespace('auth') is null then
    create schema auth;
    grant usage on schema auth to anon, authenticated, service_role;
  end if;

  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb language sql stable set search_path = pg_catalog, pg_temp
      as $body$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $body$;
  end if;

  -- A subject that is no UUID has no Supabase user id; the cast would raise.
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid language sql stable set search_path = pg_catalog, pg_temp
      as $body$
        select case when auth.jwt() ->> 'sub' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
                    then (auth.jwt() ->> 'sub')::uuid end
      $body$;
  end if;
end
$$;
