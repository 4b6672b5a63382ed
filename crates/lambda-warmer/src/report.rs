//! What a run found out, per function and in all.

use jiff::Timestamp;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::telemetry::{Metric, emit};
use serde::Serialize;

/// Figures of one function or of a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// Pings wanted: the function's concurrency.
    pub(crate) asked: u32,
    /// Of those, how many were answered: of native pings in the better of two rounds, because the second repeats all.
    pub(crate) reached: u32,
    /// Distinct instances that answered; null when the payload returns no instance ids.
    pub(crate) unique: Option<u32>,
    /// Instances that had just started.
    pub(crate) cold: u32,
    /// Milliseconds those spent starting, added up.
    pub(crate) init_ms: u64,
    /// Pings refused with 429, retries included.
    pub(crate) throttled: u32,
    /// Pings that failed otherwise, retries included.
    pub(crate) errors: u32,
}

/// What became of one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionReport {
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
    /// `warm`, `short` (fewer than asked), `suspended` or `failed` (none).
    pub(crate) state: &'static str,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// Whether a concurrency limit or the time left pings out.
    pub(crate) cut: bool,
    /// What a person should know.
    pub(crate) note: Option<String>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunReport {
    /// `done`, `cut` or `failed`, as the history stores it.
    pub(crate) status: &'static str,
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
            (true, _) => "failed",
            (false, true) => "cut",
            (false, false) => "done",
        };
        let of_functions =
            functions.iter().filter_map(|part| part.note.as_ref().map(|note| format!("{}: {note}", part.name)));
        let notes: Vec<String> = notes.into_iter().chain(of_functions).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Self { status, totals, note, functions }
    }
}

impl Figures {
    fn plus(self, other: &Self) -> Self {
        Self {
            asked: self.asked + other.asked,
            reached: self.reached + other.reached,
            // Functions whose answers prove nothing do not hide those whose answers do.
            unique: match (self.unique, other.unique) {
                (None, known) | (known, None) => known,
                (Some(one), Some(other)) => Some(one + other),
            },
            cold: self.cold + other.cold,
            init_ms: self.init_ms + other.init_ms,
            throttled: self.throttled + other.throttled,
            errors: self.errors + other.errors,
        }
    }
}

/// Writes the run's metrics.
pub(crate) fn emit_run(namespace: &Namespace, report: &RunReport, stale: bool) {
    let totals = &report.totals;
    let count = |name, value: u32| Metric { name, unit: "Count", value: f64::from(value) };
    let suspended = report.functions.iter().filter(|part| part.state == "suspended").count();
    let mut metrics = vec![
        count("PingsAsked", totals.asked),
        count("PingsReached", totals.reached),
        count("ColdStarts", totals.cold),
        count("PingsThrottled", totals.throttled),
        count("PingErrors", totals.errors),
        count("SuspendedFunctions", u32::try_from(suspended).unwrap_or(u32::MAX)),
        count("RunCut", u32::from(report.status == "cut")),
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
