//! `README.md` and `docs/` match the binary in everything that is cheap to check.

mod pages;

use pages::{blocks, commands, headings, help, home_with, listed, options, source, variables};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use zitadel_credential::tools::row::{Docs, Place};
use zitadel_credential::tools::{TOOLS, links};

use crate::support::ServiceUser;

const README: &str = include_str!("../../README.md");
const REFERENCE: &str = include_str!("../../docs/reference.md");
const TOOLS_PAGE: &str = include_str!("../../docs/tools.md");
const SERVERS: &str = include_str!("../../docs/servers.md");
const TROUBLESHOOTING: &str = include_str!("../../docs/troubleshooting.md");
const INSTALL: &str = include_str!("../../docs/install.md");
const PAGES: [(&str, &str); 15] = [
    ("README.md", README),
    ("docs/install.md", INSTALL),
    ("docs/ci.md", include_str!("../../docs/ci.md")),
    ("docs/keys.md", include_str!("../../docs/keys.md")),
    ("docs/reference.md", REFERENCE),
    ("docs/tools.md", TOOLS_PAGE),
    ("docs/agent.md", include_str!("../../docs/agent.md")),
    ("docs/fleet.md", include_str!("../../docs/fleet.md")),
    ("docs/troubleshooting.md", TROUBLESHOOTING),
    ("docs/servers.md", SERVERS),
    ("docs/products.md", include_str!("../../docs/products.md")),
    (
        "docs/kubernetes.md",
        include_str!("../../docs/kubernetes.md"),
    ),
    (
        "docs/comparison.md",
        include_str!("../../docs/comparison.md"),
    ),
    ("CONTRIBUTING.md", include_str!("../../CONTRIBUTING.md")),
    ("SECURITY.md", include_str!("../../SECURITY.md")),
];

/// Options of every program, and those of other programs in examples.
const OTHERS: &[&str] = &[
    "--help",
    "--version",
    // pkcs11-tool and the key services of docs/keys.md
    "--algorithm",
    "--digest",
    "--digest-algorithm",
    "--id",
    "--input-file",
    "--key",
    "--keyring",
    "--location",
    "--login",
    "--mechanism",
    "--message",
    "--message-type",
    "--module",
    "--name",
    "--output-file",
    "--pin",
    "--query",
    "--sign",
    "--signature-file",
    "--signing-algorithm",
    "--token-label",
    "--vault-name",
    // tar
    "--strip-components",
    // a Dockerfile's COPY
    "--from",
    // install.sh
    "--to",
    // curl
    "--proto",
    // gh
    "--repo",
    // systemctl
    "--now",
    // Bazel
    "--credential",
    // kubectl
    "--from-file",
    // the kubelet
    "--image-credential-provider-bin-dir",
    "--image-credential-provider-config",
    // pip and uv
    "--keyring-provider",
    "--index-url",
    // twine
    "--repository-url",
    // cargo
    "--release",
    "--example",
    "--locked",
    "--path",
    "--git",
    "--test",
    "--nocapture",
    // git
    "--global",
    "--replace-all",
    "--add",
    "--get-regexp",
    "--bare",
    // curl
    "--fail-with-body",
    // kubectl
    "--clusterrole",
    // the Kubernetes API server
    "--authentication-config",
    "--oidc-issuer-url",
    "--oidc-client-id",
    "--oidc-username-claim",
    "--oidc-ca-file",
    "--oidc-groups-claim",
    "--oidc-signing-algs",
];

/// Places where the program's name is followed by a word that is not a command.
const NO_CALLS: [&str; 7] = [
    "--from=zitadel-credential ",
    "DIR/_zitadel-credential ",
    "ln -sf zitadel-credential ",
    "-t zitadel-credential ",
    "remove zitadel-credential ",
    "~/.config/zitadel-credential ",
    "executable zitadel-credential not found",
];

#[test]
fn every_option_is_in_the_help_and_every_option_of_the_help_is_here() {
    let [told, help] = [told(), help()];
    let [told, known] = [&told, &help].map(|text| {
        let all = options(text).into_iter();
        let ours = all.filter(|option| !OTHERS.contains(option));
        ours.collect::<BTreeSet<_>>()
    });
    assert_eq!(told, known);
}

#[test]
fn every_variable_is_in_the_help_and_every_variable_of_the_help_is_here() {
    assert_eq!(variables(&told()), variables(&help()));
}

#[test]
fn the_readme_has_exactly_the_commands_of_the_help() {
    let commands = commands();
    assert!(commands.len() > 7, "{commands:?}");
    let told = told();
    for command in &commands {
        let command = format!("`{command}");
        let shown = REFERENCE.contains(&command) || TOOLS_PAGE.contains(&command);
        assert!(shown, "{command} is not in the reference");
    }
    for line in told.lines() {
        let calls = NO_CALLS
            .iter()
            .fold(line.to_owned(), |line, no_call| line.replace(no_call, ""));
        for call in calls.split("zitadel-credential ").skip(1) {
            let word = call.split(' ').next().unwrap();
            let word = word.trim_end_matches(['`', ')', '"', ';']);
            let is_command = commands.iter().any(|command| command == word);
            assert!(is_command, "{word}: {line}");
        }
    }
}

#[test]
fn the_tables_of_tools_say_what_the_registry_does() {
    for tool in &TOOLS {
        let Docs {
            recipe,
            way,
            without_rule,
            without_token,
        } = tool.docs;
        let name = tool.name;
        let answers = format!("| `{name}` | {without_rule} | {without_token} |\n");
        assert!(TOOLS_PAGE.contains(&answers), "{answers}");
        if let Some(recipe) = recipe {
            let anchor = recipe.to_lowercase().replace(' ', "-");
            let row = format!("| [{recipe}](docs/tools.md#{anchor}) | `{name}`, {way} |\n");
            assert!(README.contains(&row), "{row}");
        }
    }
}

#[test]
fn every_link_is_made_where_cargo_installs_the_program() {
    let ours = links().filter(|(link, _)| link.place != Place::Person);
    let ours: BTreeSet<_> = ours
        .map(|(link, _)| link.name.strip_suffix("-zitadel").unwrap())
        .collect();
    let image = include_str!("../../packaging/container/Dockerfile");
    for page in [README, INSTALL, image] {
        let (_, made) = page.split_once("for name in ").unwrap();
        let (made, _) = made.split_once("; do").unwrap();
        let words = made.split_whitespace().filter(|word| *word != "\\");
        assert_eq!(words.collect::<BTreeSet<_>>(), ours);
    }
}

/// New users read all of it.
#[test]
fn the_readme_is_short() {
    assert!(README.lines().count() < 350);
}

#[test]
fn both_config_files_are_read_and_the_longer_covers_the_registries() {
    let user = ServiceUser::new();
    let [shortest, longest] = configs();
    for config in [shortest, longest] {
        let home = home_with(config, &user);
        home.zitadel(["assertion"]).assert().success();
        assert_eq!(listed(&home)["git.acme.dev"], *user.user_id);
    }
    let listed = listed(&home_with(longest, &user));
    let told = told();
    // All of it parses; one block is docker's.
    let all = blocks(&told, "json").into_iter();
    let all: Vec<Value> = all
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
    let docker_config = all.iter().find_map(|json| json.get("credHelpers"));
    for registry in docker_config.unwrap().as_object().unwrap().keys() {
        assert_eq!(listed[registry], *user.user_id, "{registry} has a rule");
    }
}

#[test]
fn every_commented_line_of_the_config_file_can_be_enabled() {
    let user = ServiceUser::new();
    let [_, config] = configs();
    let optional: Vec<_> = config
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .collect();
    assert!(optional.len() > 11, "{optional:?}");
    // The options of a key that is not a key file.
    let (of_a_key, rest) = optional
        .into_iter()
        .partition::<Vec<_>, _>(|line| line.starts_with("key-") || line.starts_with("user-id"));
    for line in rest {
        let config = config.replace(&format!("# {line}"), line);
        let home = home_with(&config, &user);
        home.zitadel(["assertion"]).assert().success().stderr("");
        let is_username = line.starts_with("username");
        let username = if is_username { "ci" } else { &user.user_id };
        assert_eq!(listed(&home)["git.acme.dev"], username, "{line}");
    }
    // With the IDs beside it, a command runs only for a new token.
    let [command, key_id, user_id] = of_a_key[..] else {
        panic!("{of_a_key:?}");
    };
    let of_file = config.lines().find(|line| line.starts_with("key-file"));
    let config = [command, key_id, user_id]
        .iter()
        .fold(config.replace(of_file.unwrap(), ""), |config, line| {
            config.replace(&format!("# {line}"), line)
        });
    let username = &listed(&home_with(&config, &user))["git.acme.dev"];
    assert!(user_id.contains(&username.to_string()), "{username}");
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut followed = 0;
    for (page, text) in PAGES {
        let links = text.split("](").skip(1);
        let links = links.map(|link| link.split(')').next().unwrap());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = match file {
                "" => root.join(page),
                file => root.join(page).parent().unwrap().join(file),
            };
            let file = file.canonicalize();
            assert!(file.is_ok(), "{page}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(file.unwrap()).unwrap();
                assert!(headings(&text).contains(heading), "{page}: {link}");
            }
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed}");
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in fs::read_dir(docs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = format!("docs/{name}");
        assert!(PAGES.iter().any(|(known, _)| *known == page), "{page}");
        assert!(README.contains(&format!("]({page}")), "{page}");
    }
}

#[test]
fn every_file_for_a_server_is_on_its_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/servers");
    let mut found = 0;
    for folder in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(SERVERS.contains(&name), "{name}");
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn every_message_is_one_that_the_program_has() {
    let source = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let (_, table) = TROUBLESHOOTING
        .split_once("| message | what to do |")
        .unwrap();
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let messages: Vec<_> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .filter(|message| message.contains(' '))
        .collect();
    assert!(messages.len() > 10, "{messages:?}");
    for message in messages {
        // One text is for two missing settings.
        let shown = message
            .replace("no issuer is", "no {name} is")
            .replace("no key is", "no {name} is");
        assert!(source.contains(&shown), "{message}");
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<_> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|name| name.split_once("::"))
        .collect();
    assert!(named.len() > 40, "{named:?}");
    for (file, test) in named {
        let file = match file.strip_prefix("src/") {
            Some(_) => root.join(file),
            None => root.join("tests").join(file),
        };
        // A file's tests may be in a folder with its name.
        let mut text = fs::read_to_string(&file).unwrap();
        let folder = file.with_extension("");
        if folder.is_dir() {
            text += &source(&folder);
        }
        assert!(
            text.contains(&format!("fn {test}(")),
            "{}::{test}",
            file.display()
        );
    }
}

/// Returns the documentation for users: the README and its pages.
fn told() -> String {
    let pages = PAGES.iter();
    let pages = pages.filter(|(page, _)| *page == "README.md" || page.starts_with("docs/"));
    pages.map(|(_, text)| *text).collect()
}

/// Returns the README's config file, and the reference's with all settings.
fn configs() -> [&'static str; 2] {
    [README, REFERENCE].map(|page| {
        let configs = blocks(page, "toml");
        assert_eq!(configs.len(), 1, "one config file");
        configs[0]
    })
}
