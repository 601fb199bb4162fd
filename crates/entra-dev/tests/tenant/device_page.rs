//! The page on which people enter the code of a device.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;

use crate::{
    device::{codes, collect, submit},
    support::{TestTenant, text},
};

#[tokio::test]
async fn a_user_code_ignores_case_spaces_and_hyphens() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    let code = text(&codes, "user_code");
    let lower = code.to_lowercase();
    for typed in [
        format!("  {lower} "),
        format!("{}-{}", &code[..4], &code[4..]),
        format!("{} {}\u{a0}{}", &lower[..3], &lower[3..6], &lower[6..]),
        format!("{}\u{2013}{}", &code[..4], &code[4..]),
    ] {
        submit(&tenant, &typed, &[]).await.assert_page("Pick an account");
    }
    for typed in [format!("{code}{code}"), format!("{}.{}", &code[..4], &code[4..])] {
        submit(&tenant, &typed, &[]).await.assert_page_refusal(90119);
    }
    submit(&tenant, &lower, &[("account", "ada")]).await.assert_page("You have signed in");
    assert_eq!(collect(&tenant, &codes).await.status, StatusCode::OK);
}

#[tokio::test]
async fn after_a_wrong_user_code_the_page_keeps_it_and_asks_again() {
    let tenant = TestTenant::start().await;
    codes(&tenant).await;
    for (wrong, kept) in
        [("abcd-efgh j", "abcd-efgh j"), ("", ""), ("\"><script>", "&quot;&gt;&lt;script&gt;")]
    {
        let page = submit(&tenant, wrong, &[]).await;
        page.assert_page_refusal(90119);
        assert!(page.body.contains("<h1>Enter code</h1>"), "{}", page.body);
        let alert = "<p role=\"alert\" id=\"alert\">AADSTS90119: That code is not valid, has \
                     expired or was used. Ask the device for a new one.</p>";
        assert!(page.body.contains(alert), "{}", page.body);
        let input = page.body.split("<input").nth(1).unwrap().split('>').next().unwrap();
        assert!(input.contains(&format!("value=\"{kept}\"")), "{input}");
        assert!(input.contains("aria-invalid=\"true\""), "{input}");
        assert!(input.contains("aria-describedby=\"alert hint\""), "{input}");
        assert!(!page.body.contains("<script"));
    }
}

#[tokio::test]
async fn the_pages_of_a_device_show_its_code_until_the_end() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    let code = text(&codes, "user_code");
    let shown = format!("<code>{code}</code>");
    let opened = tenant.get(&format!("/{CONTOSO}/oauth2/deviceauth?user_code={code}")).await;
    assert!(opened.body.contains(&format!("value=\"{code}\"")), "{}", opened.body);
    assert!(!opened.body.contains("aria-invalid"), "{}", opened.body);
    let accounts = submit(&tenant, &code, &[]).await;
    assert!(accounts.body.contains(&shown), "{}", accounts.body);
    // A refused account leads back to the account page, with the code.
    let refused = submit(&tenant, &code, &[("account", "tia")]).await;
    refused.assert_page_refusal(50020);
    assert!(refused.body.contains(">Choose another account</button>"), "{}", refused.body);
    let kept = refused.hidden_input("user_code").unwrap();
    submit(&tenant, &kept, &[]).await.assert_page("Pick an account");
    let done = submit(&tenant, &code, &[("account", "uma")]).await;
    assert!(done.body.contains(&shown) && done.body.contains("Uma Ulrich"), "{}", done.body);
}
