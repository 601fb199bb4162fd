//! Extracts the files of Swagger UI that the docs page needs from the package that contains them,
//! and compresses each once. The program contains them only in this form, which is a quarter as large.

use std::{
    env,
    error::Error,
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use flate2::{Compression, Crc, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    #[allow(clippy::disallowed_methods)]
    let out = env::var("OUT_DIR")?;
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
        fs::write(Path::new(&out).join(format!("{file}.tag")), tag)?;
        fs::write(Path::new(&out).join(format!("{file}.gz")), gzip.finish()?)?;
    }
    Ok(())
}
