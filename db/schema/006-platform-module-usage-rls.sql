-- Who may do what with the tables of 004.
-- Idempotent: policies are dropped and made again, in one transaction.

-- The raw table belongs to the definer, whose functions make and drop its partitions. These lie in a schema of the definer's own, so
-- that nobody else has to be allowed to create tables there, and so that PostgREST does not serve them.
do $$
begin
  grant create on schema public to module_mgmt_definer;
  if not exists (select from pg_namespace where nspname = 'module_mgmt_usage') then
    create schema module_mgmt_usage;
    alter schema module_mgmt_usage owner to module_mgmt_definer;
  end if;
  if not pg_catalog.pg_has_role('module_mgmt_definer', (select relowner from pg_class where oid = 'public.platform_module_usage'::regclass), 'usage') then
    alter table public.platform_module_usage owner to module_mgmt_definer;
  end if;
  revoke create on schema public from module_mgmt_definer;
end
$$;
comment on schema module_mgmt_usage is 'The partitions of platform_module_usage; kept by module_mgmt.make_usage_partitions.';
revoke all on schema module_mgmt_usage from public;
grant execute on function module_mgmt.forbid_truncate() to module_mgmt_definer;

-- Where ids go whose month has no partition yet.
create table if not exists module_mgmt_usage.usage_other partition of public.platform_module_usage default;
comment on table module_mgmt_usage.usage_other is 'Events whose ids are of a month without a partition; empty while maintenance runs.';
do $$
begin
  if (select relowner from pg_class where oid = 'module_mgmt_usage.usage_other'::regclass) <> 'module_mgmt_definer'::regrole then
    alter table module_mgmt_usage.usage_other owner to module_mgmt_definer;
  end if;
end
$$;
alter table module_mgmt_usage.usage_other enable row level security, force row level security;
drop policy if exists "The definer moves events" on module_mgmt_usage.usage_other;
create policy "The definer moves events" on module_mgmt_usage.usage_other to module_mgmt_definer using (true) with check (true);
comment on policy "The definer moves events" on module_mgmt_usage.usage_other is 'Into the partition of their month, when it is made.';

revoke all on public.platform_module_usage, public.platform_module_usage_daily, public.platform_module_usage_user,
  public.platform_module_usage_sealed_day, public.platform_module_usage_day_lock, public.platform_module_rate,
  public.platform_module_usage_reject, public.platform_module_usage_reject_count
  from public, anon, authenticated, module_mgmt_request, module_mgmt_worker;
revoke all on public.platform_module_usage_daily, public.platform_module_usage_user, public.platform_module_usage_sealed_day,
  public.platform_module_usage_day_lock, public.platform_module_usage_reject, public.platform_module_usage_reject_count
  from module_mgmt_definer;

grant select on public.platform_module_usage, public.platform_module_usage_daily to authenticated;
grant select on public.platform_module_usage, public.platform_module_usage_daily, public.platform_module_usage_user,
  public.platform_module_usage_reject, public.platform_module_usage_reject_count to module_mgmt_request;
grant select on public.platform_module_usage_daily, public.platform_module_usage_sealed_day, public.platform_module_usage_reject_count
  to module_mgmt_worker;
grant select, insert, update, delete on public.platform_module_usage_daily, public.platform_module_usage_user,
  public.platform_module_usage_reject, public.platform_module_usage_reject_count to module_mgmt_definer;
grant select, insert, update on public.platform_module_usage_sealed_day to module_mgmt_definer;
-- Update, because it locks them.
grant select, insert, update, delete on public.platform_module_usage_day_lock, public.platform_module_rate to module_mgmt_definer;

alter table public.platform_module_usage              enable row level security, force row level security;
alter table public.platform_module_usage_daily        enable row level security, force row level security;
alter table public.platform_module_usage_user         enable row level security, force row level security;
alter table public.platform_module_usage_sealed_day   enable row level security, force row level security;
alter table public.platform_module_usage_day_lock     enable row level security, force row level security;
alter table public.platform_module_rate               enable row level security, force row level security;
alter table public.platform_module_usage_reject       enable row level security, force row level security;
alter table public.platform_module_usage_reject_count enable row level security, force row level security;

do $$
begin
  perform module_mgmt.drop_our_policies('platform_module_usage', 'platform_module_usage_daily', 'platform_module_usage_user',
    'platform_module_usage_sealed_day', 'platform_module_usage_day_lock', 'platform_module_rate',
    'platform_module_usage_reject', 'platform_module_usage_reject_count');
end
$$;

create policy "Organisation admins read the events of their organisation" on public.platform_module_usage
  for select to authenticated, module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin() and module_mgmt.is_signed_in()));
create policy "Platform admins read all events" on public.platform_module_usage
  for select to authenticated, module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Organisation admins read the daily figures of their organisation" on public.platform_module_usage_daily
  for select to authenticated, module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin() and module_mgmt.is_signed_in()));
create policy "Platform admins read all daily figures" on public.platform_module_usage_daily
  for select to authenticated, module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Organisation admins read the users of modules of their organisation" on public.platform_module_usage_user
  for select to module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin() and module_mgmt.is_signed_in()));
create policy "Platform admins read all users of modules" on public.platform_module_usage_user
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Organisation admins read the refused items of their organisation" on public.platform_module_usage_reject
  for select to module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin() and module_mgmt.is_signed_in()));
create policy "Platform admins read all refused items" on public.platform_module_usage_reject
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Organisation admins read the numbers of refused items of their organisation" on public.platform_module_usage_reject_count
  for select to module_mgmt_request
  using (org_id = (select module_mgmt.get_current_org_id()) and (select module_mgmt.is_org_admin() and module_mgmt.is_signed_in()));
create policy "Platform admins read all numbers of refused items" on public.platform_module_usage_reject_count
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "The definer keeps events" on public.platform_module_usage
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer adds up daily figures" on public.platform_module_usage_daily
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer keeps the users of modules" on public.platform_module_usage_user
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer seals days" on public.platform_module_usage_sealed_day
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer locks days" on public.platform_module_usage_day_lock
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer counts what organisations send" on public.platform_module_rate
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer keeps refused items" on public.platform_module_usage_reject
  for all to module_mgmt_definer using (true) with check (true);
create policy "The definer counts refused items" on public.platform_module_usage_reject_count
  for all to module_mgmt_definer using (true) with check (true);
create policy "The worker reads daily figures" on public.platform_module_usage_daily
  for select to module_mgmt_worker using (true);
create policy "The worker reads sealed days" on public.platform_module_usage_sealed_day
  for select to module_mgmt_worker using (true);
create policy "The worker reads numbers of refused items" on public.platform_module_usage_reject_count
  for select to module_mgmt_worker using (true);

comment on policy "Organisation admins read the events of their organisation" on public.platform_module_usage is
  'Raw events, for looking into a figure.';
comment on policy "Platform admins read all events" on public.platform_module_usage is
  'The same over all organisations.';
comment on policy "Organisation admins read the daily figures of their organisation" on public.platform_module_usage_daily is
  'Statistics and exports.';
comment on policy "Platform admins read all daily figures" on public.platform_module_usage_daily is
  'The same over all organisations.';
comment on policy "Organisation admins read the users of modules of their organisation" on public.platform_module_usage_user is
  'Users of a period are counted from these rows.';
comment on policy "Platform admins read all users of modules" on public.platform_module_usage_user is
  'The same over all organisations.';
comment on policy "Organisation admins read the refused items of their organisation" on public.platform_module_usage_reject is
  'Senders see what was wrong with what they sent.';
comment on policy "Platform admins read all refused items" on public.platform_module_usage_reject is
  'The same over all organisations.';
comment on policy "Organisation admins read the numbers of refused items of their organisation" on public.platform_module_usage_reject_count is
  'Statistics say how much was refused.';
comment on policy "Platform admins read all numbers of refused items" on public.platform_module_usage_reject_count is
  'The same over all organisations.';
comment on policy "The definer keeps events" on public.platform_module_usage is
  'record_usage adds; partitions are emptied and dropped whole.';
comment on policy "The definer adds up daily figures" on public.platform_module_usage_daily is
  'record_usage adds, rebuild_usage makes days anew.';
comment on policy "The definer keeps the users of modules" on public.platform_module_usage_user is
  'record_usage adds, rebuild_usage makes days anew.';
comment on policy "The definer seals days" on public.platform_module_usage_sealed_day is
  'seal_usage closes days; drop_usage_partition notes what is gone.';
comment on policy "The definer locks days" on public.platform_module_usage_day_lock is
  'Counting holds one row of a day, recounting all of them.';
comment on policy "The definer counts what organisations send" on public.platform_module_rate is
  'The brakes.';
comment on policy "The definer keeps refused items" on public.platform_module_usage_reject is
  'record_usage adds, prune_usage_rejects forgets.';
comment on policy "The definer counts refused items" on public.platform_module_usage_reject_count is
  'record_usage counts.';
comment on policy "The worker reads daily figures" on public.platform_module_usage_daily is
  'The report of maintenance.';
comment on policy "The worker reads sealed days" on public.platform_module_usage_sealed_day is
  'The report of maintenance.';
comment on policy "The worker reads numbers of refused items" on public.platform_module_usage_reject_count is
  'The report of maintenance.';
