//! Asks the authority what it publishes, for programs that find faults in a setup. It uses the
//! settings, the HTTP client and the parsers of the validator, so it fails for the same reasons.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    clock::Clock,
    ids::TenantId,
    keys::{RefreshError, Source},
    metadata::InvalidMetadata,
    settings::Settings,
    transport::{Fetch, FetchError, HttpTransport, Transport},
    validator::StartError,
};

/// What an authority publishes.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The URL of the discovery document.
    pub discovery_url: String,
    /// The issuer of v2 tokens. It contains `{tenantid}` if tokens of several tenants are possible.
    pub issuer: String,
    /// The tenant, if the authority serves only one.
    pub tenant: Option<TenantId>,
    /// The URL of the keys.
    pub keys_url: String,
    /// The number of signing keys.
    pub keys: usize,
    /// The ids (`kid`) of the keys that the authority publishes only for this API. `None` if the
    /// authority did not respond to the request for them.
    pub own_keys: Option<Vec<String>>,
    /// How many seconds the clock of the authority is ahead of the given one; negative if it is
    /// behind. `None` if the responses have no `Date`.
    pub clock_offset: Option<i64>,
}

/// Fetches the discovery document and the keys, without waiting for earlier failures.
///
/// # Errors
///
/// [`ExamineError`] says what the validator could not use.
pub async fn examine(
    settings: &Settings,
    clock: Arc<dyn Clock>,
) -> Result<Examination, ExamineError> {
    let checked = settings.checked().map_err(StartError::from)?;
    let (authority, client_id) = (checked.authority, checked.client_id);
    let http = HttpTransport::new(authority.is_plain_http()).map_err(StartError::Client)?;
    let dated = Arc::new(Dated { http, clock, offset: Mutex::default() });
    let source = |app| Source {
        authority: authority.clone(),
        app,
        transport: Arc::clone(&dated) as Arc<dyn Transport>,
    };
    let (used, other) = match checked.claims_mapping {
        true => (source(Some(client_id)), source(None)),
        false => (source(None), source(Some(client_id))),
    };
    let metadata = used.discover().await?;
    let keys = used.keys(&metadata).await.map_err(|error| ExamineError::Keys(error.into()))?;
    let own_keys = match other.fetch().await {
        Ok((_, others)) => {
            let (of_app, common) = match checked.claims_mapping {
                true => (&keys, &others),
                false => (&others, &keys),
            };
            let mut own: Vec<_> =
                of_app.keys().filter(|kid| !common.contains_key(*kid)).cloned().collect();
            own.sort();
            Some(own)
        }
        Err(_) => None,
    };
    let template = &metadata.issuers.v2;
    Ok(Examination {
        discovery_url: authority.discovery_url(used.app),
        issuer: match &metadata.tenant {
            Some(own) => template.fill(&own.tid),
            None => template.as_str().to_owned(),
        },
        tenant: metadata.tenant.as_ref().map(|own| own.id),
        keys_url: metadata.keys_url(used.app).into(),
        keys: keys.len(),
        own_keys,
        clock_offset: *dated.offset.lock().unwrap_or_else(PoisonError::into_inner),
    })
}

/// Why the validator cannot use what the authority publishes. The text and the causes are those
/// that the validator logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExamineError {
    /// Settings are wrong, or the HTTP client could not be created.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The authority could not be reached.
    #[error(transparent)]
    Unreachable(Cause),
    /// The authority responded with a status other than 200; see [`ExamineError::status`].
    #[error(transparent)]
    Refused(Cause),
    /// A document could not be read.
    #[error(transparent)]
    Unreadable(Cause),
    /// The issuer in the discovery document does not fit the settings.
    #[error(transparent)]
    Issuer(Cause),
    /// The discovery document is usable, but the keys could not be fetched or read; see
    /// [`ExamineError::status`] and [`ExamineError::unreachable_url`].
    #[error(transparent)]
    Keys(Cause),
}

impl ExamineError {
    /// The status of the response, if it was not 200.
    pub fn status(&self) -> Option<u16> {
        let (Self::Refused(cause) | Self::Keys(cause)) = self else { return None };
        match cause.downcast_ref()? {
            RefreshError::Fetch { source: FetchError::Status(status), .. }
            | RefreshError::Fetch { source: FetchError::RetryAfter { status, .. }, .. } => {
                Some(*status)
            }
            _ => None,
        }
    }

    /// The URL of the document that could not be fetched because there was no response.
    pub fn unreachable_url(&self) -> Option<&str> {
        let (Self::Unreachable(cause) | Self::Keys(cause)) = self else { return None };
        match cause.downcast_ref()? {
            RefreshError::Fetch { url, source: FetchError::Unreachable(_) } => Some(url),
            _ => None,
        }
    }
}

type Cause = Box<dyn Error + Send + Sync>;

impl From<RefreshError> for ExamineError {
    fn from(error: RefreshError) -> Self {
        match &error {
            RefreshError::Fetch { source: FetchError::Unreachable(_), .. } => {
                Self::Unreachable(error.into())
            }
            RefreshError::Fetch {
                source: FetchError::Status(_) | FetchError::RetryAfter { .. },
                ..
            } => Self::Refused(error.into()),
            RefreshError::Metadata(InvalidMetadata::Issuer(_) | InvalidMetadata::Version(_)) => {
                Self::Issuer(error.into())
            }
            _ => Self::Unreadable(error.into()),
        }
    }
}

/// Compares the clock with that of the authority at each response.
struct Dated {
    http: HttpTransport,
    clock: Arc<dyn Clock>,
    offset: Mutex<Option<i64>>,
}

impl Transport for Dated {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        Box::pin(async move {
            let (body, date) = self.http.fetch(url).await?;
            if let Some(date) = date {
                let offset = i64::try_from(date)
                    .unwrap_or(i64::MAX)
                    .saturating_sub_unsigned(self.clock.now());
                *self.offset.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
            }
            Ok(body)
        })
    }
}
