//! The merged settings as `config show` prints them: each with its value and its source.
//! None is secret.

use std::path::{Path, PathBuf};

use log::LevelFilter;
use serde_json::{Value, json};

use super::from::Source;
use super::lines::Lines;
use super::source::SourceSetting;
use super::value::set;
use super::{Asker, Config, LOG_FORMAT, Layer, TIMEOUT, log_format, log_level};
use crate::cache::shared::{OnFailure, Password, Settings};
use crate::cli::options::Options;
use crate::error::Error;
use crate::host::HostRule;
use crate::text::logger::Format;
use crate::text::quote;
use crate::text::quote::{printable, redacted};

/// A setting with its value and source. A list with values from several sources has one
/// for each source.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    /// A text, a list of texts, a number or a boolean; null for a required setting that
    /// is missing.
    pub(crate) value: Value,
    pub(crate) source: Source,
}

/// A profile as `profile list` prints it.
pub(crate) struct Listed<'c> {
    pub(crate) name: &'c str,
    pub(crate) is_default: bool,
    pub(crate) issuer: Option<String>,
    /// The profile's key for the source, and the file or the program.
    pub(crate) source: Result<Option<(&'static str, String)>, Error>,
    pub(crate) hosts: Vec<String>,
}

impl Config<'_> {
    /// Returns the file's profiles by name.
    pub(crate) fn listed(&self) -> Vec<Listed<'_>> {
        let default = self.default_profile();
        let listed = |name| {
            let layer = self.profile(name);
            let issuer = self.file.profiles[name].issuer.as_deref();
            Listed {
                name,
                is_default: default.as_deref() == Some(name),
                issuer: issuer.map(shown),
                source: layer.map(|layer| {
                    let source = layer.source.as_ref();
                    source.map(|source| (source.name(), source.place()))
                }),
                hosts: self.rules_of(Some(name)).map(pattern).collect(),
            }
        };
        self.profile_names().map(listed).collect()
    }

    /// Returns the rules of the hosts that get a profile's token. The caller's profile is
    /// ignored here.
    fn rules_of(&self, profile: Option<&str>) -> impl Iterator<Item = &HostRule> {
        let default = self.default_profile();
        self.rules.iter().filter(move |rule| {
            let own = rule.profile.as_deref().or(default.as_deref());
            own == profile
        })
    }

    /// Returns the settings of a call without a host.
    ///
    /// # Errors
    /// The profile does not exist or is invalid.
    pub(crate) fn shown(&self, options: &Options) -> Result<Vec<Shown>, Error> {
        let name = self.profile_for(&Asker::default());
        let of_file = match &name {
            Some(name) => self.profile(name)?,
            None => Layer::default(),
        };
        let sources = Sources {
            config: self,
            options,
            lines: Lines::of(self.file.text()),
            profile: name.as_deref(),
        };
        let mut all = sources.of_call();
        all.extend(sources.of_profile(of_file));
        all.extend(sources.of_hosts());
        all.extend(sources.of_machine()?);
        Ok(all)
    }
}

/// The inputs for finding a value's source.
struct Sources<'s> {
    config: &'s Config<'s>,
    options: &'s Options,
    lines: Lines<'s>,
    profile: Option<&'s str>,
}

impl Sources<'_> {
    /// Returns the flag, or else the variable, by which the caller sets a setting.
    fn of_caller(&self, name: &str) -> Source {
        Source::of_caller(self.options, name)
    }

    /// Returns the line of the config file that sets a key.
    fn line(&self, key: &[&str]) -> Source {
        let path = self.config.path().map(Path::to_owned);
        path.map_or(Source::Default, |path| {
            Source::File(path, self.lines.of_key(key))
        })
    }

    /// Returns the line that sets a key of the profile.
    fn of_own(&self, key: &str) -> Source {
        self.line(&["profiles", self.profile.unwrap_or_default(), key])
    }

    /// Returns a setting of the caller, or else of the profile.
    fn setting(&self, name: &'static str, value: Value, is_of_caller: bool) -> Shown {
        let source = if is_of_caller {
            self.of_caller(name)
        } else if value.is_null() {
            Source::Default
        } else {
            self.of_own(name)
        };
        Shown {
            name,
            value,
            source,
        }
    }

    /// Returns the config file and the profile.
    fn of_call(&self) -> Vec<Shown> {
        let variable = set(self.config.environment, "ZITADEL_CREDENTIAL_CONFIG");
        let is_given = self.options.config.is_some() || variable.is_some();
        let name = "config";
        let file = Shown {
            name,
            value: json!(self.config.path().map(quote::path)),
            source: if is_given {
                self.of_caller(name)
            } else {
                Source::Default
            },
        };
        let name = "profile";
        let profile = Shown {
            name,
            value: json!(self.profile.map(quote::path)),
            source: match (self.profile, &self.config.file.default_profile) {
                _ if self.config.caller.profile.is_some() => self.of_caller(name),
                (None, _) => Source::Default,
                (Some(_), Some(_)) => self.line(&["default-profile"]),
                // The only profile.
                (Some(only), None) => self.line(&["profiles", only]),
            },
        };
        vec![file, profile]
    }

    /// Returns the settings that a profile may have.
    fn of_profile(&self, of_file: Layer) -> Vec<Shown> {
        let caller = &self.config.caller;
        let projects = [
            (caller.projects.clone(), true),
            (of_file.projects.clone(), false),
        ];
        // `hosts`, `cache_dir` and `timeout` are not settings of a profile.
        let Layer {
            profile: _,
            issuer,
            source,
            key_id,
            user_id,
            client_id,
            self_signed,
            token_endpoint,
            scopes,
            projects: _,
            roles,
            zitadel_api,
            ca_file,
            allow_http,
            shared,
            hosts: _,
            cache_dir: _,
            timeout: _,
        } = caller.clone().or(of_file);
        let issuer = issuer.as_deref().map(shown);
        let mut all = vec![self.setting("issuer", json!(issuer), caller.issuer.is_some())];
        let place = source
            .as_ref()
            .map(|source| (source.name(), source.place()));
        let (name, value) = place.unzip();
        let is_callers = caller.source.is_some();
        all.push(self.setting(name.unwrap_or("key-file"), json!(value), is_callers));
        for (name, id, is_callers) in [
            ("key-id", key_id, caller.key_id.is_some()),
            ("user-id", user_id, caller.user_id.is_some()),
            ("client-id", client_id, caller.client_id.is_some()),
            ("token-endpoint", token_endpoint, false),
        ] {
            let id = id.map(|id| json!(shown(&id)));
            all.extend(id.map(|id| self.setting(name, id, is_callers)));
        }
        all.push(match scopes {
            Some(scopes) => self.setting("scopes", list(&scopes), caller.scopes.is_some()),
            None => Shown {
                name: "scopes",
                value: json!(["openid"]),
                source: Source::Default,
            },
        });
        let projects = projects.into_iter().filter(|(ids, _)| !ids.is_empty());
        all.extend(
            projects.map(|(ids, is_callers)| self.setting("projects", list(&ids), is_callers)),
        );
        if let Some(SourceSetting::Signer(_, Some(file))) = &source {
            let file = json!(quote::path(file));
            all.push(self.setting("public-key-file", file, false));
        }
        if self_signed {
            all.push(self.setting("self-signed", json!(true), false));
        }
        for (name, is_set, is_callers) in [
            ("roles", roles, caller.roles),
            ("zitadel-api", zitadel_api, caller.zitadel_api),
            ("allow-http", allow_http, caller.allow_http),
        ] {
            let mut shown = self.setting(name, json!(is_set), is_callers);
            if matches!(shown.source, Source::File(_, None)) {
                shown.source = Source::Default;
            }
            all.push(shown);
        }
        all.extend(shared.iter().flat_map(|shared| self.of_shared(shared)));
        let ca_file = ca_file.map(|file| json!(quote::path(&file)));
        all.extend(ca_file.map(|file| self.setting("ca-file", file, caller.ca_file.is_some())));
        all
    }

    /// Returns the settings of the shared cache.
    fn of_shared(&self, shared: &Settings) -> Vec<Shown> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| json!(quote::path(path)));
        let password = match &shared.password {
            Some(Password::File(file)) => Some(json!(quote::path(file))),
            _ => None,
        };
        let on_failure = match shared.on_failure {
            OnFailure::Mint => "mint",
            OnFailure::Fail => "fail",
        };
        let age = shared.max_age.map(|age| format!("{}s", age.as_secs()));
        let pool = Some(&shared.pool).filter(|pool| !pool.is_empty());
        let all = [
            ("shared.url", Some(json!(shared.address.to_string()))),
            (
                "shared.username",
                shared.username.as_ref().map(|text| json!(shown(text))),
            ),
            ("shared.password-file", password),
            ("shared.ca-file", path(&shared.ca_file)),
            ("shared.pool", pool.map(|text| json!(shown(text)))),
            ("shared.seal-key-file", path(&shared.seal_key_file)),
            ("shared.on-failure", Some(json!(on_failure))),
            ("shared.max-age", age.map(|age| json!(age))),
        ];
        let profile = self.profile.unwrap_or_default();
        let of_file = |(name, value): (&'static str, Option<Value>)| {
            let key = name.split_once('.').map_or(name, |(_, key)| key);
            let source = match self.line(&["profiles", profile, "shared", key]) {
                Source::File(_, None) => Source::Default,
                source => source,
            };
            Some(Shown {
                name,
                value: value?,
                source,
            })
        };
        all.into_iter().filter_map(of_file).collect()
    }

    /// Returns the hosts that get the profile's token.
    fn of_hosts(&self) -> Vec<Shown> {
        let gets_it = |rule: &&HostRule| {
            let profile = self.config.profile_for(&Asker::of(rule));
            profile.as_deref() == self.profile
        };
        let host = |rule: &HostRule| Shown {
            name: "host",
            value: json!(pattern(rule)),
            source: if rule.is_callers {
                self.of_caller("host")
            } else {
                self.of_rule(rule)
            },
        };
        let rules = self.config.rules.iter().filter(gets_it);
        rules.map(host).collect()
    }

    fn of_rule(&self, rule: &HostRule) -> Source {
        let mut written = self.config.file.hosts.keys();
        let is_it = |text: &&String| Config::pattern(text).is_ok_and(|it| it == rule.pattern);
        let written = written.find(is_it).map_or("", String::as_str);
        self.line(&["hosts", written])
    }

    /// Returns the settings that no profile has.
    fn of_machine(&self) -> Result<Vec<Shown>, Error> {
        let caller = &self.config.caller;
        let given = self.options;
        let environment = self.config.environment;
        let level = log_level(given, environment, LevelFilter::Warn)?;
        let has_level = given.verbose > 0 || set(environment, "ZITADEL_CREDENTIAL_LOG").is_some();
        let shown_format = match log_format(given, environment)? {
            Format::Text => "text",
            Format::Json => "json",
        };
        let has_format = given.log_format.is_some() || set(environment, LOG_FORMAT).is_some();
        let dir = self.config.cache_root().map(|root| quote::path(&root));
        let all = [
            ("cache-dir", json!(dir), caller.cache_dir.is_some()),
            (
                "timeout",
                json!(caller.timeout.unwrap_or(TIMEOUT.as_secs())),
                caller.timeout.is_some(),
            ),
            ("log", json!(level.as_str().to_ascii_lowercase()), has_level),
            ("log-format", json!(shown_format), has_format),
        ];
        let mut all = all.map(|(name, value, is_callers)| Shown {
            name,
            value,
            source: if is_callers {
                self.of_caller(name)
            } else {
                Source::Default
            },
        });
        if given.no_cache {
            all[0].value = Value::Null;
            all[0].source = Source::Flag("--no-cache");
        }
        Ok(all.into())
    }
}

/// Returns a text of any length, with possible secrets redacted.
fn shown(text: &str) -> String {
    printable(&redacted(text))
}

fn list(texts: &[String]) -> Value {
    texts.iter().map(|text| shown(text)).collect()
}

fn pattern(rule: &HostRule) -> String {
    rule.pattern.to_string()
}
