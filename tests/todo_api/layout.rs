//! The code keeps its layers, and the documentation and the Makefile match the code.

mod calls;
mod crates;
mod docs;
pub(crate) mod files;
mod modules;
mod source;
mod targets;
mod test_files;
