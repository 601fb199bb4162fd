//! Values of options that would lead to another request than the one that is meant.

use std::fs;

use crate::support::test_name;

use super::{Setup, bad_input::NOTHING};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_that_graph_does_not_accept_is_named() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    for uri in ["https://todo.contoso.example/", "urn:todo"] {
        let run = setup.run(&["--app-id-uri", uri]);
        let said =
            format!("does not accept the App ID URI api://{}", setup.setting("API_CLIENT_ID"));
        run.assert_failed(&[&said, &format!(" or {uri}\n"), "begins with api://", NOTHING]);
        // It is not tried again, because no new object can be the reason.
        assert!(!run.stderr.contains("trying again"), "{run:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_be_in_a_request_is_refused_before_the_first_call() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let long = "x".repeat(201);
    for (option, value, said) in [
        ("--assign", "..=Admin", ".. is not a sign-in name"),
        ("--assign", "ada=Admin", "ada is not a sign-in name"),
        ("--assign", "@contoso.example=Admin", "@contoso.example is not a sign-in name"),
        ("--assign", "a/b@contoso.example=Admin", "is not a sign-in name"),
        ("--assign", "a?b@contoso.example=Admin", "is not a sign-in name"),
        ("--assign", "%2e%2e@contoso.example=Admin", "is not a sign-in name"),
        ("--name", &long, "a name may have at most 200 bytes"),
        ("--name", "Todo\nAPI", "a name must not contain line breaks"),
        ("--client-id", "my-client", "it is a name, not a GUID"),
        ("--tenant", "contoso.example/common", "write the GUID or a domain of the tenant"),
        ("--tenant", "..", "write the GUID or a domain of the tenant"),
    ] {
        let run = setup.run(&[option, value]);
        assert_eq!(run.code, Some(2), "{option} {value}: {run:#?}");
        assert!(run.stderr.contains(said), "{option} {value}: {run:#?}");
    }
    fs::write(setup.env_file(), "AAD_TENANT_ID=contoso.example/common\n").unwrap();
    setup.run(&[]).assert_failed(&["AAD_TENANT_ID cannot be used: write the GUID", NOTHING]);
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_and_an_object_id_can_be_assigned() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    // Neither is in the tenant, but both are asked for.
    for name in
        ["gus_fabrikam.example#EXT#@contoso.example", "0a000000-0000-4000-8000-0000000000ff"]
    {
        let run = setup.run(&["--assign", &format!("{name}=Admin")]);
        run.assert_failed(&[&format!("there is no user {name} in the tenant"), NOTHING]);
    }
}
