//! Endpoints that the document does not describe.

use std::collections::HashMap;

use poem::{Endpoint, EndpointExt, Response, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, Registry},
};

/// Endpoints for GET and HEAD. They are served together with the operations, because a second
/// router in front of them would cost time on every request.
#[derive(Default)]
pub struct Pages(Vec<(String, BoxEndpoint<'static>)>);

impl Pages {
    /// Adds an endpoint.
    pub fn at(
        mut self,
        path: impl Into<String>,
        endpoint: impl Endpoint<Output = Response> + 'static,
    ) -> Self {
        self.0.push((path.into(), endpoint.boxed()));
        self
    }
}

impl OpenApi for Pages {
    fn meta() -> Vec<MetaApi> {
        Vec::new()
    }

    fn register(_: &mut Registry) {}

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        for (path, endpoint) in self.0 {
            table.entry(path).or_default().insert(Method::GET, endpoint);
        }
    }
}
