//! The log's level and format, which no profile has.

use clap::ValueEnum;
use log::LevelFilter;

use super::value::{set, text, usage};
use crate::cli::options::Options;
use crate::error::Error;
use crate::sys::Environment;
use crate::text::logger;
use crate::text::logger::Format;

/// The variable of the log's format.
pub const LOG_FORMAT: &str = "ZITADEL_CREDENTIAL_LOG_FORMAT";

/// Returns the log level: `-v`, `-vv`, `ZITADEL_CREDENTIAL_LOG`, or else `usual`.
///
/// # Errors
/// [`Error::Usage`]: the variable is not a log level.
pub fn log_level(
    options: &Options,
    environment: &Environment,
    usual: LevelFilter,
) -> Result<LevelFilter, Error> {
    const VARIABLE: &str = "ZITADEL_CREDENTIAL_LOG";
    match (options.verbose, set(environment, VARIABLE)) {
        (0, None) => Ok(usual),
        (1, _) => Ok(LevelFilter::Info),
        (0, Some(level)) => text(VARIABLE, &level)?.parse().map_err(|_| {
            usage(
                format!("invalid log level in {VARIABLE}"),
                "set it to off, error, warn, info or debug",
            )
        }),
        _ => Ok(LevelFilter::Debug),
    }
}

/// Returns the log's format: `--log-format`, `ZITADEL_CREDENTIAL_LOG_FORMAT`, or else text.
///
/// # Errors
/// [`Error::Usage`]: the variable is not a format.
pub fn log_format(options: &Options, environment: &Environment) -> Result<Format, Error> {
    match (options.log_format, set(environment, LOG_FORMAT)) {
        (Some(format), _) => Ok(format),
        (None, None) => Ok(Format::Text),
        (None, Some(format)) => {
            Format::from_str(&text(LOG_FORMAT, &format)?, false).map_err(|_| {
                usage(
                    format!("invalid log format in {LOG_FORMAT}"),
                    "set it to text or json",
                )
            })
        }
    }
}

/// Starts the log with the call's format and level, or else level `usual`.
///
/// # Errors
/// [`Error::Usage`]: a variable is invalid.
pub fn start_log(
    options: &Options,
    environment: &Environment,
    usual: LevelFilter,
) -> Result<(), Error> {
    logger::set_format(log_format(options, environment)?);
    logger::start(log_level(options, environment, usual)?);
    Ok(())
}
