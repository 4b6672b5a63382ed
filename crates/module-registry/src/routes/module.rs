//! A module as the API shows it: whole to platform admins, its public part to everybody else.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::definition::module::RegisteredModule;
use crate::definition::navigation::NavItem;
use crate::store::visible::VisibleRow;

/// What everybody signed in may know of a module that is on for them.
#[derive(Debug, Serialize, ToSchema)]
// Closed in the document, so that a whole module is not one of these too.
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PublicModule {
    name: String,
    display_name: String,
    description: Option<String>,
    version: String,
    #[schema(value_type = Value)]
    feature_flags: Box<RawValue>,
    nav_config: Option<NavItem>,
}

impl PublicModule {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl From<VisibleRow> for PublicModule {
    fn from(row: VisibleRow) -> Self {
        Self {
            name: row.module_name,
            display_name: row.display_name,
            description: row.description,
            version: row.version,
            feature_flags: row.feature_flags,
            // Entries for admins are no business of others, here as in the menu.
            nav_config: row.nav_config.and_then(|item| item.visible_to(false)),
        }
    }
}

/// Whole for platform admins, else the public part.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ShownModule {
    Whole(Box<RegisteredModule>),
    Public(Box<PublicModule>),
}
