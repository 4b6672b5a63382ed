//! One list of handlers that is both the router and the OpenAPI document.
//!
//! utoipa-axum's router builds the whole document at every start of the function, which costs as much time as the rest of
//! the start; here the document is built only by those who ask for it.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterIn};

use super::error::Error;

#[doc(hidden)]
pub use pastey::paste;

/// Adds one handler at the path and methods of its `#[utoipa::path]`. Where that names no query parameters, a request with some is refused:
/// its sender believes that they do something.
pub fn add<P, H, T, S>(router: Router<S>, handler: &H) -> Router<S>
where
    P: utoipa::Path,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let methods = P::methods();
    let methods = methods.iter().fold(MethodRouter::new(), |all, method| all.on(filter(method), handler.clone()));
    // Asked for by the first request with a query only: to build it takes time.
    let takes_query = Arc::new(OnceLock::new());
    let guard = from_fn(move |request: Request, next: Next| {
        let takes_query = Arc::clone(&takes_query);
        async move {
            let query = request.uri().query().unwrap_or_default();
            if !query.is_empty() && !*takes_query.get_or_init(|| has_query(&P::operation())) {
                let name: String = query.split(['=', '&']).next().unwrap_or_default().chars().take(100).collect();
                return Error::malformed(format!("this route takes no query parameters: {name}")).into_response();
            }
            next.run(request).await
        }
    });
    router.route(&P::path(), methods.layer(guard))
}

fn has_query(operation: &Operation) -> bool {
    let is_query =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(own) if own.parameter_in == ParameterIn::Query);
    operation.parameters.iter().flatten().any(is_query)
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// `route_table!(State; module::handler, …)` makes `fn router() -> axum::Router<State>` and
/// `fn document() -> utoipa::openapi::OpenApi` from one list.
#[macro_export]
macro_rules! route_table {
    ($state:ty; $($module:ident :: $handler:ident),+ $(,)?) => {
        /// Every route of this function.
        pub(crate) fn router() -> axum::Router<$state> {
            let router = axum::Router::new();
            $crate::web::routes::paste! {
                $(let router = $crate::web::routes::add::<$module::[<__path_ $handler>], _, _, _>(
                    router, &$module::$handler);)+
            }
            router
        }

        /// The OpenAPI document of the same routes.
        pub(crate) fn document() -> utoipa::openapi::OpenApi {
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($module::$handler),+))]
            struct Document;
            <Document as utoipa::OpenApi>::openapi()
        }
    };
}
