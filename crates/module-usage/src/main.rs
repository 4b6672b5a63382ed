//! Entry point of the module-usage function.

use mgmt_common::settings::{Reader, log_level};
use mgmt_common::{serve, telemetry};
use module_usage::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut reader = Reader::environment();
    telemetry::start(log_level(&mut reader));
    serve::run(module_usage::service(Settings::read(reader)?)).await
}
