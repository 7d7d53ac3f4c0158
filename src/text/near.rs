//! Finds the intended name of a misspelt one.

/// Returns the name most similar to a misspelt one; `None` if none is similar.
pub fn nearest<'n>(wrong: &str, names: &[&'n str]) -> Option<&'n str> {
    let wrong = letters(wrong);
    if wrong.is_empty() {
        return None;
    }
    let far = |name: &str| distance(&wrong, &letters(name));
    let near = names.iter().map(|name| (far(name), *name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters: with more differences it is another word.
    (distance * 3 <= wrong.len()).then_some(name)
}

/// Returns the letters in lower case, without separators between words.
fn letters(text: &str) -> Vec<char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(LONGEST).collect()
}

/// Maximum number of letters to compare: the text may have any length.
const LONGEST: usize = 40;

/// Returns the number of letters to insert, remove, replace or swap with their neighbour
/// (optimal string alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && one[i - 1] == *b && other[j - 1] == *a {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_found_and_another_word_is_not() {
        let names = ["issuer", "key-file", "key-command", "key-id", "ca-file"];
        for (wrong, expected) in [
            ("keyfile", Some("key-file")),
            ("key_file", Some("key-file")),
            ("KeyFile", Some("key-file")),
            ("kye-file", Some("key-file")),
            ("keyid", Some("key-id")),
            ("isuer", Some("issuer")),
            ("issuers", Some("issuer")),
            ("cafile", Some("ca-file")),
            ("hosts", None),
            ("", None),
            ("---", None),
            (&"x".repeat(100_000), None),
        ] {
            assert_eq!(nearest(wrong, &names), expected, "{wrong}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
