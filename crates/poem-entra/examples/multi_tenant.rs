//! A multi-tenant API without poem. The policy allows users and apps of two tenants. The first
//! argument is the value of an `Authorization` header. Prints the caller or the rejection.

use std::{env, error::Error};

use http::{HeaderMap, header};
use poem_entra::{Policy, Principal, Requirement, Settings, Validator};

/// Users with the scope, or apps with the app role.
struct ReadsOrders;

impl Policy for ReadsOrders {
    type Caller = Principal;
    const REQUIRES: Requirement =
        Requirement::scope_or_app_role(&["orders.read"], &["Orders.Read.All"]);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::new("organizations", "33333333-3333-4333-8333-333333333333");
    settings.allowed_tenants = vec![
        "11111111-1111-4111-8111-111111111111".into(),
        "22222222-2222-4222-8222-222222222222".into(),
    ];
    let validator = Validator::new(&settings)?;

    let mut headers = HeaderMap::new();
    if let Some(value) = env::args().nth(1) {
        headers.insert(header::AUTHORIZATION, value.parse()?);
    }
    match validator.authorize::<ReadsOrders>(&headers).await {
        Ok(Principal::User(user)) => {
            println!("user {} of tenant {}", user.object_id(), user.tenant());
        }
        Ok(Principal::App(app)) => println!("an app of tenant {}", app.tenant()),
        Err(rejection) => {
            println!("{} {}", rejection.status(), rejection);
            println!("{:?}", rejection.headers(validator.challenge()));
            println!("{}", rejection.hint().unwrap_or_default());
        }
    }
    Ok(())
}
