do $tasks$
declare
  task jsonb;
  answer text;
  touched bigint;
  answers jsonb := '[]';
begin
  for task in select value from jsonb_array_elements(current_setting('module_mgmt_doctor.tasks')::jsonb) loop
    begin
      perform set_config('request.jwt.claims', coalesce(task ->> 'claims', ''), true);
      if task ->> 'role' is not null then
        perform set_config('role', task ->> 'role', true);
      end if;
      answer := null;
      if (task ->> 'asks')::boolean then
        execute task ->> 'statement' into answer;
        touched := 0;
      else
        execute task ->> 'statement';
        get diagnostics touched = row_count;
      end if;
      answers := answers || jsonb_build_object('answer', answer, 'touched', touched);
      if (task ->> 'stays')::boolean then
        perform set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
      else
        -- Takes back what it did, and its role.
        raise exception using errcode = 'MM000';
      end if;
    exception
      when sqlstate 'MM000' then null;
      when others then
        answers := answers || jsonb_build_object('code', sqlstate, 'message', sqlerrm);
    end;
  end loop;
  perform set_config('module_mgmt_doctor.answers', answers::text, true);
end
$tasks$
