//! Results go to standard output, diagnostics to standard error.

pub mod ci_commands;
pub mod link;
pub mod relative;
pub mod sanitize;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use camino::Utf8Path;

use self::link::Links;
use self::sanitize::HarmlessStream;

/// Emphasis in results.
pub const BOLD: Style = Style::new().bold();
/// Less important text.
pub const DIM: Style = Style::new().dimmed();
/// Proven, passed, done.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Failed, missing, contradicted.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Claimed, stale, to be checked.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Commands and names that the user can type.
pub const LITERAL: Style = AnsiColor::Cyan.on_default();

/// The amount of output and its colors: `--color`, `--quiet` and `--verbose`.
#[derive(Debug, Clone, Copy)]
pub struct Verbosity {
    /// Whether to use colors.
    pub color: clap::ColorChoice,
    /// Whether to print only results and errors.
    pub quiet: bool,
    /// Whether to print details.
    pub verbose: bool,
}

impl Default for Verbosity {
    fn default() -> Self {
        Self {
            color: clap::ColorChoice::Auto,
            quiet: false,
            verbose: false,
        }
    }
}

/// The output streams of a run, with its verbosity.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of the streams"
)]
pub struct Terminal {
    out: BufWriter<Output>,
    err: Box<dyn Write>,
    attended: bool,
    coloured: bool,
    quiet: bool,
    verbose: bool,
    /// Whether standard output is reserved for a machine-readable document.
    reserved: bool,
    columns: Option<usize>,
    links: Links,
}

/// Standard output. If its reader has closed it (`… | head`), further output is dropped, but the run continues: tests run, evidence is
/// recorded, and the exit code is the same.
struct Output {
    stream: Box<dyn Write>,
    unread: bool,
}

impl Output {
    fn unless_unread<T>(&mut self, instead: T, result: io::Result<T>) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.unread = true;
                Ok(instead)
            }
            result => result,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unread {
            return Ok(bytes.len());
        }
        let written = self.stream.write(bytes);
        self.unless_unread(bytes.len(), written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.unread {
            return Ok(());
        }
        let flushed = self.stream.flush();
        self.unless_unread((), flushed)
    }
}

/// A sanitized stream for a terminal; a file or a program gets the original bytes.
fn shielded(stream: impl Write + 'static, is_terminal: bool) -> Box<dyn Write> {
    if is_terminal {
        Box::new(HarmlessStream::new(stream))
    } else {
        Box::new(stream)
    }
}

impl Terminal {
    /// The streams of this process, with colors according to `--color`, `NO_COLOR`, `CLICOLOR_FORCE` and the terminal.
    #[must_use]
    pub fn new(verbosity: Verbosity) -> Self {
        let wanted = match verbosity.color {
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
            clap::ColorChoice::Auto => ColorChoice::Auto,
        };
        let choice = |auto: ColorChoice| {
            if wanted == ColorChoice::Auto {
                auto
            } else {
                wanted
            }
        };
        let (out, err) = (io::stdout(), io::stderr());
        let (out_choice, err_choice) = (AutoStream::choice(&out), AutoStream::choice(&err));
        let attended = err.is_terminal();
        let coloured = choice(err_choice) != ColorChoice::Never;
        let out_is_terminal = out.is_terminal();
        let links = Links::new(choice(out_choice));
        let columns = terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0));
        let out = AutoStream::new(out, choice(out_choice));
        let err = AutoStream::new(err, choice(err_choice));
        Self {
            out: BufWriter::new(Output {
                stream: shielded(out, out_is_terminal),
                unread: false,
            }),
            attended,
            coloured,
            err: shielded(err, attended),
            quiet: verbosity.quiet,
            verbose: verbosity.verbose,
            reserved: false,
            columns,
            links,
        }
    }

    /// Streams of the caller, without colors or interaction.
    #[must_use]
    pub fn to(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        let out = AutoStream::never(out);
        Self {
            out: BufWriter::new(Output {
                stream: Box::new(out),
                unread: false,
            }),
            err: Box::new(AutoStream::never(err)),
            attended: false,
            coloured: false,
            quiet: false,
            verbose: false,
            reserved: false,
            columns: None,
            links: Links::default(),
        }
    }

    /// Whether the reader of standard output has closed it.
    #[must_use]
    pub(crate) fn is_unread(&self) -> bool {
        self.out.get_ref().unread
    }

    /// The stream for results.
    pub fn out(&mut self) -> &mut dyn Write {
        if self.reserved {
            &mut self.err
        } else {
            &mut self.out
        }
    }

    /// Reserves standard output for [`Self::document`]; other output goes to standard error.
    pub fn reserve_out(&mut self) {
        self.reserved = true;
    }

    /// The stream for a machine-readable document.
    pub fn document(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Whether standard error is a terminal that can show a progress line.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        !self.quiet && self.attended
    }

    /// Whether questions can be asked, which requires the feature `interview`.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        cfg!(feature = "interview") && self.attended && io::stdin().is_terminal()
    }

    /// Whether standard error uses colors.
    #[must_use]
    pub fn coloured(&self) -> bool {
        self.coloured
    }

    /// The width for text in columns: that of the terminal on standard output, that of `COLUMNS`, or 100.
    #[must_use]
    pub fn width(&self) -> usize {
        let told = || std::env::var("COLUMNS").ok()?.parse().ok();
        let columns = self.columns.or_else(told);
        columns.filter(|columns| *columns >= 40).unwrap_or(100)
    }

    /// The columns of the terminal on standard output. `None` for a pipe, in which lines are not broken, so that they can be searched.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.columns.filter(|columns| *columns >= 40)
    }

    /// Sets the folder that shown paths are relative to.
    pub fn paths_from(&mut self, root: &Utf8Path) {
        self.links.relative_to(root);
    }

    /// Creates links to files.
    #[must_use]
    pub fn links(&self) -> Links {
        self.links.clone()
    }

    /// Whether additional messages are printed.
    #[must_use]
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Whether only results are printed.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a line about the run, unless `--quiet`, in cargo's alignment: `   Verified 12 tests`.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn status(&mut self, verb: &str, message: impl Display) -> Result<()> {
        if !self.quiet {
            self.out.flush()?;
            let verb_style = GOOD.bold();
            writeln!(self.err, "{verb_style}{verb:>12}{verb_style:#} {message}")?;
        }
        Ok(())
    }

    /// Prints a line under `--verbose`.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn detail(&mut self, message: impl Display) -> Result<()> {
        if self.verbose {
            writeln!(self.err, "{DIM}{message}{DIM:#}")?;
        }
        Ok(())
    }

    /// Forwards a message of a program that runs.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn relay(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.flush()?;
        self.err.write_all(bytes)?;
        Ok(())
    }

    /// Prints a warning, also under `--quiet`.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn warn(&mut self, message: impl Display) -> Result<()> {
        self.out.flush()?;
        let style = WARN.bold();
        let message = message.to_string();
        let message = relative::shown(&message);
        writeln!(self.err, "{style}warning{style:#}{BOLD}:{BOLD:#} {message}")?;
        Ok(())
    }

    /// Prints an error with its causes.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn error(&mut self, error: &anyhow::Error) -> Result<()> {
        self.out.flush()?;
        let message = error.to_string();
        let message = relative::shown(&message);
        writeln!(self.err, "{BAD}error{BAD:#}{BOLD}:{BOLD:#} {message}")?;
        for cause in error.chain().skip(1) {
            let cause = cause.to_string();
            for (line, text) in relative::shown(&cause).lines().enumerate() {
                let lead = if line == 0 { "  cause: " } else { "         " };
                writeln!(self.err, "{DIM}{lead}{DIM:#}{text}")?;
            }
        }
        Ok(())
    }

    /// Flushes the buffer.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush()?;
        Ok(())
    }
}
