//! Query options (<https://learn.microsoft.com/graph/query-parameters>).

use url::form_urlencoded;

use super::error::GraphError;

/// The query options of a request. Parameters without `$` are ignored, as in Graph.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// The properties that the response is to have; `None` means the default ones.
    pub(super) select: Option<Vec<String>>,
    /// The page size.
    pub(super) top: Option<usize>,
    /// Where the page starts.
    pub(super) skip_token: Option<String>,
}

/// The maximum page size.
const MOST: usize = 999;

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let name = name.to_ascii_lowercase();
            if !name.starts_with('$') {
                continue;
            }
            if seen.contains(&name) {
                return Err(GraphError::query(format!("The query option '{name}' is repeated.")));
            }
            match name.as_str() {
                "$select" => {
                    let names = value.split(',').map(|name| name.trim().to_owned());
                    query.select = Some(names.collect());
                }
                "$top" => {
                    let number = value.parse().ok().filter(|top| (1..=MOST).contains(top));
                    query.top = Some(number.ok_or_else(|| {
                        GraphError::query(format!(
                            "Invalid page size specified: '{value}'. Must be between 1 and {MOST} \
                             inclusive."
                        ))
                    })?);
                }
                "$skiptoken" => query.skip_token = Some(value.into_owned()),
                _ => {
                    return Err(GraphError::query(format!(
                        "The development tenant does not support the query option '{name}': it \
                         has $select, $top and $skiptoken."
                    )));
                }
            }
            seen.push(name);
        }
        Ok(query)
    }

    /// Checks that the options of lists are absent.
    pub(super) fn check_single(&self) -> Result<(), GraphError> {
        let option = match self {
            Self { top: Some(_), .. } => "$top",
            Self { skip_token: Some(_), .. } => "$skiptoken",
            _ => return Ok(()),
        };
        Err(GraphError::query(format!("The query option '{option}' is only for lists.")))
    }
}
