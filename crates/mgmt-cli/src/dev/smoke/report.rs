//! What a smoke run observed.

use serde::Serialize;
use serde_json::Value;

use super::figures::{Registry, Usage, Warming};

/// The machine's part is one object per area; the rows are for people.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(super) warming: Warming,
    pub(super) registry: Registry,
    pub(super) usage: Usage,
    /// What was observed, the observation, and what was expected, where something was.
    #[serde(skip)]
    pub(crate) rows: Vec<[String; 3]>,
    /// One sentence per observation that was not as expected.
    #[serde(skip)]
    pub(crate) faults: Vec<String>,
}

impl Report {
    /// Notes an observation.
    pub(super) fn observe(&mut self, what: &str, observed: impl Into<Value>) {
        self.rows.push([what.to_owned(), plain(&observed.into()), String::new()]);
    }

    /// Notes an observation that must be equal to `expected`.
    pub(super) fn expect(&mut self, what: &str, observed: impl Into<Value>, expected: impl Into<Value>) {
        let (observed, expected) = (observed.into(), expected.into());
        let as_expected = observed == expected;
        self.judge(what, &observed, &plain(&expected), as_expected);
    }

    /// Notes a number that must be `least` or more.
    pub(super) fn expect_at_least(&mut self, what: &str, observed: usize, least: usize) {
        self.judge(what, &observed.into(), &format!("at least {least}"), observed >= least);
    }

    fn judge(&mut self, what: &str, observed: &Value, expected: &str, as_expected: bool) {
        let observed = plain(observed);
        if !as_expected {
            self.faults.push(format!("{what}: {observed} instead of {expected}"));
        }
        self.rows.push([what.to_owned(), observed, expected.to_owned()]);
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
