//! Links the unwinder in, where Rust would load it from `libgcc_s.so.1`.
//!
//! Finding, mapping and relocating that library is a tenth of a call that is
//! answered from the cache; nothing else of it is used. It stands here and not
//! in a cargo configuration so that it holds for every way of building.

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script its target in the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |part| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // The archive that gcc installs beside the shared library. The linker
        // sees it first, and drops the library as not needed.
        println!("cargo::rustc-link-lib=gcc_eh");
    }
}
