//! Entry point of the lambda-config function.

use lambda_config::settings::Settings;
use mgmt_common::settings::{Reader, log_level};
use mgmt_common::{serve, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut reader = Reader::environment();
    telemetry::start(log_level(&mut reader));
    serve::run(lambda_config::service(Settings::read(reader)?)).await
}
