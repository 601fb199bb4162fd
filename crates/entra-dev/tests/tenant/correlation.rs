//! Correlation ids: in responses and in the audit trail.

use entra_dev::ids::{CONTOSO, DAEMON_CLIENT_ID};

use crate::support::{Answer, Form, REDIRECT_URI, TestTenant, client_credentials};

const ID: &str = "c0ffee00-0000-4000-8000-00000000cafe";
const OTHER: &str = "0ddba110-0000-4000-8000-000000000000";

#[tokio::test]
async fn client_errors_contain_the_id_of_the_client() {
    let tenant = TestTenant::start().await;
    let query = format!("?client-request-id={ID}");
    for endpoint in ["token", "devicecode"] {
        let form = client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default");
        let with_parameter = form.clone().with("client-request-id", ID);
        for request in [
            form.on(tenant.request_to(endpoint, "")).header("client-request-id", ID),
            form.on(tenant.request_to(endpoint, &query)),
            with_parameter.on(tenant.request_to(endpoint, "")),
            with_parameter.on(tenant.request_to(endpoint, "")).header("client-request-id", OTHER),
            form.on(tenant.request_to(endpoint, "")).header("client-request-id", ID.to_uppercase()),
        ] {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 401, "{}", answer.body);
            assert_eq!(answer.json()["correlation_id"], ID, "{endpoint}");
            let description = answer.json()["error_description"].as_str().unwrap().to_owned();
            assert!(description.contains(&format!("Correlation ID: {ID} ")), "{description}");
            assert_eq!(answer.header("client-request-id"), None, "it was not requested");
            assert_eq!(tenant.last_correlation_id().await, ID);
        }
    }
}

#[tokio::test]
async fn authorization_errors_contain_the_id_of_the_client() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("client-request-id", ID);
    let correlated = format!("Correlation ID: {ID} ");
    let silent = tenant.authorize(CONTOSO, &form.clone().with("prompt", "none")).await;
    assert!(silent.location().as_str().starts_with(REDIRECT_URI));
    let description = silent.redirect_parameter("error_description").unwrap();
    assert!(description.contains(&correlated), "{description}");
    assert_eq!(tenant.last_correlation_id().await, ID);

    let nobody = tenant.pick(CONTOSO, &form, "bob").await;
    let shown = format!("<dt>Correlation ID</dt><dd><code>{ID}</code></dd>");
    assert!(nobody.body.contains(&shown), "{}", nobody.body);
    assert_eq!(tenant.last_correlation_id().await, ID);

    // The account page repeats the id.
    let page = tenant.authorize(CONTOSO, &form).await;
    let hidden = format!("name=\"client-request-id\" value=\"{ID}\"");
    assert!(page.body.contains(&hidden), "{}", page.body);
}

#[tokio::test]
async fn the_id_is_returned_in_a_header_on_request() {
    let tenant = TestTenant::start().await;
    let daemon = client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default");
    for wanted in ["true", "True"] {
        let request = daemon.on(tenant.request_to("token", "")).header("client-request-id", ID);
        let answer = Answer::of(request.header("return-client-request-id", wanted)).await;
        assert_eq!(answer.header("client-request-id"), Some(ID));
    }
    let form = Form::authorization()
        .with("client-request-id", ID)
        .with("return-client-request-id", "true");
    let code = tenant.pick(CONTOSO, &form, "ada").await;
    assert_eq!(code.header("client-request-id"), Some(ID));
    let form = form.with("client_id", "66666666-6666-4666-8666-666666666666");
    let waiting = tenant.post("devicecode", &form).await;
    assert_eq!((waiting.status.as_u16(), waiting.header("client-request-id")), (200, Some(ID)));
}

#[tokio::test]
async fn every_page_correlates_its_requests() {
    let tenant = TestTenant::start().await;
    for (path, endpoint) in [
        ("oauth2/v2.0/authorize", "authorize"),
        ("v2.0/adminconsent", "adminconsent"),
        ("oauth2/deviceauth", "deviceauth"),
        ("oauth2/v2.0/logout", "logout"),
    ] {
        let query = format!("client-request-id={ID}&return-client-request-id=true");
        let answer = tenant.get(&format!("/{CONTOSO}/{path}?{query}")).await;
        assert_eq!(answer.header("client-request-id"), Some(ID), "{endpoint}");
        let entry = &tenant.audit().await[0];
        assert_eq!(entry["endpoint"], endpoint);
        assert_eq!(entry["correlation_id"], ID, "{endpoint}");
    }
}

#[tokio::test]
async fn an_id_that_is_not_a_guid_is_ignored() {
    let tenant = TestTenant::start().await;
    let bare = ID.replace('-', "");
    for id in ["", "me", "<script>", &bare, &format!("{{{ID}}}"), &format!("{ID}\r\nx: y")] {
        let form = client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default")
            .with("client-request-id", id)
            .with("return-client-request-id", "true");
        let answer = tenant.post("token", &form).await;
        assert_eq!(answer.header("client-request-id"), None);
        let body = answer.json();
        let given = body["correlation_id"].as_str().unwrap();
        assert!(uuid::Uuid::try_parse(given).is_ok());
        assert_ne!(given, ID);
        assert_eq!(tenant.last_correlation_id().await, given);
    }
}
