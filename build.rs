//! Extracts the files of Swagger UI that the docs page needs from the package that contains them,
//! and compresses each once. The program contains them only in this form, which is a quarter as large.
//! Also makes release builds smaller, with compact relocations.

use std::{
    env,
    error::Error,
    fs,
    io::{Cursor, Read, Write},
    path::Path,
    process::Command,
};

use flate2::{Compression, Crc, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    extract_swagger_ui(Path::new(&variable("OUT_DIR")?))?;
    if supports_compact_relocations()? {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

fn extract_swagger_ui(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let suffix = format!("/dist/{file}");
        let name = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.ends_with(&suffix))
            .map(|name| name.into_owned())
            .ok_or_else(|| format!("{file} is not in the package"))?;
        let mut bytes = Vec::new();
        archive.by_name(&name)?.read_to_end(&mut bytes)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let mut checksum = Crc::new();
        checksum.update(&bytes);
        let tag = format!("{:08x}{:x}", checksum.sum(), bytes.len());
        fs::write(out.join(format!("{file}.tag")), tag)?;
        fs::write(out.join(format!("{file}.gz")), gzip.finish()?)?;
    }
    Ok(())
}

/// Whether the program can have compact relocations (RELR), which save 0.6 MB of the file and of
/// the memory. glibc supports them since version 2.36. Earlier versions refuse to start the
/// program, so the version on this machine decides. Debug builds do not use them.
fn supports_compact_relocations() -> Result<bool, Box<dyn Error>> {
    let native = variable("HOST")? == variable("TARGET")?;
    let glibc =
        variable("CARGO_CFG_TARGET_OS")? == "linux" && variable("CARGO_CFG_TARGET_ENV")? == "gnu";
    if !(native && glibc && variable("PROFILE")? == "release") {
        return Ok(false);
    }
    // Prints "glibc 2.36", for example.
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else {
        return Ok(false);
    };
    let version = String::from_utf8_lossy(&output.stdout);
    let minor = version.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    Ok(minor.is_some_and(|minor| minor >= 36))
}

#[allow(clippy::disallowed_methods)]
fn variable(name: &str) -> Result<String, env::VarError> {
    env::var(name)
}
