//! Rows travel as JSON, so that a struct's fields are read by the names of the columns, through every door alike.

use serde::de::DeserializeOwned;

use super::error::{Error, Result};

/// A statement whose rows are JSON texts. It is a common table expression and no subquery, because only there may it be a write.
pub(super) fn as_json(statement: &str) -> String {
    let (comment, rest) = statement.split_once('\n').unwrap_or(("", statement));
    format!(
        "{comment}\nwith module_mgmt_row as ({rest}\n) select row_to_json(module_mgmt_row)::text from module_mgmt_row"
    )
}

/// A row as [`as_json`] gives it.
pub(super) fn parse<T: DeserializeOwned>(statement: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::Internal(format!("a row of {}: {error}", name(statement))))
}

/// The name in the first line of a statement.
pub(super) fn name(statement: &str) -> &str {
    statement.lines().next().unwrap_or_default().trim_start_matches("-- ").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_keeps_its_name_in_front() {
        let statement = "-- rename\n update t set n = $1 returning n";
        assert_eq!(name(statement), "rename");
        assert_eq!(
            as_json(statement),
            "-- rename\nwith module_mgmt_row as ( update t set n = $1 returning n\n) select row_to_json(module_mgmt_row)::text from module_mgmt_row"
        );
    }

    #[test]
    fn a_row_that_does_not_fit_names_its_statement() {
        let error = parse::<u8>("-- count\nselect 1", "\"x\"").unwrap_err().to_string();
        assert!(error.starts_with("a row of count: "), "{error}");
    }
}
