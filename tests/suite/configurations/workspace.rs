//! A workspace whose tests and mutants depend on features and platforms.

use crate::kit::Sandbox;

const BASE: &str = r#"//! The base.

/// Fails where `MUTANT` is this number.
pub fn mutant(number: u32) -> u32 {
    assert_ne!(std::env::var("MUTANT").ok(), Some(number.to_string()));
    number
}

pub fn always() -> u32 {
    mutant(1)
}

/// Only with `extra`.
///
/// ```
/// assert_eq!(base::extra(), 2);
/// ```
#[cfg(feature = "extra")]
pub fn extra() -> u32 {
    mutant(2)
}

#[cfg(not(feature = "extra"))]
pub fn plain() -> u32 {
    mutant(3)
}

#[cfg(unix)]
pub fn on_unix() -> u32 {
    mutant(4)
}

#[cfg(windows)]
pub fn on_windows() -> u32 {
    mutant(5)
}

#[cfg(feature = "extra")]
pub mod gated;

pub mod outer {
    #[cfg(feature = "std")]
    pub fn std_only() -> u32 {
        crate::mutant(7)
    }
}

macro_rules! when_extra {
    ($($item:item)*) => { $( #[cfg(feature = "extra")] $item )* };
}

when_extra! {
    pub fn by_macro() -> u32 {
        mutant(8)
    }
}

pub struct Thing;

#[cfg(any(feature = "extra", all(unix, feature = "never")))]
impl Thing {
    pub fn method(&self) -> u32 {
        mutant(9)
    }
}

impl Thing {
    #[cfg(feature = "extra")]
    pub fn gated_method(&self) -> u32 {
        mutant(14)
    }
}

pub mod nested {
    #![cfg(feature = "std")]

    pub fn inside() -> u32 {
        crate::mutant(15)
    }
}

#[cfg(debug_assertions)]
pub fn checked() -> u32 {
    mutant(16)
}

#[cfg(any(windows, feature = "extra"))]
pub fn windows_or_extra() -> u32 {
    mutant(17)
}

#[cfg(not(all(feature = "std", feature = "extra")))]
pub fn not_both() -> u32 {
    mutant(18)
}

#[cfg_attr(all(), cfg(feature = "extra"))]
pub fn by_attribute() -> u32 {
    mutant(19)
}

/// Code in the body of a function, which is compiled in either case.
pub fn body(number: u32) -> u32 {
    #[cfg(feature = "extra")]
    mutant(21);
    #[cfg(not(feature = "extra"))]
    if number == 0 {
        mutant(22);
    }
    match number {
        #[cfg(feature = "extra")]
        0 => mutant(23),
        #[cfg(not(feature = "extra"))]
        0 => {
            mutant(24)
        }
        _ => 0,
    }
}

/// A field and a literal.
pub struct Held {
    pub number: u32,
    #[cfg(feature = "extra")]
    pub more: std::collections::BTreeMap<u32, u32>,
}

pub fn hold() -> Held {
    Held {
        number: 0,
        #[cfg(feature = "extra")]
        more: [(mutant(25), 0)].into(),
    }
}

#[cfg_attr(feature = "extra", path = "with_extra.rs")]
#[cfg_attr(not(feature = "extra"), path = "without_extra.rs")]
mod by_path;

#[cfg(not(any(feature = "extra", all(unix, feature = "never"))))]
impl Thing {
    pub fn method(&self) -> u32 {
        mutant(10)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn base_always() {
        super::always();
    }

    #[test]
    #[cfg(feature = "extra")]
    fn base_extra() {
        super::extra();
    }

    #[cfg(not(feature = "extra"))]
    #[test]
    fn base_plain() {
        super::plain();
    }

    #[cfg(unix)]
    #[test]
    fn base_unix() {
        super::on_unix();
    }

    #[cfg(windows)]
    #[test]
    fn base_windows() {
        super::on_windows();
    }

    #[cfg(feature = "std")]
    mod with_std {
        #[test]
        fn base_std() {
            crate::outer::std_only();
        }
    }

    #[cfg(feature = "extra")]
    #[test]
    fn base_macro() {
        crate::by_macro();
    }

    #[test]
    fn base_method() {
        crate::Thing.method();
    }

    #[cfg(feature = "extra")]
    #[test]
    fn base_gated_method() {
        crate::Thing.gated_method();
    }

    #[cfg(feature = "std")]
    #[test]
    fn base_inside() {
        crate::nested::inside();
    }

    #[cfg(debug_assertions)]
    #[test]
    fn base_checked() {
        super::checked();
    }

    #[cfg(any(windows, feature = "extra"))]
    #[test]
    fn base_windows_or_extra() {
        super::windows_or_extra();
    }

    #[cfg(not(all(feature = "std", feature = "extra")))]
    #[test]
    fn base_not_both() {
        super::not_both();
    }

    #[cfg(feature = "extra")]
    #[test]
    fn base_by_attribute() {
        super::by_attribute();
    }

    #[test]
    fn base_body() {
        super::body(0);
    }

    #[test]
    fn base_hold() {
        super::hold();
    }

    #[test]
    fn base_by_path() {
        super::by_path::which();
    }

    mod inner {
        #![cfg(feature = "extra")]

        #[test]
        fn base_inner() {
            crate::mutant(26);
        }
    }

    #[cfg_attr(feature = "extra", test)]
    #[allow(dead_code)]
    fn base_made_a_test() {
        crate::mutant(27);
    }

    #[cfg_attr(feature = "std", cfg_attr(feature = "extra", test))]
    #[allow(dead_code)]
    fn base_made_a_test_twice() {
        crate::mutant(28);
    }
}
"#;

/// Macros that write tests and documentation.
pub(super) fn synthetic() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"base\", \"app\"]\nresolver = \"2\"\n",
        )
        .write(
            "base/Cargo.toml",
            "[package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\ndefault = [\"std\"]\nstd = []\n\
             extra = []\nwide = [\"extra\"]\nnever = []\n\n[[test]]\nname = \"wide\"\nrequired-features = [\"wide\"]\n",
        )
        .write("base/src/lib.rs", BASE)
        .write(
            "base/src/gated.rs",
            "pub fn deep() -> u32 {\n    crate::mutant(6)\n}\n\n#[test]\nfn gated_deep() {\n    deep();\n}\n",
        )
        .write("base/src/with_extra.rs", "pub fn which() -> u32 {\n    crate::mutant(29)\n}\n")
        .write("base/src/without_extra.rs", "pub fn which() -> u32 {\n    crate::mutant(30)\n}\n")
        .write(
            "base/tests/gated.rs",
            "#![cfg(feature = \"extra\")]\n\n#[test]\nfn whole_file() {\n    base::gated::deep();\n}\n",
        )
        .write(
            "base/tests/wide.rs",
            "#[test]\nfn required() {\n    base::extra();\n    base::mutant(11);\n}\n",
        )
        .write(
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\nmore = [\"base/extra\"]\n\n\
             [dependencies]\nbase = { path = \"../base\", default-features = false }\n",
        )
        .write(
            "app/src/lib.rs",
            "//! The app.\n\n#[cfg(feature = \"more\")]\npub fn more() -> u32 {\n    base::mutant(12) + base::extra()\n}\n\n\
             pub fn less() -> u32 {\n    base::mutant(13)\n}\n",
        )
        .write(
            "app/tests/it.rs",
            "#[test]\nfn app_less() {\n    app::less();\n}\n\n#[cfg(feature = \"more\")]\n#[test]\nfn app_more() {\n    app::more();\n}\n\n\
             #[cfg(feature = \"more\")]\nfn helper() -> u32 {\n    base::mutant(20)\n}\n\n#[cfg(feature = \"more\")]\n#[test]\n\
             fn app_helper() {\n    helper();\n}\n",
        );
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
}
