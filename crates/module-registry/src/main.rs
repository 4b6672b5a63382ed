//! Entry point of the module-registry function.

use mgmt_common::settings::{Reader, log_level};
use mgmt_common::{serve, telemetry};
use module_registry::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut reader = Reader::environment();
    telemetry::start(log_level(&mut reader));
    serve::run(module_registry::service(Settings::read(reader)?)).await
}
