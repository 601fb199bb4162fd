//! What the command waits for longer than a test may take: here the waits are over at once.

use std::{future::ready, pin::Pin, sync::Arc, time::Duration};

use serde_json::json;
use todo_api::register::{
    Audience, ClientIds, Failure, Graph, Names, Outcome, Pause, Removal, Session, Stop, Wanted,
};

use crate::support::test_name;

use super::{API, SWAGGER_UI, Setup};

/// Does not wait.
struct NoTime;

impl Pause for NoTime {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }
}

impl Setup {
    fn client(&self) -> Graph {
        let url = self.graph.url().parse().unwrap();
        let pause = Arc::new(NoTime);
        Graph::new(url, self.graph.token(), pause, Stop::never(), |_| {}).unwrap()
    }

    /// Registers without a process.
    async fn register(&self, wanted: &Wanted) -> Result<Outcome, Failure> {
        Session::new(&self.client(), wanted, &|_| {}).run().await
    }
}

fn wanted() -> Wanted {
    Wanted {
        names: Names::new("Todo API").unwrap(),
        client_ids: ClientIds::default(),
        audience: None,
        new_audience: Audience::MyOrganization,
        app_id_uris: Vec::new(),
        redirect_uris: vec!["http://localhost:8000/oauth2-redirect".to_owned()],
        allow_azure_cli: false,
        admin_consent: false,
        assignments: Vec::new(),
    }
}

#[tokio::test]
async fn a_client_that_was_deleted_by_hand_is_named_if_graph_refuses_to_keep_it() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let wanted = Wanted { audience: Some(Audience::AnyOrganization), ..wanted() };
    setup.register(&wanted).await.unwrap();
    let stale = setup.graph.application(SWAGGER_UI)["appId"].as_str().unwrap().to_owned();
    let graph = setup.client();
    let removals = Removal::find(&graph, &wanted).await.unwrap();
    removals[0].delete(&graph).await.unwrap();
    removals[0].purge(&graph).await.unwrap();
    let failure = setup.register(&wanted).await.unwrap_err();
    let Failure::UnknownClients { name, clients, .. } = &failure else { panic!("{failure:?}") };
    assert_eq!((name.as_str(), &clients[..]), ("Todo API", &[stale.clone()][..]));
    assert!(failure.to_string().ends_with(&stale), "{failure}");
    assert!(failure.advice().contains("Authorized client applications"), "{}", failure.advice());

    setup.graph.edit(API, |api| {
        api["api"]["preAuthorizedApplications"] = json!([]);
        api["api"]["knownClientApplications"] = json!([]);
    });
    setup.register(&wanted).await.unwrap();
}
