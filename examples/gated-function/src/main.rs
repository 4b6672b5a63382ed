//! A tiny function of a module: it answers while the module is on for the caller's organisation, and stays warm.
//! Settings: `MODULE_MGMT_URL`, the API of the control plane, and `MODULE_NAME`, for example `module-orders`.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use module_mgmt_host::gate::{Gate, GateLayer, HttpSource};
use module_mgmt_host::settings::HostSettings;
use module_mgmt_host::warm::{Instance, WarmLayer};
use module_mgmt_protocol::state::ModuleType;
use serde_json::{Value, json};
use tower::Layer as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let instance = Instance::start();
    let settings = HostSettings::from_environment()?;
    // A functional module closes while nothing is known about it; a core module would stay open.
    let gate = Gate::for_module(settings.module, ModuleType::Functional)
        .claim_names(settings.claim_names)
        .reading(HttpSource::new(&settings.url)?);
    let gated = GateLayer::new(gate.clone()).layer(service_fn(handle));
    Runtime::new(WarmLayer::new(instance).on_ping(gate).layer(gated)).run().await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "statusCode": 200, "body": json!({ "path": event.payload["rawPath"] }).to_string() }))
}
