//! The JSON Schema of the JSON report.

use serde_json::Value;

use super::model::{Report, SCHEMA};

/// Fields may be added within `/1`, so unknown ones are allowed.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "readycheck report".into());
    }
    if let Some(name) = schema.pointer_mut("/properties/schema").and_then(Value::as_object_mut) {
        name.insert("const".into(), SCHEMA.into());
    }
    schema
}
