//! Compiles the `.proto` with protox, so that `protoc` is not required.

use std::{env, error::Error, fs, path::Path};

use protox::prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let definition = protox::compile(["board/v1/board.proto"], ["proto"])?;
    // For the reflection service.
    let out = env::var("OUT_DIR")?;
    fs::write(
        Path::new(&out).join("board.bin"),
        definition.encode_to_vec(),
    )?;
    tonic_prost_build::configure().compile_fds(definition)?;
    Ok(())
}
