//! The HTTP API before the functions: API Gateway v2 with a JWT authorizer, its routes taken from the OpenAPI document.

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::{Value, json};

use super::aws::{Aws, text};
use super::identity::AUDIENCE;
use crate::commands::openapi::DOCUMENT;

/// An API under construction.
pub(crate) struct HttpApi<'a> {
    aws: &'a Aws,
    pub(crate) id: String,
    authorizer_id: String,
}

/// One route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// For example `GET /platform/lambda-config/{configKey}`.
    key: String,
    /// Whether it needs no identity.
    is_public: bool,
}

impl Route {
    /// Every method and path below a prefix, for callers with an identity.
    pub(crate) fn below(prefix: &str) -> Self {
        Self { key: format!("ANY {prefix}/{{proxy+}}"), is_public: false }
    }
}

impl<'a> HttpApi<'a> {
    pub(crate) async fn create(aws: &'a Aws, issuer: &str) -> Result<Self> {
        let api = json!({ "name": "module-mgmt-local", "protocolType": "HTTP" });
        let api = aws.rest("apigateway", Method::POST, "/v2/apis", &api).await?;
        let id = text(&api, "apiId")?;
        let stage = json!({ "stageName": "$default", "autoDeploy": true });
        aws.rest("apigateway", Method::POST, &format!("/v2/apis/{id}/stages"), &stage).await?;
        let authorizer = json!({
            "name": "jwt",
            "authorizerType": "JWT",
            "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": issuer, "audience": [AUDIENCE] },
        });
        let path = format!("/v2/apis/{id}/authorizers");
        let authorizer = aws.rest("apigateway", Method::POST, &path, &authorizer).await?;
        let authorizer_id = text(&authorizer, "authorizerId")?;
        Ok(Self { aws, id, authorizer_id })
    }

    /// Lets one function answer the routes.
    pub(crate) async fn add_routes(&self, routes: &[Route], function_arn: &str) -> Result<()> {
        let integration = json!({
            "integrationType": "AWS_PROXY",
            "integrationUri": function_arn,
            "payloadFormatVersion": "2.0",
        });
        let path = format!("/v2/apis/{}/integrations", self.id);
        let integration = self.aws.rest("apigateway", Method::POST, &path, &integration).await?;
        let target = format!("integrations/{}", text(&integration, "integrationId")?);
        for route in routes {
            let mut body = json!({ "routeKey": route.key, "target": target, "authorizationType": "NONE" });
            if !route.is_public {
                body["authorizationType"] = json!("JWT");
                body["authorizerId"] = json!(self.authorizer_id);
            }
            self.aws.rest("apigateway", Method::POST, &format!("/v2/apis/{}/routes", self.id), &body).await?;
        }
        Ok(())
    }
}

/// Every operation of the API document that a function serves. An operation whose security list is one empty requirement is open to
/// everybody.
pub(crate) fn routes(function: &str) -> Result<Vec<Route>> {
    let document: Value = serde_json::from_str(DOCUMENT)?;
    let paths = document["paths"].as_object().context("the OpenAPI document has no paths")?;
    Ok(paths
        .iter()
        .flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |entry| (path, entry)))
        .filter(|(_, (_, operation))| operation["x-function"] == function)
        .map(|(path, (method, operation))| Route {
            key: format!("{} {path}", method.to_uppercase()),
            is_public: operation["security"]
                .as_array()
                .is_some_and(|list| list.contains(&Value::Object(Default::default()))),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_a_route_and_only_health_is_public() {
        let served = routes("lambda-config").unwrap();
        let public: Vec<&str> = served.iter().filter(|route| route.is_public).map(|route| route.key.as_str()).collect();
        assert_eq!(public, ["GET /platform/health"]);
        let put = Route { key: "PUT /platform/lambda-config/{configKey}".into(), is_public: false };
        assert!(served.contains(&put), "{served:?}");

        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let operations = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len());
        let functions = ["lambda-config", "module-registry", "module-usage"];
        let routed = functions.map(|function| routes(function).unwrap().len());
        assert_eq!(routed.iter().sum::<usize>(), operations.sum::<usize>());
    }
}
