//! A JSON reader that rejects duplicate members (RFC 7519 §4, SR-067). Of two readers of one
//! document each could take another of the values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The maximum nesting of objects and arrays.
const MAX_DEPTH: usize = 32;

/// Parses an object.
///
/// # Errors
/// A reason for the log: not an object, not JSON, not UTF-8, nested too deeply, or a duplicate
/// member.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(|err| describe(&err))?;
    deserializer.end().map_err(|err| describe(&err))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("is not a JSON object".to_owned()),
    }
}

/// Describes an error by its kind and place only, because the library's text may quote the
/// document.
fn describe(err: &serde_json::Error) -> String {
    let kind = match err.classify() {
        serde_json::error::Category::Data => "has a member twice, or is nested too deeply",
        _ => "is not JSON",
    };
    format!("{kind} (column {})", err.column())
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn descend<E: Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH {
            Ok(Self {
                depth: self.depth + 1,
            })
        } else {
            Err(E::custom("nested too deeply"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        assert!(object(br#"{"a":1,"b":{"c":[1,2.5,"x",null,true]}}"#).is_ok());
        let deep = |levels: usize| {
            format!(
                "{}{}",
                "{\"a\":".repeat(levels - 1) + "{",
                "}".repeat(levels)
            )
        };
        assert!(object(deep(32).as_bytes()).is_ok());
        for (name, text) in [
            ("twice", r#"{"sub":"a","sub":"b"}"#.as_bytes().to_vec()),
            (
                "twice, inside",
                r#"{"x":{"a":1,"a":1}}"#.as_bytes().to_vec(),
            ),
            (
                "twice, escaped",
                r#"{"sub":"a","\u0073ub":"b"}"#.as_bytes().to_vec(),
            ),
            ("deep", deep(33).into_bytes()),
            ("no object", b"[1]".to_vec()),
            ("more behind it", b"{} {}".to_vec()),
            ("no UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
            ("nothing", Vec::new()),
        ] {
            assert!(object(&text).is_err(), "{name}");
        }
    }
}
