//! JSON objects.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A value that is parsed only from a JSON object: serde's derived structs would
/// also accept a list of the fields in their order.
#[derive(Debug, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Object<T> {
    /// Parses a document that must be UTF-8 throughout (RFC 8259, section 8.1): the
    /// parser itself does not check values that it skips.
    ///
    /// # Errors
    /// The document is not UTF-8, not an object, or has other fields.
    pub fn read(document: &'de [u8]) -> serde_json::Result<T> {
        let text = std::str::from_utf8(document).map_err(serde_json::Error::custom)?;
        serde_json::from_str(text).map(|Self(fields)| fields)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Pair {
        a: u8,
        b: Option<u8>,
    }

    #[test]
    fn an_object_is_read_and_other_types_are_refused() {
        let read = |text| {
            let pair: serde_json::Result<Object<Pair>> = serde_json::from_str(text);
            pair.map(|Object(Pair { a, b })| (a, b))
        };
        assert_eq!(read(r#"{"a":1,"c":[{}]}"#).ok(), Some((1, None)));
        assert_eq!(read(r#" {"b":2,"a":1} "#).ok(), Some((1, Some(2))));
        for other in ["[1,2]", "[1]", "[]", "1", "null", "\"a\"", "{}", "{\"a\":1"] {
            assert!(read(other).is_err(), "{other}");
        }
        for twice in [r#"{"a":1,"a":1}"#, r#"{"a":1}{"a":1}"#] {
            assert!(read(twice).is_err(), "{twice}");
        }
    }

    #[test]
    fn skipped_values_must_be_utf8_too() {
        assert!(Object::<Pair>::read(br#"{"a":1,"c":"d"}"#).is_ok());
        for bad in [&b"{\"a\":1,\"c\":\"\x9d\"}"[..], b"{\"a\":1,\"\x9d\":2}"] {
            assert!(Object::<Pair>::read(bad).is_err());
        }
    }
}
