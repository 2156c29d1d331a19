//! Parses the most expensive XML that a peer can send, once, to count instructions:
//!
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null hostile_xml KIND KIB
//!
//! Without arguments it times each kind at 64 KiB, 512 KiB and 4 MiB.

use osslive::xml::{limits, read};
use std::hint::black_box;
use std::time::Instant;

/// The kinds of documents: name, start, repeated part and end. `%` in the
/// repeated part becomes an increasing number.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("siblings", "<R>", "<a/>", "</R>"),
    ("indented siblings", "<R>", "<a/>\n", "</R>"),
    ("text", "<R>", "some text, ", "</R>"),
    ("references", "<R>", "&#x41;", "</R>"),
    ("carriage returns", "<R>", "\r", "</R>"),
    ("ideographs", "<R>", "\u{ff0c}", "</R>"),
    ("pieces of text", "<R>", "a<!---->", "</R>"),
    ("CDATA", "<R>", "<![CDATA[]]]]>", "</R>"),
    ("instructions", "<R>", "<?p?>", "</R>"),
    ("one comment", "<R><!--", "x- ", "--></R>"),
    ("one instruction", "<R><?p ", "? >", "?></R>"),
    ("one name", "<", "n", "/>"),
    ("one attribute", "<R a='", "&amp;", "'/>"),
    ("attributes", "<R>", ATTRIBUTES, "</R>"),
    ("long attribute names", "<R>", "", "</R>"),
    ("flat declarations", "<R>", "<a xmlns:b='u%' xmlns:c='v%'/>", "</R>"),
    ("nested declarations", "", "<a xmlns:b%='u'>", ""),
    ("nested", "", "<a>", ""),
    ("up and down", "", "", ""),
];

const ATTRIBUTES: &str = "<e a0='' a1='' a2='' a3='' a4='' a5='' a6='' a7='' a8='' a9='' aa='' ab='' \
     ac='' ad='' ae='' af='' b0='' b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' ba='' bb='' \
     bc='' bd='' be='' bf=''/>";

fn document(kind: &str, length: usize) -> String {
    let (_, before, part, after) =
        KINDS.iter().find(|(name, ..)| *name == kind).expect("a kind of document");
    let part = match kind {
        "up and down" => {
            let depth = limits::DEPTH;
            return format!("<R>{}</R>", ladder(depth - 1).repeat(length / (7 * depth)));
        }
        "long attribute names" => {
            let name = "n".repeat(length / 40);
            let each = (0..limits::ATTRIBUTES).map(|at| format!(" {name}{at}=''"));
            format!("<e{}/>", each.collect::<String>())
        }
        _ => (*part).to_owned(),
    };
    let count = length.saturating_sub(before.len() + after.len()) / part.len().max(1);
    let filled = if part.contains('%') {
        (0..count).map(|number| part.replace('%', &number.to_string())).collect()
    } else {
        part.repeat(count)
    };
    format!("{before}{filled}{after}")
}

fn ladder(depth: usize) -> String {
    format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))
}

/// Parses a document and describes the result.
fn outcome(document: &str) -> String {
    match black_box(read(document.as_bytes(), |root| root.name().len())) {
        Ok(_) => "parsed".to_owned(),
        Err(error) => error.message().chars().take(60).collect(),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, kib] = &arguments[..] {
        let document = document(kind, kib.parse::<usize>().expect("a number of KiB") << 10);
        println!("{}", if kib == "0" { String::new() } else { outcome(&document) });
        return;
    }
    for (kind, ..) in KINDS {
        for kib in [64, 512, 4096] {
            let document = document(kind, kib << 10);
            let started = Instant::now();
            let outcome = outcome(&document);
            println!("{kind}, {kib} KiB: {:.1?}, {outcome}", started.elapsed());
        }
    }
}
