//! One claim's value, read once and without deciding what type it must have.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::compact_jws::Text;

/// A JSON value as far as claims need it. Strings are borrowed where they have no escapes.
#[derive(Debug, PartialEq)]
pub(super) enum JsonValue<'a> {
    String(Cow<'a, str>),
    Number(f64),
    /// An array of strings only; `aud` may be one (RFC 7519 §4.1.3).
    Strings(Vec<Cow<'a, str>>),
    Object,
    /// `null`, a boolean, an array with anything but strings in it, a number beyond all bounds.
    Other,
}

/// From the value's own text: what a number looks like to serde depends on the features that other crates turn on in
/// serde_json.
impl<'de: 'a, 'a> Deserialize<'de> for JsonValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(match text.as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str(text).map_or(Self::Other, |Text(text)| Self::String(text))
            }
            Some(b'[') => serde_json::from_str::<Vec<Text<'de>>>(text)
                .map_or(Self::Other, |strings| {
                    Self::Strings(strings.into_iter().map(|Text(text)| text).collect())
                }),
            Some(b'{') => Self::Object,
            Some(b'-' | b'0'..=b'9') => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Self::Number(number),
                _ => Self::Other,
            },
            _ => Self::Other,
        })
    }
}

/// A value that nobody reads.
///
/// Unlike serde's `IgnoredAny`, which serde_json skips without counting, it is held to the parser's limit on nesting:
/// the application that reads the claims later would fail there.
pub(super) struct Discarded;

impl<'de> Deserialize<'de> for Discarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DiscardedVisitor)
    }
}

struct DiscardedVisitor;

impl<'de> Visitor<'de> for DiscardedVisitor {
    type Value = Discarded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, _: &str) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_unit<E>(self) -> Result<Discarded, E> {
        Ok(Discarded)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Discarded, A::Error> {
        while seq.next_element::<Discarded>()?.is_some() {}
        Ok(Discarded)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Discarded, A::Error> {
        while map.next_entry::<Discarded, Discarded>()?.is_some() {}
        Ok(Discarded)
    }
}
