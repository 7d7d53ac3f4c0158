//! The arguments of `terraform`.

use std::ffi::OsString;

use clap::Args;

use crate::call::question::split_operation;
use crate::cli::options::{EVERY, Options};
use crate::error::Report;

#[derive(Args, Debug)]
pub struct Terraform {
    /// get, store or forget; then whose token: the host, with the port if there
    /// is one. No option is read after the operation
    // The host stands in a module that anybody may have written.
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
    /// Too few words, or too many.
    pub(crate) fn call(&self) -> Result<[&OsString; 2], Report> {
        let (operation, words) = split_operation("terraform", &self.words)?;
        let [host] = words else {
            let report = Report::new("terraform: one host is wanted after the operation");
            return Err(report.hint("Terraform calls this itself: get HOST"));
        };
        Ok([operation, host])
    }
}
