//! Prepares the OpenAPI document. Progenitor generates a type for the body of an error only if its
//! media type is `application/json`.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let document = "../../openapi/openapi.json";
    println!("cargo::rerun-if-changed={document}");
    let text = fs::read_to_string(document)?;
    let text = text.replace("application/problem+json", "application/json");
    let folder = env::var_os("OUT_DIR").ok_or("cargo runs this")?;
    fs::write(PathBuf::from(folder).join("openapi.json"), text)?;
    Ok(())
}
