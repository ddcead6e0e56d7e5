//! The report as JSON: the model itself, indented, with a line break at the end.

use super::model::Report;

/// The same report gives the same bytes; a number that is not finite is `null`.
pub fn json(report: &Report) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, schema};

    #[test]
    fn follows_its_published_schema() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).expect("the schema is one");
        for report in [sample::unready(), sample::ready(), sample::not_assessable()] {
            let text = json(&report).expect("serialises");
            let value = serde_json::from_str(&text).expect("is JSON");
            let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
    }

    #[test]
    fn the_schema_refuses_another_format() {
        let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
        let mut value = serde_json::to_value(sample::ready()).expect("serialises");
        value["schema"] = "readycheck/report/2".into();
        assert!(!validator.is_valid(&value));
    }

    #[test]
    fn snapshot() {
        insta::assert_snapshot!("unready", json(&sample::unready()).expect("serialises"));
    }
}
