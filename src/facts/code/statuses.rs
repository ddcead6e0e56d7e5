//! Statuses by name: `StatusCode::UNAUTHORIZED`, `Status::Unauthorized`, `HttpResponse::Unauthorized()`.

use super::extract::Raw;
use crate::facts::model::{Data, Value};

/// Names without what separates their words. https://www.iana.org/assignments/http-status-codes
const NAMES: &[(&str, u16)] = &[
    ("ok", 200),
    ("created", 201),
    ("accepted", 202),
    ("nocontent", 204),
    ("movedpermanently", 301),
    ("found", 302),
    ("seeother", 303),
    ("notmodified", 304),
    ("temporaryredirect", 307),
    ("permanentredirect", 308),
    ("badrequest", 400),
    ("unauthorized", 401),
    ("paymentrequired", 402),
    ("forbidden", 403),
    ("notfound", 404),
    ("methodnotallowed", 405),
    ("notacceptable", 406),
    ("requesttimeout", 408),
    ("conflict", 409),
    ("gone", 410),
    ("preconditionfailed", 412),
    ("payloadtoolarge", 413),
    ("contenttoolarge", 413),
    ("unsupportedmediatype", 415),
    ("unprocessableentity", 422),
    ("unprocessablecontent", 422),
    ("locked", 423),
    ("toomanyrequests", 429),
    ("internalservererror", 500),
    ("notimplemented", 501),
    ("badgateway", 502),
    ("serviceunavailable", 503),
    ("gatewaytimeout", 504),
];

/// Gives the responses whose status is a name its number.
pub fn number_statuses(raws: &mut [Raw]) {
    for raw in raws.iter_mut().filter(|raw| &*raw.kind == "response") {
        let Some(number) = raw.text("status").and_then(status_named) else { continue };
        raw.set("status", Value { data: Data::Number(f64::from(number)), ..Value::number(0.0) });
    }
}

/// The number of a status of that name; a leading `Error` says nothing.
pub(super) fn status_named(name: &str) -> Option<u16> {
    let plain: String = name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let plain = plain.strip_prefix("error").unwrap_or(&plain);
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::status_named;

    #[test]
    fn statuses_are_known_by_any_spelling() {
        for name in ["UNAUTHORIZED", "Unauthorized", "ErrorUnauthorized"] {
            assert_eq!(status_named(name), Some(401), "{name}");
        }
        assert_eq!(status_named("INTERNAL_SERVER_ERROR"), Some(500));
        assert_eq!(status_named("Teapot"), None);
    }
}
