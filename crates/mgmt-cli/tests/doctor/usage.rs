//! The partitions of usage.

use crate::bed::Undo::{Cures, CuresAnd};
use crate::bed::{Sabotage, check};

const PARTITIONS: &[Sabotage] = &[
    (
        "alter table module_mgmt_usage.usage_:month disable row level security",
        &["table module_mgmt_usage.usage_:month"],
        Cures,
    ),
    (
        "alter table public.platform_module_usage detach partition module_mgmt_usage.usage_:month",
        &["partition module_mgmt_usage.usage_:month"],
        Cures,
    ),
    (
        "alter table public.platform_module_usage detach partition module_mgmt_usage.usage_other",
        &["partition module_mgmt_usage.usage_other"],
        Cures,
    ),
    (
        "alter table public.platform_module_usage detach partition module_mgmt_usage.usage_:month;
         alter table public.platform_module_usage attach partition module_mgmt_usage.usage_:month
           for values from ('f0000000-0000-0000-0000-000000000000') to ('f1000000-0000-0000-0000-000000000000')",
        &["partition module_mgmt_usage.usage_:month"],
        Cures,
    ),
    ("drop table module_mgmt_usage.usage_:month", &["table module_mgmt_usage.usage_:month"], Cures),
    ("drop table module_mgmt_usage.usage_other", &["table module_mgmt_usage.usage_other"], Cures),
    (
        "grant select on module_mgmt_usage.usage_:month to authenticated",
        &["table grant module_mgmt_usage.usage_:month: SELECT to authenticated"],
        Cures,
    ),
    (
        "drop trigger forbid_truncate on module_mgmt_usage.usage_:month",
        &["trigger module_mgmt_usage.usage_:month: forbid_truncate"],
        Cures,
    ),
    (
        "create table public.far partition of public.platform_module_usage
           for values from ('f0000000-0000-0000-0000-000000000000') to ('f1000000-0000-0000-0000-000000000000')",
        &["child public.platform_module_usage: public.far"],
        CuresAnd("drop table public.far"),
    ),
];

/// Faults, row 48.
#[tokio::test]
async fn sabotaged_partitions_are_named_and_cured() {
    check(PARTITIONS).await;
}
