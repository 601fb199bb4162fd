//! The audit trail on the page: names, the filter and the requests.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, SWAGGER_UI_CLIENT_ID};
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, NATIVE, TestTenant, UNKNOWN_CLIENT_ID, between, client_credentials, section,
};

/// The outcome of each row in the audit trail, the first row first.
fn outcomes(page: &str) -> Vec<&str> {
    between(section(page, "Audit trail"), "<tr class=\"", "\"").collect()
}

/// Three requests of different apps and people: refused, asked, granted. The last one comes first
/// in the audit trail.
async fn send_requests(tenant: &TestTenant) {
    tenant.code("uma").await;
    tenant.authorize(CONTOSO, &Form::authorization()).await;
    tenant.post("token", &client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default")).await;
}

#[tokio::test]
async fn the_outcome_is_in_the_second_column_as_text_and_icon() {
    let tenant = TestTenant::start().await;
    send_requests(&tenant).await;
    let page = tenant.dev_page().await;
    assert_eq!(outcomes(&page), ["refused", "asked", "granted"]);
    let trail = section(&page, "Audit trail");
    assert!(
        trail.contains(
            "3 requests, newest first; <a href=\"/_dev?outcome=refused\">1 was refused</a>."
        ),
        "{trail}"
    );
    let [refused, asked, granted] = *between(trail, "<tr class=\"", "</tr>").collect::<Vec<_>>()
    else {
        panic!("{trail}")
    };
    for (row, text) in [(refused, "Refused"), (asked, "Asked"), (granted, "Granted")] {
        let cells: Vec<_> = between(row, "<td", "</td>").collect();
        assert!(row.split("<td").next().unwrap().contains("<th scope=\"row\"><time datetime="));
        assert!(cells[0].contains("<svg class=\"icon\""), "{row}");
        assert!(cells[0].contains(&format!("</svg>{text}</span>")), "{row}");
    }
    assert!(refused.contains("<span class=\"number\">AADSTS7000215</span>"), "{refused}");
    assert!(refused.contains("<p class=\"reason\">Invalid client secret provided."), "{refused}");
    // It is what people look for, so it comes first.
    assert_eq!(between(&page, "<h2 id=\"", "\"").next(), Some("audit-trail"));
}

#[tokio::test]
async fn apps_people_and_tenants_are_named_and_their_ids_are_at_hand() {
    let tenant = TestTenant::start().await;
    send_requests(&tenant).await;
    tenant.refused_authorization(UNKNOWN_CLIENT_ID).await;
    let page = tenant.dev_page().await;
    let trail = section(&page, "Audit trail");
    for text in [
        &format!("<span title=\"{SWAGGER_UI_CLIENT_ID}\">Todo API - Swagger UI</span>"),
        &format!("<span title=\"{DAEMON_CLIENT_ID}\">Nightly job</span>"),
        "title=\"uma@contoso.example, 0a000000-0000-4000-8000-000000000002\">Uma Ulrich</span>",
        &format!("<span title=\"{CONTOSO}\">Contoso</span>"),
        "<dt>Object id</dt><dd><code>0a000000-0000-4000-8000-000000000002</code></dd>",
        &format!("<dt>Client id</dt><dd><code>{DAEMON_CLIENT_ID}</code></dd>"),
        &format!("<code>{UNKNOWN_CLIENT_ID}</code> <span class=\"quiet\">not in the directory"),
    ] {
        assert!(trail.contains(text), "{text}: {trail}");
    }
    // People who were removed keep their sign-in name.
    tenant.delete("/_dev/directory/people/uma").await.assert_done();
    let page = tenant.dev_page().await;
    let cell = ">uma@contoso.example <span class=\"quiet\">not in the directory</span></td>";
    assert!(section(&page, "Audit trail").contains(cell), "{page}");
}

#[tokio::test]
async fn a_refused_sign_in_names_the_person() {
    let tenant = TestTenant::start().await;
    tenant.pick(CONTOSO, &Form::authorization(), "tia").await.assert_page_refusal(50020);
    assert_eq!(tenant.audit().await[0]["person"], "tia@fabrikam.example");
    // A name in the query of a link is not a choice.
    let link = Form::authorization().with("account", "ada");
    tenant.authorize(CONTOSO, &link).await.assert_page("Pick an account");
    assert_eq!(tenant.audit().await[0]["person"], Value::Null);
}

#[tokio::test]
async fn the_date_is_shown_if_it_is_not_today() {
    let tenant = TestTenant::start().await;
    tenant.code("uma").await;
    let dated = "<span class=\"quiet\">2026-11-24</span>";
    let page = tenant.dev_page().await;
    let time = "<time datetime=\"2026-11-24T22:00:00Z\" title=\"2026-11-24 22:00:00Z\">22:00:00";
    assert!(page.contains(time) && !page.contains(dated), "{page}");
    tenant.clock.advance(2 * 3600);
    let page = tenant.dev_page().await;
    assert!(page.contains(&format!("{time} {dated}")), "{page}");
}

#[tokio::test]
async fn the_filter_narrows_the_page_and_the_json() {
    let tenant = TestTenant::start().await;
    send_requests(&tenant).await;
    tenant.refused_authorization(UNKNOWN_CLIENT_ID).await;
    for (query, expected) in [
        ("", &["refused", "refused", "asked", "granted"][..]),
        ("?outcome=&app=&person=", &["refused", "refused", "asked", "granted"]),
        ("?outcome=refused", &["refused", "refused"]),
        ("?outcome=Asked", &["asked"]),
        ("?app=Nightly+job", &["refused"]),
        (&format!("?app={}", SWAGGER_UI_CLIENT_ID.to_uppercase()), &["asked", "granted"]),
        (&format!("?app={UNKNOWN_CLIENT_ID}"), &["refused"]),
        ("?app=Web%20site", &[]),
        ("?person=uma", &["granted"]),
        ("?person=UMA@contoso.example", &["granted"]),
        ("?person=0a000000-0000-4000-8000-000000000002", &["granted"]),
        ("?person=ada", &[]),
        ("?person=uma&outcome=refused", &[]),
        (&format!("?app={SWAGGER_UI_CLIENT_ID}&outcome=granted&person=uma"), &["granted"]),
    ] {
        let page = tenant.get(&format!("/_dev{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(outcomes(&page.body), expected, "{query}");
        let trail = section(&page.body, "Audit trail");
        let count = format!("{} of 4 requests", expected.len());
        assert_eq!(trail.contains(&count), expected.len() < 4, "{query}");
        let json = tenant.get_json(&format!("/_dev/audit{query}")).await;
        let entries = json["entries"].as_array().unwrap().iter();
        let found = entries.map(|entry| match &entry["outcome"] {
            Value::String(outcome) => outcome.clone(),
            outcome => outcome.as_object().unwrap().keys().next().unwrap().clone(),
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_form_of_the_filter_offers_what_can_be_found_and_keeps_what_was_chosen() {
    let tenant = TestTenant::start().await;
    send_requests(&tenant).await;
    tenant.refused_authorization(UNKNOWN_CLIENT_ID).await;
    tenant.delete("/_dev/directory/people/uma").await.assert_done();
    let query = format!("?outcome=refused&app={UNKNOWN_CLIENT_ID}&person=uma@contoso.example");
    let page = tenant.get(&format!("/_dev{query}")).await;
    let form =
        between(&page.body, "<form method=\"get\" action=\"/_dev\" class=\"filter\">", "</form>");
    let form = form.collect::<String>();
    for option in [
        "<option value=\"refused\" selected>Refused</option>",
        "<option value=\"asked\">Asked</option>",
        &format!("<option value=\"{DAEMON_CLIENT_ID}\">Nightly job</option>"),
        &format!("<option value=\"{UNKNOWN_CLIENT_ID}\" selected>{UNKNOWN_CLIENT_ID}</option>"),
        "<option value=\"ada@contoso.example\">Ada Adler</option>",
        "<option value=\"uma@contoso.example\" selected>uma@contoso.example</option>",
        "<a href=\"/_dev\">Show all</a>",
    ] {
        assert!(form.contains(option), "{option}: {form}");
    }
    assert_eq!(form.matches("<option value=\"\">All</option>").count(), 3);
}

#[tokio::test]
async fn a_wrong_filter_is_named() {
    let tenant = TestTenant::start().await;
    send_requests(&tenant).await;
    let long = format!("?app={}", "x".repeat(1000));
    for (query, text) in [
        (
            "?outcome=denied",
            "there is no outcome \"denied\"; choose one of: refused, asked, granted",
        ),
        (
            "?app=Nobody",
            "no app and no request has the name or client id \"Nobody\"; choose one of: Todo API, ",
        ),
        ("?person=bob", "there is no person \"bob\"; choose one of: ada, uma, "),
        (
            "?result=refused",
            "there is no parameter \"result\"; the parameters are outcome, app and person",
        ),
        ("?outcome=asked&outcome=asked", "\"outcome\" is given more than once"),
        ("?app=%3Cscript%3E", "client id \"<script>\""),
        (&long, &format!("\"{}…\"", "x".repeat(100))),
    ] {
        let page = tenant.get(&format!("/_dev{query}")).await;
        assert_eq!(page.status, 400, "{query}");
        let escaped = text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let (_, alert) = page.body.split_once("role=\"alert\">").unwrap();
        assert!(alert.split("</div>").next().unwrap().contains(&escaped), "{query}: {alert}");
        assert!(!page.body.contains("<script"), "{query}");
        tenant.get(&format!("/_dev/audit{query}")).await.assert_problem(400, text);
    }
    // All faults are named at once.
    let both = tenant.get("/_dev/audit?outcome=denied&person=bob").await;
    both.assert_problem(400, "\"denied\"");
    both.assert_problem(400, "\"bob\"");
    assert_eq!(outcomes(&tenant.get("/_dev?outcome=denied").await.body).len(), 3);
}

#[tokio::test]
async fn an_isolated_tenant_has_its_own_filter() {
    let tenant = TestTenant::start().await;
    let created = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let id = created["id"].as_str().unwrap();
    send_requests(&tenant).await;
    tenant.get(&format!("/{id}/oauth2/v2.0/authorize")).await.assert_page_refusal(900_144);
    let controls = format!("/_dev/tenants/{id}");
    let open = async |query: &str| {
        let request = tenant.browser.get(tenant.url(&format!("{controls}{query}")));
        Answer::of(request.header("accept", "text/html")).await
    };
    assert_eq!(outcomes(&open("?outcome=refused").await.body), ["refused"]);
    assert_eq!(outcomes(&open("?outcome=granted").await.body).len(), 0);
    let page = open("").await.body;
    assert!(page.contains(&format!("action=\"{controls}\"")), "{page}");
    assert!(page.contains(&format!("href=\"{controls}?outcome=refused\"")), "{page}");
    let json = tenant.get_json(&format!("{controls}/audit?outcome=refused")).await;
    assert_eq!(json["entries"].as_array().unwrap().len(), 1);
    // An app of the shared tenant is not one of its apps.
    let query = format!("?app={SWAGGER_UI_CLIENT_ID}");
    tenant.get(&format!("{controls}/audit{query}")).await.assert_problem(400, "client id");
}

#[tokio::test]
async fn without_requests_the_page_says_so() {
    let tenant = TestTenant::start().await;
    let page = tenant.dev_page().await;
    let trail = section(&page, "Audit trail");
    assert!(trail.contains("No request has arrived yet.") && !trail.contains("<table"), "{trail}");
    tenant.code("uma").await;
    let page = tenant.get("/_dev?person=ada").await.body;
    let trail = section(&page, "Audit trail");
    assert!(trail.contains("0 of 1 requests") && !trail.contains("<table"), "{trail}");
}

#[tokio::test]
async fn the_request_is_behind_a_click() {
    let tenant = TestTenant::start().await;
    let form = Form::empty()
        .with("grant_type", "client_credentials")
        .with("scope", &format!("api://{API_CLIENT_ID}/.default"));
    let request = tenant.token_request(CONTOSO).basic_auth(DAEMON_CLIENT_ID, Some("wrong"));
    Answer::of(form.on(request.header("origin", "http://localhost:8000"))).await;
    tenant.ask("devicecode").await;
    let page = tenant.dev_page().await;
    let trail = section(&page, "Audit trail");
    let details: Vec<_> = between(trail, "<details>", "</details>").collect();
    let (raw, _) = details[1].split_once("<pre>").unwrap().1.split_once("</pre>").unwrap();
    let encoded = format!("{DAEMON_CLIENT_ID}:wrong").len().div_ceil(3) * 4;
    for line in [
        format!("POST /{CONTOSO}/oauth2/v2.0/token"),
        "origin: http://localhost:8000".to_owned(),
        "content-type: application/x-www-form-urlencoded".to_owned(),
        format!("authorization: basic (hidden, {encoded} characters)"),
        "grant_type=client_credentials".to_owned(),
        format!("scope=api://{API_CLIENT_ID}/.default"),
    ] {
        assert!(raw.lines().any(|known| known == line), "{line}: {raw}");
    }
    let recorded = &tenant.audit().await[1]["request"];
    assert_eq!(recorded["method"], "POST");
    assert_eq!(recorded["path"], format!("/{CONTOSO}/oauth2/v2.0/token"));
    let grant = json!({ "name": "grant_type", "value": "client_credentials" });
    assert_eq!(recorded["parameters"][0], grant);
    let empty = &tenant.audit().await[0]["request"];
    assert_eq!(empty["parameters"], json!([]));
}

#[tokio::test]
async fn a_long_list_of_what_is_registered_is_cut() {
    let people: String = (0..30)
        .map(|number| {
            format!(
                "[[people]]\noid = \"0a000000-0000-4000-9000-0000000000{number:02}\"\n\
                 tenant = \"Contoso\"\nname = \"p{number}\"\ndisplay_name = \"P\"\n\
                 sign_in_name = \"p{number}@contoso.example\"\n"
            )
        })
        .collect();
    let tenant = TestTenant::start_having(&people).await;
    let known = tenant.get_json("/_dev/directory").await["people"].as_array().unwrap().len();
    tenant.pick(CONTOSO, &Form::authorization(), "nobody@contoso.example").await;
    let page = tenant.dev_page().await;
    let advice = between(&page, "<div class=\"advice\">", "</div>").next().unwrap();
    assert_eq!(advice.matches("<code>").count(), 20, "{known}: {advice}");
    assert!(advice.contains(" more</li>"), "{advice}");
}

#[tokio::test]
async fn a_large_request_is_cut() {
    let tenant = TestTenant::start().await;
    let many = (0..500).fold(Form::empty(), |form, number| form.with(&format!("p{number}"), "1"));
    let long = Form::empty().with(&"n".repeat(200), "1").with("scope", &"é".repeat(1000));
    NATIVE.ask(&tenant, &many).await;
    NATIVE.ask(&tenant, &long).await;
    let trail = tenant.audit().await;
    let parameters = trail[0]["request"]["parameters"].as_array().unwrap();
    assert_eq!(parameters[0]["name"], "(hidden, 200 characters)");
    assert_eq!(parameters[1]["value"], format!("{}…", "é".repeat(400)));
    let parameters = trail[1]["request"]["parameters"].as_array().unwrap();
    let (last, kept) = parameters.split_last().unwrap();
    assert!(parameters.iter().map(|it| it.to_string().len()).sum::<usize>() < 10_000);
    assert_eq!(last["value"], format!("({} more)", 500 - kept.len()));
}
