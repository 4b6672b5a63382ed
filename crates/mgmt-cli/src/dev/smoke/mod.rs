//! The main job once, with real input, on a fresh platform. Every figure is observed from outside: over the HTTP API, or on
//! the bus.

mod access;
mod apply;
mod figures;
mod gates;
mod menu;
mod pings;
mod registry;
mod report;
mod usage;
mod warming;

use anyhow::Result;

use super::platform::Platform;
pub(crate) use report::Report;

/// Runs every part. A fault is part of the report; an error means that the run could not go on.
///
/// All parts share the ticks, as each takes a minute: modules are on at the first one and off at the last one.
pub(crate) async fn run(platform: &Platform) -> Result<Report> {
    let mut report = Report::default();
    access::check(platform, &mut report).await?;
    registry::register(platform, &mut report).await?;
    registry::switch_on(platform, &mut report).await?;
    warming::save(platform, &mut report).await?;
    // Uses are counted while the tick is waited for.
    let (first, sent) = tokio::try_join!(warming::wait_for_run(platform, None), usage::send(platform))?;
    usage::check(platform, &mut report, &sent).await?;
    pings::check_while_on(platform, &mut report, &first).await?;
    let disabled_at = registry::switch_off(platform, &mut report).await?;
    let last = warming::wait_for_run(platform, Some(disabled_at)).await?;
    warming::check(platform, &mut report, &last).await?;
    pings::check_while_off(&mut report, &last);
    usage::check_while_off(platform, &mut report, &sent).await?;
    registry::switch_on_again(platform, &mut report).await?;
    Ok(report)
}
