//! Query options: <https://learn.microsoft.com/graph/query-parameters>, and
//! <https://learn.microsoft.com/graph/paging>.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// The number of objects in a page. Graph's default is 100.
const PAGE_SIZE: usize = 2;

/// The options of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    select: Option<Vec<String>>,
    /// Properties and the values that they must have.
    filter: Vec<(String, String)>,
    /// The page.
    skip: usize,
    /// The options without the page, for the link to the next one.
    text: String,
}

impl Query {
    /// Reads a query string.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut query = Self::default();
        let mut kept = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "$select" => query.select = Some(value.split(',').map(str::to_owned).collect()),
                "$filter" => query.filter = filter(&value)?,
                "$skiptoken" => {
                    let page = value.strip_prefix("page-").and_then(|page| page.parse().ok());
                    query.skip = page.ok_or_else(|| Refusal::bad_request("Invalid page."))?;
                    continue;
                }
                _ => {
                    let message = format!("Unsupported query option '{name}'.");
                    return Err(Refusal::bad_request(message));
                }
            }
            kept.append_pair(&name, &value);
        }
        query.text = kept.finish();
        Ok(query)
    }

    /// Whether an object meets the filter.
    pub(super) fn matches(&self, object: &Value) -> bool {
        self.filter.iter().all(|(name, value)| object[name.as_str()] == *value)
    }

    /// A response with one object. The context is the path below `$metadata#`.
    pub(super) fn one(&self, base: &str, context: &str, object: &Value) -> Result<Value, Refusal> {
        let mut body = Map::new();
        let context = format!("{base}/v1.0/$metadata#{context}/$entity");
        body.insert("@odata.context".into(), context.into());
        body.extend(self.selected(object)?);
        Ok(body.into())
    }

    /// A response with a page of objects.
    pub(super) fn page(
        &self,
        base: &str,
        path: &str,
        context: &str,
        objects: &[Value],
    ) -> Result<Value, Refusal> {
        let start = (self.skip * PAGE_SIZE).min(objects.len());
        let end = (start + PAGE_SIZE).min(objects.len());
        let page: Result<Vec<_>, _> =
            objects[start..end].iter().map(|object| self.selected(object)).collect();
        let mut body = json!({ "@odata.context": format!("{base}/v1.0/$metadata#{context}") });
        if end < objects.len() {
            let and = if self.text.is_empty() { "" } else { "&" };
            let next = self.skip + 1;
            let next = format!("{base}{path}?{}{and}$skiptoken=page-{next}", self.text);
            body["@odata.nextLink"] = next.into();
        }
        body["value"] = page?.into_iter().map(Value::Object).collect();
        Ok(body)
    }

    fn selected(&self, object: &Value) -> Result<Map<String, Value>, Refusal> {
        let object = object.as_object().unwrap();
        let Some(select) = &self.select else { return Ok(object.clone()) };
        let member = |name: &String| match object.get(name) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => Err(Refusal::bad_request(format!("Could not find a property named '{name}'."))),
        };
        select.iter().map(member).collect()
    }
}

/// Reads `a eq 'x' and b eq 'y'`.
fn filter(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let comparison = |part: &str| {
        let (name, value) = part.split_once(" eq ")?;
        let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
        let is_name = name.chars().all(|character| character.is_ascii_alphanumeric());
        is_name.then(|| (name.to_owned(), value.replace("''", "'")))
    };
    let comparisons: Option<_> = text.split(" and ").map(comparison).collect();
    comparisons.ok_or_else(|| {
        let message = format!("Invalid filter clause: {text}");
        Refusal::new(400, "Request_UnsupportedQuery", message)
    })
}
