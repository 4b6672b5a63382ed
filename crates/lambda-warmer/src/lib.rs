//! The lambda-warmer function: a scheduled tick becomes pings, and the pings a proof of warmth.
//!
//! tick -> due? -> targets -> synchronous fan-out -> unique instances -> history row and metrics.

mod capacity;
mod claim;
mod control_plane;
mod fan_out;
mod memory;
mod permits;
mod ping;
mod plan;
mod proof;
mod report;
pub mod settings;
mod store;
mod tally;
mod target;
pub mod tick;
mod warm;

use std::sync::Arc;
use std::time::Duration;

use control_plane::ControlPlane;
use memory::Memory;
use mgmt_common::aws::CallLimits;
use mgmt_common::db::Database;
use mgmt_common::functions::Functions;
use mgmt_common::warming::boundary::Boundary;
use mgmt_common::web::serve::{ScheduledEvent, Service};
use module_mgmt_protocol::clock::{Clock, SystemClock};
use settings::Settings;

/// What one sandbox keeps between ticks. Nothing in it connects before it is used.
pub struct State {
    database: Database,
    functions: Functions,
    control_plane: ControlPlane,
    memory: Memory,
    /// Which functions may be pinged, as far as the settings tell; an invocation tells the account.
    boundary: Boundary,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl State {
    pub fn new(settings: Settings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// With another clock, by which ticks grow old and what is remembered expires; for tests.
    pub fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let limits = CallLimits {
            attempt_timeout: Duration::from_secs(2),
            operation_timeout: Duration::from_secs(4),
            attempts: 2,
            initial_backoff: Duration::from_millis(100),
            ..CallLimits::default()
        };
        Self {
            database: Database::new(settings.database.clone()),
            functions: Functions::new(settings.aws.clone(), limits),
            control_plane: ControlPlane::new(Arc::clone(&clock)),
            memory: Memory::default(),
            boundary: Boundary::new(Some(&settings.namespace), None, &[]),
            clock,
            settings,
        }
    }
}

/// Scheduled events only: this function has no routes.
pub fn service(settings: Settings) -> Service {
    service_of(State::new(settings))
}

/// [`service`] with a state of one's own, such as one with another clock.
pub fn service_of(state: State) -> Service {
    let state = Arc::new(state);
    let scheduled = move |event: ScheduledEvent| {
        let state = Arc::clone(&state);
        Box::pin(async move { tick::run(&state, &event).await }) as _
    };
    Service { scheduled: Some(Arc::new(scheduled)), ..Service::default() }
}
