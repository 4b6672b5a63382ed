//! A module's part of the menu.

use mgmt_common::text::first_invisible;
use module_mgmt_protocol::field_error::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

const MAX_DEPTH: usize = 4;
const MAX_ITEMS: usize = 200;
const MAX_TEXT: usize = 200;

/// An entry of the menu; bodies may spell `admin_only` too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(no_recursion)]
pub(crate) struct NavItem {
    /// A path within the application; an entry without one is a heading.
    #[serde(default)]
    pub(crate) route: Option<String>,
    #[serde(default)]
    pub(crate) icon: Option<String>,
    pub(crate) label: String,
    /// Smaller comes first; equal ones are sorted by label.
    #[serde(default)]
    pub(crate) order: i32,
    /// Shown to platform admins only.
    #[serde(default, alias = "admin_only")]
    pub(crate) admin_only: bool,
    #[serde(default)]
    pub(crate) children: Vec<NavItem>,
}

/// What is wrong with a stored or sent entry.
pub(crate) fn faults(item: &Value) -> Vec<FieldError> {
    match serde_json::from_value::<NavItem>(item.clone()) {
        Ok(item) => item.faults(),
        Err(error) => vec![FieldError::new("/navConfig", format!("cannot be read: {error}"))],
    }
}

impl NavItem {
    /// What is wrong with it and its children.
    fn faults(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut count = 0;
        self.check("/navConfig", 1, &mut count, &mut errors);
        errors
    }

    fn check(&self, pointer: &str, depth: usize, count: &mut usize, errors: &mut Vec<FieldError>) {
        *count += 1;
        if depth > MAX_DEPTH || *count > MAX_ITEMS {
            let message = format!("a menu may be {MAX_DEPTH} levels deep and have {MAX_ITEMS} entries");
            errors.push(FieldError::new(pointer, message));
            return;
        }
        let mut text = |field: &str, value: &str, is_fine: bool, message: &str| {
            if !is_fine || value.chars().count() > MAX_TEXT || first_invisible(value).is_some() {
                let message = format!(
                    "{message}, at most {MAX_TEXT} characters, none of them a control character or one that nobody sees"
                );
                errors.push(FieldError::new(format!("{pointer}/{field}"), message));
            }
        };
        text("label", &self.label, !self.label.trim().is_empty(), "must be a text for people");
        if let Some(icon) = &self.icon {
            text("icon", icon, true, "must be the name of an icon");
        }
        if let Some(route) = &self.route {
            // A route is rendered as a link: it must stay within the application.
            let is_path = route.starts_with('/') && !route.starts_with("//") && !route.contains('\\');
            text("route", route, is_path, "must be a path within the application, such as /reports");
        }
        for (index, child) in self.children.iter().enumerate() {
            child.check(&format!("{pointer}/children/{index}"), depth + 1, count, errors);
        }
    }

    /// The entry without what is for admins only, children sorted; `None` where nothing is left to show. A heading that lost all its
    /// children goes too.
    pub(crate) fn visible_to(mut self, is_platform_admin: bool) -> Option<Self> {
        if self.admin_only && !is_platform_admin {
            return None;
        }
        self.children = self.children.into_iter().filter_map(|child| child.visible_to(is_platform_admin)).collect();
        self.children.sort_by(|a, b| (a.order, &a.label).cmp(&(b.order, &b.label)));
        (self.route.is_some() || !self.children.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(label: &str, order: i32, children: Vec<NavItem>) -> NavItem {
        NavItem {
            route: Some(format!("/{label}")),
            icon: None,
            label: label.into(),
            order,
            admin_only: false,
            children,
        }
    }

    #[test]
    fn what_is_for_admins_goes_with_everything_below_it() {
        let secret = NavItem { admin_only: true, ..item("secret", 0, vec![item("below", 0, vec![])]) };
        let menu = item("top", 0, vec![item("b", 2, vec![]), secret, item("a", 2, vec![]), item("first", 1, vec![])]);
        let labels = |admin| -> Vec<String> {
            menu.clone().visible_to(admin).unwrap().children.into_iter().map(|child| child.label).collect()
        };
        assert_eq!(labels(false), ["first", "a", "b"]);
        assert_eq!(labels(true), ["secret", "first", "a", "b"]);
        let heading =
            NavItem { route: None, ..item("x", 0, vec![NavItem { admin_only: true, ..item("y", 0, vec![]) }]) };
        assert!(heading.clone().visible_to(false).is_none() && heading.visible_to(true).is_some());
    }

    #[test]
    fn links_leave_the_application_nowhere() {
        for (route, fine) in [
            ("/a/b", true),
            ("//evil.example", false),
            ("javascript:x", false),
            ("https://e.example", false),
            ("/\\e", false),
        ] {
            let item = NavItem { route: Some(route.into()), ..item("x", 0, vec![]) };
            assert_eq!(item.faults().is_empty(), fine, "{route}");
        }
        let mut deep = item("x", 0, vec![]);
        for _ in 0..MAX_DEPTH {
            deep = item("x", 0, vec![deep]);
        }
        assert_eq!(deep.faults().len(), 1);
        assert!(!item("x", 0, vec![item("y", 0, vec![]); MAX_ITEMS]).faults().is_empty());
    }
}
