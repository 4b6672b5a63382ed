//! What a schedule would do, before it is saved.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::compile::{Compiled, Widening, compile};
use super::config::WarmingConfig;
use super::cost::{self, CostEstimate, CostInput, DAYS_PER_MONTH};
use super::functions::WarmFunction;
use super::name::Namespace;
use super::warnings::{self, PreviewWarning};
use super::zone::local_time;

/// How many pings ahead are listed.
const NEXT_PINGS: usize = 20;

/// What a preview is made from, besides the schedule.
#[derive(Debug, Clone, Copy)]
pub struct PreviewInput<'a> {
    pub namespace: &'a Namespace,
    pub at: Timestamp,
    /// All that would be pinged: the schedule's own functions and, where it includes them, those of modules.
    pub functions: &'a [WarmFunction],
    /// Memory in MB by the name under which a function is listed; may be empty.
    pub memory_mb: &'a BTreeMap<String, u32>,
    /// Assumed billed duration of one ping in milliseconds.
    pub billed_ms_per_ping: u32,
}

/// The preview of one schedule at one instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct Preview {
    /// In the order of their expressions; DISABLED on the bus while the schedule is not active.
    pub rules: Vec<PreviewRule>,
    /// The next 20; none while the schedule is not active.
    pub next_pings: Vec<NextPing>,
    pub ticks: TickFigures,
    /// Invocations of all functions to ping in the next 30 days: due ticks times the sum of their concurrencies.
    pub pings_per_month: u64,
    pub cost: CostEstimate,
    pub warnings: Vec<PreviewWarning>,
}

/// One rule as it would be on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct PreviewRule {
    pub name: String,
    pub expression: String,
}

/// One due minute on both clocks, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct NextPing {
    /// For example `2026-11-02T14:00:00Z`.
    pub utc: String,
    /// For example `2026-11-02T09:00:00-05:00`.
    pub local: String,
}

/// How often the rules fire, and how much of that the warmer drops because it is not due in local time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct TickFigures {
    /// Of a week without an offset change.
    pub fired_per_week: u32,
    pub due_per_week: u32,
    pub dropped_per_week: u32,
    /// Counted over the next 30 days; 0 while the schedule is not active.
    pub due_per_month: u32,
    pub widening: Widening,
}

/// Makes the preview. Compiles like the manager does, so the rules are those that a save would bring.
pub fn preview(config: &WarmingConfig, input: &PreviewInput<'_>) -> Preview {
    let compiled = compile(config, input.at);
    let due_per_month = due_in_month(config, input.at);
    let concurrency: u64 = input.functions.iter().map(|function| u64::from(function.concurrency)).sum();
    Preview {
        rules: rules(&compiled, input.namespace),
        next_pings: config.due_from(input.at).take(NEXT_PINGS).map(|due| next_ping(due, config.zone())).collect(),
        ticks: TickFigures {
            fired_per_week: compiled.ticks_per_week,
            due_per_week: compiled.due_per_week,
            dropped_per_week: compiled.ticks_per_week - compiled.due_per_week,
            due_per_month,
            widening: compiled.widening,
        },
        pings_per_month: u64::from(due_per_month) * concurrency,
        cost: cost::estimate(&CostInput {
            functions: input.functions,
            memory_mb: input.memory_mb,
            due_per_month,
            open_minutes_per_month: open_minutes_per_month(config),
            billed_ms_per_ping: input.billed_ms_per_ping,
        }),
        warnings: warnings::of(config, input.functions, &compiled, input.at),
    }
}

fn rules(compiled: &Compiled, namespace: &Namespace) -> Vec<PreviewRule> {
    let rule = |rule| PreviewRule { name: namespace.rule_name(rule), expression: rule.to_string() };
    compiled.rules.iter().map(rule).collect()
}

fn next_ping(due: Timestamp, zone: &TimeZone) -> NextPing {
    NextPing { utc: due.to_string(), local: local_time(due, zone) }
}

fn due_in_month(config: &WarmingConfig, at: Timestamp) -> u32 {
    let month = SignedDuration::from_hours(24 * i64::from(DAYS_PER_MONTH));
    let end = at.saturating_add(month).unwrap_or(Timestamp::MAX);
    config.due_from(at).take_while(|due| *due < end).count() as u32
}

/// Minutes inside any range, whatever the interval; an average month.
fn open_minutes_per_month(config: &WarmingConfig) -> f64 {
    if !config.enabled() {
        return 0.0;
    }
    let open_per_week = config.week().due_minutes(1).count();
    f64::from(open_per_week) / 7.0 * f64::from(DAYS_PER_MONTH)
}
