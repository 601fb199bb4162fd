//! The shell commands in the README and in the other pages do what the pages say.
//!
//! Comments above a block, which a reader does not see, say what the test cannot know:
//!
//! - `<!-- not run: REASON -->`: the block cannot run here.
//! - `<!-- serves: URL -->`: the block starts a server. The test waits until the URL can be read,
//!   and goes on while the server runs.
//! - `<!-- before: COMMAND -->`: a command that runs before the block.
//! - `<!-- before, serving URL: COMMAND -->`: the same for a server.
//! - `<!-- prints: TEXT -->`: the output contains this text.
//! - `<!-- exit code: NUMBER -->`: the exit code of the last command, if it is not 0.
//!
//! Without `prints`, no response may be a problem document. The blocks of a page run one after the
//! other in one shell, in a copy of the repository. The test replaces only the ports, and `cargo run`
//! by the program that cargo has already built.

mod machine;
mod page;

use futures_util::future::join_all;

use crate::{
    layout::files::{pages, read},
    support::{EntraDev, Tool, require, test_name},
};

use machine::Machine;
use page::Page;

#[tokio::test]
async fn every_command_in_the_pages_can_be_run_or_says_why_not() {
    let Some([_]) = require(test_name!(), [Tool::Curl]) else { return };
    let pages: Vec<_> = pages().into_iter().map(|name| Page::parse(&name, &read(&name))).collect();
    let blocks: usize = pages.iter().map(|page| page.blocks().count()).sum();
    let can_run = |page: &&Page| page.blocks().any(|block| block.runs());
    let run: usize =
        pages.iter().map(|page| page.blocks().filter(|block| block.runs()).count()).sum();
    assert!(run >= 15 && blocks >= 40, "{run} of {blocks} blocks run");
    EntraDev::build().await;
    let faults = join_all(pages.iter().filter(can_run).map(Machine::run)).await;
    let faults: Vec<_> = faults.into_iter().filter_map(Result::err).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
