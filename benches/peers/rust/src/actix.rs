//! actix-web with actix-web-httpauth and jsonwebtoken.

use std::{collections::HashMap, sync::Arc};

use actix_web::{
    App, Error, HttpResponse, HttpServer,
    dev::ServiceRequest,
    error::{ErrorForbidden, ErrorUnauthorized},
    web::{self, Data},
};
use actix_web_httpauth::{extractors::bearer::BearerAuth, middleware::HttpAuthentication};
use anyhow::Context;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::{
    authority::{Authority, Claims},
    todos,
};

pub fn serve(port: u16, authority: Authority) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let validator = Data::from(Arc::new(Validator::fetch(&authority).await?));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(validator.clone())
                .wrap(HttpAuthentication::bearer(authenticate))
                .route(todos::PATH, web::get().to(list_todos))
        });
        Ok(server.bind(("127.0.0.1", port))?.run().await?)
    })
}

async fn list_todos() -> HttpResponse {
    HttpResponse::Ok().content_type(todos::MEDIA_TYPE).body(todos::json())
}

async fn authenticate(
    request: ServiceRequest,
    credentials: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    let validator = request.app_data::<Data<Validator>>();
    let claims = validator.and_then(|validator| validator.validate(credentials.token()));
    match claims {
        Some(claims) if claims.may_list_todos() => Ok(request),
        Some(_) => Err((ErrorForbidden("the scope is missing"), request)),
        None => Err((ErrorUnauthorized("the token is invalid"), request)),
    }
}

struct Validator {
    /// By key id.
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Validator {
    async fn fetch(authority: &Authority) -> anyhow::Result<Self> {
        let metadata = authority.metadata().await?;
        let mut keys = HashMap::new();
        for key in &metadata.keys().await?.keys {
            let id = key.common.key_id.clone().context("a key has no id")?;
            keys.insert(id, DecodingKey::from_jwk(key)?);
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[&authority.client_id]);
        validation.set_issuer(&[&metadata.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        validation.validate_nbf = true;
        Ok(Self { keys, validation })
    }

    fn validate(&self, token: &str) -> Option<Claims> {
        let key = self.keys.get(&decode_header(token).ok()?.kid?)?;
        Some(decode(token, key, &self.validation).ok()?.claims)
    }
}
