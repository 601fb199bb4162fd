//! Applies changes to the JSON form of a directory.

use serde_json::{Map, Value};

use crate::random;

use super::{
    cascade,
    collection::Collection,
    edit::{Change, Edit, EditError, EditFault},
    place::{Place, missing, pointer},
};

/// Where an edit has put its value.
#[derive(Debug)]
pub(super) struct Applied {
    /// The steps to the value; `None` if something was removed.
    pub(super) steps: Option<Vec<String>>,
    /// Whether it did not exist before.
    pub(super) created: bool,
}

impl Edit {
    /// Changes the JSON form of a directory. The result is not checked yet.
    pub(super) fn apply(&self, document: &mut Value) -> Result<Applied, EditError> {
        let place = Place::find(document, &self.path)?;
        self.check_allowed(document, &place)?;
        let entry = self.entry(document);
        let applied = match &self.change {
            Change::Add(value) => self.add_to(document, &place, value)?,
            Change::Put(value) => self.put_at(document, &place, value)?,
            Change::Patch(patch) => {
                let value = place.value_mut(document);
                merge(value.ok_or_else(|| EditError::Missing(self.path.join("/")))?, patch);
                Applied { steps: Some(place.steps()), created: false }
            }
            Change::Remove => {
                self.remove_at(document, &place)?;
                Applied { steps: None, created: false }
            }
        };
        if let Some((collection, index, before)) = entry {
            follow(document, collection, index, &before);
        }
        Ok(applied)
    }

    /// The entry in which something is changed, as it was before.
    fn entry(&self, document: &Value) -> Option<(Collection, usize, Value)> {
        let [collection, name, rest @ ..] = self.path.as_slice() else { return None };
        if rest.is_empty() && self.change == Change::Remove {
            return None;
        }
        let collection = Collection::parse(collection)?;
        let index = collection.find(document, name)?;
        Some((collection, index, collection.entries(document)[index].clone()))
    }

    fn check_allowed(&self, document: &Value, place: &Place) -> Result<(), EditError> {
        let value = place.value(document);
        let list_of_texts = self.is_assignments(place);
        let allowed = match (self.path.len(), value) {
            (0, _) => "GET, PUT",
            (1, _) => "GET, POST, PUT",
            (2, _) => "GET, PUT, PATCH, DELETE",
            (_, Some(Value::Array(_))) => "GET, POST, PUT, DELETE",
            (_, Some(Value::Object(_))) => "GET, PUT, PATCH, DELETE",
            (_, None) if list_of_texts => "GET, POST, PUT, DELETE",
            _ => "GET, PUT, DELETE",
        };
        let method = match &self.change {
            Change::Add(_) => "POST",
            Change::Put(_) => "PUT",
            Change::Patch(_) => "PATCH",
            Change::Remove => "DELETE",
        };
        let is_new_element = place.step.is_none() && self.path.len() > 2;
        let needs_a_value = match &self.change {
            Change::Put(_) => is_new_element,
            Change::Add(_) => !list_of_texts,
            Change::Patch(_) | Change::Remove => true,
        };
        if value.is_none() && needs_a_value {
            return Err(missing(document, &self.path));
        }
        if allowed.split(", ").any(|known| known == method) {
            Ok(())
        } else {
            Err(EditError::NotAllowed { allowed })
        }
    }

    /// Whether the path names the app roles of a person or app in one API.
    fn is_assignments(&self, place: &Place) -> bool {
        let of_an_app = |field| Collection::referred_to_by(field) == Some(Collection::Apps);
        matches!(self.path.as_slice(), [_, _, field, _] if of_an_app(field)) && place.step.is_some()
    }

    fn add_to(
        &self,
        document: &mut Value,
        place: &Place,
        value: &Value,
    ) -> Result<Applied, EditError> {
        let mut path = self.path.clone();
        if let Some(text) = value.as_str().filter(|_| path.len() > 1) {
            path.push(text.to_owned());
            if let Ok(known) = Place::find(document, &path)
                && known.exists
            {
                return Ok(Applied { steps: Some(known.steps()), created: false });
            }
        }
        let mut value = value.clone();
        if let Some(collection) = self.collection() {
            add_id(collection, &mut value);
        }
        let mut steps = place.steps();
        if !place.exists {
            self.put_at(document, place, &Value::Array(Vec::new()))?;
        }
        let list = document.pointer_mut(&pointer(&steps));
        let list = list.and_then(Value::as_array_mut);
        let list = list.ok_or_else(|| EditError::Missing(self.path.join("/")))?;
        steps.push(list.len().to_string());
        list.push(value);
        Ok(Applied { steps: Some(steps), created: true })
    }

    /// The collection that the path names.
    fn collection(&self) -> Option<Collection> {
        match self.path.as_slice() {
            [collection] => Collection::parse(collection),
            _ => None,
        }
    }

    fn put_at(
        &self,
        document: &mut Value,
        place: &Place,
        value: &Value,
    ) -> Result<Applied, EditError> {
        let mut value = value.clone();
        match self.path.as_slice() {
            [] => add_ids(&mut value),
            [collection] => {
                let collection = Collection::parse(collection);
                for entry in value.as_array_mut().into_iter().flatten() {
                    collection.inspect(|collection| add_id(*collection, entry));
                }
            }
            [collection, name] => {
                let collection = Collection::parse(collection);
                if let Some(collection) = collection {
                    complete(collection, name, place.value(document), &mut value)?;
                }
            }
            _ => {}
        }
        let created = !place.exists;
        let mut steps = place.parent.clone();
        let parent = document.pointer_mut(&pointer(&place.parent));
        match (parent, &place.step) {
            (Some(Value::Object(fields)), Some(field)) => {
                steps.push(field.clone());
                fields.insert(field.clone(), value);
            }
            (Some(Value::Array(elements)), Some(index)) => {
                steps.push(index.clone());
                let index: Option<usize> = index.parse().ok();
                if let Some(element) = index.and_then(|index| elements.get_mut(index)) {
                    *element = value;
                }
            }
            (Some(Value::Array(elements)), None) => {
                steps.push(elements.len().to_string());
                elements.push(value);
            }
            (Some(whole), None) => *whole = value,
            _ => return Err(EditError::Missing(self.path.join("/"))),
        }
        Ok(Applied { steps: Some(steps), created })
    }

    fn remove_at(&self, document: &mut Value, place: &Place) -> Result<(), EditError> {
        let index = place.step.as_ref().and_then(|step| step.parse::<usize>().ok());
        if let ([collection, _], Some(index)) = (self.path.as_slice(), index)
            && let Some(collection) = Collection::parse(collection)
        {
            cascade::remove(document, collection, index);
            return Ok(());
        }
        match (document.pointer_mut(&pointer(&place.parent)), &place.step) {
            (Some(Value::Object(fields)), Some(field)) => {
                fields.remove(field);
            }
            (Some(Value::Array(elements)), Some(_)) => {
                if let Some(index) = index.filter(|index| *index < elements.len()) {
                    elements.remove(index);
                }
            }
            _ => return Err(EditError::Missing(self.path.join("/"))),
        }
        Ok(())
    }
}

/// Gives a random id to each entry that has none.
pub(super) fn add_ids(document: &mut Value) {
    for collection in Collection::ALL {
        let entries = document.get_mut(collection.name()).and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            add_id(collection, entry);
        }
    }
}

fn add_id(collection: Collection, entry: &mut Value) {
    if let Some(fields) = entry.as_object_mut() {
        fields.entry(collection.id_field()).or_insert_with(|| random::guid().into());
    }
}

/// Completes an entry that a client puts at this name: the id and the name need not be repeated.
fn complete(
    collection: Collection,
    name: &str,
    before: Option<&Value>,
    entry: &mut Value,
) -> Result<(), EditError> {
    let Some(fields) = entry.as_object_mut() else { return Ok(()) };
    let id_field = collection.id_field();
    match before {
        Some(before) => {
            for field in [id_field, "name"] {
                fields.entry(field).or_insert_with(|| before[field].clone());
            }
        }
        None if uuid::Uuid::try_parse(name).is_ok() => {
            fields.entry(id_field).or_insert_with(|| name.into());
        }
        None => {
            fields.entry("name").or_insert_with(|| name.into());
        }
    }
    add_id(collection, entry);
    let same_id = before.is_some_and(|before| before[id_field] == entry[id_field]);
    if same_id || collection.is_called(entry, name) {
        return Ok(());
    }
    let detail = format!("the path names {name:?}, but neither the id nor a name here is that");
    Err(EditError::Faults(vec![EditFault { pointer: "#".to_owned(), detail }]))
}

/// Changes the references in other entries if the id or the name of this one has changed.
fn follow(document: &mut Value, collection: Collection, index: usize, before: &Value) {
    for field in [collection.id_field(), "name"] {
        let after = collection.entries(document).get(index).map(|entry| entry[field].clone());
        if let (Some(old), Some(Value::String(new))) = (before[field].as_str(), after)
            && old != new
        {
            cascade::rename(document, collection, old, &new);
        }
    }
}

/// JSON Merge Patch (RFC 7396, section 2).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (field, value) in patch {
        match value {
            Value::Null => {
                fields.remove(field);
            }
            _ => merge(fields.entry(field).or_insert(Value::Null), value),
        }
    }
}
