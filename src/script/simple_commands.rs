//! The simple commands of a plan's shell blocks: their words and operators. Nothing is expanded.

pub(crate) use super::lexer::Command;
use super::lexer::Lexer;
use crate::document::{Block, Plan};

/// The commands of a block, without comments.
pub(crate) fn commands(block: &Block) -> Vec<Command> {
    of_text(&block.code, block.line + 1)
}

/// The commands of a shell text whose first line is `line`.
pub(crate) fn of_text(text: &str, line: usize) -> Vec<Command> {
    let mut lexer = Lexer::new(text, line);
    while lexer.next_end().is_some() {}
    lexer.commands()
}

/// Every verification block of a plan: baseline, prerequisites, steps, done block.
pub(crate) fn proving(plan: &Plan) -> impl Iterator<Item = &Block> {
    let prerequisites = plan.prerequisites.iter().skip(1);
    plan.baseline
        .iter()
        .chain(prerequisites.flat_map(|need| &need.verification))
        .chain(plan.steps.iter().flat_map(|step| &step.verification))
        .chain(
            plan.done
                .iter()
                .filter(|block| !plan.baseline.contains(block)),
        )
        .filter(|block| block.is_shell())
}

/// Whether a word names cargo, by its name, by the path of its file, or as `$CARGO` or `$(rustup which cargo)`.
pub(super) fn is_cargo(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let expands = name.contains(['$', '`']);
    matches!(name, "cargo" | "cargo.exe" | "cross")
        || expands && name.to_ascii_lowercase().contains("cargo")
}

impl Command {
    /// The command's program.
    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether the next commands can run at the same time: it is a job in the background or a part of a pipeline.
    pub(crate) fn runs_beside_next(&self) -> bool {
        matches!(self.then, "&" | "|") || self.program() == "coproc"
    }

    /// The arguments of `cargo test`, `cargo nextest run` and similar; `None` for other commands.
    pub(crate) fn test_arguments(&self) -> Option<&[String]> {
        let (command, rest) = self.cargo()?;
        let first = rest
            .iter()
            .find(|word| !word.starts_with('-'))
            .map(String::as_str);
        match (command, rest) {
            // Subcommands that only read or remove the data of an earlier run.
            ("llvm-cov", _) if matches!(first, Some("report" | "clean" | "show-env" | "run")) => {
                None
            }
            ("test" | "t" | "llvm-cov" | "tarpaulin", rest) => Some(rest),
            ("nextest", [run, rest @ ..]) if run == "run" || run == "r" => Some(rest),
            // Wrappers that pass a subcommand to cargo.
            ("hack" | "careful" | "miri", rest) => {
                let at = rest
                    .iter()
                    .position(|word| matches!(word.as_str(), "test" | "t"))?;
                rest.get(at + 1..)
            }
            _ => None,
        }
    }

    /// The subcommand of cargo and its arguments.
    pub(crate) fn cargo(&self) -> Option<(&str, &[String])> {
        let (program, mut rest) = self.words.split_first()?;
        if !is_cargo(program) {
            return None;
        }
        loop {
            let (word, after) = rest.split_first()?;
            let skip = match word.as_str() {
                "--config" | "--color" | "-Z" | "-C" | "--manifest-path" => 1,
                word if word.starts_with(['+', '-']) => 0,
                word => return Some((word, after)),
            };
            rest = after.get(skip..)?;
        }
    }

    /// Whether it is a test program of another language, whose counts are parsed from its output.
    pub(crate) fn is_foreign_test_program(&self) -> bool {
        const PROGRAMS: [&str; 11] = [
            "pytest", "py.test", "ctest", "jest", "vitest", "mocha", "bats", "tox", "nox", "rspec",
            "phpunit",
        ];
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["python" | "python3", "-m", "pytest" | "unittest", ..]
            | ["uv" | "poetry" | "pipenv", "run", "pytest", ..]
            | ["npm" | "pnpm" | "yarn", "run", "test", ..]
            | ["npx", "jest" | "vitest" | "mocha", ..]
            | [
                "npm" | "pnpm" | "yarn" | "bun" | "deno" | "go" | "dotnet" | "mvn" | "gradle",
                "test",
                ..,
            ] => true,
            [program, ..] => PROGRAMS.contains(program),
            [] => false,
        }
    }

    /// Whether it runs tests; `None` if that is unknown, as for a script.
    pub(crate) fn runs_tests(&self) -> Option<bool> {
        const NO_TESTS: &[&str] = &[
            "[", "[[", "cat", "cd", "cp", "curl", "diff", "echo", "export", "false", "find", "git",
            "grep", "head", "jq", "ls", "mkdir", "mv", "printf", "rg", "rm", "rustc", "rustfmt",
            "sed", "set", "sleep", "tail", "test", "touch", "true", "wc", "which",
        ];
        const NO_TESTS_OF_CARGO: &[&str] = &[
            "add",
            "b",
            "bench",
            "build",
            "c",
            "check",
            "clean",
            "clippy",
            "d",
            "doc",
            "fetch",
            "fix",
            "fmt",
            "generate-lockfile",
            "info",
            "init",
            "install",
            "metadata",
            "new",
            "package",
            "pkgid",
            "r",
            "remove",
            "run",
            "search",
            "tree",
            "update",
            "vendor",
            "version",
        ];
        if let Some(arguments) = self.test_arguments() {
            let idle = ["--no-run", "--list", "--help", "-h"];
            return Some(!arguments.iter().any(|word| idle.contains(&word.as_str())));
        }
        match self.cargo() {
            Some(("poc", rest)) => {
                let verb = rest.first().map(String::as_str);
                Some(verb == Some("verify") && !rest.iter().any(|word| word == "--list"))
            }
            Some((command, _)) => NO_TESTS_OF_CARGO.contains(&command).then_some(false),
            None => NO_TESTS.contains(&self.program()).then_some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str) -> Vec<(String, &'static str, usize)> {
        let block = Block {
            lang: "bash".to_owned(),
            code: code.to_owned(),
            span: 0..0,
            code_span: 0..0,
            line: 1,
        };
        let commands = commands(&block).into_iter();
        commands
            .map(|command| (command.words.join(" "), command.then, command.line))
            .collect()
    }

    #[test]
    fn commands_and_operators_are_split() {
        assert_eq!(
            read(
                "# note\nRUST_LOG=x cargo test -p \"a b\" 2>&1 | tail -5 # end\n\ncd x && cargo \\\n  fmt --check || true\n"
            ),
            [
                ("cargo test -p a b".to_owned(), "|", 3),
                ("tail -5".to_owned(), "", 3),
                ("cd x".to_owned(), "&&", 5),
                ("cargo fmt --check".to_owned(), "||", 5),
                ("true".to_owned(), "", 6),
            ]
        );
    }

    #[test]
    fn quotes_and_here_documents_are_not_commands() {
        assert_eq!(
            read(
                "python -c \"\n# no comment\nprint('a | b')\n\"\ncat <<'EOF' > f\ncargo test | tail\nEOF\nls > out\n"
            ),
            [
                (
                    "python -c \n# no comment\nprint('a | b')\n".to_owned(),
                    "",
                    2
                ),
                ("cat".to_owned(), "", 6),
                ("ls".to_owned(), "", 9),
            ]
        );
    }

    #[test]
    fn test_commands_are_recognized() {
        let runs = |code: &str| {
            let block = Block {
                lang: "bash".to_owned(),
                code: code.to_owned(),
                span: 0..0,
                code_span: 0..0,
                line: 1,
            };
            commands(&block)[0].runs_tests()
        };
        for (code, expected) in [
            ("cargo test -p a", Some(true)),
            ("cargo +nightly --locked t", Some(true)),
            ("cargo nextest run -E 'all()'", Some(true)),
            ("cargo test --no-run", Some(false)),
            ("cargo check --tests", Some(false)),
            ("cargo poc verify x --step 1", Some(true)),
            ("cargo poc deps x --check", Some(false)),
            ("cargo xtask ci", None),
            ("./run.sh", None),
            ("echo done", Some(false)),
        ] {
            assert_eq!(runs(code), expected, "{code}");
        }
    }
}
