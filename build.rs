//! Tells the program which compiler built it, for `cometchat_exporter_build_info`.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").expect("cargo says which compiler it uses");
    let told =
        Command::new(rustc).arg("--version").output().expect("the compiler says its version");
    let told = String::from_utf8_lossy(&told.stdout);
    let version = told.split(' ').nth(1).unwrap_or("unknown");
    println!("cargo::rustc-env=RUSTC_VERSION={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
