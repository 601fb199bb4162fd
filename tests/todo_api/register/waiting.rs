//! Waits of the command that are too long for a test. Here, each wait ends at once.

use std::{future::ready, pin::Pin, sync::Arc, time::Duration};

use serde_json::{Value, json};
use todo_api::register::{
    Audience, ClientIds, Failure, Graph, Names, Outcome, Pause, Purge, Removal, Session, Stop,
    Unlink, Wanted,
};

use crate::support::{
    client,
    graph::{Fault, Moment},
    test_name,
};

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
async fn a_deleted_registration_is_purged_when_graph_shows_it() {
    // 404 for more than seven seconds, and for more than a minute.
    for (reads, expected, left) in [(8, Purge::Done, 0), (100, Purge::NotVisible, 1)] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.register(&wanted()).await.unwrap();
        setup.graph.delay_replication(reads);
        let graph = setup.client();
        let removals = Removal::find(&graph, &wanted()).await.unwrap();
        let [client, _] = &removals[..] else { panic!("{removals:?}") };
        client.delete(&graph).await.unwrap();
        assert_eq!(client.purge(&graph).await.unwrap(), expected, "{reads}");
        assert_eq!(setup.graph.registrations()["deletedItems"], left, "{reads}");
    }
}

#[tokio::test]
async fn a_registration_that_somebody_else_has_purged_is_gone() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.register(&wanted()).await.unwrap();
    let graph = setup.client();
    for removal in Removal::find(&graph, &wanted()).await.unwrap() {
        removal.delete(&graph).await.unwrap();
    }
    let removals = Removal::find(&graph, &wanted()).await.unwrap();
    let [client, _] = &removals[..] else { panic!("{removals:?}") };
    assert!(client.is_deleted);
    for _ in 0..2 {
        assert_eq!(client.purge(&graph).await.unwrap(), Purge::Done);
    }
}

#[tokio::test]
async fn a_deleted_registration_with_another_client_id_than_the_configured_one_stays() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.register(&wanted()).await.unwrap();
    let client_id = setup.graph.application(API)["appId"].as_str().unwrap().to_owned();
    let graph = setup.client();
    for removal in Removal::find(&graph, &wanted()).await.unwrap() {
        removal.delete(&graph).await.unwrap();
    }
    for (configured, found) in [
        (client_id.to_ascii_uppercase(), true),
        ("33333333-3333-4333-8333-333333333333".to_owned(), false),
    ] {
        let client_ids = ClientIds { api: Some(configured), swagger_ui: None };
        let wanted = Wanted { client_ids, ..wanted() };
        let removals = Removal::find(&graph, &wanted).await.unwrap();
        let mut ids = removals.iter().map(|removal| &removal.application.app_id);
        assert_eq!(ids.any(|id| *id == client_id), found, "{removals:?}");
    }
}

#[tokio::test]
async fn a_consent_that_exists_and_does_not_appear_is_reported_after_a_minute() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let wanted = Wanted { admin_consent: true, ..wanted() };
    setup.register(&Wanted { admin_consent: false, ..wanted.clone() }).await.unwrap();
    consent_for_one_person(&setup).await;
    setup.graph.forget();
    let conflicts = [Fault::Status(Moment::Before, 409); 2_000];
    setup.graph.fail_on("POST", "/oauth2PermissionGrants", conflicts);
    let failure = setup.register(&wanted).await.unwrap_err();
    assert!(matches!(failure, Failure::NotVisible), "{failure:?}");
    assert_eq!(setup.graph.writes().len(), 1, "the consent is not requested again");

    setup.graph.forget();
    setup.register(&wanted).await.unwrap();
}

/// Gives the consent of one person to the client.
async fn consent_for_one_person(setup: &Setup) {
    let base = format!("{}/v1.0", setup.graph.url());
    let principal = async |application: &str| {
        let client_id = setup.graph.application(application)["appId"].clone();
        let url = format!("{base}/servicePrincipals(appId='{}')", client_id.as_str().unwrap());
        let answer = client().get(url).bearer_auth(setup.graph.token()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["id"].clone()
    };
    let body = json!({
        "clientId": principal(SWAGGER_UI).await,
        "consentType": "Principal",
        "principalId": "ada00000-0000-4000-8000-000000000001",
        "resourceId": principal(API).await,
        "scope": "access_as_user",
    });
    let request = client().post(format!("{base}/oauth2PermissionGrants")).json(&body);
    let answer = request.bearer_auth(setup.graph.token()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
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

#[tokio::test]
async fn a_registration_that_graph_refuses_to_change_is_left_to_a_person() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let by_hand = setup.graph.add_application(&json!({ "displayName": "Todo API" }));
    let client_id = by_hand["appId"].as_str().unwrap();
    let client_ids = ClientIds { api: Some(client_id.to_owned()), swagger_ui: None };
    let wanted = Wanted { client_ids, ..wanted() };
    setup.register(&wanted).await.unwrap();
    let stale = "33333333-0000-4000-8000-000000000001";
    let names_stale = json!([stale]);
    setup.graph.edit_with("appId", client_id, |api| {
        api["api"]["knownClientApplications"] = names_stale;
    });
    let graph = setup.client();
    let removals = Removal::find(&graph, &wanted).await.unwrap();
    let [client, api] = &removals[..] else { panic!("{removals:?}") };
    let refused = client.unlink_from(api, &graph).await.unwrap();
    let Unlink::Refused(Failure::UnknownClients { clients, .. }) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(clients, &[stale]);

    // It was deleted after it was read, or no replica has it.
    setup.graph.forget();
    let missing = [Fault::Status(Moment::Before, 404); 2_000];
    setup.graph.fail_on("PATCH", "/applications", missing);
    let refused = client.unlink_from(api, &graph).await.unwrap();
    assert!(matches!(refused, Unlink::Refused(Failure::Refused(_))), "{refused:?}");

    // Another refusal ends the command: nothing shows that a deletion would succeed.
    for (status, name) in [(401, "InvalidToken"), (400, "Refused")] {
        setup.graph.forget();
        setup.graph.edit_with("appId", client_id, |api| {
            api["api"]["knownClientApplications"] = json!([]);
        });
        let faults = [Fault::Status(Moment::Before, status); 2_000];
        setup.graph.fail_on("PATCH", "/applications", faults);
        let failure = client.unlink_from(api, &graph).await.unwrap_err();
        assert!(format!("{failure:?}").starts_with(name), "{failure:?}");
    }
}
