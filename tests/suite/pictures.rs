//! The pictures of the README and the book show what the program prints.
//!
//! `SNAPSHOTS=overwrite cargo test --test suite pictures::` writes all of them. The terminal is compared with the program in
//! every run. The page needs Chromium, whose versions draw text differently, so it is only written. Hashes and times are
//! replaced by constants: a picture changes only with the program.

use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::demo::WORKSPACE;
use regex::Regex;
use snapbox::Data;
use snapbox::assert::{Assert, DEFAULT_ACTION_ENV};
use vt100::{Color, Screen};

use crate::kit::{PROGRAM, Sandbox, finish};
use crate::page::{chromium_for, headless};
use crate::pty::Session;

/// Columns of the terminal: at 320 pixels, letters are still nine pixels high.
const COLUMNS: u16 = 52;
/// The size of a letter's cell, and the space around the text, in pixels.
const CELL: (usize, usize) = (8, 18);
const MARGIN: usize = 14;

/// Name, background, border and text, then the colours of a terminal by number. As GitHub has them, with enough contrast.
type Theme = (&'static str, [&'static str; 3], [(u8, &'static str); 7]);

const THEMES: [Theme; 2] = [
    (
        "light",
        ["#ffffff", "#d0d7de", "#1f2328"],
        [
            (1, "#cf222e"),
            (2, "#1a7f37"),
            (3, "#7d4e00"),
            (4, "#0969da"),
            (6, "#1b7c83"),
            (9, "#a40e26"),
            (10, "#1a7f37"),
        ],
    ),
    (
        "dark",
        ["#0d1117", "#30363d", "#e6edf3"],
        [
            (1, "#ff7b72"),
            (2, "#3fb950"),
            (3, "#d29922"),
            (4, "#58a6ff"),
            (6, "#39c5cf"),
            (9, "#ffa198"),
            (10, "#56d364"),
        ],
    ),
];

fn path(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/pictures")
        .join(name)
}

fn overwrites() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite")
}

/// Replaces hashes and times by constants of the same width.
fn constant(text: &str) -> String {
    let constants = [
        (r"\b[0-9a-f]{12}\b", "f4fc47723557"),
        (r"\b\d+\.\d\d s\b", "0.06 s"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b", "2026-01-03 10:00"),
    ];
    constants
        .iter()
        .fold(text.to_owned(), |text, (pattern, to)| {
            Regex::new(pattern)
                .unwrap()
                .replace_all(&text, *to)
                .into_owned()
        })
}

/// The sample workspace, in which `Store::iter` has changed.
fn sample() -> Sandbox {
    let sandbox = Sandbox::empty();
    for (path, content) in WORKSPACE {
        sandbox.write(path, content);
    }
    sandbox.lock_with_cargo().git();
    let (before, after) = ("pub fn iter(&self)", "#[inline]\n    pub fn iter(&self)");
    sandbox.edit("store/src/lib.rs", before, after);
    sandbox
}

/// What a terminal shows after these commands.
fn session(sandbox: &Sandbox, commands: &[&str]) -> vt100::Parser {
    let mut parser = vt100::Parser::new(80, COLUMNS, 0);
    for arguments in commands {
        let mut command = sandbox.command(PROGRAM);
        command.args(arguments.split(' '));
        let ended = Session::start_in(&command, COLUMNS).ends();
        assert_eq!(ended.code, 0, "{}", ended.screen);
        let prompt = format!("\x1b[2m$\x1b[m \x1b[1mcargo poc {arguments}\x1b[m\r\n");
        parser.process(prompt.as_bytes());
        parser.process(constant(&ended.printed).trim().as_bytes());
        parser.process(b"\r\n\r\n");
    }
    parser
}

/// The screen as SVG: one element for each run of cells of one style, so that text can be selected and searched.
fn svg(screen: &Screen, (_, [background, border, text], colours): Theme) -> String {
    let contents = screen.contents();
    let rows = contents.trim_end().lines().count();
    let (width, height) = (
        usize::from(COLUMNS) * CELL.0 + 2 * MARGIN,
        rows * CELL.1 + 2 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title>cargo poc on a terminal</title>\n\
         <style>text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: {text}; \
         white-space: pre }} .bold {{ font-weight: 600 }} .dim {{ opacity: .75 }}"
    );
    for (number, colour) in colours {
        let _ = write!(svg, " .c{number} {{ fill: {colour} }}");
    }
    let _ = writeln!(
        svg,
        "</style>\n<rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{background}\" stroke=\"{border}\"/>",
        width - 1,
        height - 1
    );
    for row in 0..u16::try_from(rows).unwrap() {
        let mut runs: Vec<(u16, String, String)> = Vec::new();
        for column in 0..COLUMNS {
            let cell = screen.cell(row, column).unwrap();
            let class = class(cell);
            let letters = if cell.has_contents() {
                cell.contents()
            } else {
                " "
            };
            match runs.last_mut() {
                Some((_, last, text)) if *last == class => text.push_str(letters),
                _ => runs.push((column, class, letters.to_owned())),
            }
        }
        let y = MARGIN + usize::from(row) * CELL.1 + 13;
        for (column, class, text) in runs.iter().filter(|(.., text)| !text.trim().is_empty()) {
            let blanks = text.len() - text.trim_start().len();
            let x = MARGIN + (usize::from(*column) + blanks) * CELL.0;
            let text = text.trim().replace('&', "&amp;").replace('<', "&lt;");
            let width = text.chars().count() * CELL.0;
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\"{class}>{text}</text>"
            );
        }
    }
    svg + "</svg>\n"
}

/// The class attribute of a cell.
fn class(cell: &vt100::Cell) -> String {
    let mut classes = Vec::new();
    match cell.fgcolor() {
        Color::Default => {}
        Color::Idx(number) => classes.push(format!("c{number}")),
        Color::Rgb(..) => panic!("a theme has no RGB colours"),
    }
    classes.extend(cell.bold().then(|| "bold".to_owned()));
    classes.extend(cell.dim().then(|| "dim".to_owned()));
    match &classes[..] {
        [] => String::new(),
        classes => format!(" class=\"{}\"", classes.join(" ")),
    }
}

#[test]
fn terminal_shows_the_current_output() {
    let sandbox = sample();
    let parser = session(&sandbox, &["affected", "verify -q", "verify -q"]);
    for theme in THEMES {
        let picture = svg(parser.screen(), theme);
        assert!(picture.len() < 20_000, "{}", picture.len());
        let path = path(&format!("terminal-{}.svg", theme.0));
        Assert::new().action_env(DEFAULT_ACTION_ENV).eq(
            Data::text(picture).raw(),
            Data::read_from(path.as_std_path(), None).raw(),
        );
    }
}

#[test]
fn page_is_drawn_from_a_report_of_the_demo() {
    if !overwrites() {
        return;
    }
    let chromium = chromium_for("the picture of the page").expect("Chromium draws the page");
    let sandbox = Sandbox::empty();
    // One more change makes the evidence of two steps stale.
    let script = "TMPDIR=$PWD cargo poc demo --keep -q && cd */pantry
        sed -i.old s/with_capacity.64./new\\(\\)/ codec/src/lib.rs && rm codec/src/lib.rs.old
        cargo poc report -o ../../page.html";
    sandbox.shell(script).exits(0);
    sandbox.write("page.html", constant(&sandbox.read("page.html")));
    // 0 is dark.
    for (scheme, name) in [(1, "light"), (0, "dark")] {
        let to = path(&format!("page-{name}.png"));
        let mut command = headless(chromium, &sandbox);
        command
            .arg("--hide-scrollbars")
            .args(["--force-device-scale-factor=1.5", "--window-size=480,846"])
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .arg(format!("--screenshot={to}"))
            .arg(format!("file://{}", sandbox.root.join("page.html")));
        finish(command, "chromium").exits(0);
        let size = fs::metadata(&to).unwrap().len();
        assert!(size < 150_000, "{to}: {size} bytes");
    }
}
