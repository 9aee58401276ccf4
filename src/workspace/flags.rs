//! The `cfg` options that flags of rustc and build scripts set.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::Workspace;
use super::manifest::Manifest;
use super::source::attribute::string_value;
use super::source::lex::Kind;
use super::source::syntax::{ItemKind, Syntax};
use crate::sys::files;

/// The options that flags set, as names of `--cfg name` and keys of `--cfg key="value"`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Names that every build for the target sets.
    pub(super) set: BTreeSet<String>,
    /// Names and keys that some builds may set; `None` if that is unknown.
    pub(super) possible: Option<BTreeSet<String>>,
    /// Whether anything but the name of the profile may decide about `debug_assertions`.
    pub(super) may_change_debug_assertions: bool,
}

/// Variables with flags for some targets, builds or documentation only.
const PARTIAL: [&str; 4] = [
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_BUILD_RUSTDOCFLAGS",
];
/// Variables with programs that may change the flags.
const WRAPPERS: [&str; 4] = [
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
];
/// Wrappers that pass the flags on unchanged.
const CACHES: [&str; 3] = ["sccache", "ccache", "cachepot"];

impl Workspace {
    /// A variable for cargo, in the workspace's configuration.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let set = self.configuration.environment.get(name).cloned();
        set.or_else(|| std::env::var(name).ok())
            .filter(|value| !value.is_empty())
    }

    /// The options that flags set; `configs` are the texts of cargo's configuration files.
    pub(super) fn flags(&self, configs: &[String]) -> Flags {
        let encoded = self.variable("CARGO_ENCODED_RUSTFLAGS");
        let always = encoded.or_else(|| self.variable("RUSTFLAGS"));
        let always = always.unwrap_or_default();
        let set = options_set_by(&always);
        let mut texts: Vec<String> = PARTIAL
            .iter()
            .filter_map(|name| self.variable(name))
            .collect();
        let is_flags =
            |name: &str| name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS");
        let targets = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            is_flags(&name).then(|| value.to_string_lossy().into_owned())
        });
        texts.extend(targets);
        let configured = self.configuration.environment.iter();
        let configured = configured.filter(|(name, _)| is_flags(name));
        texts.extend(configured.map(|(_, value)| value.clone()));
        texts.extend(self.configuration.arguments.iter().cloned());
        texts.extend(configs.iter().cloned());
        texts.extend(self.profiles());
        let is_known = !self.has_wrapper(configs)
            && !always
                .split([' ', '\u{1f}'])
                .any(|flag| flag.starts_with('@'))
            && !self.arguments_name_a_file()
            && !configs.iter().any(|text| reads_more(text));
        let variables = ["CARGO_PROFILE_DEV", "CARGO_PROFILE_TEST"];
        let variables = variables.map(|profile| format!("{profile}_DEBUG_ASSERTIONS"));
        let may_change_debug_assertions = variables.iter().any(|name| self.is_set(name))
            || texts.iter().chain([&always]).any(|text| {
                // Without optimization, cargo leaves the option to rustc, which derives it from the level.
                let changes = ["debug-assertions", "opt-level=", "-O"];
                changes.iter().any(|change| text.contains(change))
            });
        let mut possible: BTreeSet<String> = texts
            .iter()
            .flat_map(|text| options_set_by(text))
            .map(|option| option.name)
            .collect();
        possible.extend(set.iter().map(|option| option.name.clone()));
        let names = set.into_iter().filter(|option| !option.has_value);
        Flags {
            set: names.map(|option| option.name).collect(),
            possible: is_known.then_some(possible),
            may_change_debug_assertions,
        }
    }

    /// The text of the profiles, which can have flags. The other tables of the root manifest have none, but can contain those of other
    /// configurations.
    fn profiles(&self) -> Option<String> {
        let text = self.root_manifest();
        match Manifest::parse(text) {
            Ok(manifest) => Some(manifest.get(&["profile"])?.to_string()),
            Err(_) => Some(text.to_owned()),
        }
    }

    fn has_wrapper(&self, configs: &[String]) -> bool {
        let is_cache = |text: &str| CACHES.iter().any(|cache| text.contains(cache));
        let mut variables = WRAPPERS.iter().filter_map(|name| self.variable(name));
        let lines = configs.iter().flat_map(|text| text.lines());
        let mut lines = lines.filter(|line| {
            let key = line.split('=').next().unwrap_or_default();
            key.contains("rustc-wrapper") || key.contains("rustc-workspace-wrapper")
        });
        variables.any(|program| !is_cache(&program)) || lines.any(|line| !is_cache(line))
    }

    /// Whether the arguments of the configuration name a configuration file of cargo.
    fn arguments_name_a_file(&self) -> bool {
        let mut arguments = self.configuration.arguments.iter().peekable();
        while let Some(argument) = arguments.next() {
            let value = match argument.strip_prefix("--config") {
                Some("") => arguments.peek().map_or("", |next| next.as_str()),
                Some(value) => value.trim_start_matches('='),
                None => continue,
            };
            if !value.contains('=') {
                return true;
            }
        }
        false
    }

    /// The options that the build script of a package may set; `None` if they are unknown.
    pub(super) fn set_by_script(&self, package: usize) -> Option<BTreeSet<String>> {
        let member = &self.packages[package];
        let mut scripts = member
            .targets
            .iter()
            .filter(|target| target.is_custom_build());
        let Some(script) = scripts.next() else {
            return Some(BTreeSet::new());
        };
        let mut dependencies = member.dependencies.iter();
        if dependencies.any(|dependency| dependency.kind == cargo_metadata::DependencyKind::Build) {
            return None;
        }
        let text = files::read_if_exists(&script.src_path).ok().flatten()?;
        options_of_script(&String::from_utf8(text).ok()?)
    }

    /// Whether a variable is set for cargo, also to nothing.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.configuration.environment.contains_key(name) || std::env::var_os(name).is_some()
    }

    /// The texts of cargo's configuration files, the innermost first.
    pub(super) fn cargo_configs(&self) -> Vec<String> {
        let files = self.cargo_config_files().into_iter();
        files.map(|(_, text)| text).collect()
    }

    /// Whether a configuration file of cargo has flags of rustc.
    pub(crate) fn has_rustflags_in_files(&self) -> bool {
        let mut texts = self.cargo_configs().into_iter();
        texts.any(|text| text.contains("rustflags"))
    }

    /// cargo's configuration files with their texts, the innermost first.
    pub(super) fn cargo_config_files(&self) -> Vec<(Utf8PathBuf, String)> {
        let variable = |name: &str| std::env::var(name).ok().map(Utf8PathBuf::from);
        let user = variable("HOME").or_else(|| variable("USERPROFILE"));
        let home = variable("CARGO_HOME").or_else(|| Some(user?.join(".cargo")));
        let around = self.root.ancestors().map(|folder| folder.join(".cargo"));
        let mut folders: Vec<Utf8PathBuf> = around.chain(home).collect();
        folders.dedup();
        let paths = folders
            .iter()
            .flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)));
        let texts = paths.filter_map(|path| {
            let text = files::read_if_exists(&path).ok().flatten()?;
            Some((path, String::from_utf8(text).ok()?))
        });
        texts.collect()
    }
}

/// Whether a configuration file of cargo may set options that its flags do not show.
fn reads_more(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    text.contains("rustc-cfg") || lines.any(|line| line.starts_with("include"))
}

/// An option in `--cfg`.
#[derive(Debug, PartialEq, Eq)]
struct SetOption {
    name: String,
    has_value: bool,
}

/// The options that `--cfg` sets among these flags, with any quotes and separators.
fn options_set_by(flags: &str) -> Vec<SetOption> {
    let parts = flags.split("--cfg").skip(1);
    let options = parts.filter_map(|part| {
        let part = part.trim_start_matches(|letter: char| {
            letter.is_whitespace() || matches!(letter, '=' | '"' | '\'' | ',' | '\u{1f}')
        });
        let name = leading_name(part);
        let has_value = part[name.len()..].trim_start().starts_with('=');
        (!name.is_empty()).then(|| SetOption {
            name: name.to_owned(),
            has_value,
        })
    });
    options.collect()
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The options that a build script without dependencies sets, if it prints no other text than its own: then it must contain their names.
fn options_of_script(text: &str) -> Option<BTreeSet<String>> {
    let syntax = Syntax::read(text).ok()?;
    let mut items = syntax.items.iter();
    if syntax.unread.is_some()
        || items.any(|item| item.kind == ItemKind::Mod && item.body.is_none())
    {
        return None;
    }
    let mut options = BTreeSet::new();
    for (at, token) in (0_u32..).zip(&syntax.tokens) {
        match token.kind {
            Kind::Ident => match syntax.word(at) {
                // These can print the text of files and programs.
                "Command" | "stdout" | "include" | "include_str" | "extern" => return None,
                "print" | "println" if syntax.is(at + 1, b'!') => {
                    let own = string_value(&syntax, at + 3)?;
                    if own.starts_with('{') || own.contains("cargo:{") || own.contains("cargo::{") {
                        return None;
                    }
                }
                _ => {}
            },
            Kind::Str => {
                for part in syntax.word(at).split("rustc-cfg").skip(1) {
                    let name = leading_name(part.strip_prefix('=')?);
                    if name.is_empty() || part[1 + name.len()..].starts_with(['{', '-']) {
                        return None;
                    }
                    options.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(flags: &str) -> Vec<String> {
        let options = options_set_by(flags).into_iter();
        options
            .map(|option| format!("{}{}", option.name, if option.has_value { "=" } else { "" }))
            .collect()
    }

    #[test]
    fn options_are_found_in_flags_and_configuration_files() {
        assert_eq!(
            found("--cfg loom -C opt-level=3 --cfg=miri"),
            ["loom", "miri"]
        );
        assert_eq!(found("--cfg\u{1f}tokio_unstable"), ["tokio_unstable"]);
        assert_eq!(
            found("rustflags = [\"--cfg\", \"docsrs\", \"--cfg\", 'a=\"b\"']"),
            ["docsrs", "a="]
        );
    }

    fn script(text: &str) -> Option<Vec<String>> {
        let options = options_of_script(&format!("fn main() {{ {text} }}"))?;
        Some(options.into_iter().collect())
    }

    #[test]
    fn options_of_a_build_script_are_known_if_it_contains_their_names() {
        assert_eq!(
            script(
                r#"println!("cargo:rustc-cfg=a"); println!("cargo::rustc-cfg=b=\"{}\"", 1); println!("cargo:rerun-if-changed=x");"#
            ),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        for unknown in [
            r#"println!("cargo:rustc-cfg={}", x);"#,
            r#"println!("cargo:rustc-cfg=has_{x}");"#,
            r#"println!("{}", x);"#,
            r#"println!("cargo:{}=x", "rustc-cfg");"#,
            "autocfg();println!(concat!(1));",
            "Command::new(x).status();",
        ] {
            assert_eq!(script(unknown), None, "{unknown}");
        }
    }
}
