//! Terraform's CLI configuration: its credentials helper.
//!
//! Source: Terraform's "CLI Configuration File". Its format is HCL 1. The parser only
//! finds where each block begins and ends, and refuses files that need more.

use std::path::PathBuf;

use crate::config::Directories;
use crate::sys::{Environment, named};

/// The program that Terraform runs, and its name in the configuration.
pub(crate) const PLUGIN: &str = "terraform-credentials-zitadel";
pub(crate) const HELPER: &str = "zitadel";

const DIRECTORY: &str = ".terraform.d";

/// The block that names a helper.
pub(crate) const BLOCK: &str = "credentials_helper";

/// Returns the configuration file.
pub(crate) fn file(environment: &Environment, directories: &Directories) -> Option<PathBuf> {
    let default = || Some(directories.home.as_ref()?.join(".terraformrc"));
    from_variable(environment).or_else(default)
}

fn from_variable(environment: &Environment) -> Option<PathBuf> {
    named(environment, "TF_CLI_CONFIG_FILE").or_else(|| named(environment, "TERRAFORM_CONFIG"))
}

/// Returns the other files that Terraform reads if no variable names the file.
pub(crate) fn beside(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    let home = directories.home.as_ref();
    let home = home.filter(|_| from_variable(environment).is_none());
    let dir = home.and_then(|home| home.join(DIRECTORY).read_dir().ok());
    let files = dir.into_iter().flatten().flatten().map(|file| file.path());
    let is_read = |file: &PathBuf| {
        let name = file.to_string_lossy();
        [".tfrc", ".tfrc.json"]
            .iter()
            .any(|end| name.ends_with(end))
            && file.is_file()
    };
    let mut files: Vec<_> = files.filter(is_read).collect();
    files.sort();
    files
}

/// Returns the path at which Terraform looks for the helper; it does not use `PATH`.
pub(crate) fn plugin(directories: &Directories) -> Option<PathBuf> {
    let home = directories.home.as_ref()?;
    Some(home.join(DIRECTORY).join("plugins").join(PLUGIN))
}

/// Returns the names of the helpers in a configuration; Terraform accepts only one.
///
/// # Errors
/// The reason why the parser refuses the text.
pub(crate) fn helpers(text: &str) -> Result<Vec<String>, &'static str> {
    Ok(blocks(text)?.helpers)
}

/// Returns the hosts that have a block `credentials` in a configuration.
///
/// # Errors
/// The reason why the parser refuses the text.
pub(crate) fn credentials(text: &str) -> Result<Vec<String>, &'static str> {
    Ok(blocks(text)?.hosts)
}

/// The labels of the blocks about credentials.
#[derive(Default)]
struct Blocks {
    helpers: Vec<String>,
    hosts: Vec<String>,
}

fn blocks(text: &str) -> Result<Blocks, &'static str> {
    let mut found = Blocks::default();
    // The open brackets, and the words before the outermost one.
    let mut open = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut is_value = false;
    let mut rest = text;
    if text.starts_with('\u{feff}') {
        return Err("byte order mark, which Terraform refuses");
    }
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '#' => line(rest),
            '/' if rest.starts_with("//") => line(rest),
            '/' if rest.starts_with("/*") => rest.find("*/").ok_or("unclosed comment")? + 2,
            '/' => return Err("slash outside a string"),
            '<' if rest.starts_with("<<") => return Err("unsupported multi-line string"),
            '{' | '[' | '(' => {
                match words.as_slice() {
                    _ if !open.is_empty() => {}
                    [] => return Err("unsupported JSON, or a block without a name"),
                    [BLOCK, name] if c == '{' => found.helpers.push((*name).to_owned()),
                    ["credentials", host] => found.hosts.push((*host).to_owned()),
                    [BLOCK, ..] => return Err("unsupported form of credentials_helper"),
                    _ => {}
                }
                open.push(c);
                1
            }
            '}' | ']' | ')' => {
                let opened = open.pop();
                if !matches!(
                    (opened, c),
                    (Some('{'), '}') | (Some('['), ']') | (Some('('), ')')
                ) {
                    return Err("unmatched brackets");
                }
                if open.is_empty() {
                    words.clear();
                    is_value = false;
                }
                1
            }
            '=' if open.is_empty() && words.is_empty() => {
                return Err("value without a name");
            }
            '=' => {
                is_value |= open.is_empty();
                1
            }
            _ if c.is_whitespace() || c == ',' => c.len_utf8(),
            _ => {
                let (word, length) = word(rest)?;
                match (open.is_empty(), is_value) {
                    (true, true) => {
                        words.clear();
                        is_value = false;
                    }
                    (true, false) if word.contains('\\') => {
                        return Err("unsupported escape in a name");
                    }
                    (true, false) => words.push(word),
                    (false, _) => {}
                }
                length
            }
        };
        rest = &rest[length..];
    }
    if open.is_empty() && words.is_empty() {
        Ok(found)
    } else {
        Err("unexpected end of the file")
    }
}

/// Returns the length of the rest of the line.
fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Returns a word, without its quotes, and its length with them.
fn word(text: &str) -> Result<(&str, usize), &'static str> {
    let Some(inside) = text.strip_prefix('"') else {
        let is_end = |c: char| c.is_whitespace() || "{}[](),=\"#/".contains(c);
        let end = text.find(is_end).unwrap_or(text.len());
        return Ok((&text[..end], end));
    };
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '\n' => break,
            '"' if !is_escaped => return Ok((&inside[..at], at + 2)),
            // The interpolated part may contain quotes.
            '{' if inside[..at].ends_with('$') => {
                return Err("unsupported interpolation in a string");
            }
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    Err("unclosed string")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn helpers_are_found_only_in_their_own_blocks() {
        for (text, expected) in [
            ("", &[][..]),
            (
                "plugin_cache_dir = \"/x\"\ndisable_checkpoint = true\n",
                &[],
            ),
            (
                "credentials_helper \"zitadel\" {\n  args = []\n}\n",
                &["zitadel"],
            ),
            ("\"credentials_helper\" \"a\" {}", &["a"]),
            ("credentials_helper \"a\" = { args = [\"}\"] }", &["a"]),
            (
                "credentials \"a.dev\" { token = \"x\\\"}\" }\r\ncredentials_helper \"b\" {}",
                &["b"],
            ),
            (
                "credentials_helper \"a\" {}\ncredentials_helper \"b\" {}",
                &["a", "b"],
            ),
            (
                "# credentials_helper \"a\" {\n// {\n/* { \" */ x = 1 # {",
                &[],
            ),
            ("host \"a.dev\" {\n  credentials_helper \"a\" {}\n}", &[]),
            ("x = \"credentials_helper\"\nhost \"a\" {}", &[]),
            (
                "credentials = [1, (2)]\ncredentials_helper \"a\" {}",
                &["a"],
            ),
        ] {
            let expected: Vec<_> = expected.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(helpers(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn unsupported_syntax_is_refused() {
        for bad in [
            "{}",
            "{\"credentials_helper\": {}}",
            "a {",
            "a }",
            "a [}",
            "a \"b",
            "a = \"b\nc\"",
            "a = \"${b(\"c\")}\"",
            "= 1",
            "a = b/c",
            "a = <<EOF\n{\nEOF\n",
            "/* a",
            "a",
            "credentials_helper {}",
            "credentials_helper \"a\" \"b\" {}",
            "credentials_helper \"a\" []",
            "\"credentials\\u005fhelper\" \"a\" {}",
            "\u{feff}credentials_helper \"zitadel\" {}",
        ] {
            assert!(helpers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_variable_names_the_one_file_that_is_read() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join(DIRECTORY);
        std::fs::create_dir(&dir).expect("a directory");
        for name in ["b.tfrc.json", "a.tfrc", "other"] {
            std::fs::write(dir.join(name), "").expect("written");
        }
        let directories = Directories {
            home: Some(home.path().to_owned()),
            ..Directories::default()
        };
        let (file, all) = (
            file(&|_| None, &directories),
            beside(&|_| None, &directories),
        );
        assert_eq!(file, Some(home.path().join(".terraformrc")));
        assert_eq!(all, [dir.join("a.tfrc"), dir.join("b.tfrc.json")]);
        for variable in ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"] {
            let set = move |name: &str| (name == variable).then(|| "/f".into());
            assert_eq!(super::file(&set, &directories), Some("/f".into()));
            assert_eq!(beside(&set, &directories), [] as [PathBuf; 0]);
        }
    }

    proptest! {
        #[test]
        fn a_block_is_found_after_any_text_or_the_text_is_refused(
            before in "[a-z{}\\[\\]\"#/*=\\\\\n ${<]{0,16}",
        ) {
            let block = "credentials_helper \"zitadel\" {\n  args = []\n}\n";
            if helpers(&before).is_ok() {
                let text = format!("{before}\n{block}");
                let found = helpers(&text).unwrap_or_default();
                prop_assert!(found.iter().any(|name| name == HELPER), "{}", text);
            }
        }
    }
}
