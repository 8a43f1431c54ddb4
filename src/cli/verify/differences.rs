//! Two JSON documents of one shape against each other, field by field. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Numbers agree when they differ by no more than this part of them: another machine may round the last digit otherwise.
const ROUNDING: f64 = 1e-9;

/// Lists of a report whose members have names, which tell them apart when one is gone.
const NAMES: [&str; 3] = ["id", "what", "name"];

/// A field that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Difference {
    /// Where: `problems[offline_loss].community.hits`.
    pub(super) path: String,
    /// What it was; `None`: it was not there.
    pub(super) then: Option<Value>,
    /// What it is; `None`: it is not there.
    pub(super) now: Option<Value>,
}

/// How far two documents agree.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Agreement {
    /// By top-level field: how many fields below agree, of how many.
    pub(super) parts: BTreeMap<String, (u64, u64)>,
    /// Every field that does not.
    pub(super) differences: Vec<Difference>,
}

/// Compares two documents. Quotes and the names under which fields refer to them are left out: they are numbered by order, so
/// that one that is gone renames all that follow, and they are looked at one by one instead.
pub(super) fn between(then: &Value, now: &Value) -> Agreement {
    let mut agreement = Agreement::default();
    let none = serde_json::Map::new();
    let (before, after) = (then.as_object().unwrap_or(&none), now.as_object().unwrap_or(&none));
    for (part, then, now) in fields(before, after).filter(|(part, ..)| *part != "quotes") {
        let counts = (0, 0);
        agreement.parts.insert(part.to_owned(), counts);
        agreement.walk(part, part, then, now);
    }
    agreement
}

/// The fields of both, those of the first one first.
fn fields<'a>(
    then: &'a serde_json::Map<String, Value>,
    now: &'a serde_json::Map<String, Value>,
) -> impl Iterator<Item = (&'a str, Option<&'a Value>, Option<&'a Value>)> {
    let new = now.iter().filter(|(name, _)| !then.contains_key(*name));
    let all = then.iter().map(|(name, value)| (name.as_str(), Some(value), now.get(name)));
    all.chain(new.map(|(name, value)| (name.as_str(), None, Some(value))))
}

impl Agreement {
    fn walk(&mut self, part: &str, path: &str, then: Option<&Value>, now: Option<&Value>) {
        match (then, now) {
            (Some(Value::Object(then)), Some(Value::Object(now))) => {
                for (name, then, now) in fields(then, now) {
                    self.walk(part, &format!("{path}.{name}"), then, now);
                }
            }
            (Some(Value::Array(then)), Some(Value::Array(now))) => {
                for (name, then, now) in members(then, now) {
                    self.walk(part, &format!("{path}[{name}]"), then, now);
                }
            }
            (then, now) if [then, now].into_iter().flatten().all(names_a_quote) => {}
            // A field that came later and says nothing.
            (None, Some(Value::Null)) => {}
            (then, now) => {
                let same = matches!((then, now), (Some(a), Some(b)) if agree(a, b));
                let counts = self.parts.entry(part.to_owned()).or_default();
                counts.0 += u64::from(same);
                counts.1 += 1;
                if !same {
                    let difference = Difference { path: path.to_owned(), then: then.cloned(), now: now.cloned() };
                    self.differences.push(difference);
                }
            }
        }
    }
}

/// Members of two lists: by their names where all have one of their own, else by place.
fn members<'a>(then: &'a [Value], now: &'a [Value]) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let named = |list: &'a [Value], field: &str| {
        let pairs =
            list.iter().map(|v| Some((v.get(field)?.as_str()?.to_owned(), v))).collect::<Option<BTreeMap<_, _>>>();
        pairs.filter(|pairs| pairs.len() == list.len())
    };
    for field in NAMES {
        if let (Some(before), Some(after)) = (named(then, field), named(now, field)) {
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            let member = |name: &String| (name.clone(), before.get(name).copied(), after.get(name).copied());
            return names.map(member).collect();
        }
    }
    (0..then.len().max(now.len())).map(|i| (i.to_string(), then.get(i), now.get(i))).collect()
}

/// `q12`.
fn names_a_quote(value: &Value) -> bool {
    let digits = value.as_str().and_then(|text| text.strip_prefix('q'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn agree(then: &Value, now: &Value) -> bool {
    match (then.as_f64(), now.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= ROUNDING * a.abs().max(b.abs()).max(1.0),
        _ => then == now,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(then: &Value, now: &Value) -> Vec<String> {
        between(then, now).differences.into_iter().map(|d| d.path).collect()
    }

    #[test]
    fn a_number_that_changed_is_named_with_what_it_was_and_is() {
        let document = |hits: u64| json!({ "v": 1, "problems": [{ "id": "a", "rate": { "hits": 3 } }, { "id": "b", "rate": { "hits": hits } }] });
        let agreement = between(&document(7), &document(8));
        assert_eq!(agreement.differences.len(), 1);
        let Difference { path, then, now } = &agreement.differences[0];
        assert_eq!((path.as_str(), then, now), ("problems[b].rate.hits", &Some(json!(7)), &Some(json!(8))));
        assert_eq!(agreement.parts["problems"], (3, 4));
        assert_eq!(agreement.parts["v"], (1, 1));
    }

    #[test]
    fn what_is_gone_and_what_is_new_is_named() {
        let then = json!({ "p": [{ "id": "a", "n": 1 }, { "id": "b", "n": 2 }], "old": null });
        let now = json!({ "p": [{ "id": "b", "n": 2 }], "new": 4 });
        assert_eq!(paths(&then, &now), ["p[a]", "old", "new"]);
        assert!(paths(&json!({ "a": 1 }), &json!({ "a": 1, "later": null })).is_empty());
    }

    #[test]
    fn the_last_digit_may_differ_and_the_ninth_may_not() {
        assert!(paths(&json!({ "x": 0.1 + 0.2 }), &json!({ "x": 0.3 })).is_empty());
        assert_eq!(paths(&json!({ "x": 0.300_000_1 }), &json!({ "x": 0.3 })), ["x"]);
        assert_eq!(paths(&json!({ "x": "1" }), &json!({ "x": 1 })), ["x"]);
    }

    #[test]
    fn quotes_are_looked_at_elsewhere() {
        let then = json!({ "quotes": [1], "p": { "why": "q3", "list": ["q1", "q2"], "text": "q", "more": ["q1"] } });
        let now = json!({ "quotes": [2], "p": { "why": "q2", "list": ["q1"], "text": "p", "more": [] } });
        assert_eq!(paths(&then, &now), ["p.text"]);
    }

    #[test]
    fn lists_without_names_of_their_own_go_by_place() {
        let then = json!({ "l": [{ "name": "x", "n": 1 }, { "name": "x", "n": 2 }] });
        let now = json!({ "l": [{ "name": "x", "n": 1 }, { "name": "x", "n": 3 }] });
        assert_eq!(paths(&then, &now), ["l[1].n"]);
    }
}
