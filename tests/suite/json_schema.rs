//! Checks JSON against the schemas of this project and of SARIF. Supports the keywords that these schemas have, and rejects a
//! schema with any other, so that nothing stays unchecked. A library would compile 40 packages for that, and change the features
//! of packages that the program shares with it, so that `cargo test` would build the program again.

use std::fmt::Display;

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value, json};

/// A schema whose keywords are all supported.
pub(crate) struct Validator {
    schema: Value,
}

impl Validator {
    /// Panics with the place of a keyword that is unknown, or whose value is not of its kind.
    #[track_caller]
    pub(crate) fn new(schema: Value) -> Self {
        check_schema(&schema, "#");
        let validator = Self { schema };
        validator.check_references(&validator.schema);
        validator
    }

    /// What in a value does not match, each with its path.
    pub(crate) fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(&self.schema, value, "", &mut problems);
        problems
    }

    fn check_references(&self, schema: &Value) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    self.definition(reference);
                }
                let schemas = members.iter().filter(|(key, _)| *key != "default");
                schemas.for_each(|(_, schema)| self.check_references(schema));
            }
            Value::Array(items) => items.iter().for_each(|item| self.check_references(item)),
            _ => {}
        }
    }

    fn definition(&self, reference: &str) -> &Value {
        let found = reference.strip_prefix('#');
        let found = found.and_then(|pointer| self.schema.pointer(pointer));
        found.unwrap_or_else(|| panic!("the schema has no {reference}"))
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        let Value::Object(keywords) = schema else {
            if schema == &json!(false) {
                problems.push(format!("{path}: is not allowed"));
            }
            return;
        };
        for (keyword, argument) in keywords {
            if !self.check_keyword(keyword, argument, keywords, value, path, problems) {
                problems.push(format!("{path}: `{keyword}` is {argument}, not {value}"));
            }
        }
    }

    fn count_of_matches(&self, schemas: &Value, value: &Value) -> usize {
        let schemas = schemas.as_array().unwrap().iter();
        let matches = schemas.filter(|schema| {
            let mut problems = Vec::new();
            self.check(schema, value, "", &mut problems);
            problems.is_empty()
        });
        matches.count()
    }

    /// Whether a value matches a keyword itself; problems below it are added to the list.
    fn check_keyword(
        &self,
        keyword: &str,
        argument: &Value,
        keywords: &Map<String, Value>,
        value: &Value,
        path: &str,
        problems: &mut Vec<String>,
    ) -> bool {
        let below = |name: &dyn Display| format!("{path}/{name}");
        match (keyword, value) {
            ("$ref", _) => {
                let schema = self.definition(argument.as_str().unwrap());
                self.check(schema, value, path, problems);
                true
            }
            ("type", _) => match argument {
                Value::Array(kinds) => kinds.iter().any(|kind| has_type(kind, value)),
                kind => has_type(kind, value),
            },
            ("const", _) => argument == value,
            ("enum", _) => argument.as_array().unwrap().contains(value),
            ("anyOf", _) => self.count_of_matches(argument, value) > 0,
            ("oneOf", _) => self.count_of_matches(argument, value) == 1,
            ("minimum", Value::Number(number)) => number.as_f64() >= argument.as_f64(),
            ("maximum", Value::Number(number)) => number.as_f64() <= argument.as_f64(),
            ("pattern", Value::String(text)) => pattern(argument.as_str().unwrap()).is_match(text),
            ("format", Value::String(text)) => has_format(argument.as_str().unwrap(), text),
            ("minItems", Value::Array(items)) => items.len() as u64 >= argument.as_u64().unwrap(),
            ("uniqueItems", Value::Array(items)) => {
                argument == &json!(false)
                    || (1..items.len()).all(|at| !items[..at].contains(&items[at]))
            }
            ("items", Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.check(argument, item, &below(&at), problems);
                }
                true
            }
            ("required", Value::Object(members)) => {
                let mut required = argument.as_array().unwrap().iter();
                required.all(|name| members.contains_key(name.as_str().unwrap()))
            }
            ("properties", Value::Object(members)) => {
                for (name, schema) in argument.as_object().unwrap() {
                    if let Some(member) = members.get(name) {
                        self.check(schema, member, &below(name), problems);
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = keywords.get("properties");
                for (name, member) in members {
                    if known.is_none_or(|known| known.get(name).is_none()) {
                        self.check(argument, member, &below(name), problems);
                    }
                }
                true
            }
            _ => true,
        }
    }
}

/// Panics on a keyword that [`Validator`] does not support.
#[track_caller]
fn check_schema(schema: &Value, path: &str) {
    let Value::Object(keywords) = schema else {
        assert!(schema.is_boolean(), "{path} is no schema: {schema}");
        return;
    };
    for (keyword, argument) in keywords {
        let path = format!("{path}/{keyword}");
        let is_valid = match keyword.as_str() {
            "default" => true,
            "$schema" | "$id" | "title" | "description" | "$ref" => argument.is_string(),
            "type" => {
                let kinds = argument.as_array().map_or(vec![argument], |kinds| {
                    kinds.iter().collect::<Vec<&Value>>()
                });
                kinds
                    .iter()
                    .all(|kind| TYPES.contains(&kind.as_str().unwrap()))
            }
            "const" => true,
            "enum" => argument.as_array().is_some_and(|values| !values.is_empty()),
            "required" => argument
                .as_array()
                .is_some_and(|names| names.iter().all(Value::is_string)),
            "minimum" | "maximum" => argument.is_number(),
            "minItems" => argument.is_u64(),
            "uniqueItems" => argument.is_boolean(),
            "pattern" => {
                pattern(argument.as_str().unwrap());
                true
            }
            "format" => FORMATS.contains(&argument.as_str().unwrap()),
            "items" | "additionalProperties" => {
                check_schema(argument, &path);
                true
            }
            "anyOf" | "oneOf" => {
                let schemas = argument.as_array().unwrap();
                for schema in schemas {
                    check_schema(schema, &path);
                }
                !schemas.is_empty()
            }
            "properties" | "definitions" | "$defs" => {
                for (name, schema) in argument.as_object().unwrap() {
                    check_schema(schema, &format!("{path}/{name}"));
                }
                true
            }
            _ => false,
        };
        assert!(is_valid, "{path} is not supported: {argument}");
    }
}

const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

fn has_type(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

const FORMATS: [&str; 3] = ["date-time", "uri", "uri-reference"];

fn has_format(format: &str, text: &str) -> bool {
    let of_uri = pattern(r"^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$");
    match format {
        "date-time" => text.parse::<Timestamp>().is_ok(),
        "uri" => of_uri.is_match(text) && pattern("^[A-Za-z][A-Za-z0-9+.-]*:").is_match(text),
        _ => of_uri.is_match(text),
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn values_match_a_schema_or_are_rejected_with_their_path() {
    let validator = Validator::new(json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "kind": {"enum": ["a", "b"]},
            "version": {"const": 1},
            "share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "parts": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"$ref": "#/$defs/part"}},
            "either": {"anyOf": [{"type": "boolean"}, {"type": "integer"}]},
            "at": {"type": "string", "format": "date-time"},
            "uri": {"format": "uri"},
            "path": {"format": "uri-reference"},
            "one": {"oneOf": [{"minimum": 1}, {"maximum": 2}]},
            "counts": {"additionalProperties": {"type": "integer"}},
        },
        "$defs": {"part": {"type": "integer"}},
    }));
    let fits = |more: Value| {
        let mut value = json!({"name": "x"});
        let (Value::Object(members), Value::Object(more)) = (&mut value, more) else {
            panic!("objects");
        };
        members.extend(more);
        validator.problems(&value)
    };
    for valid in [
        json!({}),
        json!({"kind": "b", "version": 1, "share": 0.5, "parts": [1, 2], "either": true}),
        json!({"share": null, "either": 3, "one": 3, "at": "2026-01-01T00:00:00Z", "counts": {"a": 1}}),
        json!({"uri": "file:///a%20b", "path": "a%20b/c.md"}),
    ] {
        assert_eq!(fits(valid), Vec::<String>::new());
    }
    for (invalid, path) in [
        (json!({"name": 1}), "/name"),
        (json!({"name": "X"}), "/name"),
        (json!({"kind": "c"}), "/kind"),
        (json!({"version": 2}), "/version"),
        (json!({"share": 1.5}), "/share"),
        (json!({"share": -1}), "/share"),
        (json!({"share": "1"}), "/share"),
        (json!({"parts": []}), "/parts"),
        (json!({"parts": [1, 1]}), "/parts"),
        (json!({"parts": [1, "2"]}), "/parts/1"),
        (json!({"either": "x"}), "/either"),
        (json!({"one": 1}), "/one"),
        (json!({"at": "yesterday"}), "/at"),
        (json!({"uri": "a/b"}), "/uri"),
        (json!({"path": "a b"}), "/path"),
        (json!({"counts": {"a": "1"}}), "/counts/a"),
        (json!({"other": 1}), "/other"),
    ] {
        let problems = fits(invalid.clone());
        let [problem] = &problems[..] else {
            panic!("{invalid}: {problems:?}");
        };
        assert!(problem.starts_with(&format!("{path}: ")), "{problem}");
    }
    assert_eq!(
        validator.problems(&json!({})).len(),
        1,
        "a name is required"
    );
    assert_eq!(
        validator.problems(&json!([])).len(),
        1,
        "an object is required"
    );
}

#[test]
#[should_panic(expected = "#/properties/a/maxItems is not supported")]
fn schemas_with_other_keywords_are_rejected() {
    Validator::new(json!({"properties": {"a": {"maxItems": 1}}}));
}

#[test]
#[should_panic(expected = "the schema has no #/$defs/missing")]
fn schemas_with_an_unknown_reference_are_rejected() {
    Validator::new(json!({"$ref": "#/$defs/missing"}));
}
