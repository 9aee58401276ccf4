//! Sets a number that the library reads.

fn number() -> u32 {
    7
}

fn main() {
    println!("cargo::rustc-env=BUILD_NUMBER={}", number());
}
