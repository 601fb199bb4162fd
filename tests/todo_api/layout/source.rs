//! The paths and macro calls in a Rust source file. The file is read as tokens, so comments and
//! strings do not count.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path such as `crate::todo::Todo`. A `use` with braces or a glob counts as several paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) segments: Vec<String>,
    /// The modules of the same file that contain the path, outermost first.
    pub(super) inline_modules: Vec<String>,
    /// Whether it is the name of a macro that is called.
    pub(super) is_macro_call: bool,
}

impl Path {
    /// Whether these segments occur in the path, one after the other.
    pub(super) fn contains(&self, segments: &[&str]) -> bool {
        self.segments.windows(segments.len()).any(|window| window == segments)
    }
}

pub(super) fn paths(text: &str) -> Vec<Path> {
    let tokens: TokenStream = text.parse().unwrap();
    let mut reader = Reader::default();
    reader.read(&tokens.into_iter().collect::<Vec<_>>());
    reader.paths
}

#[derive(Default)]
struct Reader {
    inline_modules: Vec<String>,
    paths: Vec<Path>,
}

impl Reader {
    fn read(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at..] {
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
                    if *word == "mod" =>
                {
                    self.inline_modules.push(name.to_string());
                    self.read(&contents(body));
                    self.inline_modules.pop();
                    3
                }
                [TokenTree::Ident(word), others @ ..]
                    if *word == "use" && !is_punct(others.first(), '<') =>
                {
                    let end = others.iter().position(|token| is_punct(Some(token), ';'));
                    let end = end.unwrap_or(others.len());
                    self.read_use(&others[..end], &[]);
                    1 + end
                }
                // The path in `pub(in PATH)` uses nothing.
                [TokenTree::Ident(word), TokenTree::Group(group), ..]
                    if *word == "pub" && group.delimiter() == Delimiter::Parenthesis =>
                {
                    2
                }
                [TokenTree::Ident(_), ..] => self.read_path(&tokens[at..]),
                [TokenTree::Group(group), ..] => {
                    self.read(&contents(group));
                    1
                }
                // The name of a field or method is not a path.
                [TokenTree::Punct(dot), TokenTree::Ident(_), ..] if dot.as_char() == '.' => 2,
                _ => 1,
            };
        }
    }

    /// Reads the path at the start of the tokens, and returns the number of its tokens.
    fn read_path(&mut self, tokens: &[TokenTree]) -> usize {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
            segments.push(segment.to_string());
            at += 1;
            if !is_separator(&tokens[at..])
                || !matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)))
            {
                break;
            }
            at += 2;
        }
        let is_macro_call = is_punct(tokens.get(at), '!')
            && matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
        self.add(segments, is_macro_call);
        at
    }

    /// Reads one tree of a `use`: what follows the prefix.
    fn read_use(&mut self, tokens: &[TokenTree], prefix: &[String]) {
        let mut segments = prefix.to_vec();
        for token in tokens {
            match token {
                TokenTree::Ident(word) if *word == "as" => break,
                TokenTree::Ident(word) if *word == "self" && !prefix.is_empty() => {}
                TokenTree::Ident(segment) => segments.push(segment.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => segments.push("*".to_owned()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let trees = contents(group);
                    for tree in trees.split(|token| is_punct(Some(token), ',')) {
                        if !tree.is_empty() {
                            self.read_use(tree, &segments);
                        }
                    }
                    return;
                }
                _ => {}
            }
        }
        self.add(segments, false);
    }

    fn add(&mut self, segments: Vec<String>, is_macro_call: bool) {
        let inline_modules = self.inline_modules.clone();
        self.paths.push(Path { segments, inline_modules, is_macro_call });
    }
}

fn contents(group: &proc_macro2::Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

fn is_punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.first(), ':') && is_punct(tokens.get(1), ':')
}

#[test]
fn a_use_over_several_lines_is_several_paths() {
    let text = "
        use crate::{
            config::{self, Config as Settings},
            // A comment with crate::nothing.
            todo::*,
        };
        fn f() { \"crate::nothing\"; println!(\"{}\", super::g::<crate::list::Page>().env); }
        mod tests { use super::*; }
        pub(in crate::nothing) struct S;
    ";
    let paths: Vec<_> = paths(text).iter().map(|path| path.segments.join("::")).collect();
    for expected in [
        "crate::config",
        "crate::config::Config",
        "crate::todo::*",
        "println",
        "super::g",
        "crate::list::Page",
        "super::*",
    ] {
        assert!(paths.iter().any(|path| path == expected), "{expected}: {paths:?}");
    }
    assert!(!paths.iter().any(|path| path.contains("nothing") || path == "env"), "{paths:?}");
}
