//! A table of external macros whose expansion is known, with sources.
//!
//! A macro that is not listed here may define any name, call any function in scope, and register code that is live without being named.
//! Each entry was checked in the documentation of its crate on docs.rs: attributes and derives listed here change only their item and
//! implement only traits of their own crate for it; macros listed here define and call only names in their input. Deliberately not listed:
//! `derive_builder`, `askama`, `async_graphql`, `pyo3`, `cucumber`, `mockall`, `inventory`, `linkme`, `ctor`, `wasm_bindgen`, `cached`,
//! `enum_dispatch`, `getset`, `diesel` and `tonic`, all of which generate names or callers.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// The content of a macro's expansion besides the names in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expansion {
    /// Nothing: it calls and defines names in the input.
    Named,
    /// Names composed of those in the input.
    Composed,
    /// The output of a procedural macro of the workspace: composed names, and names in its source.
    Workspace,
    /// What a procedural macro of the workspace writes that takes names from elsewhere: any name.
    Opaque,
    /// Anything.
    Unknown,
}

impl Expansion {
    /// Whether it may hold names that stand neither in the input nor in a source that is read.
    pub(super) fn names_anything(self) -> bool {
        matches!(self, Self::Opaque | Self::Unknown)
    }
}

/// One crate and its macros.
struct Known {
    /// The name of the crate in code, or of several that export the same macros.
    crates: &'static [&'static str],
    /// Attributes and derives.
    attributes: &'static [&'static str],
    /// Function-like macros.
    macros: &'static [&'static str],
}

const KNOWN: &[Known] = &[
    Known {
        crates: &["rustversion"],
        attributes: &[
            "since", "before", "stable", "nightly", "beta", "not", "any", "all", "attr",
        ],
        macros: &[],
    },
    Known {
        crates: &["std", "core", "alloc"],
        attributes: &[],
        macros: &[
            "thread_local",
            "global_asm",
            "asm",
            "naked_asm",
            "const_format_args",
            "assert_matches",
            "debug_assert_matches",
            "macro_rules",
        ],
    },
    Known {
        crates: &["serde", "serde_core", "serde_derive"],
        attributes: &["Serialize", "Deserialize", "serde"],
        macros: &["forward_to_deserialize_any"],
    },
    Known {
        crates: &["prost", "prost_derive"],
        attributes: &["Message", "Enumeration", "Oneof", "prost"],
        macros: &[],
    },
    Known {
        crates: &["serde_json"],
        attributes: &[],
        macros: &["json"],
    },
    Known {
        crates: &["thiserror"],
        attributes: &["Error", "error"],
        macros: &[],
    },
    Known {
        crates: &["displaydoc"],
        attributes: &["Display"],
        macros: &[],
    },
    Known {
        crates: &["clap", "clap_derive", "structopt"],
        attributes: &[
            "Parser",
            "Args",
            "Subcommand",
            "ValueEnum",
            "StructOpt",
            "clap",
            "command",
            "arg",
            "group",
            "value",
            "structopt",
        ],
        macros: &[
            "crate_version",
            "crate_name",
            "crate_authors",
            "crate_description",
            "value_parser",
            "arg",
            "command",
        ],
    },
    Known {
        crates: &["async_trait"],
        attributes: &["async_trait"],
        macros: &[],
    },
    Known {
        crates: &[
            "tokio",
            "tokio_macros",
            "async_std",
            "actix_rt",
            "actix_web",
        ],
        attributes: &["main", "test"],
        macros: &["select", "join", "try_join", "pin", "task_local"],
    },
    Known {
        crates: &["futures", "futures_util", "futures_lite", "futures_micro"],
        attributes: &[],
        macros: &[
            "select",
            "select_biased",
            "join",
            "try_join",
            "pin_mut",
            "ready",
            "stream_select",
            "poll",
        ],
    },
    Known {
        crates: &["tracing", "tracing_attributes"],
        attributes: &["instrument"],
        macros: &[
            "trace",
            "debug",
            "info",
            "warn",
            "error",
            "event",
            "enabled",
            "span",
            "trace_span",
            "debug_span",
            "info_span",
            "warn_span",
            "error_span",
        ],
    },
    Known {
        crates: &["log"],
        attributes: &[],
        macros: &[
            "trace",
            "debug",
            "info",
            "warn",
            "error",
            "log",
            "log_enabled",
        ],
    },
    Known {
        crates: &["anyhow", "eyre", "color_eyre"],
        attributes: &[],
        macros: &["anyhow", "bail", "ensure", "eyre"],
    },
    Known {
        crates: &["pin_project", "pin_project_lite"],
        attributes: &[
            "pin_project",
            "pinned_drop",
            "project",
            "project_ref",
            "project_replace",
            "pin",
        ],
        macros: &["pin_project"],
    },
    Known {
        crates: &["bitflags"],
        attributes: &[],
        macros: &["bitflags", "bitflags_match"],
    },
    Known {
        crates: &["lazy_static", "once_cell"],
        attributes: &[],
        macros: &["lazy_static"],
    },
    Known {
        crates: &["cfg_if"],
        attributes: &[],
        macros: &["cfg_if"],
    },
    Known {
        crates: &["static_assertions"],
        attributes: &[],
        macros: &[
            "assert_impl_all",
            "assert_not_impl_any",
            "assert_obj_safe",
            "assert_eq_size",
            "const_assert",
            "const_assert_eq",
            "assert_type_eq_all",
            "assert_impl_any",
            "assert_eq_align",
        ],
    },
    Known {
        crates: &["rstest", "rstest_reuse"],
        attributes: &["rstest", "fixture", "case", "values", "template", "apply"],
        macros: &[],
    },
    Known {
        crates: &["test_case", "test_case_macros"],
        attributes: &["test_case", "case"],
        macros: &[],
    },
    Known {
        crates: &[
            "test_log",
            "wasm_bindgen_test",
            "serial_test",
            "tracing_test",
            "googletest",
            "ntest",
            "gpui",
        ],
        attributes: &[
            "test",
            "wasm_bindgen_test",
            "serial",
            "parallel",
            "file_serial",
            "traced_test",
            "gtest",
            "timeout",
        ],
        macros: &["wasm_bindgen_test_configure"],
    },
    Known {
        crates: &[
            "proptest",
            "quickcheck",
            "quickcheck_macros",
            "proptest_derive",
        ],
        attributes: &["proptest", "quickcheck"],
        macros: &[
            "proptest",
            "prop_assert",
            "prop_assert_eq",
            "prop_assert_ne",
            "prop_assume",
            "prop_oneof",
            "quickcheck",
            "prop_compose",
        ],
    },
    Known {
        crates: &["criterion", "divan"],
        attributes: &["bench"],
        macros: &["criterion_group", "criterion_main"],
    },
    Known {
        crates: &[
            "insta",
            "snapbox",
            "expect_test",
            "k9",
            "similar_asserts",
            "pretty_assertions",
            "assert_matches",
        ],
        attributes: &[],
        macros: &[
            "assert_snapshot",
            "assert_debug_snapshot",
            "assert_json_snapshot",
            "assert_yaml_snapshot",
            "with_settings",
            "assert_data_eq",
            "str",
            "file",
            "expect",
            "expect_file",
            "assert_matches",
            "debug_assert_matches",
        ],
    },
    Known {
        crates: &["strum", "strum_macros"],
        attributes: &[
            "Display",
            "EnumString",
            "EnumIter",
            "EnumCount",
            "AsRefStr",
            "IntoStaticStr",
            "VariantNames",
            "FromRepr",
            "strum",
        ],
        macros: &[],
    },
    Known {
        crates: &["derive_more"],
        attributes: &[
            "Display",
            "From",
            "Into",
            "Deref",
            "DerefMut",
            "Add",
            "Sub",
            "Mul",
            "Div",
            "AddAssign",
            "SubAssign",
            "AsRef",
            "AsMut",
            "Constructor",
            "Error",
            "FromStr",
            "Index",
            "IntoIterator",
            "Not",
            "Sum",
            "TryFrom",
            "TryInto",
            "IsVariant",
            "Unwrap",
            "Debug",
            "display",
            "from",
            "into",
            "deref",
            "debug",
            "error",
        ],
        macros: &[],
    },
    Known {
        crates: &["quote", "syn", "proc_macro2"],
        attributes: &[],
        macros: &[
            "quote",
            "quote_spanned",
            "format_ident",
            "parse_quote",
            "parse_quote_spanned",
            "Token",
            "bracketed",
            "braced",
            "parenthesized",
            "custom_keyword",
        ],
    },
    Known {
        crates: &[
            "indoc",
            "unindent",
            "maplit",
            "smallvec",
            "arrayvec",
            "itertools",
            "memoffset",
            "hex_literal",
            "phf",
        ],
        attributes: &[],
        macros: &[
            "indoc",
            "formatdoc",
            "printdoc",
            "eprintdoc",
            "writedoc",
            "hashmap",
            "hashset",
            "btreemap",
            "btreeset",
            "smallvec",
            "izip",
            "iproduct",
            "chain",
            "offset_of",
            "hex",
            "phf_map",
            "phf_set",
        ],
    },
    Known {
        crates: &[
            "zerocopy",
            "zerocopy_derive",
            "bytemuck",
            "bytemuck_derive",
            "num_derive",
            "arbitrary",
            "schemars",
            "valuable",
            "educe",
            "derivative",
            "zeroize",
        ],
        attributes: &[
            "FromBytes",
            "IntoBytes",
            "AsBytes",
            "KnownLayout",
            "Immutable",
            "Unaligned",
            "FromZeroes",
            "FromZeros",
            "Pod",
            "Zeroable",
            "TransparentWrapper",
            "FromPrimitive",
            "ToPrimitive",
            "Arbitrary",
            "JsonSchema",
            "schemars",
            "Valuable",
            "Educe",
            "educe",
            "Derivative",
            "derivative",
            "Zeroize",
            "ZeroizeOnDrop",
            "zeroize",
        ],
        macros: &[],
    },
    Known {
        crates: &["scopeguard", "crossbeam", "crossbeam_channel", "tower"],
        attributes: &[],
        macros: &["defer", "defer_on_unwind", "select"],
    },
];

/// Macros that compose names from their input and generate nothing else.
const COMPOSING: &[(&str, &str)] = &[
    ("paste", "paste"),
    ("paste", "item"),
    ("pastey", "paste"),
    ("concat_idents", "concat_idents"),
    ("std", "concat_idents"),
    ("core", "concat_idents"),
];

/// What is known of macros of a name, from whichever crate.
pub(super) fn macro_expansion(name: &str) -> Expansion {
    if COMPOSING.iter().any(|(_, known)| *known == name) {
        return Expansion::Composed;
    }
    named_if(MACROS.contains_key(name))
}

/// Whether a crate is known to have the macro of a name that [`macro_expansion`] tells of.
pub(super) fn macro_is_listed(name: &str, of: &str) -> bool {
    COMPOSING.contains(&(of, name)) || is_of(&MACROS, name, of)
}

/// What is known of attributes and derives of a name, from whichever crate.
pub(super) fn attribute_expansion(name: &str) -> Expansion {
    named_if(ATTRIBUTES.contains_key(name))
}

/// Whether a crate is known to have the attribute or derive of a name that [`attribute_expansion`] tells of.
pub(super) fn attribute_is_listed(name: &str, of: &str) -> bool {
    is_of(&ATTRIBUTES, name, of)
}

/// The crates of the standard library.
pub(super) fn is_standard_crate(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc")
}

fn named_if(known: bool) -> Expansion {
    if known {
        Expansion::Named
    } else {
        Expansion::Unknown
    }
}

fn is_of(known: &ByName, name: &str, of: &str) -> bool {
    known.get(name).is_some_and(|crates| crates.contains(&of))
}

/// The crates that export a name.
type ByName = FxHashMap<&'static str, Vec<&'static str>>;

static ATTRIBUTES: LazyLock<ByName> = LazyLock::new(|| by_name(|known| known.attributes));
static MACROS: LazyLock<ByName> = LazyLock::new(|| by_name(|known| known.macros));

fn by_name(list: fn(&Known) -> &'static [&'static str]) -> ByName {
    let mut found = ByName::default();
    for known in KNOWN {
        for name in list(known) {
            found.entry(name).or_default().extend(known.crates);
        }
    }
    found
}

/// Derives of the standard library.
pub(super) fn is_standard_derive(name: &str) -> bool {
    matches!(
        name,
        "Debug" | "Clone" | "Copy" | "PartialEq" | "Eq" | "PartialOrd" | "Ord" | "Hash" | "Default"
    )
}

/// Whether a name contains `test` as a word, as test attributes do: `db_test`, but not `latest`.
pub(super) fn names_a_test(name: &str) -> bool {
    name.split('_')
        .any(|word| matches!(word, "test" | "tests" | "testcase" | "rstest" | "gtest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_known_only_from_its_crate() {
        assert_eq!(macro_expansion("info"), Expansion::Named);
        assert_eq!(macro_expansion("paste"), Expansion::Composed);
        assert_eq!(macro_expansion("other"), Expansion::Unknown);
        assert!(macro_is_listed("info", "log") && !macro_is_listed("info", "other"));
        assert!(macro_is_listed("paste", "paste") && !macro_is_listed("paste", "log"));
        assert_eq!(attribute_expansion("Serialize"), Expansion::Named);
        assert_eq!(attribute_expansion("Object"), Expansion::Unknown);
        assert!(!attribute_is_listed("Serialize", "other"));
    }

    #[test]
    fn test_attribute_contains_the_word_test() {
        assert!(names_a_test("test") && names_a_test("__private_axum_test"));
        assert!(!names_a_test("latest") && !names_a_test("attest"));
    }
}
