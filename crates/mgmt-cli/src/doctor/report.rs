//! Findings as a table for people or as an object for machines.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::Table;
use serde_json::json;

use super::finding::Finding;
use crate::output::table;

/// A row for each finding.
pub(crate) fn as_table(findings: &[Finding]) -> Table {
    let row = |finding: &Finding| {
        [&format!("{} {}", finding.kind, finding.object), &finding.found, &finding.expected, &finding.cure]
            .map(|text| printable(text))
    };
    table(["object", "found", "expected", "cure"], findings.iter().map(row))
}

/// `{"findings": […], "counts": {"policy": 1}, "probes": 500}`; probes is null where none were made.
pub(super) fn write_json(out: &mut dyn Write, findings: &[Finding], probes: Option<usize>) -> io::Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.kind.as_str()).or_default() += 1;
    }
    writeln!(out, "{}", json!({ "findings": findings, "counts": counts, "probes": probes }))
}

/// Names are a stranger's text, and control characters in them would command the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
