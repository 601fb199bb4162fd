//! Where the discovery document and the key set come from.

use std::{collections::HashMap, sync::Arc};

use crate::{
    authority::Authority,
    ids::ClientId,
    jwk::{self, InvalidKeySet, VerifyingKey},
    metadata::{InvalidMetadata, Metadata},
    transport::{FetchError, Transport},
};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The documents of one authority.
pub(crate) struct Source {
    pub(crate) authority: Authority,
    /// The app whose own signing keys are fetched, if it has any.
    pub(crate) app: Option<ClientId>,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Source {
    /// Fetches the discovery document and the published keys.
    pub(crate) async fn fetch(
        &self,
    ) -> Result<(Metadata, HashMap<String, VerifyingKey>), RefreshError> {
        let metadata = self.discover().await?;
        let keys = self.keys(&metadata).await?;
        Ok((metadata, keys))
    }

    /// Fetches the discovery document.
    pub(crate) async fn discover(&self) -> Result<Metadata, RefreshError> {
        let discovery = self.document(self.authority.discovery_url(self.app)).await?;
        Ok(Metadata::parse(&self.authority, &discovery)?)
    }

    /// Fetches the published keys.
    pub(crate) async fn keys(
        &self,
        metadata: &Metadata,
    ) -> Result<HashMap<String, VerifyingKey>, RefreshError> {
        let key_set = self.document(metadata.keys_url(self.app).into()).await?;
        Ok(jwk::parse_set(&key_set)?)
    }

    /// Fetches a document. A byte order mark before it, which some gateways add, is ignored
    /// (RFC 8259, section 8.1).
    async fn document(&self, url: String) -> Result<Vec<u8>, RefreshError> {
        let mut body = match self.transport.get(&url).await {
            Ok(body) => body,
            Err(source) => return Err(RefreshError::Fetch { url, source }),
        };
        if body.starts_with(BYTE_ORDER_MARK) {
            body.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(body)
    }
}

/// Why the documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error("failed to fetch {url}")]
    Fetch { url: String, source: FetchError },
    #[error("the discovery document is unusable")]
    Metadata(#[from] InvalidMetadata),
    #[error("the key set is unusable")]
    KeySet(#[from] InvalidKeySet),
}

impl RefreshError {
    /// How many seconds the authority asks to wait; 0 if it does not say.
    pub(super) fn retry_after(&self) -> u64 {
        match self {
            Self::Fetch { source: FetchError::RetryAfter { seconds, .. }, .. } => *seconds,
            _ => 0,
        }
    }
}
