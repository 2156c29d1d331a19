//! Reads the subset of Markdown that the documentation uses.

use crate::library::root;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Directories without documentation of the project.
const FOREIGN: [&str; 7] =
    ["target", ".git", "node_modules", "build", "dist", ".venv", "osslive-data"];

/// A Markdown file.
#[derive(Debug)]
pub struct Page {
    /// Its path from the root of the source tree.
    pub path: String,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The first word after the fence, up to a comma; "" if there is none.
    pub language: String,
    /// The text between the fences.
    pub text: String,
    /// The line number of the opening fence, from 1.
    pub line: usize,
}

/// Returns every Markdown file of the project.
pub fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    collect(&root(), &mut pages);
    assert!(pages.len() > 10, "only {} pages were found", pages.len());
    pages
}

fn collect(folder: &Path, pages: &mut Vec<Page>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !FOREIGN.contains(&name.as_ref()) {
                collect(&path, pages);
            }
        } else if name.ends_with(".md") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let path = path.strip_prefix(root()).expect("a file of the project");
            pages.push(Page { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

impl Page {
    /// Returns the fenced blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (index, line) in self.text.lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), is_open) {
                (Some(_), true) => is_open = false,
                (Some(language), false) => {
                    let language = language.split([',', ' ']).next().unwrap_or_default();
                    let (language, text) = (language.to_owned(), String::new());
                    blocks.push(Block { language, text, line: index + 1 });
                    is_open = true;
                }
                (None, true) => {
                    let block = blocks.last_mut().expect("an open block");
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, false) => {}
            }
        }
        assert!(!is_open, "{}: a block is not closed", self.path);
        blocks
    }

    /// Returns the text outside fenced blocks.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut is_open = false;
        self.text.lines().enumerate().filter(move |(_, line)| {
            let is_fence = line.trim_start().starts_with("```");
            is_open ^= is_fence;
            !is_fence && !is_open
        })
    }

    /// Returns broken links with their places. Links to other sites are not
    /// followed.
    pub fn broken_links(&self, pages: &[Page]) -> Vec<String> {
        let links = self.prose().flat_map(|(index, line)| targets(line).map(move |to| (index, to)));
        let broken = links.filter(|(_, target)| !self.leads_somewhere(target, pages));
        broken.map(|(index, target)| format!("{}:{}: {target}", self.path, index + 1)).collect()
    }

    fn leads_somewhere(&self, target: &str, pages: &[Page]) -> bool {
        if target.contains("://") || target.starts_with("mailto:") {
            return true;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = match file {
            "" => self.path.clone(),
            file => normal(&Path::new(&self.path).with_file_name("").join(file)),
        };
        let page = pages.iter().find(|page| page.path == path);
        match (page, anchor) {
            (None, _) => anchor.is_empty() && root().join(&path).exists(),
            (Some(_), "") => true,
            (Some(page), anchor) => page.anchors().any(|known| known == anchor),
        }
    }

    /// Returns the anchors of its headings, as GitHub creates them.
    fn anchors(&self) -> impl Iterator<Item = String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
    }
}

/// Returns the targets of the links and images in a line. Code in backticks has
/// none.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split("](").skip(1);
    parts.filter_map(|part| part.split_once(')')).map(|(target, _)| target)
}

/// Resolves `..` in a path, without accessing the disk.
fn normal(path: &Path) -> String {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal.to_string_lossy().replace('\\', "/")
}
