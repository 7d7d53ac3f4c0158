//! The commands for people and scripts: `token`, `exec`, `assertion`, `whoami`.

mod args;

use std::ffi::OsStr;
use std::fmt::Write;
use std::time::Duration;
use std::{io, process};

use args::TokenOutput;
pub(crate) use args::{AssertionArgs, ExecArgs, TokenArgs};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::call::{self, Answer, World};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::grant::Grant;
use crate::secret::Secret;
use crate::source::assertion::Statement;
use crate::source::{Source, assertion};
use crate::sys::exec;
use crate::text::quote;
use crate::text::quote::{is_unprintable, system};
use crate::token::{MAKE_IT_SHORTER, Token};
use crate::token_file;
use crate::url::IssuerUrl;

/// `token`: prints a token, or writes it to a file.
pub(crate) fn token(
    world: &World<'_>,
    config: &Config<'_>,
    args: TokenArgs,
) -> Result<Answer, Error> {
    let request = config.request(Asker::default())?;
    let access = args.access.access()?;
    let file = args
        .write
        .map(|path| world.directories.located("--write", &path))
        .transpose()?;
    if let Some(path) = &file {
        token_file::refuse_ours(path, config, "the token")?;
    }
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token()?;
    if let Some(remark) = token.remark_on_size() {
        log::info!("{remark}: {MAKE_IT_SHORTER}");
    }
    let text = match args.output {
        TokenOutput::Raw => token.expose().to_owned(),
        TokenOutput::Header => format!("Authorization: {}", token.bearer()),
        TokenOutput::Json => described(&token, &broker).to_string(),
    };
    let text = Secret::new(text);
    match file {
        Some(path) => {
            token_file::write(&path, &text, &access, (world.clock)())?;
            Ok(Answer::new(""))
        }
        None => Ok(Answer::new(format!("{}\n", text.expose()))),
    }
}

fn described(token: &Token, broker: &Broker<'_>) -> Value {
    let Grant { issuer, scopes, .. } = broker.grant();
    json!({
        "access_token": token.expose(),
        "token_type": "Bearer",
        "expires_at": token.expiry_for_tools().map(|end| end.to_string()),
        "issuer": issuer.as_ref().map(IssuerUrl::as_str),
        "key_id": broker.key_id(),
        "user_id": broker.user_id(),
        // Another program's token may have any.
        "scopes": broker.supplier().is_none().then(|| scopes.iter().collect::<Vec<_>>()),
    })
}

/// The variable in which `exec` passes the token by default.
const DEFAULT_VARIABLE: &str = "ZITADEL_ACCESS_TOKEN";

/// The variable by which AWS clients find the token's file.
const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// `exec`: replaces this process with the command, with a token in its environment.
pub(crate) fn exec(
    world: &mut World<'_>,
    config: &Config<'_>,
    args: &ExecArgs,
) -> Result<Answer, Error> {
    let ExecArgs {
        env,
        write_web_identity,
        command,
        ..
    } = args;
    // With the token in a file, the command needs no variable for it.
    let default = (!write_web_identity).then_some(OsStr::new(DEFAULT_VARIABLE));
    let variable = env.as_deref().or(default);
    if let Some(variable) = variable.filter(|name| !is_name(name)) {
        let what = format!("--env: invalid variable name {}", quote::path(variable));
        return Err(Error::Usage(
            Report::new(what).hint("use letters, digits and _, and do not begin with a digit"),
        ));
    }
    if *write_web_identity && variable.is_some_and(|name| name == WEB_IDENTITY) {
        let what = format!("--env {WEB_IDENTITY} conflicts with --write-web-identity");
        return Err(Error::Usage(Report::new(what).hint(
            "leave out --env: --write-web-identity sets that variable to the token's file",
        )));
    }
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Usage(Report::new("no command to run")));
    };
    let request = config.request(Asker::default())?;
    let broker = Broker::new(&request, world.clock)?;
    let mut command = process::Command::new(program);
    command.args(arguments);
    let token = if *write_web_identity {
        let (token, file) = broker.jwt_in_file()?;
        command.env(WEB_IDENTITY, file);
        token
    } else {
        broker.token()?
    };
    // An outer `exec` sets this variable.
    command.env_remove(DEFAULT_VARIABLE);
    if let Some(variable) = variable {
        command.env(variable, token.expose());
    }
    let error = exec::exec(&mut command);
    // `exec` returns only if it failed. The exit codes are those of shells and env(1).
    let code = match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    };
    let what = format!("cannot run {}: {}", quote::path(program), system(&error));
    let report = Report::new(what).hint(match error.kind() {
        io::ErrorKind::ArgumentListTooLong => {
            "give the program the token in a file: zitadel-credential token --write FILE"
        }
        io::ErrorKind::PermissionDenied => "name a program that you may execute, after --",
        _ => "name a program on PATH, or its path, after --",
    });
    let error = Error::Usage(report);
    if quote::holds_secret(&program.to_string_lossy()) {
        // A mistake in the call, not in a program's name.
        return Err(error);
    }
    call::report(world, &error);
    Ok(Answer::new("").with_code(code))
}

/// Returns true if a shell accepts the text as a variable's name.
fn is_name(text: &OsStr) -> bool {
    let text = text.as_encoded_bytes();
    let fits = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    text.first().is_some_and(|b| !b.is_ascii_digit()) && text.iter().all(fits)
}

/// `assertion`: prints a signed assertion; needs no network.
pub(crate) fn assertion(
    world: &World<'_>,
    config: &Config<'_>,
    args: AssertionArgs,
) -> Result<Answer, Error> {
    let (source, issuer) = config.assertion(args.audience.is_none())?;
    let audience = args
        .audience
        .or_else(|| issuer.map(|issuer| issuer.as_str().to_owned()))
        .unwrap_or_default();
    let (now, lifetime) = ((world.clock)(), Duration::from_secs(args.lifetime.into()));
    let statement = |key, user| Statement {
        key,
        user,
        audience: &audience,
        now,
        lifetime,
    };
    let (environment, deadline) = (world.environment, config.deadline());
    let signed = match &source {
        Source::Key(spec) | Source::SelfSigned(spec) => {
            let key = spec.load(environment, deadline)?;
            spec.warn_of_exposure();
            let is_named = !spec.derives_id || spec.id.is_some();
            let statement = statement(is_named.then_some(&key.id), &key.user);
            assertion::sign(&key, &statement)
                .map_err(|report| Error::Final(report.about(&spec.source)))?
        }
        Source::Signer(signer) => {
            let statement = statement(Some(&signer.id), &signer.user);
            signer.sign(&statement, environment, deadline)?
        }
        Source::Client(_) | Source::Supplier(_) => {
            let report = Report::new(format!("{source}: cannot sign an assertion"));
            return Err(Error::Usage(report.hint(
                "give --key-file, or a profile with a key or a sign-command",
            )));
        }
    };
    Ok(Answer::new(format!("{}\n", signed.expose())))
}

/// `whoami`: prints the issuer's claims about the token's user.
pub(crate) fn whoami(world: &World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let request = config.request(Asker::default())?;
    let broker = Broker::new(&request, world.clock)?;
    if broker.is_self_signed() {
        let what = "a system user has no claims at the issuer's userinfo endpoint";
        let hint = "run zitadel-credential doctor, which checks its token";
        return Err(Error::Usage(Report::new(what).hint(hint)));
    }
    let token = broker.token()?;
    match broker.userinfo(&token)? {
        // A faulty issuer may send the token back.
        Ok(claims) => Ok(Answer::new(pretty(&claims).replace(token.expose(), "[…]"))),
        Err(refusal) => {
            let what = format!("the issuer refused the token: {}", refusal.description);
            Err(broker.about(Error::Final(Report::new(what).hint(
                "run zitadel-credential whoami --refresh to try a new token: this one was revoked, its user was deactivated, or ZITADEL has an internal error",
            ))))
        }
    }
}

/// Formats JSON with indentation, and escapes the characters that a terminal
/// interprets.
fn pretty(claims: &Value) -> String {
    let text = format!("{claims:#}\n");
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) && c != '\n' {
            // All these characters are below U+10000, so one escape is enough.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_json_steers_no_terminal_and_reads_back_the_same() {
        let claims = json!({"name": "a\u{9b}31m\u{202e}\u{1b}[0mü"});
        let text = pretty(&claims);
        assert_eq!(
            text,
            "{\n  \"name\": \"a\\u009b31m\\u202e\\u001b[0mü\"\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(claims));
    }
}
