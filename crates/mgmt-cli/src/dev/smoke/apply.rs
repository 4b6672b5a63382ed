//! The command that people register modules with.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::dev::identity::PLATFORM_ADMIN;
use crate::dev::platform::Platform;

/// `mgmt modules apply` on a document; what it says about its plan.
pub(super) async fn apply(platform: &Platform, document: &str, arguments: &[&str]) -> Result<Value> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let mut command = tokio::process::Command::new(program);
    command.args(["modules", "apply", "--file", "-", "--json"]).args(arguments);
    command.env("MODULE_MGMT_URL", &platform.url).env("MODULE_MGMT_TOKEN", platform.token(&PLATFORM_ADMIN)?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot start mgmt modules apply")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(document.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("mgmt modules apply failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
