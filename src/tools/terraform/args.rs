//! The arguments of `terraform`.

use std::ffi::OsString;

use clap::Args;

use crate::call::request::split_operation;
use crate::cli::options::{EVERY, Options};
use crate::error::Report;

#[derive(Args, Debug)]
pub struct Terraform {
    /// get, store or forget, then the host, with its port if it has one. No
    /// options are read after the operation
    // The host is untrusted: it comes from a module that an attacker may have written.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, allow_hyphen_values = true,
          value_names = ["OPERATION", "HOST"])]
    pub(super) words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

impl Terraform {
    /// Returns the operation and the host.
    ///
    /// # Errors
    /// There are too few words, or too many.
    pub(crate) fn call(&self) -> Result<[&OsString; 2], Report> {
        let (operation, words) = split_operation("terraform", &self.words)?;
        let [host] = words else {
            let report = Report::new("terraform: expected one host after the operation");
            return Err(report.hint("call it as Terraform does: get HOST"));
        };
        Ok([operation, host])
    }
}
