//! The program on a real terminal: a pseudo-terminal whose other end is read as a terminal would show it.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long is waited for what must come; only a program that hangs ever gets there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program at work on a terminal of 80 lines.
pub(crate) struct Session {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    printed: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    _terminal: Box<dyn MasterPty + Send>,
    columns: u16,
}

/// The exit status, every printed byte, and the final screen.
pub(crate) struct ExitReason {
    pub(crate) code: u32,
    pub(crate) printed: String,
    pub(crate) screen: String,
}

impl Session {
    /// Starts a command with its arguments, folder and environment; colours are as the terminal says.
    pub(crate) fn start(command: &Command) -> Self {
        Self::start_in(command, 100)
    }

    /// [`Self::start`] where a line has so many columns.
    pub(crate) fn start_in(command: &Command, columns: u16) -> Self {
        let size = PtySize {
            rows: 80,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.cwd(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        for name in ["NO_COLOR", "CARGO_TERM_COLOR", "CI", "COLUMNS"] {
            builder.env_remove(name);
        }
        builder.env("TERM", "xterm-256color");
        builder.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(builder).unwrap();
        drop(pair.slave);
        let printed = Arc::new(Mutex::new(Vec::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let into = Arc::clone(&printed);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose program has ended gives an error on Linux, and nothing elsewhere.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                into.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self {
            child,
            keys: pair.master.take_writer().unwrap(),
            printed,
            reader,
            _terminal: pair.master,
            columns,
        }
    }

    fn printed(&self) -> Vec<u8> {
        self.printed.lock().unwrap().clone()
    }

    /// What the screen shows now.
    pub(crate) fn screen(&self) -> String {
        screen(&self.printed(), self.columns)
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> &mut Self {
        let begun = Instant::now();
        while !self.screen().contains(text) {
            let gone = self.child.try_wait().unwrap();
            if (gone.is_some() && self.reader.is_finished()) || begun.elapsed() > PATIENCE {
                assert!(
                    self.screen().contains(text),
                    "no {text:?} ({gone:?}) on\n{}",
                    self.screen()
                );
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// Types this.
    pub(crate) fn types(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ends(mut self) -> ExitReason {
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it goes on:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        };
        drop(self.keys);
        self.reader.join().unwrap();
        let printed = self.printed.lock().unwrap().clone();
        ExitReason {
            code,
            screen: screen(&printed, self.columns),
            printed: String::from_utf8_lossy(&printed).into_owned(),
        }
    }
}

fn screen(printed: &[u8], columns: u16) -> String {
    let mut parser = vt100::Parser::new(80, columns, 1000);
    parser.process(printed);
    parser.screen().contents()
}
