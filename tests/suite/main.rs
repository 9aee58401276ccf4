//! One test binary for everything that runs the program or other processes.

#[cfg(unix)]
mod exec;
