//! Finds which file of a crate imports from which. Reads the syntax tree, so that every
//! form of `use` and every path in the code counts.
//!
//! A name counts for the file that defines it: a re-export is followed to its origin,
//! and re-exporting a module's own children is not an import. Tests are ignored.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// The segments of a path.
type Segments = Vec<String>;

/// A module of a crate; the root has the empty path.
struct Module {
    /// The file that contains it, relative to the crate's source folder.
    file: String,
    children: BTreeSet<String>,
    /// The names that `use` imports, and the path behind each.
    aliases: BTreeMap<String, Segments>,
    /// The paths in its code and its imports.
    paths: Vec<Segments>,
}

/// The modules of a crate, by path.
pub struct Crate {
    modules: BTreeMap<Segments, Module>,
}

impl Crate {
    /// Reads a crate from the folder of its `lib.rs` or `main.rs`.
    pub fn read(source: &Path) -> Crate {
        let root = ["lib.rs", "main.rs"].iter().map(|name| source.join(name));
        let root = root.into_iter().find(|root| root.exists()).expect("a crate root");
        let mut krate = Crate { modules: BTreeMap::new() };
        krate.read_file(source, &root, Vec::new());
        krate
    }

    /// Reads a crate from a single source string, to test this module.
    #[cfg(test)]
    fn of_text(text: &str) -> Crate {
        let mut krate = Crate { modules: BTreeMap::new() };
        let items = syn::parse_file(text).expect("Rust").items;
        krate.read_items(Path::new(""), &items, Vec::new(), "", true);
        krate
    }

    fn read_file(&mut self, source: &Path, file: &Path, path: Segments) {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let tree = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = file.strip_prefix(source).expect("a file of the crate");
        let name = name.to_str().expect("UTF-8").replace('\\', "/");
        self.read_items(source, &tree.items, path, &name, false);
    }

    /// Reads the items of a module, and its children. With `split`, each inline module
    /// counts as its own file; otherwise it belongs to the file that contains it.
    fn read_items(
        &mut self,
        source: &Path,
        items: &[Item],
        path: Segments,
        file: &str,
        split: bool,
    ) {
        let mut found = Found::default();
        items.iter().for_each(|item| found.visit_item(item));
        let children: Vec<&ItemMod> = items.iter().filter_map(child).collect();
        let module = Module {
            file: if split { path.join("::") } else { file.to_owned() },
            children: children.iter().map(|child| child.ident.to_string()).collect(),
            aliases: found.aliases,
            paths: found.paths,
        };
        self.modules.insert(path.clone(), module);
        for child in children {
            let mut path = path.clone();
            path.push(child.ident.to_string());
            match &child.content {
                Some((_, items)) => self.read_items(source, items, path, file, split),
                None => self.read_file(source, &file_of(source, &path), path),
            }
        }
    }

    /// Returns, for each file, the files it imports from.
    pub fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, module) in &self.modules {
            let from = imports.entry(&module.file).or_default();
            let targets = module.paths.iter().filter_map(|used| self.origin(path, used, 0));
            from.extend(targets.filter(|target| *target != module.file));
        }
        imports
    }

    /// Returns the file that defines the item at a path in a module; `None` for other
    /// crates and for modules themselves.
    fn origin(&self, module: &[String], used: &[String], depth: usize) -> Option<&str> {
        let (mut at, rest) = self.start(module, used)?;
        let mut rest = rest.into_iter();
        while let Some(name) = rest.next() {
            let here = self.modules.get(&at)?;
            if here.children.contains(&name) {
                at.push(name);
                continue;
            }
            if let Some(alias) = here.aliases.get(&name).filter(|_| depth < 16) {
                let whole: Segments = alias.iter().cloned().chain(rest).collect();
                return self.origin(&at, &whole, depth + 1);
            }
            return Some(&here.file);
        }
        None
    }

    /// Returns the module in which a path starts, and the rest of the path.
    fn start(&self, module: &[String], used: &[String]) -> Option<(Segments, Segments)> {
        let here = self.modules.get(module)?;
        let (first, rest) = used.split_first()?;
        let rest = rest.to_vec();
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((module.to_vec(), rest)),
            "super" => {
                let mut parent = module.to_vec();
                parent.pop()?;
                if rest.first().is_some_and(|next| next == "super") {
                    return self.start(&parent, &rest);
                }
                Some((parent, rest))
            }
            name if here.children.contains(name) => Some((module.to_vec(), used.to_vec())),
            name => {
                let alias = here.aliases.get(name).filter(|alias| alias[0] != name)?;
                let whole: Segments = alias.iter().cloned().chain(rest).collect();
                self.start(module, &whole)
            }
        }
    }
}

/// Returns a child module that is not a test.
fn child(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(child) if !is_test(&child.attrs) => Some(child),
        _ => None,
    }
}

/// Returns whether an item exists only in tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let mut test = false;
        if attribute.path().is_ident("cfg") {
            let _ = attribute.parse_nested_meta(|meta| {
                test |= meta.path.is_ident("test");
                Ok(())
            });
        }
        test
    })
}

/// Returns the file of a module that is not inline.
fn file_of(source: &Path, path: &[String]) -> PathBuf {
    let folder = path.iter().fold(source.to_owned(), |folder, name| folder.join(name));
    let file = folder.with_extension("rs");
    if file.exists() { file } else { folder.join("mod.rs") }
}

/// The imports and the paths of a module, without its children.
#[derive(Default)]
struct Found {
    aliases: BTreeMap<String, Segments>,
    paths: Vec<Segments>,
}

impl Found {
    fn read_use(&mut self, tree: &UseTree, mut path: Segments, is_public: bool) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.read_use(&step.tree, path, is_public);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.read_use(tree, path.clone(), is_public));
            }
            UseTree::Name(name) if name.ident == "self" => {
                let name = path.last().cloned().expect("a path before self");
                self.import(name, path, is_public);
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.import(name.ident.to_string(), path, is_public);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.import(rename.rename.to_string(), path, is_public);
            }
            UseTree::Glob(_) => {
                path.push("*".to_owned());
                self.paths.push(path);
            }
        }
    }

    /// Records an import. A re-export only passes a name on.
    fn import(&mut self, name: String, path: Segments, is_public: bool) {
        if !is_public {
            self.paths.push(path.clone());
        }
        self.aliases.insert(name, path);
    }

    /// Reads the paths in the unparsed arguments of a macro.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Segments = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.paths.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.read_tokens(group.stream());
                    colons = 0;
                }
                _ => colons = 0,
            }
        }
        self.paths.push(path);
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        if !matches!(item, Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            let is_public = !matches!(item.vis, syn::Visibility::Inherited);
            self.read_use(&item.tree, Vec::new(), is_public);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.read_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// Returns groups of files that import each other, directly or through others.
pub fn cycles<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = imports[from].iter().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(&imports[file]);
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (*file, reached(file))).collect();
    let mut groups: Vec<BTreeSet<&str>> = Vec::new();
    for (file, seen) in reach.iter().filter(|(file, seen)| seen.contains(*file)) {
        let group = seen.iter().copied().filter(|other| reach[other].contains(file)).collect();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what the module `a` imports from, in a crate with the modules `a` and `b`,
    /// and `b::inner`, whose `Deep` the module `b` re-exports.
    fn imports_of(a: &str) -> Vec<String> {
        let text = format!(
            "mod a {{ {a} }} \
             mod b {{ pub use inner::Deep; mod inner {{ pub struct Deep; }} pub struct Item; }}"
        );
        let krate = Crate::of_text(&text);
        krate.imports()["a"].iter().map(|file| (*file).to_owned()).collect()
    }

    #[test]
    fn every_form_of_import_is_seen() {
        for code in [
            "use crate::b::Item;",
            "use crate::{b::Item};",
            "use crate::b::{self, Item};",
            "use crate::b::{Item as Other};",
            "use super::b::Item;",
            "use crate::b; fn f() { b::Item; }",
            "use crate::{b as other}; fn f(_: other::Item) {}",
            "use crate::b::{self as other}; fn f(_: other::Item) {}",
            "use super::b::*;",
            "fn f() { crate::b::Item; }",
            "fn f() { use crate::b::Item; }",
            "fn f() { format!(\"{:?}\", crate::b::Item); }",
            "impl crate::b::Item {}",
            "type T = Vec<crate::b::Item>;",
        ] {
            assert_eq!(imports_of(code), ["b"], "{code}");
        }
    }

    #[test]
    fn a_name_counts_for_the_module_that_defines_it() {
        assert_eq!(imports_of("use crate::b::Deep;"), ["b::inner"]);
        assert_eq!(imports_of("use crate::b; fn f(_: b::Deep) {}"), ["b::inner"]);
    }

    #[test]
    fn other_crates_and_tests_are_ignored() {
        assert!(imports_of("use std::fmt; fn f(_: fmt::Error) {}").is_empty());
        assert!(imports_of("#[cfg(test)] use crate::b::Item;").is_empty());
        assert!(imports_of("#[cfg(test)] mod tests { use crate::b::Item; }").is_empty());
    }

    #[test]
    fn cycles_of_any_length_are_found() {
        let text = "mod a { use crate::b::B; } mod b { use crate::c::C; pub struct B; } \
                    mod c { pub struct C; fn f() { crate::a::f() } } mod d { use crate::a::f; }";
        let krate = Crate::of_text(text);
        let imports = krate.imports();
        assert_eq!(cycles(&imports), [BTreeSet::from(["a", "b", "c"])]);
    }
}
