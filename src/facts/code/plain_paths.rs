//! Paths of routes as Python's frameworks write them, in the form that all facts have.

/// A path as all frameworks could write it: `orders/<int:pk>/` and `^orders/(?P<pk>\d+)/$` are `/orders/:pk/`.
pub(super) fn plain_path(path: &str) -> String {
    let path = path.strip_prefix('^').unwrap_or(path).trim_end_matches('$').trim_end_matches("\\Z");
    // A slash that may be left out is left out.
    let path = path.strip_suffix("/?").unwrap_or(path);
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        let parameter = named_group(rest).or_else(|| converter(rest));
        match parameter {
            Some((name, after)) => {
                plain.push(':');
                plain.push_str(name);
                rest = after;
            }
            None => {
                if letter != '\\' {
                    plain.push(letter);
                }
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    plain
}

/// `<int:pk>`, `<pk>`: the name, and what follows.
fn converter(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix('<')?.split_once('>')?;
    let name = inner.rsplit(':').next().unwrap_or(inner);
    is_word(name).then_some((name, after))
}

/// `(?P<pk>[0-9]+)`: the name, and what follows the group.
fn named_group(text: &str) -> Option<(&str, &str)> {
    let (name, pattern) = text.strip_prefix("(?P<")?.split_once('>')?;
    let mut depth = 1_usize;
    for (at, letter) in pattern.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return is_word(name).then(|| (name, pattern.get(at + 1..).unwrap_or_default()));
        }
    }
    None
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::plain_path;

    #[test]
    fn converters_and_groups_are_parameters() {
        assert_eq!(plain_path("orders/<int:pk>/lines/<slug>/"), "orders/:pk/lines/:slug/");
        assert_eq!(plain_path(r"^orders/(?P<pk>[0-9]+(x)?)/$"), "orders/:pk/");
        assert_eq!(plain_path(r"^a\.json$"), "a.json");
        assert_eq!(plain_path("^users/login/?$"), "users/login");
    }

    #[test]
    fn what_is_no_parameter_stays() {
        for path in ["orders/{id}", "<", "(?P<x", "a<b c>", "/é/<int:ü>"] {
            assert_eq!(plain_path(path), path);
        }
    }
}
