//! Fields of vendors' JSON, whose types vary.

use serde_json::Value;

/// A text, a number or a yes as text, without white space around it; `None` for nothing. Of an object that wraps a value
/// (`{"value": …}`), the value.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Object(object) => text(object.get("value").filter(|v| !v.is_object())),
        _ => None,
    }
}

/// The first of these fields that holds something.
pub(super) fn first(object: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(object.get(name)))
}

/// An id, which may stand in an object (`{"id": 7}`, `{"value": 7, "name": …}`).
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    let value = value?;
    text(value.get("id")).or_else(|| text(Some(value)))
}

/// Whether a field says yes.
pub(super) fn yes(object: &Value, name: &str) -> bool {
    text(object.get(name)).is_some_and(|t| super::record::is_true(&t))
}

/// Whether the object has all of these fields.
pub(super) fn has(object: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| object.get(name).is_some())
}

/// Whether the object has one of these fields.
pub(super) fn has_any(object: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| object.get(name).is_some())
}

/// The items of a list; none when it is no list.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
