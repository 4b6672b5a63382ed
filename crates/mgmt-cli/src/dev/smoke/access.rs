//! Who may ask: everybody for health, nobody without a token, members not for the platform's configs.

use anyhow::Result;
use axum::http::Method;

use super::Report;
use crate::dev::identity::{MEMBER, PLATFORM_ADMIN};
use crate::dev::platform::Platform;

pub(super) async fn check(platform: &Platform, report: &mut Report) -> Result<()> {
    let configs = "/platform/lambda-config";
    let questions = [
        ("health without a token", None, "/platform/health", 200),
        ("configs without a token", None, configs, 401),
        ("configs for a member", Some(&MEMBER), configs, 403),
        ("configs for a platform admin", Some(&PLATFORM_ADMIN), configs, 200),
    ];
    for (what, person, path, expected) in questions {
        let answer = platform.ask(person, Method::GET, path, None).await?;
        report.expect(what, answer.status, expected);
    }
    Ok(())
}
