//! How an agent authenticates and acts as its user account, and what is refused.

use entra_dev::ids::{CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM, TOKEN_EXCHANGE};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    AGENT, AGENT_USER, Answer, BLUEPRINT, EXCHANGE, Form, LIBRARY_API, TestTenant, agent_entries,
    agent_request, blueprint_request, client_credentials, text,
};

const OTHER_AGENT: &str = "f1000000-0000-4000-8000-000000000012";
const STRANGER: &str = "f1000000-0000-4000-8000-000000000013";

/// A second agent of the blueprint with its user account, and an agent of another blueprint, in
/// another tenant.
const OTHERS: &str = r#"
[[apps]]
client_id = "f1000000-0000-4000-8000-000000000012"
name = "Second agent"
tenant = "Contoso"
agent_blueprint = "Research blueprint"

[[people]]
name = "sam"
display_name = "Sam (second agent)"
sign_in_name = "sam@contoso.example"
oid = "f1000000-0000-4000-8000-000000000022"
tenant = "Contoso"
agent_identity = "Second agent"

[[apps]]
client_id = "f1000000-0000-4000-8000-000000000011"
name = "Other blueprint"
tenant = "Contoso"
added_to = ["Fabrikam"]
secrets = ["other-secret"]

[[apps]]
client_id = "f1000000-0000-4000-8000-000000000013"
name = "Agent in Fabrikam"
tenant = "Fabrikam"
agent_blueprint = "Other blueprint"
"#;
const OTHER_BLUEPRINT: &str = "f1000000-0000-4000-8000-000000000011";

async fn start() -> TestTenant {
    TestTenant::start_having(&(agent_entries() + OTHERS)).await
}

fn library() -> String {
    format!("api://{LIBRARY_API}/.default")
}

#[tokio::test]
async fn a_blueprint_gets_a_token_only_for_one_of_its_agents() {
    let tenant = start().await;
    let secret = "blueprint-secret";
    for (form, status, error, code, said) in [
        (blueprint_request().without("fmi_path"), 400, "invalid_request", 82008, "fmipath"),
        (
            blueprint_request().with("fmi_path", STRANGER),
            400,
            "unauthorized_client",
            700_016,
            STRANGER,
        ),
        (blueprint_request().with("fmi_path", "x"), 400, "unauthorized_client", 700_016, "'x'"),
        (
            blueprint_request().with("fmi_path", BLUEPRINT),
            400,
            "unauthorized_client",
            700_016,
            "not found",
        ),
        (
            blueprint_request().with("scope", &library()),
            400,
            "invalid_request",
            90023,
            "Library API",
        ),
        (
            client_credentials(BLUEPRINT, secret, &library()),
            400,
            "unauthorized_client",
            82001,
            LIBRARY_API,
        ),
        (blueprint_request().with("client_secret", "wrong"), 401, "invalid_client", 7_000_215, ""),
        (blueprint_request().without("client_secret"), 401, "invalid_client", 7_000_218, ""),
        (
            client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, EXCHANGE).with("fmi_path", AGENT),
            400,
            "unauthorized_client",
            700_016,
            AGENT,
        ),
    ] {
        let answer = tenant.post("token", &form).await;
        answer.assert_refusal(status, error, code);
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    // Case does not matter in ids and App ID URIs, and Graph is where blueprints manage agents.
    let loud = blueprint_request()
        .with("fmi_path", &AGENT.to_uppercase())
        .with("scope", "api://azureadtokenexchange/.default");
    let assertion = tenant.post("token", &loud).await.token("access_token");
    let form = agent_request("client_credentials", &assertion, &library());
    assert_eq!(tenant.post("token", &form).await.status, StatusCode::OK);
    let graph = client_credentials(BLUEPRINT, secret, "https://graph.microsoft.com/.default");
    assert_eq!(tenant.post("token", &graph).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_agent_authenticates_only_with_the_token_for_it() {
    let tenant = start().await;
    let of_blueprint = tenant.agent_assertion().await;
    let for_other = blueprint_request().with("fmi_path", OTHER_AGENT);
    let for_other = tenant.post("token", &for_other).await.token("access_token");
    let at_fabrikam =
        client_credentials(OTHER_BLUEPRINT, "other-secret", EXCHANGE).with("fmi_path", STRANGER);
    let url = tenant.url(&format!("/{FABRIKAM}/oauth2/v2.0/token"));
    let at_fabrikam = Answer::of(at_fabrikam.on(tenant.browser.post(url))).await;
    let at_fabrikam = at_fabrikam.token("access_token");
    let of_agent = tenant.agent_token(EXCHANGE).await;
    let daemon = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, EXCHANGE);
    let daemon = tenant.post("token", &daemon).await.token("access_token");
    let for_library = tenant.agent_token(&library()).await;
    let stranger = json!({
        "resource": TOKEN_EXCHANGE, "client": BLUEPRINT, "kind": "app", "signed_with": "stranger",
    });
    let stranger = tenant.forged(stranger).await;
    for (assertion, status, error, code, said) in [
        ("no-jwt", 400, "invalid_request", 50027, ""),
        (stranger.as_str(), 401, "invalid_client", 700_027, "no key of this tenant"),
        (&for_library, 401, "invalid_client", 700_212, LIBRARY_API),
        (&at_fabrikam, 401, "invalid_client", 700_211, FABRIKAM),
        (&for_other, 401, "invalid_client", 700_213, OTHER_AGENT),
        (&of_agent, 401, "invalid_client", 700_213, AGENT),
        (&daemon, 401, "invalid_client", 700_213, ""),
    ] {
        let form = agent_request("client_credentials", assertion, &library());
        let answer = tenant.post("token", &form).await;
        answer.assert_refusal(status, error, code);
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    let form = agent_request("client_credentials", &of_blueprint, &library());
    for (form, status, error, code) in [
        (form.clone().with("client_assertion_type", "saml"), 401, "invalid_client", 700_027),
        (form.clone().without("client_assertion"), 401, "invalid_client", 7_000_218),
        (form.clone().with("client_secret", "x"), 400, "invalid_request", 90100),
        (form.clone().with("client_id", OTHER_AGENT), 401, "invalid_client", 700_213),
        (
            form.clone().without("client_assertion").with("client_secret", "blueprint-secret"),
            401,
            "invalid_client",
            7_000_215,
        ),
    ] {
        tenant.post("token", &form).await.assert_refusal(status, error, code);
    }
    tenant.clock.advance(90 * 60);
    tenant.post("token", &form).await.assert_refusal(401, "invalid_client", 700_024);
}

#[tokio::test]
async fn an_agent_acts_only_as_its_own_user_account() {
    let tenant = start().await;
    let scope = format!("openid profile offline_access api://{LIBRARY_API}/read");
    let form = tenant.user_account_request(&scope).await;
    let by_name = form.clone().without("user_id").with("username", "Robin@Contoso.example");
    for form in [form.clone(), by_name, form.clone().with("requested_token_use", "on_behalf_of")] {
        let answer = tenant.post("token", &form.with("client_info", "1")).await;
        let body = answer.json();
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        let id_token = TestTenant::claims(&text(&body, "id_token"));
        assert_eq!(id_token["preferred_username"], "robin@contoso.example");
        assert_eq!(body["scope"], format!("openid profile api://{LIBRARY_API}/read"));
        assert!(body["client_info"].is_string() && body["refresh_token"].is_string(), "{body}");
    }
    let credential = "user_federated_identity_credential";
    let named = |name: &str, value: &str| form.clone().without("user_id").with(name, value);
    let assertion = tenant.agent_assertion().await;
    let for_library = tenant.agent_token(&library()).await;
    for (form, status, error, code, said) in [
        (form.clone().without("user_id"), 400, "invalid_request", 900_144, "'username'"),
        (form.clone().with("username", "robin"), 400, "invalid_request", 900_144, "not both"),
        (named("user_id", "robin@contoso.example"), 400, "invalid_grant", 50034, "robin"),
        (named("username", "nobody@contoso.example"), 400, "invalid_grant", 50034, "nobody"),
        (named("username", "uma@contoso.example"), 400, "invalid_grant", 700_213, "uma"),
        (named("username", "sam@contoso.example"), 400, "invalid_grant", 700_213, "sam"),
        (form.clone().without(credential), 400, "invalid_request", 900_144, credential),
        (form.clone().with(credential, "x"), 400, "invalid_grant", 50027, ""),
        (form.clone().with(credential, &assertion), 400, "invalid_grant", 700_213, "/eid1/"),
        (form.clone().with(credential, &for_library), 400, "invalid_grant", 700_212, LIBRARY_API),
        (form.clone().with("scope", "openid profile"), 200, "", 0, "access_token"),
        (form.clone().with("requested_token_use", "x"), 400, "invalid_request", 900_144, ""),
        (form.clone().without("client_assertion"), 401, "invalid_client", 7_000_218, ""),
    ] {
        let answer = tenant.post("token", &form).await;
        match status {
            200 => assert_eq!(answer.status, StatusCode::OK, "{}", answer.body),
            _ => answer.assert_refusal(status, error, code),
        }
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    let daemon = form.clone().without("client_assertion").without("client_assertion_type");
    let daemon = daemon.with("client_id", DAEMON_CLIENT_ID).with("client_secret", DAEMON_SECRET);
    tenant.post("token", &daemon).await.assert_refusal(400, "unauthorized_client", 700_213);
}

#[tokio::test]
async fn the_refresh_token_of_a_user_account_needs_the_agents_assertion() {
    let tenant = start().await;
    let scope = format!("offline_access api://{LIBRARY_API}/read");
    let tokens = tenant.user_account(&scope).await.json();
    let assertion = tenant.agent_assertion().await;
    let form = agent_request("refresh_token", &assertion, &scope)
        .with("refresh_token", &text(&tokens, "refresh_token"));
    let renewed = tenant.post("token", &form).await.token("access_token");
    assert_eq!(TestTenant::claims(&renewed)["oid"], AGENT_USER);
    let without = form.without("client_assertion").without("client_assertion_type");
    tenant.post("token", &without).await.assert_refusal(401, "invalid_client", 7_000_218);
}

#[tokio::test]
async fn an_agent_acts_for_people_who_called_its_blueprint() {
    let tenant = start().await;
    let scope = format!("api://{LIBRARY_API}/read");
    let answer = tenant.on_behalf_of_caller("uma", &scope).await;
    let token = TestTenant::claims(&answer.token("access_token"));
    assert_eq!((&token["azp"], &token["scp"]), (&json!(AGENT), &json!("read")));
    // A token for another API says nothing about this agent.
    let caller = tenant.sign_in(CONTOSO, &Form::authorization(), "uma").await;
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = agent_request(grant_type, &tenant.agent_assertion().await, &scope)
        .with("requested_token_use", "on_behalf_of")
        .with("assertion", &text(&caller, "access_token"));
    let answer = tenant.post("token", &form).await;
    answer.assert_refusal(400, "invalid_grant", 500_131);
    assert!(answer.body.contains(BLUEPRINT), "{}", answer.body);
}

#[tokio::test]
async fn an_agent_that_requires_consent_gets_no_token_for_its_user_account_without_it() {
    let blueprint = "agent_blueprint = \"Research blueprint\"\n";
    let asking = format!("{blueprint}consent_required = true\n");
    let tenant = TestTenant::start_having(&agent_entries().replace(blueprint, &asking)).await;
    let form = tenant.user_account_request(&format!("api://{LIBRARY_API}/read")).await;
    let answer = tenant.post("token", &form).await;
    assert_eq!(answer.json()["error_codes"], json!([65001]), "{}", answer.body);
}

#[tokio::test]
async fn a_removed_agent_or_user_account_gets_no_more_tokens() {
    let tenant = start().await;
    let scope = format!("api://{LIBRARY_API}/read");
    let form = tenant.user_account_request(&scope).await;
    tenant.delete("/_dev/directory/people/robin").await.assert_done();
    tenant.post("token", &form).await.assert_refusal(400, "invalid_grant", 50034);
    let form = agent_request("client_credentials", &tenant.agent_assertion().await, &library());
    tenant.delete("/_dev/directory/apps/Research%20agent").await.assert_done();
    tenant.post("token", &form).await.assert_refusal(400, "unauthorized_client", 700_016);
    let answer = tenant.post("token", &blueprint_request()).await;
    answer.assert_refusal(400, "unauthorized_client", 700_016);
}

#[tokio::test]
async fn a_blueprint_can_authenticate_as_a_managed_identity() {
    let secret = "secrets = [\"blueprint-secret\"]";
    let trusting = "trusted_managed_identities = [\"Todo maintenance\"]";
    let tenant = TestTenant::start_having(&agent_entries().replace(secret, trusting)).await;
    let path = format!(
        "/{CONTOSO}/msi/token?api-version=2019-08-01&resource=api://AzureADTokenExchange&\
         client_id=bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    );
    let request = tenant.browser.get(tenant.url(&path));
    let request = request.header("x-identity-header", "dev-identity-header");
    let identity = Answer::of(request).await.token("access_token");
    let form = agent_request("client_credentials", &identity, EXCHANGE)
        .with("client_id", BLUEPRINT)
        .with("fmi_path", AGENT);
    let assertion = tenant.post("token", &form).await.token("access_token");
    let form = agent_request("client_credentials", &assertion, &library());
    let agent = tenant.post("token", &form).await.token("access_token");
    assert_eq!(TestTenant::claims(&agent)["xms_par_app_azp"], BLUEPRINT);
    // The token of the identity is not one for the agent.
    let form = agent_request("client_credentials", &identity, &library());
    tenant.post("token", &form).await.assert_refusal(401, "invalid_client", 700_213);
}
