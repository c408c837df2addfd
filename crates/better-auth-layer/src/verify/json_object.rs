//! The JSON object type of JOSE headers, claims and cookie caches.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The nesting limit for values inside the object: serde_json's own limit for the whole text. A
/// [`RawValue`] is parsed without a limit, but the application that parses the claims later has one.
const MAX_DEPTH: usize = 126;

/// More members than tokens usually have.
const CAPACITY: usize = 16;

/// A JSON object whose values are borrowed and parsed on access.
///
/// Duplicate names are rejected (RFC 7515 §4, RFC 7519 §4): two parsers of one signed text must not
/// see different values. Values are interpreted from their text, because the types that serde_json
/// reports for numbers depend on features that other crates enable.
pub(super) struct JsonObject<'a>(Vec<(Cow<'a, str>, &'a str)>);

/// The text is not a JSON object, or a member has the wrong type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A string that is borrowed unless it contains escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> JsonObject<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, Malformed> {
        serde_json::from_str(json).map_err(|_| Malformed)
    }

    /// The text of a member's value.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let member = self.0.iter().find(|(other, _)| other == name);
        member.map(|(_, value)| *value)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Members as names and texts of values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<Cow<'a, str>>, Malformed> {
        self.get(name).map(string).transpose()
    }

    /// A string, or an array of strings.
    pub(super) fn strings(&self, name: &str) -> Result<Option<Strings<'a>>, Malformed> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        Ok(Some(if value.starts_with('[') {
            let strings: Vec<Text<'a>> = serde_json::from_str(value).map_err(|_| Malformed)?;
            Strings::Many(strings.into_iter().map(|Text(text)| text).collect())
        } else {
            Strings::One(string(value)?)
        }))
    }

    /// A finite number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Malformed> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        // `f64::from_str` also accepts `inf` and `nan`, which are not JSON.
        let number = value.parse::<f64>().map_err(|_| Malformed)?;
        number.is_finite().then_some(Some(number)).ok_or(Malformed)
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Malformed> {
        let value = self.get(name).map(str::parse);
        value.transpose().map_err(|_| Malformed)
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Malformed> {
        self.get(name).map(Self::parse).transpose()
    }

    pub(super) fn is_object(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.starts_with('{'))
    }
}

/// One string or several.
pub(super) enum Strings<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Strings<'a> {
    pub(super) fn as_slice(&self) -> &[Cow<'a, str>] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

fn string(value: &str) -> Result<Cow<'_, str>, Malformed> {
    let content = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    match content {
        Some(content) if memchr(b'\\', content.as_bytes()).is_none() => Ok(content.into()),
        _ => {
            let Text(text) = serde_json::from_str(value).map_err(|_| Malformed)?;
            Ok(text)
        }
    }
}

/// Whether two members have the same name. Sorts large objects, because comparing all pairs would
/// take quadratic time.
fn has_duplicates(members: &mut [(Cow<'_, str>, &str)]) -> bool {
    if members.len() <= CAPACITY {
        let mut rest = &*members;
        while let [(name, _), others @ ..] = rest {
            if others.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = others;
        }
        false
    } else {
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let is_duplicate = |pair: &[(Cow<'_, str>, _)]| matches!(pair, [a, b] if a.0 == b.0);
        members.windows(2).any(is_duplicate)
    }
}

/// The nesting depth of a valid JSON value.
fn depth(value: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = JsonObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(CAPACITY);
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &RawValue>()? {
                    let value = value.get();
                    if value.starts_with(['{', '[']) && depth(value) > MAX_DEPTH {
                        return Err(A::Error::custom("a member is nested too deeply"));
                    }
                    members.push((name, value));
                }
                if has_duplicates(&mut members) {
                    return Err(A::Error::custom("duplicate member"));
                }
                Ok(JsonObject(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<JsonObject<'_>, Malformed> {
        JsonObject::parse(json)
    }

    #[test]
    fn only_one_object_is_accepted() {
        for json in [
            "",
            "null",
            "[]",
            r#"["a"]"#,
            r#""a""#,
            "{}{}",
            r#"{"a":1,}"#,
            "{1:2}",
            r#"{"a":}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
        assert!(parse(r#" { "a" : 1 } "#).is_ok());
    }

    #[test]
    fn duplicate_members_are_rejected() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":{},"a":null}"#,
            r#"{"a":1,"\u0061":1}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
        assert!(parse(r#"{"a":{"a":{"b":1}},"A":1}"#).is_ok());
        for length in [2, CAPACITY, CAPACITY + 1, 100] {
            let object = |names: &[String]| {
                let members: Vec<_> = names.iter().map(|name| format!(r#""{name}":1"#)).collect();
                format!("{{{}}}", members.join(","))
            };
            let mut names: Vec<_> = (0..length).map(|n| format!("n{n}")).collect();
            assert!(parse(&object(&names)).is_ok(), "{length}");
            names[length - 1] = names[0].clone();
            assert!(parse(&object(&names)).is_err(), "{length}");
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels: usize, open: &str, close: &str| {
            format!(
                r#"{{"a":{}1{}}}"#,
                open.repeat(levels),
                close.repeat(levels)
            )
        };
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            assert!(parse(&nested(MAX_DEPTH, open, close)).is_ok());
            assert!(parse(&nested(MAX_DEPTH + 1, open, close)).is_err());
            let limit = nested(MAX_DEPTH, open, close);
            assert!(serde_json::from_str::<serde_json::Value>(&limit).is_ok());
            let beyond = nested(MAX_DEPTH + 1, open, close);
            assert!(serde_json::from_str::<serde_json::Value>(&beyond).is_err());
        }
        let brackets_in_text = format!(r#"{{"a":["\"{}"]}}"#, "[".repeat(200));
        assert!(parse(&brackets_in_text).is_ok());
    }

    #[test]
    fn values_have_one_type() {
        let object = parse(
            r#"{"text":"a\u0062","number":1.5,"integer":-7,"huge":1e999,"null":null,
                "one":"a","many":["a","b"],"mixed":["a",1],"object":{"b":1},"surrogate":"\ud800"}"#,
        )
        .unwrap();
        assert_eq!(object.string("text"), Ok(Some("ab".into())));
        for name in ["number", "null", "many", "object", "surrogate"] {
            assert_eq!(object.string(name), Err(Malformed), "{name}");
        }
        assert_eq!(object.number("number"), Ok(Some(1.5)));
        for name in ["text", "huge", "null", "many"] {
            assert_eq!(object.number(name), Err(Malformed), "{name}");
        }
        assert_eq!(object.integer("integer"), Ok(Some(-7)));
        assert_eq!(object.integer("number"), Err(Malformed));
        let strings = |name: &str| {
            let strings = object.strings(name)?;
            Ok(strings.map(|strings| strings.as_slice().to_vec()))
        };
        assert_eq!(strings("one"), Ok(Some(vec!["a".into()])));
        assert_eq!(strings("many"), Ok(Some(vec!["a".into(), "b".into()])));
        assert_eq!(strings("mixed"), Err(Malformed));
        assert_eq!(strings("absent"), Ok(None));
        assert!(object.is_object("object") && !object.is_object("many"));
        let inner = object.object("object").unwrap().unwrap();
        assert_eq!(inner.integer("b"), Ok(Some(1)));
        assert!(matches!(object.object("text"), Err(Malformed)));
        assert_eq!(object.iter().count(), 10);
    }
}
