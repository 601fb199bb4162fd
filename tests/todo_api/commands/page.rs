//! The shell commands of a page, and what the comments above them say.

/// A page with its blocks of shell commands.
pub(super) struct Page {
    pub(super) name: String,
    blocks: Vec<Block>,
}

/// Shell commands, as a reader copies them.
pub(super) struct Block {
    /// The line of the page, counted from 1.
    pub(super) line: usize,
    pub(super) commands: String,
    /// Why it cannot run here.
    not_run: Option<String>,
    /// Commands that run before the block, with the URL of a server that they start.
    pub(super) before: Vec<(Option<String>, String)>,
    /// The URL of the server that the block starts.
    pub(super) serves: Option<String>,
    /// What its output contains.
    pub(super) prints: Vec<String>,
    pub(super) exit_code: u8,
}

impl Page {
    /// Reads the blocks of a page.
    ///
    /// # Panics
    ///
    /// If a comment is unknown, or if a block of commands is marked as another language.
    pub(super) fn parse(name: &str, text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut comments = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let trimmed = line.trim_start();
            let indent = line.len() - trimmed.len();
            if let Some(comment) = trimmed.strip_prefix("<!-- ") {
                comments.push(comment.strip_suffix(" -->").unwrap_or(comment));
            } else if let Some(language) = trimmed.strip_prefix("```") {
                let inside = lines.by_ref().map(|(_, line)| line);
                let inside = inside.take_while(|line| line.trim() != "```");
                let commands: Vec<_> =
                    inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
                let at = format!("{name}:{}", index + 1);
                let is_shell = ["bash", "shell", "console", "zsh"].contains(&language);
                assert!(!is_shell, "{at}: mark shell commands as sh");
                if language == "sh" {
                    blocks.push(Block::new(&at, index + 1, commands.join("\n"), &comments));
                }
                comments.clear();
            } else {
                comments.clear();
            }
        }
        Self { name: name.to_owned(), blocks }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }
}

impl Block {
    fn new(at: &str, line: usize, commands: String, comments: &[&str]) -> Self {
        let mut block = Self {
            line,
            commands,
            not_run: None,
            before: Vec::new(),
            serves: None,
            prints: Vec::new(),
            exit_code: 0,
        };
        for comment in comments {
            let (kind, value) = comment
                .split_once(": ")
                .unwrap_or_else(|| panic!("{at}: unknown comment: {comment}"));
            let value = value.to_owned();
            match (kind, kind.strip_prefix("before, serving ")) {
                ("not run", _) => block.not_run = Some(value),
                ("before", _) => block.before.push((None, value)),
                (_, Some(url)) => block.before.push((Some(url.to_owned()), value)),
                ("serves", _) => block.serves = Some(value),
                ("prints", _) => block.prints.push(value),
                ("exit code", _) => block.exit_code = value.parse().unwrap(),
                _ => panic!("{at}: unknown comment: {comment}"),
            }
        }
        block
    }

    pub(super) fn runs(&self) -> bool {
        self.not_run.is_none()
    }
}

#[test]
fn the_comments_above_a_block_say_how_it_runs() {
    let page = "\
Text.

<!-- prints: 201 Created -->
<!-- before, serving http://localhost:8000/health: make dev -->
```sh
curl -i http://localhost:8000/todoitems
```

1. In a list:

   <!-- not run: needs an Azure account -->
   ```sh
   make run \\
     again
   ```

```json
{}
```

```sh
make test
```
";
    let page = Page::parse("PAGE.md", page);
    let [first, second, third] = &page.blocks[..] else { panic!("{}", page.blocks.len()) };
    assert_eq!((first.line, first.runs()), (5, true));
    assert_eq!(first.prints, ["201 Created"]);
    let server = Some("http://localhost:8000/health".to_owned());
    assert_eq!(first.before, [(server, "make dev".to_owned())]);
    assert_eq!((second.runs(), second.commands.as_str()), (false, "make run \\\n  again"));
    // A comment belongs to the block that follows at once.
    assert_eq!((third.runs(), third.prints.len()), (true, 0));
}

#[test]
#[should_panic(expected = "unknown comment: print: 201")]
fn a_misspelt_comment_fails() {
    Page::parse("PAGE.md", "<!-- print: 201 -->\n```sh\ntrue\n```\n");
}
