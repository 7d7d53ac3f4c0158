//! Redacts a text that arrives in parts: a PEM or another secret may be split among them.

use super::quote::{LEFT_OUT, is_secret, redacted, run};

/// Redacts the parts of one text.
#[derive(Default)]
pub struct Redactor {
    /// The current line so far.
    line: String,
    /// True within a PEM block: from its header to the end of its last line.
    is_within_pem: bool,
}

impl Redactor {
    /// Returns the next part as [`redacted`] does, and without the rest of a secret or a
    /// PEM block that began in an earlier part.
    pub fn redact(&mut self, part: &str) -> String {
        let mut shown = String::new();
        for piece in part.split_inclusive('\n') {
            let known = self.line.len();
            self.line.push_str(piece);
            if !self.is_within_pem {
                match self.line.find("-----BEGIN") {
                    Some(start) => {
                        self.is_within_pem = true;
                        let before = piece.get(..start.saturating_sub(known));
                        shown += &redacted(before.unwrap_or_default());
                        shown += LEFT_OUT;
                    }
                    None => match continued(&self.line, known) {
                        0 => shown += &redacted(piece),
                        end => {
                            shown += LEFT_OUT;
                            shown += &redacted(&piece[end..]);
                        }
                    },
                }
            }
            if piece.ends_with('\n') {
                if self.is_within_pem && self.line.contains("-----END") {
                    self.is_within_pem = false;
                    shown.push('\n');
                }
                self.line.clear();
            }
        }
        shown
    }
}

/// How many bytes before a part count: more than a run needs to be a secret.
const WINDOW: usize = 64;

/// Returns how many bytes after the first `known` bytes of a line belong to a secret that
/// began before them.
fn continued(line: &str, known: usize) -> usize {
    let before = line[..known].char_indices().rev().map(|(start, _)| start);
    let is_run =
        |start: &usize| known - start <= WINDOW && run(&line[*start..known]) == known - start;
    let Some(start) = before.take_while(is_run).last() else {
        return 0;
    };
    let end = start + run(&line[start..]);
    if is_secret(&line[start..end]) {
        end - known
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nc2hvcnQ=\n-----END PRIVATE KEY-----\n";

    fn shown<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
        let mut redactor = Redactor::default();
        parts
            .into_iter()
            .map(|part| redactor.redact(part))
            .collect()
    }

    #[test]
    fn a_pem_is_left_out_line_by_line_and_the_text_after_it_shown() {
        let text = format!("the key:\n{PEM}PIN: ");
        let lines = text.split_inclusive('\n');
        assert_eq!(shown(lines), "the key:\n[…]\nPIN: ");
        assert_eq!(shown([&*text]), "the key:\n[…]\nPIN: ");
        let json = r#"{"key":"-----BEGIN X-----\nc2hvcnQ=\n-----END X-----\n","id":"1"}"#;
        assert_eq!(shown([json, "\nPIN: "]), "{\"key\":\"[…]\nPIN: ");
    }

    #[test]
    fn a_pem_is_left_out_wherever_it_is_split() {
        for start in 0..PEM.len() {
            let (one, rest) = PEM.split_at(start);
            for end in 0..rest.len() {
                let (two, three) = rest.split_at(end);
                let shown = shown([one, two, three]);
                assert!(!shown.contains("c2") && shown.ends_with("[…]\n"), "{shown}");
            }
        }
    }

    #[test]
    fn a_secret_is_left_out_as_soon_as_it_is_one() {
        let parts = [
            "password: ",
            "MIIEvQIBADANBgkqhkiG9",
            "w0BAQEFAASCBKcw",
            "ggSjA",
            "!\n",
        ];
        assert_eq!(shown(parts), "password: MIIEvQIBADANBgkqhkiG9[…][…]!\n");
        let long = "a1B2".repeat(250_000);
        assert_eq!(shown([&long[..500_000], &long[500_000..]]), "[…][…]");
        let shown = shown(long[..2000].split_inclusive('B'));
        assert!(shown.starts_with("a1B2a1B"), "{shown}");
        assert!(!shown.contains(&long[..24]), "{shown}");
    }

    #[test]
    fn a_pem_without_an_end_hides_the_rest() {
        let parts = ["-----BEGIN X-----\n", "c2hvcnQ=\n", "no end\n"];
        assert_eq!(shown(parts), "[…]");
        assert_eq!(
            shown(["-----END X-----\n", "shown\n"]),
            "-----END X-----\nshown\n"
        );
    }
}
