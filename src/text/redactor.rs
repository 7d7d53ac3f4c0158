//! Redacts a text that arrives in parts: a PEM may be split among them.

use super::quote::{LEFT_OUT, redacted};

/// Redacts the parts of one text.
#[derive(Default)]
pub struct Redactor {
    /// The current line so far.
    line: String,
    /// True within a PEM block: from its header to the end of its last line.
    is_within_pem: bool,
}

impl Redactor {
    /// Returns the next part as [`redacted`] does, and without the PEM blocks that began
    /// in an earlier part.
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
                    None => shown += &redacted(piece),
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
    fn a_pem_without_an_end_hides_the_rest() {
        let parts = ["-----BEGIN X-----\n", "c2hvcnQ=\n", "no end\n"];
        assert_eq!(shown(parts), "[…]");
        assert_eq!(
            shown(["-----END X-----\n", "shown\n"]),
            "-----END X-----\nshown\n"
        );
    }
}
