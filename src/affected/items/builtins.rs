//! Keywords, macros and attributes of the language and its standard library.

use super::known_macros::is_standard_derive;
use crate::workspace::source::attribute::Attribute;
use crate::workspace::source::keywords::is_strict_keyword;
use crate::workspace::source::syntax::Syntax;

/// Keywords that are not names, and `_`.
pub(super) fn is_keyword(word: &str) -> bool {
    word == "_" || is_strict_keyword(word)
}

/// Macros of the standard library whose input is ordinary code.
pub(super) fn is_known_macro(name: &str) -> bool {
    matches!(
        name,
        "assert"
            | "assert_eq"
            | "assert_ne"
            | "cfg"
            | "column"
            | "compile_error"
            | "concat"
            | "dbg"
            | "debug_assert"
            | "debug_assert_eq"
            | "debug_assert_ne"
            | "env"
            | "eprint"
            | "eprintln"
            | "file"
            | "format"
            | "format_args"
            | "include"
            | "include_bytes"
            | "include_str"
            | "is_x86_feature_detected"
            | "line"
            | "matches"
            | "module_path"
            | "option_env"
            | "panic"
            | "print"
            | "println"
            | "stringify"
            | "todo"
            | "unimplemented"
            | "unreachable"
            | "vec"
            | "write"
            | "writeln"
            | "addr_of"
            | "addr_of_mut"
            | "pin"
            | "ready"
    )
}

/// Attributes of the language and of tools that run no code.
pub(crate) fn is_builtin_attribute(attribute: &Attribute) -> bool {
    if attribute.path.len() > 1 {
        return matches!(
            attribute.path[0],
            "rustfmt" | "clippy" | "diagnostic" | "miri" | "rust_analyzer"
        );
    }
    matches!(
        attribute.name(),
        "allow"
            | "automatically_derived"
            | "cfg"
            | "cfg_attr"
            | "cold"
            | "crate_name"
            | "crate_type"
            | "default"
            | "deny"
            | "deprecated"
            | "derive"
            | "doc"
            | "expect"
            | "export_name"
            | "feature"
            | "forbid"
            | "global_allocator"
            | "ignore"
            | "inline"
            | "link"
            | "link_name"
            | "link_section"
            | "macro_export"
            | "macro_use"
            | "must_use"
            | "no_builtins"
            | "no_implicit_prelude"
            | "no_link"
            | "no_main"
            | "no_mangle"
            | "no_std"
            | "non_exhaustive"
            | "panic_handler"
            | "path"
            | "proc_macro"
            | "proc_macro_attribute"
            | "proc_macro_derive"
            | "recursion_limit"
            | "repr"
            | "should_panic"
            | "target_feature"
            | "test"
            | "track_caller"
            | "type_length_limit"
            | "used"
            | "warn"
            | "windows_subsystem"
            | "unsafe"
    )
}

/// Whether an attribute is, or derives, a macro that may read more than rustc.
pub(super) fn is_foreign(syntax: &Syntax, attribute: &Attribute) -> bool {
    if attribute.is("derive") {
        return attribute
            .rest
            .clone()
            .filter_map(|at| syntax.ident(at))
            .any(|name| !is_standard_derive(name));
    }
    !is_builtin_attribute(attribute)
}
