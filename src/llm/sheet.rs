//! The sheet that a model fills in: single choices, and claims with the place that shows each.
//!
//! A sheet is written once and gives the JSON schema of both protocols, for one text or for several in one request, and the
//! filled form of a worked example. The one rule: every choice is closed (an enum), and where a claim points, it can only
//! point at sentences of its own text.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::outgoing::Outgoing;
use crate::config::Protocol;

/// What may stand in a field.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number up to this.
    UpTo(u8),
    /// A whole number up to this, or null.
    UpToOrNull(u8),
    /// Yes or no.
    YesNo,
    /// Words of the text; empty when not stated.
    Words,
}

/// A kind of claim: an independent question, answered by the claims that are there; none is no.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The question's name.
    pub name: &'static str,
    /// Most claims of the kind.
    pub most: usize,
    /// Whether a claim says where it stands: by number or by quote, as the protocol has it.
    pub placed: bool,
    /// What else is said of each.
    pub details: &'static [(&'static str, Form)],
}

/// A sheet.
#[derive(Debug, Clone, Copy)]
pub struct Sheet {
    /// Single choices asked before the claims.
    pub first: &'static [(&'static str, Form)],
    /// The claims.
    pub claims: &'static [Claim],
    /// Single choices asked after the claims.
    pub last: &'static [(&'static str, Form)],
}

impl Sheet {
    /// The schema for texts of these numbers of sentences: the sheet itself, or `{"p1": sheet, "p2": sheet …}` when packed.
    pub fn schema(&self, protocol: Protocol, sentences: &[usize], packed: bool) -> Value {
        let mut definitions = Map::new();
        if protocol == Protocol::Point && self.claims.iter().any(|claim| claim.placed) {
            for (i, count) in sentences.iter().enumerate() {
                let numbers: Vec<usize> = (1..=*count).collect();
                definitions.insert(format!("lines{}", i + 1), json!({ "type": "integer", "enum": numbers }));
            }
        }
        let mut sheets: Vec<(String, Value)> =
            (1..=sentences.len()).map(|n| (format!("p{n}"), self.one(protocol, n))).collect();
        let mut schema = if packed || sheets.is_empty() { closed(sheets) } else { sheets.remove(0).1 };
        if !definitions.is_empty() {
            schema["$defs"] = Value::Object(definitions);
        }
        schema
    }

    /// Sheets filled in so that every choice of every field is made in one of them.
    #[cfg(test)]
    pub(crate) fn every_choice(&self) -> Vec<Value> {
        let own = |fields: &[(&str, Form)], at: usize| -> Map<String, Value> {
            let choice = |form: Form| {
                let choices = form.choices();
                choices.get(at).or(choices.last()).cloned().unwrap_or_default()
            };
            fields.iter().map(|(name, form)| ((*name).to_owned(), choice(*form))).collect()
        };
        let claim = |claim: &Claim, at| {
            let mut filled = own(claim.details, at);
            if claim.placed {
                filled.insert("at".to_owned(), json!(1));
            }
            (claim.name.to_owned(), json!([filled]))
        };
        let sheet = |at| {
            let fields = own(self.first, at).into_iter().chain(self.claims.iter().map(|c| claim(c, at)));
            Value::Object(fields.chain(own(self.last, at)).collect())
        };
        let all = || self.claims.iter().flat_map(|c| c.details).chain(self.first).chain(self.last);
        (0..all().map(|(_, form)| form.choices().len()).max().unwrap_or(0)).map(sheet).collect()
    }

    fn one(&self, protocol: Protocol, number: usize) -> Value {
        let fields = |fields: &[(&str, Form)]| {
            fields.iter().map(|(name, form)| ((*name).to_owned(), form.schema())).collect::<Vec<_>>()
        };
        let mut properties = fields(self.first);
        for claim in self.claims {
            let mut parts = Vec::new();
            if claim.placed {
                parts.push(match protocol {
                    Protocol::Point => ("at".to_owned(), json!({ "$ref": format!("#/$defs/lines{number}") })),
                    Protocol::Copy => ("quote".to_owned(), Form::Words.schema()),
                });
            }
            parts.extend(fields(claim.details));
            let claims = json!({ "type": "array", "items": closed(parts), "maxItems": claim.most });
            properties.push((claim.name.to_owned(), claims));
        }
        properties.extend(fields(self.last));
        closed(properties)
    }

    /// The sheet as filled in by `example`, in which what is absent is no, and places are quotes: they are looked up in
    /// `text` and given as the protocol has it.
    ///
    /// # Errors
    /// When a quote is not in the text or a choice is none of the sheet's, with the words.
    pub fn fill(&self, example: &Value, text: &Outgoing<'_>, protocol: Protocol) -> Result<Value> {
        let mut filled = Map::new();
        let all = 0..text.len();
        let own = |given: &Value, fields: &[(&str, Form)], filled: &mut Map<String, Value>| {
            fields.iter().try_for_each(|(name, form)| {
                let value = form.read(given.get(*name).unwrap_or(&Value::Null));
                let value = value.with_context(|| format!("{name} is {:?}", given.get(*name)))?;
                if let (Form::Words, Some(words)) = (form, value.as_str().filter(|w| !w.is_empty())) {
                    text.locate(&all, words, None).with_context(|| format!("not in the text: {words}"))?;
                }
                filled.insert((*name).to_owned(), value);
                anyhow::Ok(())
            })
        };
        own(example, self.first, &mut filled)?;
        for claim in self.claims {
            let mut claims = Vec::new();
            for given in example.get(claim.name).and_then(Value::as_array).into_iter().flatten() {
                let mut parts = Map::new();
                if claim.placed {
                    let quote = given.get("quote").and_then(Value::as_str).context("a claim without a quote")?;
                    let number = text.number_of(&all, quote).with_context(|| format!("not in the text: {quote}"))?;
                    match protocol {
                        Protocol::Point => parts.insert("at".to_owned(), json!(number)),
                        Protocol::Copy => parts.insert("quote".to_owned(), json!(quote)),
                    };
                }
                own(given, claim.details, &mut parts)?;
                claims.push(Value::Object(parts));
            }
            filled.insert(claim.name.to_owned(), Value::Array(claims));
        }
        own(example, self.last, &mut filled)?;
        let known = |name: &String| filled.contains_key(name);
        let unknown = example.as_object().and_then(|e| e.keys().find(|name| !known(name)));
        anyhow::ensure!(unknown.is_none(), "the sheet has no {unknown:?}");
        Ok(Value::Object(filled))
    }
}

impl Form {
    /// What may stand there; of words one.
    #[cfg(test)]
    fn choices(self) -> Vec<Value> {
        match self {
            Self::OneOf(words) => words.iter().map(|word| json!(word)).collect(),
            Self::UpTo(most) => (0..=most).map(Value::from).collect(),
            Self::UpToOrNull(most) => (0..=most).map(Value::from).chain([Value::Null]).collect(),
            Self::YesNo => vec![json!(false), json!(true)],
            Self::Words => vec![json!("words")],
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::UpTo(most) => json!({ "type": "integer", "enum": (0..=most).collect::<Vec<_>>() }),
            Self::UpToOrNull(most) => {
                let mut values: Vec<Value> = (0..=most).map(Value::from).collect();
                values.push(Value::Null);
                json!({ "type": ["integer", "null"], "enum": values })
            }
            Self::YesNo => json!({ "type": "boolean" }),
            Self::Words => json!({ "type": "string" }),
        }
    }

    /// `value` when it is of this form; what was not given is empty, no, or null where that is a choice.
    fn read(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Words, Value::Null) => Some(json!("")),
            (Self::YesNo, Value::Null) => Some(json!(false)),
            (Self::UpToOrNull(_), Value::Null) => Some(Value::Null),
            (Self::OneOf(words), Value::String(word)) if words.contains(&word.as_str()) => Some(value.clone()),
            (Self::UpTo(most) | Self::UpToOrNull(most), number) if number.as_u64()? <= u64::from(most) => {
                Some(value.clone())
            }
            (Self::YesNo, Value::Bool(_)) | (Self::Words, Value::String(_)) => Some(value.clone()),
            _ => None,
        }
    }
}

/// An object of exactly these properties.
pub(crate) fn closed(properties: Vec<(String, Value)>) -> Value {
    let names: Vec<&String> = properties.iter().map(|(name, _)| name).collect();
    let required = json!(names);
    json!({
        "type": "object",
        "properties": Map::from_iter(properties),
        "required": required,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::redact::Names;

    const SHEET: Sheet = Sheet {
        first: &[("mood", Form::OneOf(&["good", "bad"]))],
        claims: &[Claim { name: "break", most: 2, placed: true, details: &[("why", Form::Words)] }],
        last: &[("asked", Form::YesNo)],
    };

    #[test]
    fn an_example_is_filled_in_for_both_protocols() {
        let text = Outgoing::new("It broke. Rust, I think.", &Names::default());
        let example = json!({ "mood": "bad", "break": [{ "quote": "It broke", "why": "Rust" }] });
        let point = SHEET.fill(&example, &text, Protocol::Point).unwrap();
        assert_eq!(point.to_string(), r#"{"mood":"bad","break":[{"at":1,"why":"Rust"}],"asked":false}"#);
        let copy = SHEET.fill(&example, &text, Protocol::Copy).unwrap();
        assert_eq!(copy.to_string(), r#"{"mood":"bad","break":[{"quote":"It broke","why":"Rust"}],"asked":false}"#);
        for wrong in [
            json!({ "mood": "odd" }),
            json!({ "mood": "bad", "break": [{ "quote": "It bent" }] }),
            json!({ "mood": "bad", "break": [{ "quote": "It broke", "why": "Frost" }] }),
            json!({ "mood": "bad", "bend": [] }),
        ] {
            assert!(SHEET.fill(&wrong, &text, Protocol::Point).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_claim_can_only_point_into_its_own_text() {
        let schema = SHEET.schema(Protocol::Point, &[2, 1], true);
        assert_eq!(schema["$defs"]["lines1"]["enum"], json!([1, 2]));
        assert_eq!(schema["$defs"]["lines2"]["enum"], json!([1]));
        let at = |p: &str| schema["properties"][p]["properties"]["break"]["items"]["properties"]["at"].clone();
        assert_eq!((at("p1"), at("p2")), (json!({"$ref": "#/$defs/lines1"}), json!({"$ref": "#/$defs/lines2"})));
        assert!(SHEET.schema(Protocol::Copy, &[2], false)["$defs"].is_null());
    }

    #[test]
    fn every_object_is_closed_and_every_property_required() {
        fn check(schema: &Value) {
            if schema["type"] == "object" {
                let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
                assert_eq!(json!(names), schema["required"]);
                assert_eq!(schema["additionalProperties"], false);
            }
            match schema {
                Value::Object(fields) => fields.values().for_each(check),
                Value::Array(items) => items.iter().for_each(check),
                _ => {}
            }
        }
        for protocol in Protocol::ALL {
            check(&SHEET.schema(protocol, &[1], false));
            check(&SHEET.schema(protocol, &[1, 2, 3], true));
        }
    }
}
