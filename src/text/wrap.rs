//! Text for a terminal of 80 columns.

/// The minimum width of a user's terminal, in columns.
pub const COLUMNS: usize = 80;

/// Breaks a text at its spaces. Its first line starts after `start` columns, and the
/// others are indented by `indent`, or by less for a word that would not fit: words stay
/// whole, so that a path or a URL can be copied.
pub fn wrapped(text: &str, start: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = start;
    for (at, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        let space = usize::from(at > 0);
        if column + space + width <= COLUMNS {
            lines.push_str(&" "[..space]);
            column += space + width;
        } else {
            let indent = indent.min(COLUMNS.saturating_sub(width));
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent + width;
        }
        lines.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_stays_and_a_long_one_breaks_at_a_space() {
        assert_eq!(wrapped("a  b", 70, 10), "a  b");
        let words = ["word"; 30].join(" ");
        let lines = wrapped(&words, 76, 70);
        assert!(lines.starts_with("word\n          "), "{lines}");
        assert_eq!(lines.lines().nth(1).map(str::len), Some(79), "{lines}");
    }

    #[test]
    fn a_long_word_stays_whole_and_starts_further_left() {
        let path = format!("/{}", "x".repeat(69));
        let lines = wrapped(&format!("see {path}"), 20, 20);
        assert_eq!(lines, format!("see\n          {path}"));
        let longer = "x".repeat(100);
        assert_eq!(wrapped(&longer, 4, 4), format!("\n{longer}"));
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_only_a_long_word_is_a_long_line(
            words in prop::collection::vec("[a-zü]{1,90}", 0..20), start in 0..90_usize, indent in 0..60_usize,
        ) {
            let lines = wrapped(&words.join(" "), start, indent);
            let kept: Vec<_> = lines.split_whitespace().collect();
            prop_assert_eq!(kept, words);
            for line in lines.lines().skip(1) {
                let width = line.chars().count();
                prop_assert!(width <= COLUMNS || !line.contains(' '), "{}", line);
            }
        }
    }
}
