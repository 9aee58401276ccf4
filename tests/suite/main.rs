//! One test binary for everything that runs the program or other processes, or uses real files.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and helpers are tests too"
)]

mod affected;
mod bad_input;
mod built;
mod change;
mod check;
mod check_properties;
mod ci;
mod compile;
mod complete;
mod completions;
mod config;
mod configurations;
mod contract;
mod coverage;
mod culprit;
mod demo;
mod deps;
mod deps_files;
mod deps_properties;
mod document;
mod evidence;
#[cfg(unix)]
mod exec;
mod expected;
mod failed;
mod foreign;
mod formats;
mod freshness;
#[cfg(unix)]
mod gate;
mod init;
mod items;
mod json_schema;
mod kit;
mod lexer;
mod many;
mod modules;
mod observe;
mod order;
mod outside;
mod packages;
mod page;
#[cfg(unix)]
mod pictures;
mod plans;
mod promise;
mod property;
#[cfg(unix)]
mod pty;
mod reach;
mod readme;
mod record;
mod reference;
mod relative;
mod reuse;
mod review;
mod run_formats;
mod selection;
mod shadow;
mod shards;
#[cfg(unix)]
mod shells;
mod since;
mod source_tests;
#[cfg(unix)]
mod startup;
mod status;
mod step;
mod strength;
#[cfg(unix)]
mod terminal;
mod verify;
#[cfg(unix)]
mod verify_command;
#[cfg(unix)]
mod watch;
