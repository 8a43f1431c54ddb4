//! Two JSON documents of one shape against each other, field by field. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

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

/// Compares two documents. Quotes are set against each other by where they were cut, and what refers to one by what it refers
/// to: they are numbered by order, so that one more or less renames all that follow. `gone` are the numbers of quotes of the
/// first that are not looked for in the second.
pub(super) fn between(then: &Value, now: &Value, gone: &[&str]) -> Agreement {
    let mut agreement = Agreement::default();
    let (then, now) = (placed(then, gone), placed(now, &[]));
    let none = serde_json::Map::new();
    let (before, after) = (then.as_object().unwrap_or(&none), now.as_object().unwrap_or(&none));
    for (part, then, now) in fields(before, after) {
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

/// The document without the quotes numbered `gone`, and with places instead of the numbers of all others.
fn placed(document: &Value, gone: &[&str]) -> Value {
    let mut document = document.clone();
    let is_gone = |id: &Value| id.as_str().is_some_and(|id| gone.contains(&id));
    let mut places = BTreeMap::new();
    if let Some(quotes) = document.get_mut("quotes").and_then(Value::as_array_mut) {
        let number = |quote: &Value| Some((quote["id"].as_str()?.to_owned(), place(quote)));
        places.extend(quotes.iter().filter_map(number));
        quotes.retain(|quote| !is_gone(&quote["id"]));
    }
    put_places(&mut document, &places, &is_gone);
    document
}

/// Where a quote was cut: `community reddit:t1_c0ffee 12 80`.
fn place(quote: &Value) -> String {
    let fields = ["side", "post", "note", "start", "end"].into_iter().filter_map(|field| quote.get(field));
    let fields = fields.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    fields.collect::<Vec<_>>().join(" ")
}

/// A list of references becomes one of members with names, which are found again in any order.
fn put_places(value: &mut Value, places: &BTreeMap<String, String>, is_gone: &impl Fn(&Value) -> bool) {
    match value {
        Value::String(text) => {
            if let Some(place) = places.get(text) {
                place.clone_into(text);
            }
        }
        Value::Array(list) => {
            let refers = |member: &Value| member.as_str().is_some_and(|id| places.contains_key(id));
            let all_refer = list.iter().all(refers);
            list.retain(|member| !is_gone(member));
            for member in list {
                put_places(member, places, is_gone);
                if all_refer {
                    *member = json!({ "id": member.take() });
                }
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| put_places(field, places, is_gone)),
        _ => {}
    }
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
        between(then, now, &[]).differences.into_iter().map(|d| d.path).collect()
    }

    #[test]
    fn a_number_that_changed_is_named_with_what_it_was_and_is() {
        let document = |hits: u64| json!({ "v": 1, "problems": [{ "id": "a", "rate": { "hits": 3 } }, { "id": "b", "rate": { "hits": hits } }] });
        let agreement = between(&document(7), &document(8), &[]);
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

    /// Three quotes numbered from `first` on, and what refers to them.
    fn quoted(first: usize) -> Value {
        let id = |i: usize| format!("q{}", first + i);
        let quote = |i, start, act: &str| json!({ "id": id(i), "side": "community", "post": "p", "start": start, "end": start + 4, "act": act });
        json!({
            "quotes": [quote(0, 0, "ask"), quote(1, 5, "complaint"), quote(2, 20, "ask")],
            "problems": [{ "id": "a", "why": id(1), "quotes": [id(0), id(2)] }],
        })
    }

    #[test]
    fn a_quote_is_known_by_its_place_and_not_by_its_number() {
        assert!(paths(&quoted(1), &quoted(4)).is_empty(), "numbers are no content");
        let forged = |forge: fn(&mut Value)| {
            let mut then = quoted(1);
            forge(&mut then);
            paths(&then, &quoted(4))
        };
        for (found, named) in [
            (forged(|r| r["quotes"][1]["act"] = json!("ask")), &["quotes[community p 5 9].act"][..]),
            (
                forged(|r| r["quotes"][1]["end"] = json!(7)),
                &["problems[a].why", "quotes[community p 5 7]", "quotes[community p 5 9]"][..],
            ),
            (forged(|r| r["problems"][0]["why"] = json!("q3")), &["problems[a].why"][..]),
            (forged(|r| r["problems"][0]["quotes"][1] = json!("q1")), &["problems[a].quotes[1].id"][..]),
            (forged(|r| r["problems"][0]["quotes"] = json!(["q1"])), &["problems[a].quotes[community p 20 24]"][..]),
            (forged(|r| r["quotes"] = json!([])), &["problems[a].quotes[0]"][..]),
        ] {
            assert_eq!(found.iter().filter(|path| named.contains(&path.as_str())).count(), named.len(), "{found:?}");
        }
    }

    #[test]
    fn what_is_gone_is_not_looked_for() {
        let mut now = quoted(1);
        now["quotes"].as_array_mut().unwrap().remove(0);
        now["problems"][0]["quotes"] = json!(["q3"]);
        let differ = |gone: &[&str]| between(&quoted(1), &now, gone).differences.len();
        assert_eq!((differ(&["q1"]), differ(&[])), (0, 2));
    }

    #[test]
    fn lists_without_names_of_their_own_go_by_place() {
        let then = json!({ "l": [{ "name": "x", "n": 1 }, { "name": "x", "n": 2 }] });
        let now = json!({ "l": [{ "name": "x", "n": 1 }, { "name": "x", "n": 3 }] });
        assert_eq!(paths(&then, &now), ["l[1].n"]);
    }
}
