//! A tiny function that stays warm: it answers pings through the layer and every other event itself.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use module_mgmt_host::warm::{Instance, WarmLayer};
use serde_json::{Value, json};
use tower::Layer as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let instance = Instance::start();
    let handler = service_fn(handle);
    Runtime::new(WarmLayer::new(instance).layer(handler)).run().await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "echo": event.payload }))
}
