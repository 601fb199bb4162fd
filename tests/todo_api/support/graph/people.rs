//! `users` and `organization`. Both can only be read.

use serde_json::{Value, json};

use super::{
    directory::{Directory, Reply, Request, TENANT, not_allowed},
    refusal::Refusal,
    routes::Key,
};

impl Directory {
    /// By object id or sign-in name: <https://learn.microsoft.com/graph/api/user-get>.
    pub(super) fn user(&mut self, request: &Request) -> Reply {
        if !request.is("GET") {
            return Err(not_allowed());
        }
        let Some(key) = &request.route.key else {
            return request.page("/v1.0/users", "users", self.users.clone());
        };
        let (Key::Id(name) | Key::Alternate(_, name)) = key;
        let is_it = |user: &&Value| {
            let sign_in_name = user["userPrincipalName"].as_str().unwrap();
            user["id"] == *name || sign_in_name.eq_ignore_ascii_case(name)
        };
        let found = self.users.iter().find(is_it).ok_or_else(|| Refusal::not_found(name))?;
        request.one(200, "users", found)
    }

    /// <https://learn.microsoft.com/graph/api/organization-list>
    pub(super) fn organization(&mut self, request: &Request) -> Reply {
        if !request.is("GET") {
            return Err(not_allowed());
        }
        let domain = |(index, name): (usize, &String)| {
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": index == 1,
                "isInitial": index == 0,
                "name": name,
                "type": "Managed",
            })
        };
        let domains: Value = self.verified_domains.iter().enumerate().map(domain).collect();
        let organization = json!({
            "id": TENANT,
            "deletedDateTime": null,
            "displayName": "Contoso",
            "tenantType": "AAD",
            "verifiedDomains": domains,
        });
        request.page("/v1.0/organization", "organization", vec![organization])
    }
}

/// The people of the development tenant.
pub(super) fn users() -> Vec<Value> {
    let people = [
        ("ada", "Ada Adler", "ada00000-0000-4000-8000-000000000001"),
        ("uma", "Uma Ulrich", "0a000000-0000-4000-8000-000000000002"),
        ("ulf", "Ulf Urban", "0f000000-0000-4000-8000-000000000003"),
        ("noel", "Noel Novak", "0e100000-0000-4000-8000-000000000004"),
        ("ida", "Ida Iversen", "1da00000-0000-4000-8000-000000000008"),
    ];
    let user = |(name, display_name, id): (&str, &str, &str)| {
        json!({
            "businessPhones": [],
            "displayName": display_name,
            "givenName": null,
            "jobTitle": null,
            "mail": null,
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "surname": null,
            "userPrincipalName": format!("{name}@contoso.example"),
            "id": id,
        })
    };
    people.map(user).into()
}
