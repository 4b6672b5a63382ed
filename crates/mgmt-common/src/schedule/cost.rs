//! What keeping functions warm costs, beside what provisioned concurrency would cost. Estimates, never bills.

use std::collections::BTreeMap;

use serde::Serialize;

use super::functions::WarmFunction;

/// USD per Lambda request, us-east-1. Source: AWS Lambda pricing page, "$0.20 per 1M requests".
pub const USD_PER_REQUEST: f64 = 0.20 / 1_000_000.0;

/// USD per GB-second of run time, us-east-1, x86, first tier. Source: AWS Lambda pricing page.
pub const USD_PER_GB_SECOND: f64 = 0.000_016_666_7;

/// USD per GB-second for which provisioned concurrency is switched on, us-east-1, x86. Source: AWS Lambda pricing page.
pub const USD_PER_PROVISIONED_GB_SECOND: f64 = 0.000_004_166_7;

/// A month in every figure here.
pub const DAYS_PER_MONTH: u32 = 30;

const MINUTES_PER_MONTH: f64 = DAYS_PER_MONTH as f64 * 24.0 * 60.0;

/// What the estimate is made from.
#[derive(Debug, Clone, Copy)]
pub struct CostInput<'a> {
    pub functions: &'a [WarmFunction],
    /// Memory in MB by the name under which a function is listed; functions that are not in it cannot be priced.
    pub memory_mb: &'a BTreeMap<String, u32>,
    /// Ticks that are due in a month; each pings every function `concurrency` times.
    pub due_per_month: u32,
    /// Minutes of a month that lie inside the ranges of the schedule.
    pub open_minutes_per_month: f64,
    /// Assumed billed duration of one ping in milliseconds: the hold plus a little.
    pub billed_ms_per_ping: u32,
}

/// Estimates in USD per month of 30 days at us-east-1 x86 prices, without free tier, savings plans and taxes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct CostEstimate {
    /// Sum over the functions that could be priced.
    pub warming_usd: f64,
    /// The standing charge of the same concurrency, provisioned all month; run time comes on top of it.
    pub provisioned_always_usd: f64,
    /// The same, switched on only inside the ranges of the schedule.
    pub provisioned_in_ranges_usd: f64,
    /// The assumption behind `warming_usd`.
    pub billed_ms_per_ping: u32,
    pub functions: Vec<FunctionCost>,
    /// Functions of unknown memory: missing in every sum above.
    pub unpriced_functions: Vec<String>,
}

/// The share of one function.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[derive(utoipa::ToSchema)]
pub struct FunctionCost {
    pub name: String,
    pub qualifier: Option<String>,
    pub concurrency: u16,
    pub memory_mb: u32,
    pub pings_per_month: u64,
    pub warming_usd: f64,
    pub provisioned_always_usd: f64,
    pub provisioned_in_ranges_usd: f64,
}

/// Prices every function of known memory.
pub fn estimate(input: &CostInput<'_>) -> CostEstimate {
    let (mut functions, mut unpriced_functions) = (Vec::new(), Vec::new());
    for function in input.functions {
        match input.memory_mb.get(&function.name) {
            Some(memory_mb) => functions.push(price(function, *memory_mb, input)),
            None => unpriced_functions.push(function.name.clone()),
        }
    }
    let sum = |part: fn(&FunctionCost) -> f64| to_micro_usd(functions.iter().map(part).sum());
    CostEstimate {
        warming_usd: sum(|cost| cost.warming_usd),
        provisioned_always_usd: sum(|cost| cost.provisioned_always_usd),
        provisioned_in_ranges_usd: sum(|cost| cost.provisioned_in_ranges_usd),
        billed_ms_per_ping: input.billed_ms_per_ping,
        functions,
        unpriced_functions,
    }
}

fn price(function: &WarmFunction, memory_mb: u32, input: &CostInput<'_>) -> FunctionCost {
    let gigabytes = f64::from(memory_mb) / 1024.0;
    let concurrency = f64::from(function.concurrency);
    let pings_per_month = u64::from(input.due_per_month) * u64::from(function.concurrency);
    let pings = f64::from(input.due_per_month) * concurrency;
    let seconds_per_ping = f64::from(input.billed_ms_per_ping) / 1000.0;
    let provisioned =
        |minutes: f64| to_micro_usd(concurrency * gigabytes * minutes * 60.0 * USD_PER_PROVISIONED_GB_SECOND);
    FunctionCost {
        name: function.name.clone(),
        qualifier: function.qualifier.clone(),
        concurrency: function.concurrency,
        memory_mb,
        pings_per_month,
        warming_usd: to_micro_usd(pings * (USD_PER_REQUEST + gigabytes * seconds_per_ping * USD_PER_GB_SECOND)),
        provisioned_always_usd: provisioned(MINUTES_PER_MONTH),
        provisioned_in_ranges_usd: provisioned(input.open_minutes_per_month),
    }
}

/// Six decimals: below that only the noise of binary fractions is left.
fn to_micro_usd(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::functions::Payload;

    #[test]
    fn the_estimate_is_the_price_list_times_the_use() {
        let function = |name: &str, concurrency| WarmFunction {
            name: name.to_owned(),
            qualifier: None,
            concurrency,
            payload: Payload::Native,
        };
        let estimate = estimate(&CostInput {
            functions: &[function("known", 10), function("unknown", 1)],
            memory_mb: &BTreeMap::from([("known".to_owned(), 1024)]),
            due_per_month: 1000,
            open_minutes_per_month: 1000.0,
            billed_ms_per_ping: 600,
        });
        // 10,000 pings: 0.002 for requests, 6,000 GB-seconds of run time.
        assert_eq!(estimate.warming_usd, 0.102);
        // 10 GB for 2,592,000 seconds, and for 60,000.
        assert_eq!(estimate.provisioned_always_usd, 108.000_864);
        assert_eq!(estimate.provisioned_in_ranges_usd, 2.500_02);
        assert_eq!(estimate.functions[0].pings_per_month, 10_000);
        assert_eq!(estimate.unpriced_functions, ["unknown"]);
    }

    #[test]
    fn each_function_is_priced_by_its_memory_and_concurrency_and_the_sums_hold_all() {
        let function = |name: &str, concurrency| WarmFunction {
            name: name.to_owned(),
            qualifier: Some("live".to_owned()),
            concurrency,
            payload: Payload::Native,
        };
        let estimate = estimate(&CostInput {
            functions: &[function("small", 3), function("large", 2)],
            memory_mb: &BTreeMap::from([("small".to_owned(), 512), ("large".to_owned(), 2048)]),
            due_per_month: 1000,
            open_minutes_per_month: 1000.0,
            billed_ms_per_ping: 250,
        });
        let figures = |cost: &FunctionCost| {
            (cost.pings_per_month, cost.warming_usd, cost.provisioned_always_usd, cost.provisioned_in_ranges_usd)
        };
        // 3,000 pings of 0.125 GB-seconds; 1.5 GB for 2,592,000 seconds, and for 60,000.
        assert_eq!(figures(&estimate.functions[0]), (3_000, 0.006_85, 16.200_13, 0.375_003));
        // 2,000 pings of half a GB-second; 4 GB.
        assert_eq!(figures(&estimate.functions[1]), (2_000, 0.017_067, 43.200_346, 1.000_008));
        assert_eq!(estimate.warming_usd, 0.023_917);
        assert_eq!(estimate.provisioned_always_usd, 59.400_476);
        assert_eq!(estimate.provisioned_in_ranges_usd, 1.375_011);
        assert_eq!((estimate.functions[0].memory_mb, estimate.billed_ms_per_ping), (512, 250));
        assert_eq!(estimate.functions[0].qualifier.as_deref(), Some("live"));
    }
}
