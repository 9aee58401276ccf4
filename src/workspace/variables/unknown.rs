//! Reads of environment variables by names that their source does not contain: a composed name, or one that other code passes.

use crate::workspace::source::lex::{Kind, Token, lex};

/// Functions that read all variables, or that read one by a name which is no literal of Rust.
const READ_ANY: [&str; 12] = [
    "vars",
    "vars_os",
    "environ",
    "getenv",
    "secure_getenv",
    "GetEnvironmentVariableW",
    "dotenv",
    "envy",
    "from_env",
    "env_prefix",
    "prefixed",
    "with_prefix",
];

/// Whether a source may read a variable whose name it does not contain.
pub(crate) fn reads_unknown_name(source: &str) -> bool {
    if !source.contains("env") && !source.contains("Env") {
        return false;
    }
    // A file that is not Rust may be included as code.
    let Ok(tokens) = lex(source) else {
        return true;
    };
    let tokens = Tokens { source, tokens };
    let mut names = (0..tokens.tokens.len()).filter_map(|at| Some((at, tokens.ident(at)?)));
    let mentions = names
        .clone()
        .any(|(_, name)| name.to_ascii_lowercase().contains("env"));
    mentions && names.any(|(at, name)| tokens.reads_unknown(at, name))
        || tokens.strings().any(|text| text.contains("/environ"))
}

struct Tokens<'s> {
    source: &'s str,
    tokens: Vec<Token>,
}

impl<'s> Tokens<'s> {
    fn text(&self, at: usize) -> &'s str {
        let token = self.tokens.get(at);
        token.map_or("", |token| {
            &self.source[token.start as usize..token.end as usize]
        })
    }

    fn ident(&self, at: usize) -> Option<&'s str> {
        let is_ident = self
            .tokens
            .get(at)
            .is_some_and(|token| token.kind == Kind::Ident);
        is_ident.then(|| self.text(at))
    }

    fn strings(&self) -> impl Iterator<Item = &'s str> {
        let all = (0..self.tokens.len()).filter(|at| self.tokens[*at].kind == Kind::Str);
        all.map(|at| self.text(at))
    }

    /// Whether an identifier reads a variable by a name that is not beside it.
    fn reads_unknown(&self, at: usize, name: &str) -> bool {
        let arguments = match name {
            _ if READ_ANY.contains(&name) => {
                let is_path = at > 0 && self.text(at - 1) == ":";
                return !self.is_imported(at)
                    && (is_path || matches!(self.text(at + 1), "(" | ":"));
            }
            "var" | "var_os" => at + 1,
            "env" | "option_env" if self.text(at + 1) == "!" => at + 2,
            _ => return false,
        };
        if matches!(self.text(arguments), "(" | "[" | "{") {
            return !self.is_known(arguments + 1);
        }
        // The function itself is passed, or has another name here.
        let is_path = at > 0 && self.text(at - 1) == ":";
        is_path && (!self.is_imported(at) || self.text(at + 1) == "as")
    }

    /// Whether a name is followed by what ends it in a `use`.
    fn is_imported(&self, at: usize) -> bool {
        matches!(self.text(at + 1), ";" | "," | "}" | "as")
    }

    /// Whether an argument is a literal, or a constant of this file that is one.
    fn is_known(&self, at: usize) -> bool {
        let at = at + usize::from(self.text(at) == "&");
        let is_last = matches!(self.text(at + 1), ")" | "]" | "}" | ",");
        let is_text = |at: usize| {
            self.tokens
                .get(at)
                .is_some_and(|token| token.kind == Kind::Str)
        };
        if is_text(at) {
            return is_last;
        }
        let Some(name) = self.ident(at).filter(|_| is_last) else {
            return false;
        };
        // `const NAME: &str = "X";`
        (0..self.tokens.len()).any(|constant| {
            matches!(self.text(constant), "const" | "static")
                && self.text(constant + 1) == name
                && (constant + 2..constant + 8)
                    .any(|at| self.text(at) == "=" && is_text(at + 1) && self.text(at + 2) == ";")
        })
    }
}

/// Whether a script may read a variable whose name it does not contain.
pub(crate) fn script_reads_unknown_name(text: &str) -> bool {
    let reading = [
        "${!",
        "printenv",
        "environ",
        "process.env",
        "ENV{",
        "ENV[",
        "eval ",
        "declare -",
    ];
    reading.iter().any(|words| text.contains(words))
        || text
            .lines()
            .any(|line| matches!(line.trim(), "env" | "set" | "export"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_unknown_if_the_file_does_not_contain_it() {
        for source in [
            "fn f(name: &str) { std::env::var(name).ok(); }",
            r#"fn f() { env::var(format!("{}_MODE", other::PREFIX)); }"#,
            "fn f() { for (name, value) in env::vars() {} }",
            "fn f() { names.iter().map(env::var_os); }",
            r#"use std::env::var as get; fn f() { get("A"); }"#,
            "macro_rules! m { ($name:expr) => { option_env!($name) } }",
            "use other::NAME; fn f() { std::env::var(NAME); }",
            r#"fn f() { config::Environment::with_prefix("APP"); }"#,
            r#"fn f() { std::fs::read("/proc/self/environ"); envs(); }"#,
        ] {
            assert!(reads_unknown_name(source), "{source}");
        }
        for source in [
            r#"use std::env::{self, var, vars}; fn f() { env::var("A"); var_os( &"B" ); let _ = option_env!("C"); env!["D", "why"]; }"#,
            r#"const A: &str = "A"; static B: &'static str = "B"; fn f() { std::env::var(A); env::var_os(B); }"#,
            "fn f(environment: u32) { let var = 1; var + environment; }",
            "fn f(var: fn(u32)) { var(1); }",
        ] {
            assert!(!reads_unknown_name(source), "{source}");
        }
    }

    #[test]
    fn a_script_reads_unknown_names_by_indirection() {
        assert!(script_reads_unknown_name("echo ${!name}"));
        assert!(script_reads_unknown_name(
            "import os\nprint(os.environ[name])"
        ));
        assert!(!script_reads_unknown_name("set -e\necho $HOME\n"));
    }
}
