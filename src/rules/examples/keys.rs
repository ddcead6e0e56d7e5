//! `{{key:NAME}}` in examples: made-up credentials in the shape of a provider's, so that no file holds one.

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";
const MIXED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS: &str = "0123456789";

/// Parts of a made-up key.
enum Part {
    Fixed(&'static str),
    Random(&'static str, usize),
}
use Part::{Fixed, Random};

/// The shapes by name.
const SHAPES: &[(&str, &[Part])] = &[
    ("aws", &[Fixed("AKIA"), Random(UPPER, 16)]),
    ("aws-secret", &[Random(MIXED, 40)]),
    ("anthropic", &[Fixed("sk-ant-api03-"), Random(MIXED, 93), Fixed("AA")]),
    ("generic", &[Random(MIXED, 40)]),
    ("github", &[Fixed("ghp_"), Random(MIXED, 36)]),
    ("github-pat", &[Fixed("github_pat_"), Random(MIXED, 22), Fixed("_"), Random(MIXED, 59)]),
    ("gitlab", &[Fixed("glpat-"), Random(MIXED, 20)]),
    ("google", &[Fixed("AIza"), Random(MIXED, 35)]),
    ("hex", &[Random(HEX, 64)]),
    ("jwt", &[Fixed("eyJ"), Random(MIXED, 33), Fixed(".eyJ"), Random(MIXED, 60), Fixed("."), Random(MIXED, 43)]),
    (
        "jwt-anon",
        &[
            Fixed("eyJ"),
            Random(MIXED, 33),
            Fixed(".eyJInJvbGUiOiJhbm9uI"),
            Random(MIXED, 40),
            Fixed("."),
            Random(MIXED, 43),
        ],
    ),
    ("npm", &[Fixed("npm_"), Random(MIXED, 36)]),
    ("openai", &[Fixed("sk-proj-"), Random(MIXED, 74), Fixed("T3BlbkFJ"), Random(MIXED, 74)]),
    ("password", &[Random(MIXED, 20)]),
    ("pem", &[Fixed("-----BEGIN PRIVATE KEY-----\\n"), Random(MIXED, 128), Fixed("\\n-----END PRIVATE KEY-----")]),
    ("sendgrid", &[Fixed("SG."), Random(MIXED, 22), Fixed("."), Random(MIXED, 43)]),
    ("slack", &[Fixed("xoxb-"), Random(DIGITS, 12), Fixed("-"), Random(DIGITS, 12), Fixed("-"), Random(MIXED, 24)]),
    ("stripe", &[Fixed("sk_live_"), Random(MIXED, 24)]),
    ("stripe-restricted", &[Fixed("rk_live_"), Random(MIXED, 24)]),
    ("stripe-test", &[Fixed("sk_test_"), Random(MIXED, 24)]),
    ("twilio", &[Fixed("SK"), Random(HEX, 32)]),
];

/// The names that there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(name, _)| *name)
}

/// Replaces every placeholder; the error is a name that there is not. The same text gives the same keys.
pub fn expand(text: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    let mut number = 0;
    while let Some((before, after)) = rest.split_once("{{key:") {
        expanded.push_str(before);
        let (name, tail) = after.split_once("}}").unwrap_or((after, ""));
        let shape = SHAPES.iter().find(|(known, _)| *known == name).ok_or_else(|| name.to_owned())?;
        number += 1;
        expanded.push_str(&make(shape.1, name, number));
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn make(parts: &[Part], name: &str, number: u64) -> String {
    let mut state = name.bytes().fold(number, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut key = String::new();
    for part in parts {
        match part {
            Fixed(text) => key.push_str(text),
            Random(alphabet, length) => key.extend((0..*length).filter_map(|_| pick(alphabet, &mut state))),
        }
    }
    key
}

/// The alphabets of samples.
const ALPHABETS: &[(&str, &str)] = &[
    ("alnum", MIXED),
    ("base32", UPPER),
    ("base36", "0123456789abcdefghijklmnopqrstuvwxyz"),
    ("bech32", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    ("digit", DIGITS),
    ("hex", HEX),
    ("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
    ("url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
];

/// A made-up key of a shape like `ghp_<alnum:36>`, and the same with the first letter of each alphabet for every
/// random character. Nothing for a shape that names no alphabet or no count.
pub fn from_shape(shape: &str) -> Option<(String, String)> {
    let (mut key, mut blank) = (String::new(), String::new());
    let mut state = shape.bytes().fold(7, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut rest = shape;
    while let Some((before, after)) = rest.split_once('<') {
        let (spec, tail) = after.split_once('>')?;
        let (name, count) = spec.split_once(':')?;
        let (_, alphabet) = ALPHABETS.iter().find(|(known, _)| *known == name)?;
        let count: usize = count.parse().ok()?;
        [&mut key, &mut blank].into_iter().for_each(|text| text.push_str(before));
        key.extend((0..count).filter_map(|_| pick(alphabet, &mut state)));
        blank.extend(std::iter::repeat_n(alphabet.get(..1)?, count));
        rest = tail;
    }
    [&mut key, &mut blank].into_iter().for_each(|text| text.push_str(rest));
    (key != blank).then_some((key, blank))
}

/// A character by the next step of a splitmix generator.
fn pick(alphabet: &str, state: &mut u64) -> Option<char> {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let index = usize::try_from(mixed % alphabet.len() as u64).ok()?;
    alphabet.as_bytes().get(index).map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_shape_and_stay_the_same() {
        let text = expand("a = '{{key:aws}}', b = '{{key:aws}}'").unwrap();
        assert_eq!(text, expand("a = '{{key:aws}}', b = '{{key:aws}}'").unwrap());
        let keys: Vec<&str> = text.split('\'').filter(|part| part.starts_with("AKIA")).collect();
        assert!(keys.len() == 2 && keys[0] != keys[1] && keys[0].len() == 20);
        assert!(names().all(|name| !expand(&format!("{{{{key:{name}}}}}")).unwrap().contains('\n')));
    }

    #[test]
    fn shapes_are_filled() {
        let (key, blank) = from_shape("ghp_<alnum:6>.<digit:3>").unwrap();
        assert_eq!(blank, "ghp_AAAAAA.000");
        assert!(key.len() == blank.len() && key.starts_with("ghp_") && key != blank);
        assert!(["ghp_", "<alnum:>", "<none:3>", "<alnum:3"].iter().all(|shape| from_shape(shape).is_none()));
    }

    #[test]
    fn unknown_names_are_refused() {
        assert_eq!(expand("{{key:nothing}}"), Err("nothing".to_owned()));
    }
}
