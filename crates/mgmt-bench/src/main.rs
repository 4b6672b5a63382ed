//! `scripts/bench`: what the project promises about speed, measured side by side in one run and printed as ratios.
//! Nothing here fails on a slow machine; a person reads the table.
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod abuse;
mod against;
mod compile;
mod fan_out;
mod judge;
mod registry;
mod row;
mod start_up;
mod usage;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets};

#[tokio::main]
async fn main() -> Result<()> {
    // The binaries were built beside this one.
    let program = std::env::current_exe()?;
    let folder = program.parent().context("this program has no folder")?;
    let mut rows = Vec::new();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["against", other] => rows.extend(against::measure(folder, Path::new(other)).await?),
        // Usage alone.
        ["abuse", seconds @ ..] => {
            let seconds = seconds.first().map_or(Ok(60), |text| text.parse())?;
            rows.extend(abuse::measure(folder, Duration::from_secs(seconds)).await?);
        }
        // Without a database.
        ["judge"] => rows.push(judge::measure()),
        ["usage"] => rows.extend(usage::measure().await?),
        _ => {
            rows.extend(start_up::measure(folder).await?);
            rows.extend(compile::measure());
            rows.push(judge::measure());
            rows.extend(fan_out::measure(&folder.join("lambda-warmer")).await?);
            rows.extend(registry::measure().await?);
            rows.extend(usage::measure().await?);
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["what", "measured", "ratio", "promise"]);
    for row in rows {
        table.add_row([row.what, row.measured, row.ratio, row.promise.to_owned()]);
    }
    println!("{table}");
    Ok(())
}
