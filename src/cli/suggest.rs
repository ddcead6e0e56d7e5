//! "Did you mean …?"

use std::path::Path;

/// The known word that is nearest to a mistyped one, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&word, other);
    let near = |other: &&str| distance(other) <= 2.max(word.len() / 4) || (word.len() >= 4 && other.contains(&word));
    known.into_iter().filter(near).min_by_key(|other| (distance(other), *other))
}

/// Checks that every word is known; the error names the first one that is not, and its nearest neighbour.
pub fn check<'a>(
    what: &str,
    words: &[String],
    known: impl IntoIterator<Item = &'a str> + Clone,
    list: &str,
) -> miette::Result<()> {
    for word in words {
        if known.clone().into_iter().any(|other| other == word) {
            continue;
        }
        let word = crate::report::text::terminal(word);
        let help = match nearest(&word, known.clone()) {
            _ if Path::new(&*word).is_dir() => {
                format!("if `{word}` is the folder to look at, put it before the options")
            }
            Some(other) => format!("did you mean `{other}`? {list}"),
            None => list.to_owned(),
        };
        return Err(miette::miette!(help = help, "there is no {what} `{word}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = ["hardcoded-secret", "sql-injection", "tracing"];
        assert_eq!(nearest("sql-injecton", known), Some("sql-injection"));
        assert_eq!(nearest("secret", known), Some("hardcoded-secret"));
        assert_eq!(nearest("kubernetes", known), None);
    }
}
