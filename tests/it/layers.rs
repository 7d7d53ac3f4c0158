//! The layers of the source: which file may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The layers from the entry point down: a file uses its own layer and those below it.
const LAYERS: [&[&str]; 14] = [
    &["main"],
    &["lib"],
    &["cli"],
    &[
        "agent",
        "completions",
        "direct",
        "doctor",
        "keys",
        "look",
        "manage",
        "setup",
    ],
    &["tools"],
    &["tools/"],
    &["edit", "findings", "token_file"],
    &["call"],
    &["config", "cli/options"],
    &["broker"],
    &["cache", "source"],
    &["net"],
    &["error", "grant", "host", "scope", "secret", "token", "url"],
    &["sys", "text"],
];

/// The layers that a protocol may use: it only transforms bytes.
const OF_PROTOCOLS: [&str; 6] = ["error", "host", "secret", "text", "token", "url"];

/// The folders whose modules `sys.rs` exports as its own.
const SYSTEMS: [&str; 2] = ["sys/unix/", "sys/windows/"];

/// The files of `src`, without extension, and the files that each uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn uses() -> Uses {
    let texts = texts();
    let file_of = |path: &str| {
        let mut ancestors = Path::new(path).ancestors().filter_map(Path::to_str);
        ancestors
            .find(|name| texts.contains_key(*name))
            .map(ToOwned::to_owned)
    };
    let of = |(name, code): (&String, &String)| {
        let used = paths(name, code).into_iter().flat_map(|path| {
            let each = SYSTEMS.map(|system| path.replacen("sys/", system, 1));
            let by_sys = each.iter().filter(|_| path.starts_with("sys/"));
            let by_sys = by_sys.filter_map(|path| file_of(path));
            let by_sys = by_sys.filter(|file| SYSTEMS.iter().any(|it| file.starts_with(it)));
            by_sys.chain(file_of(&path)).collect::<Vec<_>>()
        });
        (name.clone(), used.filter(|used| used != name).collect())
    };
    texts.iter().map(of).collect()
}

/// Returns the code of each file, without comments and tests.
fn texts() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut texts, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&root).unwrap().with_extension("");
                let text = fs::read_to_string(path).unwrap();
                texts.insert(name.to_str().unwrap().to_owned(), code(&text));
            }
        }
    }
    texts.retain(|name, _| !name.ends_with("tests"));
    texts
}

/// Returns a file's code without comments and unit tests, which may use anything.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns the paths in a file's code, from the crate's root on.
fn paths(file: &str, code: &str) -> Vec<String> {
    let of_crate = if file == "main" {
        "zitadel_credential::"
    } else {
        "crate::"
    };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut paths = Vec::new();
    for (start, base) in [(of_crate, ""), ("super::", folder)] {
        for rest in code.split(start).skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            let (path, rest) = rest.split_at(end.unwrap_or(rest.len()));
            let several = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split('}').next());
            for last in several.unwrap_or_default().split(',') {
                let path = format!("{base}/{path}{}", last.trim()).replace("::", "/");
                paths.push(path.trim_start_matches('/').to_owned());
            }
        }
    }
    let modules = code.lines().filter_map(|line| {
        let module = line.split("mod ").nth(1)?.strip_suffix(';')?;
        code.contains(&format!("{module}::")).then_some(module)
    });
    paths.extend(modules.map(|module| format!("{file}/{module}")));
    paths
}

/// Returns the number of a file's layer, which every file has: that of its name's longest
/// prefix.
fn layer(file: &str) -> usize {
    let begins = |name: &&&str| {
        let rest = file.strip_prefix(**name);
        rest.is_some_and(|rest| rest.is_empty() || name.ends_with('/') || rest.starts_with('/'))
    };
    let longest = |names: &&[&str]| names.iter().filter(begins).map(|name| name.len()).max();
    let layers = LAYERS.iter().enumerate();
    let known = layers.filter_map(|(at, names)| Some((longest(names)?, at)));
    let (_, at) = known.max().unwrap();
    at
}

#[test]
fn a_module_of_a_system_is_used_under_the_name_that_sys_gives_it() {
    let of_process = &uses()["sys/process"];
    for used in ["sys/unix/children", "sys/windows/children", "text/clock"] {
        assert!(of_process.contains(used), "{used}: {of_process:?}");
    }
}

#[test]
fn no_file_uses_a_higher_layer() {
    let all = uses();
    let pairs = all
        .iter()
        .flat_map(|(file, used)| used.iter().map(move |other| (file, other)));
    let up: Vec<_> = pairs
        .filter(|(file, other)| layer(other) < layer(file))
        .collect();
    assert!(up.is_empty(), "{up:#?}");
}

#[test]
fn file_dependencies_have_no_cycle() {
    let mut left = uses();
    // Removes the files that use none of the remaining ones, and those that none of them
    // uses, until none is left to remove.
    loop {
        let before = left.len();
        let names: BTreeSet<_> = left.keys().cloned().collect();
        for used in left.values_mut() {
            used.retain(|other| names.contains(other));
        }
        let used: BTreeSet<_> = left.values().flatten().cloned().collect();
        left.retain(|name, uses| !uses.is_empty() && used.contains(name));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "in circles, and between them: {left:#?}");
}

#[test]
fn a_protocol_knows_no_key_cache_or_network() {
    for (file, used) in uses() {
        let Some((tool, _)) = file.split_once("/protocol") else {
            continue;
        };
        for other in used {
            let is_own = other.starts_with(&format!("{tool}/protocol"));
            let first = other.split('/').next().unwrap();
            assert!(
                is_own || OF_PROTOCOLS.contains(&first),
                "{file} uses {other}"
            );
        }
    }
}

/// Names in code that belong to one operating system.
const OF_ONE_SYSTEM: [&str; 14] = [
    "std::os::",
    "rustix::",
    "fs2::",
    "signal_hook::",
    "ctrlc::",
    "dunce::",
    "win32job::",
    "winapi_util::",
    "/proc",
    "cfg(unix)",
    "cfg(windows)",
    "target_os",
    "cfg!(unix)",
    "cfg!(windows)",
];

#[test]
fn only_sys_names_one_operating_system() {
    for (file, code) in texts() {
        let named = OF_ONE_SYSTEM.iter().find(|name| code.contains(**name));
        let is_sys = file == "sys" || file.starts_with("sys/");
        assert!(is_sys || named.is_none(), "{file} names {named:?}");
    }
}

#[test]
fn only_the_registry_names_a_tool() {
    let tool = |file: &str| {
        let tool = file.strip_prefix("tools/")?.split('/').next()?;
        (tool != "row").then(|| tool.to_owned())
    };
    for (file, used) in uses() {
        let named = used.iter().filter_map(|other| tool(other));
        let others: Vec<_> = named
            .filter(|named| tool(&file).as_ref() != Some(named))
            .collect();
        assert!(
            file == "tools" || others.is_empty(),
            "{file} names {others:?}"
        );
    }
}
