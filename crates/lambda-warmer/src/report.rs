//! Sums up a run, for the history and for metrics.

use jiff::Timestamp;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::telemetry::{Metric, emit};
use mgmt_common::text;
use mgmt_common::warming::report::{Figures, FunctionReport, FunctionState, RunStatus};
use serde::Serialize;

/// The longest note of a run, in characters; the functions' own notes are beside it.
const MAX_NOTE: usize = 4_000;

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunReport {
    pub(crate) status: RunStatus,
    #[serde(flatten)]
    pub(crate) totals: Figures,
    pub(crate) note: Option<String>,
    pub(crate) functions: Vec<FunctionReport>,
}

impl RunReport {
    /// `notes` are about the run as a whole.
    pub(crate) fn new(functions: Vec<FunctionReport>, notes: Vec<String>) -> Self {
        let totals = functions.iter().fold(Figures::default(), |sum, part| sum.plus(&part.figures));
        let cut = functions.iter().any(|part| part.cut);
        let status = match (totals.asked > 0 && totals.reached == 0, cut) {
            (true, _) => RunStatus::Failed,
            (false, true) => RunStatus::Cut,
            (false, false) => RunStatus::Done,
        };
        let of_functions =
            functions.iter().filter_map(|part| part.note.as_ref().map(|note| format!("{}: {note}", part.name)));
        let notes: Vec<String> = notes.into_iter().chain(of_functions).collect();
        let note = (!notes.is_empty()).then(|| text::cut(notes.join("; "), MAX_NOTE));
        Self { status, totals, note, functions }
    }
}

/// Writes the run's metrics.
pub(crate) fn emit_run(namespace: &Namespace, report: &RunReport, stale: bool) {
    let totals = &report.totals;
    let count = |name, value: u32| Metric { name, unit: "Count", value: f64::from(value) };
    let suspended = report.functions.iter().filter(|part| part.state == FunctionState::Suspended).count();
    let mut metrics = vec![
        count("PingsAsked", totals.asked),
        count("PingsReached", totals.reached),
        count("ColdStarts", totals.cold),
        count("PingsThrottled", totals.throttled),
        count("PingErrors", totals.errors),
        count("SuspendedFunctions", u32::try_from(suspended).unwrap_or(u32::MAX)),
        count("RunCut", u32::from(report.status == RunStatus::Cut)),
        count("StaleConfig", u32::from(stale)),
        Metric { name: "InitTime", unit: "Milliseconds", value: totals.init_ms as f64 },
    ];
    metrics.extend(totals.unique.map(|unique| count("UniqueInstances", unique)));
    emit_metrics(namespace, &metrics);
}

/// Counts a tick that fired but was not due in local time: the price of rules that know only UTC.
pub(crate) fn emit_dropped(namespace: &Namespace) {
    emit_metrics(namespace, &[Metric { name: "TicksDropped", unit: "Count", value: 1.0 }]);
}

fn emit_metrics(namespace: &Namespace, metrics: &[Metric]) {
    let dimensions = [("Project", namespace.project()), ("Environment", namespace.env())];
    emit("ModuleMgmt", &dimensions, metrics, Timestamp::now().as_millisecond());
}
