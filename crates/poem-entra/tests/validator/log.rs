//! The log of refused requests.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, header};
use poem_entra::{Policy, Requirement, User};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::support::{API, TENANT, World, token, token_of};

struct Admin;

impl Policy for Admin {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

#[tokio::test]
async fn a_refusal_is_logged_with_its_cause_and_sender_but_no_token() {
    let (log, world) = (Log::default(), World::new());
    let _guard = tracing::subscriber::set_default(log.clone());
    let mut claims = world.claims();
    claims["name"] = "Uma".into();
    claims["aud"] = "api://other".into();
    let token = token(&claims);
    world.validator.validate(&token).await.unwrap_err();
    let lines = log.refusals();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    for (name, value) in [
        ("message", "refused a request: The token's aud is not this API.".to_owned()),
        ("rule", "audience".to_owned()),
        ("code", "invalid_token".to_owned()),
        ("expected", format!("{API} or api://{TENANT}/{API} or api://{API}")),
        ("received", "api://other".to_owned()),
        ("tenant", TENANT.to_owned()),
        ("client", "44444444-4444-4444-8444-444444444444".to_owned()),
    ] {
        assert_eq!(line.get(name), Some(&value), "{name}");
    }
    assert_eq!(line.len(), 7, "{line:?}");
    let shown = format!("{line:?}");
    assert!(!token.split('.').any(|part| shown.contains(part)), "{shown}");
    assert!(!shown.contains("Uma"), "{shown}");
}

#[tokio::test]
async fn a_caller_that_a_policy_refuses_is_logged_too() {
    let (log, world) = (Log::default(), World::new());
    let _guard = tracing::subscriber::set_default(log.clone());
    let bearer = format!("Bearer {}", token(&world.claims())).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    world.validator.authorize::<Admin>(&headers).await.unwrap_err();
    let lines = log.refusals();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["code"], "insufficient_role");
    assert_eq!(line["tenant"], TENANT);
    assert_eq!(line["client"], "44444444-4444-4444-8444-444444444444");
}

#[tokio::test]
async fn a_request_without_token_or_without_keys_is_not_logged() {
    let (log, world) = (Log::default(), World::new());
    let _guard = tracing::subscriber::set_default(log.clone());
    world.validator.authorize::<Admin>(&HeaderMap::new()).await.unwrap_err();
    world.documents.go_down();
    world.validator.validate(&token(&world.claims())).await.unwrap_err();
    assert_eq!(log.refusals(), []);
}

#[tokio::test]
async fn made_up_tokens_cannot_hide_the_misuse_of_a_real_one() {
    let (log, world) = (Log::default(), World::new());
    let _guard = tracing::subscriber::set_default(log.clone());
    let made_up = token_of("a", 1, &world.claims());
    for _ in 0..12 {
        world.validator.validate(&made_up).await.unwrap_err();
    }
    let mut claims = world.claims();
    claims["exp"] = json!(1);
    world.validator.validate(&token(&claims)).await.unwrap_err();
    world.clock.advance(1);
    world.validator.validate(&made_up).await.unwrap_err();
    let lines: Vec<_> = log.refusals();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line["rule"].as_str(), line.get("tenant"), line.get("left_out")))
        .collect();
    let (tenant, two) = (TENANT.to_owned(), "2".to_owned());
    let mut expected = vec![("signature", None, None); 10];
    expected.push(("lifetime", Some(&tenant), None));
    expected.push(("signature", None, Some(&two)));
    assert_eq!(lines, expected);
}

/// MCP clients send the URL of the API to Entra as the `resource`.
#[test]
fn a_resource_that_is_not_an_app_id_uri_is_announced() {
    let url = "https://api.contoso.example";
    for (app_id_uris, announced) in [(vec![], true), (vec![url.to_owned()], false)] {
        let log = Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        World::with(|settings| {
            settings.resource = Some(url.to_owned());
            settings.app_id_uris = app_id_uris;
        });
        let lines = log.0.lock().unwrap();
        let expected = format!(
            "Clients that send a `resource`, such as MCP clients, get AADSTS9010010 from Entra, \
             because {url} is not an App ID URI of this API. Other clients are not affected."
        );
        let is_announcement = |line: &Line| line["message"] == expected;
        assert_eq!(lines.iter().any(is_announcement), announced);
    }
}

/// Collects what is logged, by the names of the fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

type Line = BTreeMap<&'static str, String>;

impl Log {
    /// The lines about refused requests.
    fn refusals(&self) -> Vec<Line> {
        let mut lines = self.0.lock().unwrap().clone();
        lines.retain(|line| line["message"].starts_with("refused"));
        lines
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
