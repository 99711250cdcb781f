//! A file of vectors as text: one row a line, the keys of every object in alphabetic order.
//!
//! The order is made here: what serde_json keeps depends on a feature that any crate of the build may switch on.

use serde_json::Value;

pub fn render(rows: &[Value]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| sorted(row).to_string()).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            pairs
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
