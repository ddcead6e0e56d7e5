//! Names by their words: `unitPrice`, `UNIT_PRICE` and `unit-price` are unit price.

#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub positive: Vec<Vec<String>>,
    pub unless: Vec<Vec<String>>,
    pub unless_last: Vec<Vec<String>>,
}

/// The words of a name, in lower case: `getJWTSecret_v2` → get jwt secret v2.
pub fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let characters: Vec<char> = name.chars().take(MAX_NAME).collect();
    for (index, &character) in characters.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|i| characters.get(i)).copied();
        if !character.is_alphanumeric() || starts_word(previous, character, characters.get(index + 1).copied()) {
            push_word(&mut words, &mut word);
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    push_word(&mut words, &mut word);
    words
}

/// Longer texts are no names.
const MAX_NAME: usize = 200;

fn starts_word(previous: Option<char>, character: char, next: Option<char>) -> bool {
    let Some(previous) = previous else { return false };
    let hump = character.is_uppercase() && !previous.is_uppercase();
    let acronym_ends = character.is_uppercase() && previous.is_uppercase() && next.is_some_and(char::is_lowercase);
    hump || acronym_ends
}

fn push_word(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

impl Names {
    pub fn contains(&self, name: &str) -> bool {
        let words = words(name);
        occurs(&self.positive, &words) && !occurs(&self.unless, &words) && !ends(&self.unless_last, &words)
    }
}

fn occurs(phrases: &[Vec<String>], words: &[String]) -> bool {
    phrases.iter().any(|phrase| words.windows(phrase.len()).any(|window| same_words(phrase, window)))
}

fn ends(phrases: &[Vec<String>], words: &[String]) -> bool {
    phrases.iter().any(|phrase| {
        let start = words.len().checked_sub(phrase.len());
        start
            .filter(|start| *start > 0)
            .and_then(|start| words.get(start..))
            .is_some_and(|tail| same_words(phrase, tail))
    })
}

fn same_words(phrase: &[String], words: &[String]) -> bool {
    phrase.iter().zip(words).all(|(expected, word)| expected == word || word.strip_suffix('s') == Some(expected))
}
