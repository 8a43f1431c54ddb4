//! Fields whose type changed over the years, or that somebody's export spells differently.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::files::dates::instant;

/// A string; a number as its digits; nothing for anything else.
pub(in crate::collect) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A number, or a string that holds one; nothing for anything else.
pub(in crate::collect) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// A whole number that names something.
pub(in crate::collect) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// True or a number other than zero; false for anything else.
pub(in crate::collect) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    })
}

/// What has the shape that is meant; nothing for anything else, which would cost the whole record.
pub(in crate::collect) fn shape<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// RFC 3339, the same without a zone (taken as UTC), a day, or a number as in [`instant`].
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|z| z.timestamp())).or_else(|| instant(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_all_spellings() {
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T13:00:00.000+01:00",
            "2026-03-01 12:00:00",
            "1772366400",
            "1772366400000",
        ] {
            assert_eq!(parse_instant(text).map(|t| t.to_string()).as_deref(), Some("2026-03-01T12:00:00Z"), "{text}");
        }
        assert_eq!(parse_instant("2026-03-01").map(|t| t.to_string()).as_deref(), Some("2026-03-01T00:00:00Z"));
        for text in ["", "yesterday", "NaN", "NaN-1", "1e300"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
