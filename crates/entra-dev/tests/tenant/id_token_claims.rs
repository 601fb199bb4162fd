//! The optional claims of ID tokens.

use entra_dev::ids::{API_CLIENT_ID, CONSUMERS, CONTOSO};
use serde_json::{Value, json};

use crate::support::{Answer, Form, Program, TestTenant, WEB, api_scope, text};

const RICH: Program =
    Program { client_id: "b3000000-0000-4000-8000-000000000001", secret: Some("rich"), ..WEB };

/// A web site that asks for every optional claim, people in many groups, and a person without a
/// last name.
fn entries() -> String {
    let id = |number: usize| format!("9e000000-0000-4000-8000-{number:012}");
    let groups = (0..201).map(|number| {
        let id = id(number);
        format!("[[groups]]\nid = \"{id}\"\nname = \"Group {number}\"\ntenant = \"Contoso\"\n")
    });
    let many: Vec<_> = (0..201).map(id).collect();
    let person = format!(
        "[[people]]\nname = \"many\"\ndisplay_name = \"Many\"\ntenant = \"Contoso\"\n\
         sign_in_name = \"many@contoso.example\"\nemail = \"many@mail.example\"\n\
         oid = \"b3000000-0000-4000-8000-000000000002\"\ngroups = {many:?}\n"
    );
    let site = format!(
        "[[apps]]\nclient_id = \"{}\"\nname = \"Rich site\"\ntenant = \"Contoso\"\n\
         secrets = [\"rich\"]\nid_token_issuance = true\n\
         redirect_uris.web = [\"http://localhost/auth/callback\"]\noptional_claims = {OPTIONAL:?}\n",
        RICH.client_id
    );
    groups.chain([person, site]).collect()
}

const OPTIONAL: [&str; 9] =
    ["acct", "acrs", "email", "family_name", "given_name", "groups", "idtyp", "upn", "xms_cc"];

/// The optional claims of the ID token that this app gets.
async fn optional_claims(tenant: &TestTenant, app: &Program, account: &str) -> Value {
    let form = app.authorization(&format!("openid {}", api_scope()));
    let code = tenant.code_for("common", &form, account).await;
    let request = app.redemption(&code).on(tenant.token_request("common"));
    let answer = Answer::of(request).await;
    optional(&TestTenant::claims(&answer.token("id_token")))
}

fn optional(claims: &Value) -> Value {
    let mut claims = claims.as_object().unwrap().clone();
    let overage = ["_claim_names", "_claim_sources"];
    claims.retain(|name, _| OPTIONAL.contains(&name.as_str()) || overage.contains(&name.as_str()));
    claims.into()
}

#[tokio::test]
async fn an_id_token_has_the_optional_claims_of_its_app() {
    let tenant = TestTenant::start_having(&entries()).await;
    for (account, expected) in [
        (
            "ada",
            json!({
                "acct": 0,
                "email": "ada@contoso.example",
                "family_name": "Adler",
                "given_name": "Ada",
                "groups": ["9a000000-0000-4000-8000-000000000001"],
                "upn": "ada@contoso.example",
            }),
        ),
        (
            "gus",
            json!({
                "acct": 1,
                "email": "gus@contoso.example",
                "family_name": "Grant",
                "given_name": "Gus",
            }),
        ),
        (
            "pia",
            json!({
                "email": "pia@contoso.example",
                "family_name": "Porter",
                "given_name": "Pia",
            }),
        ),
    ] {
        assert_eq!(optional_claims(&tenant, &RICH, account).await, expected, "{account}");
        assert_eq!(optional_claims(&tenant, &WEB, account).await, json!({}), "{account}");
    }
    let oid = "b3000000-0000-4000-8000-000000000002";
    let endpoint = tenant.url(&format!("/graph/v1.0/users/{oid}/getMemberObjects"));
    let expected = json!({
        "acct": 0,
        "email": "many@mail.example",
        "given_name": "Many",
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": endpoint } },
        "upn": "many@contoso.example",
    });
    assert_eq!(optional_claims(&tenant, &RICH, "many").await, expected);
}

#[tokio::test]
async fn both_endpoints_issue_id_tokens_with_optional_claims() {
    let tenant = TestTenant::start_having(&entries()).await;
    let form = RICH.authorization("openid").with("response_type", "id_token").with("nonce", "n");
    let form = form.without("code_challenge").without("code_challenge_method");
    let answer = tenant.pick(CONTOSO, &form, "ada").await;
    let claims = TestTenant::claims(&answer.fragment_parameter("id_token").unwrap());
    assert_eq!(optional(&claims), optional_claims(&tenant, &RICH, "ada").await);
}

/// The optional claims of the client are in its ID tokens only, and those of the API are in its
/// access tokens only.
#[tokio::test]
async fn optional_claims_depend_on_the_audience_of_the_token() {
    let tenant = TestTenant::start_having(&entries()).await;
    let answer = RICH.sign_in(&tenant, &format!("openid {}", api_scope()), "ada").await;
    let access = TestTenant::claims(&text(&answer, "access_token"));
    assert_eq!(access["aud"], API_CLIENT_ID);
    assert_eq!(optional(&access), json!({ "acct": 0 }));
}

#[tokio::test]
async fn an_access_token_can_have_the_names_of_the_person() {
    let tenant = TestTenant::start_having(&entries()).await;
    let scope = format!("{}/.default", RICH.client_id);
    for (account, expected) in [
        ("ada", json!(["Ada", "Adler", "ada@contoso.example"])),
        ("gus", json!(["Gus", "Grant", null])),
        ("many", json!(["Many", null, "many@contoso.example"])),
    ] {
        let form = Form::authorization().with("scope", &scope);
        let answer = tenant.sign_in(CONTOSO, &form, account).await;
        let claims = TestTenant::claims(&text(&answer, "access_token"));
        let names = [&claims["given_name"], &claims["family_name"], &claims["upn"]];
        assert_eq!(json!(names), expected, "{account}");
    }
    let form = Form::authorization().with("scope", &scope);
    let answer = tenant.sign_in("consumers", &form, "pia").await;
    let claims = TestTenant::claims(&text(&answer, "access_token"));
    assert_eq!((&claims["tid"], claims.get("upn")), (&json!(CONSUMERS), None));
}
