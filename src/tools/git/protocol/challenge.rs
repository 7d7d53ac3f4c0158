//! The challenges of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).

/// Returns true if one of the header's challenges has this scheme.
///
/// A header may contain several challenges, each a scheme with several parameters.
/// Commas separate both the challenges and the parameters.
pub fn offers(header: &str, scheme: &str) -> bool {
    elements(header).any(|element| {
        let end = element.find(|c| !is_token(c)).unwrap_or(element.len());
        let (name, rest) = element.split_at(end);
        // `realm="…"` is a parameter of the previous challenge.
        name.eq_ignore_ascii_case(scheme) && !rest.trim_start().starts_with('=')
    })
}

/// Splits the header at the commas outside quoted strings.
fn elements(header: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    let mut escaped = false;
    header
        .split(move |c| {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = in_quotes,
                '"' => in_quotes = !in_quotes,
                ',' => return !in_quotes,
                _ => {}
            }
            false
        })
        .map(str::trim)
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scheme_is_found_among_several_and_not_in_their_parameters() {
        for (header, expected) in [
            ("Bearer", true),
            ("bearer realm=\"x\"", true),
            ("Basic realm=\"x\", Bearer realm=\"y\"", true),
            (
                "Basic realm=\"a, \\\" Bearer b\", charset=\"UTF-8\",Bearer",
                true,
            ),
            ("Negotiate abc==, Bearer", true),
            (", ,Bearer", true),
            ("Basic realm=\"x\"", false),
            ("Basic realm=\"x, Bearer y\"", false),
            ("Basic bearer=\"x\"", false),
            ("Basic realm=\"x\", bearer = \"x\"", false),
            ("BearerToken realm=\"x\"", false),
            ("Basic realm=\"unended, Bearer", false),
            ("", false),
        ] {
            assert_eq!(offers(header, "Bearer"), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_scheme_is_offered_if_and_only_if_a_challenge_begins_with_it(
            challenges in prop::collection::vec(
                (
                    prop::sample::select(vec!["Basic", "bearer", "Bearer", "Bearers", "Negotiate"]),
                    prop::option::of("[ -~]{0,8}"),
                ),
                0..4,
            ),
        ) {
            let written = challenges.iter().map(|(scheme, realm)| match realm {
                Some(realm) => {
                    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
                    format!("{scheme} realm=\"{realm}, Bearer x\"")
                }
                None => (*scheme).to_owned(),
            });
            let header = written.collect::<Vec<_>>().join(", ");
            let expected = challenges.iter().any(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            prop_assert_eq!(offers(&header, "Bearer"), expected, "{}", header);
        }

        #[test]
        fn any_header_is_read(header: String) {
            let _ = offers(&header, "Bearer");
        }
    }
}
