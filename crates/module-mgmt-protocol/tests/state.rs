//! The words of the state, as gates, the API and the database read them.

use std::collections::BTreeSet;

use module_mgmt_protocol::decision::{Decision, Permissions, Reason};
use module_mgmt_protocol::state::{ModuleState, ModuleType};
use serde_json::json;

const REASONS: [Reason; 6] = [
    Reason::PlatformOff,
    Reason::NotInstalled,
    Reason::DependencyOff,
    Reason::OrgOff,
    Reason::PermissionMissing,
    Reason::Unknown,
];

#[test]
fn a_word_is_the_same_in_code_and_in_json() {
    for reason in REASONS {
        assert_eq!(json!(reason), json!(reason.as_str()));
    }
    for module_type in [ModuleType::Core, ModuleType::Functional] {
        assert_eq!(json!(module_type), json!(module_type.as_str()));
    }
}

#[test]
fn a_module_of_the_state_is_decided_by_its_reason_and_then_by_permissions() {
    let permissions: BTreeSet<String> = ["ai.use".to_owned()].into();
    let none = BTreeSet::new();
    for reason in [None].into_iter().chain(REASONS.map(Some)) {
        let module = ModuleState {
            name: "module-ai".to_owned(),
            module_type: ModuleType::Functional,
            enabled: reason.is_none(),
            reason,
            required_permissions: vec!["ai.use".to_owned()],
        };
        // What the state says stays; a module that is on needs the caller's permission.
        assert_eq!(module.decide(&Permissions::Set(&permissions)), Decision::from(reason));
        let without = Decision::Off(reason.unwrap_or(Reason::PermissionMissing));
        assert_eq!(module.decide(&Permissions::Set(&none)), without);
        assert!(!without.is_on());
    }
}
