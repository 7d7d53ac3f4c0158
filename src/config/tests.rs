use std::collections::HashMap;
use std::ffi::OsString;

use super::*;
use log::LevelFilter;

use crate::scope::Scopes;
use crate::source::key::spec::KeySource;
use crate::text::logger::Format;

/// A configuration read from a file's text, flags and variables.
struct Setting {
    dir: tempfile::TempDir,
    options: Options,
    environment: Box<Environment<'static>>,
    directories: Directories,
}

impl Setting {
    fn new(toml: &str, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        use clap::Parser;
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("config.toml"), toml).expect("written");
        let path = dir.path().join("config.toml");
        let mut args = vec![
            OsString::from("zitadel-credential"),
            "--config".into(),
            path.into(),
        ];
        args.extend(flags.iter().map(OsString::from));
        args.push("kubectl".into());
        let variables: HashMap<String, OsString> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        Self {
            dir,
            options: crate::cli::Cli::try_parse_from(args)
                .expect("parsed")
                .options,
            environment: Box::new(move |name| variables.get(name).cloned()),
            directories: Directories {
                home: Some("/home/ci".into()),
                config: None,
                cache: Some("/home/ci/.cache".into()),
            },
        }
    }

    fn config(&self) -> Result<Config<'_>, Error> {
        Config::load(&self.options, &*self.environment, &self.directories)
    }

    fn request(&self, asker: Asker<'_>) -> Result<Request<'_>, Error> {
        self.config()?.request(asker)
    }

    fn issuer(&self, asker: Asker<'_>) -> String {
        let request = self.request(asker).unwrap_or_else(|e| panic!("{e}"));
        request.issuer.expect("an issuer").as_str().to_owned()
    }
}

const TWO: &str = r#"
default-profile = "prod"
[profiles.prod]
issuer = "https://prod.dev"
key-file = "~/prod.json"
projects = ["1"]
[profiles.test]
issuer = "https://test.dev"
key-file = "test.json"
scopes = ["openid", "profile"]
[hosts."git.acme.dev"]
profile = "test"
"#;

fn refused(toml: &str, flags: &[&str], variables: &[(&str, &str)]) -> String {
    let setting = Setting::new(toml, flags, variables);
    let error = setting.request(Asker::default()).err().expect("refused");
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn settings_apply_in_order_of_precedence() {
    let cluster = || Layer {
        issuer: Some("https://cluster.dev".into()),
        ..Layer::default()
    };
    let of_cluster = || Asker {
        rule: None,
        cluster: cluster(),
    };
    let variable = [("ZITADEL_CREDENTIAL_ISSUER", "https://env.dev")];
    let flag = ["--issuer", "https://flag.dev"];
    assert_eq!(
        Setting::new(TWO, &flag, &variable).issuer(of_cluster()),
        "https://flag.dev"
    );
    assert_eq!(
        Setting::new(TWO, &[], &variable).issuer(of_cluster()),
        "https://env.dev"
    );
    let plain = Setting::new(TWO, &[], &[]);
    assert_eq!(plain.issuer(of_cluster()), "https://cluster.dev");
    assert_eq!(plain.issuer(Asker::default()), "https://prod.dev");
}

#[test]
fn the_profile_comes_from_the_flag_cluster_rule_or_default() {
    let setting = Setting::new(TWO, &[], &[]);
    let config = setting.config().unwrap_or_else(|e| panic!("{e}"));
    let rule = config.rules().iter().next();
    let by_rule = || Asker {
        rule,
        ..Asker::default()
    };
    assert_eq!(setting.issuer(by_rule()), "https://test.dev");
    assert_eq!(setting.issuer(Asker::default()), "https://prod.dev");
    let flag = Setting::new(TWO, &["--profile", "prod"], &[]);
    assert_eq!(flag.issuer(by_rule()), "https://prod.dev");
    let variable = Setting::new(TWO, &[], &[("ZITADEL_CREDENTIAL_PROFILE", "prod")]);
    assert_eq!(variable.issuer(by_rule()), "https://prod.dev");
    let of_cluster = Asker {
        rule: None,
        cluster: Layer {
            profile: Some("test".into()),
            ..Layer::default()
        },
    };
    assert_eq!(setting.issuer(of_cluster), "https://test.dev");
}

#[test]
fn a_single_profile_is_the_default_and_one_of_two_is_not() {
    let one = TWO.split("[profiles.test]").next().expect("a part");
    let one = one.replace("default-profile = \"prod\"", "");
    assert_eq!(
        Setting::new(&one, &[], &[]).issuer(Asker::default()),
        "https://prod.dev"
    );
    let two = TWO.replace("default-profile = \"prod\"", "");
    assert!(refused(&two, &[], &[]).contains("no issuer is configured"));
}

#[test]
fn scopes_replace_and_projects_add() {
    let scopes = |flags: &[&str], variables: &[(&str, &str)]| {
        let setting = Setting::new(TWO, flags, variables);
        let request = setting.request(Asker::default());
        request.unwrap_or_else(|e| panic!("{e}")).scopes
    };
    let all = |texts: &[&str]| Scopes::new(texts.iter().copied()).expect("scopes");
    let one = "urn:zitadel:iam:org:project:id:1:aud";
    let two = "urn:zitadel:iam:org:project:id:2:aud";
    let api = "urn:zitadel:iam:org:project:id:zitadel:aud";
    assert_eq!(scopes(&[], &[]), all(&["openid", one]));
    assert_eq!(
        scopes(
            &["--scope", "email", "--scope", "profile", "--project", "2"],
            &[]
        ),
        all(&["email", "profile", one, two])
    );
    let variables = [
        ("ZITADEL_CREDENTIAL_SCOPES", "email profile"),
        ("ZITADEL_CREDENTIAL_PROJECTS", "2 1"),
    ];
    assert_eq!(
        scopes(&["--zitadel-api"], &variables),
        all(&["email", "profile", one, two, api])
    );
    let roles = "urn:zitadel:iam:org:projects:roles";
    assert_eq!(scopes(&["--roles"], &[]), all(&["openid", one, roles]));
    assert!(refused(TWO, &["--project", "2 openid"], &[]).contains("invalid project ID"));
    assert!(refused(TWO, &["--scope", "a\"b"], &[]).contains("invalid scope"));
}

#[test]
fn flags_and_variables_need_no_file() {
    let setting = Setting::new(
        "",
        &["--issuer", "https://a.dev"],
        &[
            ("ZITADEL_CREDENTIAL_KEY", "{}"),
            ("ZITADEL_CREDENTIAL_HOSTS", "git.acme.dev *.acme.dev:5000"),
            ("ZITADEL_CREDENTIAL_CACHE_DIR", "/tmp/here"),
            ("ZITADEL_CREDENTIAL_CA_FILE", "ca.pem"),
            ("ZITADEL_CREDENTIAL_TIMEOUT", "7"),
            ("ZITADEL_CREDENTIAL_PROFILE", ""),
        ],
    );
    let config = setting.config().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.rules().iter().count(), 2);
    let request = setting.request(Asker::default());
    let request = request.unwrap_or_else(|e| panic!("{e}"));
    let key = request.source.key().expect("a key");
    assert!(matches!(key.source, KeySource::Environment(_)));
    assert_eq!(request.cache_dir, Some("/tmp/here".into()));
    assert_eq!(request.network.ca_file, Some("ca.pem".into()));
    assert_eq!(request.deadline.budget_secs(), 7);
}

#[test]
fn a_key_hides_ids_of_lower_precedence() {
    let toml = "[profiles.p]\nissuer = \"https://a.dev\"\nkey-command = [\"op\"]\n\
                key-id = \"1\"\nuser-id = \"2\"\n";
    let ids = |flags: &[&str], variables: &[(&str, &str)]| {
        let setting = Setting::new(toml, flags, variables);
        let request = setting.request(Asker::default());
        let source = request.unwrap_or_else(|e| panic!("{e}")).source;
        let key = source.key().expect("a key");
        key.ids()
            .map(|(id, user)| (id.as_str().to_owned(), user.as_str().to_owned()))
    };
    let pair = |id: &str, user: &str| Some((id.to_owned(), user.to_owned()));
    assert_eq!(ids(&[], &[]), pair("1", "2"));
    assert_eq!(ids(&["--key-id", "9"], &[]), pair("9", "2"));
    assert_eq!(ids(&["--key-file", "k"], &[]), None);
    assert_eq!(
        ids(
            &["--key-file", "k", "--key-id", "3"],
            &[("ZITADEL_CREDENTIAL_USER_ID", "4")]
        ),
        pair("3", "4")
    );
}

#[test]
fn paths_of_the_file_start_at_home_or_beside_it() {
    let file = |profile: &str| {
        let setting = Setting::new(TWO, &["--profile", profile], &[]);
        let request = setting.request(Asker::default());
        let source = request.unwrap_or_else(|e| panic!("{e}")).source;
        let source = source.key().expect("a key").source.clone();
        let KeySource::File(path) = source else {
            panic!("a file");
        };
        let beside = setting.dir.path().join("test.json");
        (path, beside)
    };
    assert_eq!(file("prod").0, PathBuf::from("/home/ci/prod.json"));
    let (path, beside) = file("test");
    assert_eq!(path, beside);
}

#[test]
fn a_flag_for_a_host_keeps_the_files_rule() {
    let setting = Setting::new(TWO, &["--host", "GIT.acme.dev:443", "--host", "b.dev"], &[]);
    let config = setting.config().unwrap_or_else(|e| panic!("{e}"));
    let profiles: Vec<_> = config.rules().iter().map(|r| r.profile.clone()).collect();
    assert_eq!(profiles, [Some("test".to_owned()), None]);
}

#[test]
fn an_invalid_setting_is_named_in_the_error() {
    let rule = |text: &str| refused(&format!("{TWO}{text}"), &[], &[]);
    assert!(rule("[hosts.\"GIT.acme.dev:443\"]\n").contains("two host rules"));
    assert!(rule("[hosts.\"https://b.dev\"]\n").contains("invalid host"));
    assert!(rule("[hosts.\"b.dev\"]\nprofile = \"nope\"\n").contains("\"nope\""));
    assert!(rule("[hosts.\"b.dev\"]\nusername = \"a:b\"\n").contains("username"));
    assert!(refused(TWO, &["--profile", "nope"], &[]).contains("prod, test"));
    assert!(refused(TWO, &["--timeout", "0"], &[]).contains("invalid timeout"));
    assert!(refused(TWO, &["--issuer", "acme.dev"], &[]).contains("acme.dev"));
    assert!(refused("", &["--issuer", "https://a.dev"], &[]).contains("no key is configured"));
    let both = [
        ("ZITADEL_CREDENTIAL_KEY", "{}"),
        ("ZITADEL_CREDENTIAL_KEY_FILE", "x"),
    ];
    assert!(refused(TWO, &[], &both).contains("both set"));
}

#[test]
fn an_almost_valid_issuer_gets_a_suggestion() {
    for (issuer, tried) in [
        ("acme.zitadel.cloud", "try https://acme.zitadel.cloud"),
        (
            "acme.zitadel.cloud/ui/console",
            "try https://acme.zitadel.cloud",
        ),
        // Forms that the questions of `setup` accept.
        ("localhost:8080", "try http://localhost:8080"),
        ("127.0.0.1", "try http://127.0.0.1"),
        ("[::1]:8080", "try http://[::1]:8080"),
        ("LOCALHOST:8080/ui/console", "try http://localhost:8080"),
        ("10.0.0.1:8080", "try https://10.0.0.1:8080"),
        ("<https://id.acme.dev/ui/>", "try https://id.acme.dev"),
        (
            "HTPS://acme.zitadel.cloud",
            "try https://acme.zitadel.cloud",
        ),
        (
            "https://acme.zitadel.cloud/ui/console",
            "try https://acme.zitadel.cloud",
        ),
        (
            "https://acme.zitadel.cloud/ui/console?org=1#x",
            "try https://acme.zitadel.cloud",
        ),
        (
            "https://id.acme.dev:8443/oauth/v2/token",
            "try https://id.acme.dev:8443",
        ),
        (
            "https://id.acme.dev/.well-known/openid-configuration",
            "try https://id.acme.dev",
        ),
        ("acme", "write the issuer like"),
        ("https://", "write the issuer like"),
    ] {
        let said = refused(TWO, &["--issuer", issuer], &[]);
        assert!(said.contains("invalid issuer URL"), "{said}");
        assert!(said.contains(&format!("hint: {tried}")), "{issuer}: {said}");
    }
    for good in [
        "https://id.acme.dev/",
        "https://a.dev/tenant/one",
        "https://ui.a.dev",
    ] {
        let setting = Setting::new(TWO, &["--issuer", good], &[]);
        assert!(setting.request(Asker::default()).is_ok(), "{good}");
    }
}

#[test]
fn dev_null_is_no_config_file() {
    let flags = ["--issuer", "https://a.dev", "--key-file", "k"];
    let mut setting = Setting::new(TWO, &flags, &[]);
    setting.options.config = Some("/dev/null".into());
    let config = setting.config().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.path(), None);
    assert_eq!(config.rules().iter().count(), 0);
    assert_eq!(setting.issuer(Asker::default()), "https://a.dev");
    let place = Config::place(
        &setting.options,
        &*setting.environment,
        &setting.directories,
    );
    assert!(place.is_err(), "no setup writes there");
}

#[test]
fn the_log_level_comes_from_the_flag_or_variable() {
    let level = |flags: &[&str], value: &str| {
        let setting = Setting::new("", flags, &[("ZITADEL_CREDENTIAL_LOG", value)]);
        log_level(&setting.options, &*setting.environment, LevelFilter::Warn)
    };
    assert_eq!(level(&[], "").ok(), Some(LevelFilter::Warn));
    assert_eq!(level(&[], "debug").ok(), Some(LevelFilter::Debug));
    assert_eq!(level(&["-v"], "off").ok(), Some(LevelFilter::Info));
    assert_eq!(level(&["-vv"], "").ok(), Some(LevelFilter::Debug));
    assert!(level(&[], "loud").is_err());
}

#[test]
fn the_log_format_comes_from_the_flag_or_variable() {
    let format = |flags: &[&str], value: &str| {
        let setting = Setting::new("", flags, &[("ZITADEL_CREDENTIAL_LOG_FORMAT", value)]);
        log_format(&setting.options, &*setting.environment)
    };
    assert_eq!(format(&[], "").ok(), Some(Format::Text));
    assert_eq!(format(&[], "json").ok(), Some(Format::Json));
    let flag = ["--log-format", "text"];
    assert_eq!(format(&flag, "json").ok(), Some(Format::Text));
    assert_eq!(format(&flag, "xml").ok(), Some(Format::Text));
    assert!(format(&[], "JSON").is_err() && format(&[], "xml").is_err());
}
