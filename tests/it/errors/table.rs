//! All that these tests hold stderr to, in one table to be read through:
//! `table.md`. The tests need an issuer and a home of their own, so the table is
//! made from them, not they from the table.

use std::fmt::Write;
use std::process::Command;
use std::{env, fs};

use snapbox::{Assert, file};

use crate::support::snapshot::ROWS;

const TOP: &str = "\
# Every error and warning, as a person reads it

Made from the tests of the same names by
`SNAPSHOTS=overwrite cargo test --test errors table`; a line after `?` is the
exit code.
";

#[test]
fn every_error_stands_in_the_table_and_nothing_else() {
    let rows = tempfile::tempdir().unwrap();
    let others = Command::new(env::current_exe().unwrap())
        .args(["--quiet", "--skip", "table::"])
        .env(ROWS, rows.path())
        .env_remove(snapbox::assert::DEFAULT_ACTION_ENV)
        .output()
        .unwrap();
    assert!(others.status.success(), "first the others must pass");
    let mut tests: Vec<_> = fs::read_dir(rows.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    tests.sort();
    let mut table = TOP.to_owned();
    let mut section = "";
    for test in &tests {
        let calls = calls(&fs::read_to_string(rows.path().join(test)).unwrap());
        let (module, name) = test.split_once("::").unwrap();
        if calls.is_empty() {
            continue;
        }
        if module != section {
            section = module;
            writeln!(table, "\n## {module}").unwrap();
        }
        let name = name.replace('_', " ");
        writeln!(table, "\n### {name}\n```console\n{}```", calls.join("\n")).unwrap();
    }
    Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .normalize_paths(false)
        .eq(table, file!["table.md"].raw());
}

/// Each call that failed, gave nothing or warned, once, as trycmd would write it.
fn calls(rows: &str) -> Vec<String> {
    let mut calls = Vec::new();
    for row in rows.lines() {
        let (words, code, gave_nothing, stderr): (String, i32, bool, String) =
            serde_json::from_str(row).unwrap();
        let call = match code {
            0 => format!("$ {words}\n{stderr}"),
            code => format!("$ {words}\n? {code}\n{stderr}"),
        };
        let is_reason = !stderr.is_empty() && (code != 0 || gave_nothing);
        let is_told = is_reason || stderr.contains("warning: ");
        if is_told && !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}
