//! Access tokens depend on the API: on the version that it accepts, and on its optional claims.

use entra_dev::ids::{API_CLIENT_ID, CONSUMERS, CONTOSO, SWAGGER_UI_CLIENT_ID};
use serde_json::{Value, json};

use crate::support::{Form, NOW, PublishedKeys, TestTenant, client_credentials, token_header};

const OLD_API: &str = "https://old.contoso.example";
const RICH_API: &str = "api://b0000000-0000-4000-8000-000000000002";
const PLAIN_API: &str = "api://b0000000-0000-4000-8000-000000000003";
const JOB: &str = "b0000000-0000-4000-8000-000000000004";

/// An API for tokens of version 1, one with all optional claims, and one with none.
const APIS: &str = r#"
[[apps]]
client_id = "b0000000-0000-4000-8000-000000000001"
name = "Old API"
tenant = "Contoso"
app_id_uri = "https://old.contoso.example"
access_token_version = 1
scopes = ["read", "write"]
app_roles = ["Reader"]

[[apps]]
client_id = "b0000000-0000-4000-8000-000000000002"
name = "Rich API"
tenant = "Contoso"
scopes = ["read"]
optional_claims = ["acct", "acrs", "email", "groups", "idtyp", "xms_cc"]

[[apps]]
client_id = "b0000000-0000-4000-8000-000000000003"
name = "Plain API"
tenant = "Contoso"
scopes = ["read"]

[[apps]]
client_id = "b0000000-0000-4000-8000-000000000004"
name = "Job"
tenant = "Contoso"
secrets = ["job-secret"]
permissions = { "Old API" = ["Reader"] }
"#;

const OPTIONAL: [&str; 6] = ["acct", "acrs", "email", "groups", "idtyp", "xms_cc"];

#[tokio::test]
async fn a_version_1_token_has_the_claims_of_the_reference() {
    let tenant = TestTenant::start_having(APIS).await;
    let token = access_token(&tenant, "common", &format!("{OLD_API}/read"), "ada").await;
    let keys = PublishedKeys::of(&tenant).await;
    assert_eq!(keys.signer(&token), token_header(&token)["kid"].as_str());
    let claims = TestTenant::claims(&token);
    for (name, expected) in [
        ("aud", json!(OLD_API)),
        ("iss", json!(tenant.url(&format!("/{CONTOSO}/")))),
        ("iat", json!(NOW)),
        ("nbf", json!(NOW)),
        ("acr", json!("1")),
        ("amr", json!(["pwd"])),
        ("appid", json!(SWAGGER_UI_CLIENT_ID)),
        ("appidacr", json!("0")),
        ("family_name", json!("Adler")),
        ("given_name", json!("Ada")),
        ("name", json!("Ada Adler")),
        ("scp", json!("read")),
        ("tid", json!(CONTOSO)),
        ("unique_name", json!("ada@contoso.example")),
        ("upn", json!("ada@contoso.example")),
        ("ver", json!("1.0")),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    let opaque = ["aio", "exp", "ipaddr", "oid", "rh", "sub", "uti"];
    for name in opaque {
        assert!(claims.get(name).is_some(), "{name}");
    }
    // There is no claim of version 2.
    assert_eq!(claims.as_object().unwrap().len(), 16 + opaque.len(), "{claims}");

    let guest = access_token(&tenant, CONTOSO, &format!("{OLD_API}/read"), "gus").await;
    let claims = TestTenant::claims(&guest);
    assert_eq!(claims["unique_name"], "gus@contoso.example");
    assert_eq!(claims.get("upn"), None, "a guest has none here");
}

#[tokio::test]
async fn an_app_only_version_1_token_has_no_person() {
    let tenant = TestTenant::start_having(APIS).await;
    let claims = app_claims(&tenant, &format!("{OLD_API}/.default")).await;
    for (name, expected) in [
        ("aud", json!(OLD_API)),
        ("iss", json!(tenant.url(&format!("/{CONTOSO}/")))),
        ("idp", json!(tenant.url(&format!("/{CONTOSO}/")))),
        ("appid", json!(JOB)),
        ("appidacr", json!("1")),
        ("roles", json!(["Reader"])),
        ("tid", json!(CONTOSO)),
        ("ver", json!("1.0")),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    assert_eq!(claims["oid"], claims["sub"]);
    for absent in ["scp", "name", "unique_name", "upn", "given_name", "azp", "amr"] {
        assert_eq!(claims.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn optional_claims_are_set_for_apis_that_ask_for_them() {
    let tenant = TestTenant::start_having(APIS).await;
    let contexts = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
    let capable = json!({ "access_token": { "xms_cc": { "values": ["cp1"] } } });
    for (api, expected) in [
        (
            RICH_API,
            json!({ "acct": 0, "email": "ada@contoso.example", "acrs": ["c1"],
                           "groups": ["9a000000-0000-4000-8000-000000000001"] }),
        ),
        (PLAIN_API, json!({})),
    ] {
        let form = Form::authorization().with("scope", &format!("{api}/read"));
        let form = form.with("claims", &contexts.to_string());
        let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
        let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
        assert_eq!(optional(&claims), expected, "{api}");
    }
    for (api, expected) in [(RICH_API, json!(["cp1"])), (PLAIN_API, Value::Null)] {
        let form = Form::authorization().with("scope", &format!("{api}/read"));
        let code = tenant.code_for(CONTOSO, &form, "ada").await;
        let form = Form::redemption(&code).with("claims", &capable.to_string());
        let token = tenant.redeem(CONTOSO, &form).await.token("access_token");
        assert_eq!(TestTenant::claims(&token)["xms_cc"], expected, "{api}");
    }
    // Only app-only tokens have `idtyp`.
    for (api, expected) in [(RICH_API, json!({ "idtyp": "app" })), (PLAIN_API, json!({}))] {
        let claims = app_claims(&tenant, &format!("{api}/.default")).await;
        assert_eq!(optional(&claims), expected, "{api}");
    }
}

#[tokio::test]
async fn acct_and_groups_depend_on_the_person() {
    let tenant = TestTenant::start_having(APIS).await;
    let token = access_token(&tenant, CONTOSO, &format!("{RICH_API}/read"), "gus").await;
    let claims = TestTenant::claims(&token);
    assert_eq!(claims["acct"], 1);
    assert_eq!(claims.get("groups"), None);
}

#[tokio::test]
async fn beyond_200_groups_the_token_has_the_overage_claim() {
    let entries = format!("{APIS}{}", people_in_many_groups());
    let tenant = TestTenant::start_having(&entries).await;
    let scope = format!("{RICH_API}/read");
    let claims = TestTenant::claims(&access_token(&tenant, CONTOSO, &scope, "most").await);
    assert_eq!(claims["groups"].as_array().unwrap().len(), 200);
    assert_eq!(claims.get("_claim_names"), None);

    let claims = TestTenant::claims(&access_token(&tenant, CONTOSO, &scope, "more").await);
    assert_eq!(claims.get("groups"), None);
    assert_eq!(claims["_claim_names"], json!({ "groups": "src1" }));
    let endpoint = claims["_claim_sources"]["src1"]["endpoint"].as_str().unwrap();
    let oid = claims["oid"].as_str().unwrap();
    assert_eq!(endpoint, tenant.url(&format!("/graph/v1.0/users/{oid}/getMemberObjects")));

    let scope = format!("{PLAIN_API}/read");
    let claims = TestTenant::claims(&access_token(&tenant, CONTOSO, &scope, "more").await);
    assert_eq!(claims.get("_claim_names"), None, "who does not ask for groups hears of none");
}

#[tokio::test]
async fn personal_accounts_have_their_own_tenant_and_key() {
    let tenant = TestTenant::start_having(APIS).await;
    let keys = PublishedKeys::of(&tenant).await;
    let scope = format!("openid profile {RICH_API}/read");
    let form = Form::authorization().with("scope", &scope);
    let answer = tenant.sign_in("common", &form, "pia").await;
    for name in ["access_token", "id_token"] {
        let token = answer[name].as_str().unwrap();
        let claims = TestTenant::claims(token);
        assert_eq!(claims["iss"], tenant.url(&format!("/{CONSUMERS}/v2.0")), "{name}");
        assert_eq!(claims["tid"], CONSUMERS, "{name}");
        assert_eq!(claims["oid"], "00000000-0000-0000-91a0-000000000006", "{name}");
        assert_eq!(claims["preferred_username"], "pia@contoso.example", "{name}");
        for absent in ["acct", "groups", "roles"] {
            assert_eq!(claims.get(absent), None, "{name}, {absent}");
        }
        let signer = keys.signer(token).unwrap();
        assert_eq!(token_header(token)["kid"], signer);
        assert_eq!(claims["iss"], keys.issuer(signer), "{name}");
    }
    let form = Form::authorization();
    for (authority, number) in [("organizations", 500_200), (CONTOSO, 50020)] {
        tenant.pick(authority, &form, "pia").await.assert_page_refusal(number);
    }
    let answer = tenant.sign_in("consumers", &form, "pia").await;
    assert_eq!(TestTenant::claims(answer["access_token"].as_str().unwrap())["aud"], API_CLIENT_ID);
}

async fn access_token(tenant: &TestTenant, authority: &str, scope: &str, account: &str) -> String {
    let form = Form::authorization().with("scope", scope);
    let answer = tenant.sign_in(authority, &form, account).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn app_claims(tenant: &TestTenant, scope: &str) -> Value {
    let form = client_credentials(JOB, "job-secret", scope);
    let answer = tenant.post("token", &form).await;
    TestTenant::claims(&answer.token("access_token"))
}

/// The claims that are optional.
fn optional(claims: &Value) -> Value {
    let mut claims = claims.as_object().unwrap().clone();
    claims.retain(|name, _| OPTIONAL.contains(&name.as_str()));
    claims.into()
}

/// The person `most` in 200 groups, and `more` in 201.
fn people_in_many_groups() -> String {
    let id = |number: usize| format!("9b000000-0000-4000-8000-{number:012}");
    let groups = (0..201).map(|number| {
        let id = id(number);
        format!("[[groups]]\nid = \"{id}\"\nname = \"Group {number}\"\ntenant = \"Contoso\"\n")
    });
    let people = [("most", 200), ("more", 201)].map(|(name, count)| {
        let groups: Vec<_> = (0..count).map(id).collect();
        format!(
            "[[people]]\nname = \"{name}\"\ndisplay_name = \"Many\"\ntenant = \"Contoso\"\n\
             sign_in_name = \"{name}@contoso.example\"\n\
             oid = \"9d000000-0000-4000-8000-{count:012}\"\ngroups = {groups:?}\n"
        )
    });
    groups.chain(people).collect()
}
