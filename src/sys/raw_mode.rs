//! The terminal while a person is asked: keys are not shown twice, and Ctrl-C is an answer.

use anyhow::Result;

use super::exec::{Running, install_interrupt_handler};

/// Held while questions are asked. `console`, which reads the keys for `inquire`, turns off the terminal's own line
/// editing for each key alone, and sends this process SIGINT for Ctrl-C. Keys that come while a question is drawn
/// would be shown twice and edited by the kernel, and Ctrl-C would end the program without a message.
#[derive(Debug)]
pub(crate) struct RawMode {
    _running: Running,
    #[cfg(unix)]
    before: nix::sys::termios::Termios,
}

impl RawMode {
    /// Until it is dropped, keys go to the program as they are.
    ///
    /// # Errors
    /// Standard input is not a terminal.
    pub(crate) fn enter() -> Result<Self> {
        install_interrupt_handler()?;
        Ok(Self {
            _running: Running::enter(),
            #[cfg(unix)]
            before: unix::enter()?,
        })
    }
}

#[cfg(unix)]
impl Drop for RawMode {
    fn drop(&mut self) {
        unix::leave(&self.before);
    }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use anyhow::{Context as _, Result};
    use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

    /// Sets raw mode, except that output stays as it is; the mode before.
    pub(super) fn enter() -> Result<Termios> {
        let before = tcgetattr(io::stdin()).context("failed to ask on this terminal")?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        raw.output_flags = before.output_flags;
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)
            .context("failed to ask on this terminal")?;
        Ok(before)
    }

    pub(super) fn leave(before: &Termios) {
        // Fails only when the terminal has gone.
        let _gone = tcsetattr(io::stdin(), SetArg::TCSADRAIN, before);
    }
}
