//! The schema's version, sequences, sealed days, runs.

use crate::bed::Undo::{By, Cures};
use crate::bed::{Sabotage, check};

const ROWS: &[Sabotage] = &[
    (
        "insert into public.platform_module_audit (id, module_name, action) overriding system value values (1000, 'module-x', 'update')",
        &["sequence value public.platform_module_audit_id_seq"],
        Cures,
    ),
    (
        "insert into public.platform_module_usage_sealed_day (usage_date, events) values ('2024-01-01', 0), ('2024-01-04', 0)",
        &["sealed day public.platform_module_usage_sealed_day, 2024-01-02 to 2024-01-03"],
        Cures,
    ),
    (
        "insert into public.platform_warming_run (tick, started_at) values ('2024-01-01 10:00Z', '2024-01-01 10:00Z'), (date_trunc('minute', now()), now())",
        &["stuck run public.platform_warming_run of 2024-01-01T10:00:00+00:00"],
        Cures,
    ),
    (
        "delete from public.platform_module_usage_sealed_day; insert into public.platform_module_usage_sealed_day (usage_date, events) values ('2999-01-01', 0)",
        &["sealed day public.platform_module_usage_sealed_day, 2999-01-01"],
        Cures,
    ),
    (
        "insert into public.platform_rule_sync (config_key, lease_holder, lease_until) values ('it''s', 'x', now() + interval '1 day')",
        &["lease public.platform_rule_sync of 'it''s'"],
        Cures,
    ),
    ("delete from public.module_mgmt_schema_history where version = 9", &["schema version public.module_mgmt_schema_history, version 9"], Cures),
    (
        "update public.module_mgmt_schema_history set checksum = '9479315522524705001' where version = 8",
        &["schema version public.module_mgmt_schema_history, version 8"],
        Cures,
    ),
    (
        "insert into public.module_mgmt_schema_history select 150, 'later', applied_on, '1' from public.module_mgmt_schema_history where version = 1",
        &["schema version public.module_mgmt_schema_history, version 150"],
        By("delete from public.module_mgmt_schema_history where version = 150"),
    ),
    (
        "create table public.checksums as select version, checksum from public.module_mgmt_schema_history;
         update public.module_mgmt_schema_history set checksum = '1' where version = 3",
        &["schema version public.module_mgmt_schema_history, version 3"],
        By("update public.module_mgmt_schema_history history set checksum = kept.checksum from public.checksums kept where kept.version = history.version;
            drop table public.checksums"),
    ),
];

/// Faults, row 48.
#[tokio::test]
async fn rows_that_tell_of_a_fault_are_named_and_cured() {
    check(ROWS).await;
}
