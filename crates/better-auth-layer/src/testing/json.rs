//! A JSON object that keeps the order of its members, as JavaScript does.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::panic::must;

/// A JSON object.
#[derive(Clone, Debug, Default)]
pub(super) struct JsonObject(Vec<(String, Box<RawValue>)>);

impl JsonObject {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets a member in its place, or appends it.
    pub(super) fn set(&mut self, name: &str, value: impl Serialize) {
        let value = must(
            &format!("`{name}` cannot be written as JSON"),
            to_raw_value(&value),
        );
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Adds a member.
    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.set(name, value);
        self
    }

    /// Adds all members of another object.
    pub(super) fn with_all(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.set(&name, value);
        }
        self
    }

    /// Removes a member.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// The text without white space.
    pub(super) fn to_json(&self) -> String {
        must("JSON", serde_json::to_string(self))
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let mut object = JsonObject::new().with("z", 1).with("a", "x").with("m", [1]);
        object.set("z", 2);
        object.remove("m");
        let inner = JsonObject::new().with("b", true).with("a", ());
        let object = object.with("inner", &inner).with_all(inner);
        assert_eq!(
            object.to_json(),
            r#"{"z":2,"a":null,"inner":{"b":true,"a":null},"b":true}"#
        );
    }
}
