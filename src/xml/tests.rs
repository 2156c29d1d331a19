use super::*;
use time::macros::datetime;

fn text_of(document: &str) -> String {
    read(document.as_bytes(), |root| root.string()).unwrap()
}

fn error_of(document: &[u8]) -> String {
    read(document, |_| ()).unwrap_err().message().to_owned()
}

#[test]
fn strings_are_escaped() {
    let body = Writer::new().element("A", |x| x.text("B", "a<b>&c\r\n").text("C", ""));
    assert_eq!(
        body.finish(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><A><B>a&lt;b&gt;&amp;c&#13;\n</B><C></C></A>"
    );
}

#[test]
fn text_is_the_same_as_cdata_as_references_and_around_comments() {
    for document in ["<A>a&amp;b</A>", "<A><![CDATA[a&b]]></A>", "<A>a<!-- -->&#38;<!-- -->b</A>"] {
        assert_eq!(text_of(document), "a&b", "{document}");
    }
}

#[test]
fn an_empty_element_has_an_empty_text() {
    assert_eq!(text_of("<A/>"), "");
    assert_eq!(text_of("<A></A>"), "");
}

#[test]
fn times_are_parsed_in_all_forms_of_iso_8601_that_servers_write() {
    for text in [
        "2026-11-22T08:16:38.000Z",
        "2026-11-22T08:16:38Z",
        "2026-11-22T08:16:38",
        "2026-11-22t08:16:38z",
        "2026-11-22 08:16:38Z",
        "2026-11-22 08:16:38",
        "2026-11-22T16:16:38+08:00",
        "2026-11-22T16:16:38+0800",
        "2026-11-22T16:16:38.000+08",
        "2026-11-22 03:46:38-0430",
    ] {
        let time = parse_time(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(time, datetime!(2026-11-22 08:16:38 UTC), "{text}");
        // Equal times may have different offsets; all languages expect UTC.
        assert!(time.offset().is_utc(), "{text}");
    }
}

#[test]
fn invalid_times_are_none() {
    for text in [
        "",
        "yesterday",
        "2026-11-22",
        "2026-11-22T",
        "2026-11-22T08:16",
        "2026-11-22T25:16:38Z",
        "2026-13-22T08:16:38Z",
        "2026-11-22T08:16:38+",
        // In UTC, the years -1 and 10000.
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-22T08:16:38+8\u{65e5}",
        "2026-11-2\u{65e5}T08:16:38Z",
        "1795335398",
        "2026-11-22\\08:16:38Z",
        "2026-11-22_08:16:38.000Z",
        &"2026-11-22T08:16:38Z".repeat(1000),
    ] {
        assert_eq!(parse_time(text), None, "{text}");
    }
}

#[test]
fn invalid_documents_are_errors_with_a_reason() {
    for (body, word) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (b"<A>\xff</A>", "UTF-8"),
        (b"<A>", "unexpected end of input"),
        (b"<A>text", "unexpected end of input"),
        (b"<html><br></html>", "XML"),
        (b"<A></B>", "expected 'A' tag, not 'B'"),
        (b"<?xml?><A/>", "declaration"),
        (b"</A>", "match"),
        (b"<A/><B/>", "after the root"),
        (b"<A/>b", "outside"),
        (b"a", "outside"),
        (b"<!-- -->", "no root element"),
        (b"<A><?xml version='1.0'?></A>", "declaration"),
        (b"<A><!-- a -- b --></A>", "comment"),
        (b"<A>]]></A>", "]]>"),
        (b"<A b></A>", "expected '='"),
        (b"<A b=c></A>", "expected a quote"),
        (b"<A b='<'/>", "not '<'"),
        (b"<A b='1'c='2'/>", "expected a whitespace"),
        (b"<A b='1' b='2'/>", "attribute 'b' is already defined"),
        (b"<A b='&x;'/>", "entity reference 'x'"),
        (b"<A b='&#xFFFF;'/>", "&#xFFFF;"),
        (b"<A>&#xD800;</A>", "&#xD800;"),
        (b"<A>&#x110000;</A>", "&#x110000;"),
        (b"<A>&#x1;</A>", "&#x1;"),
        (b"<A>&#xg;</A>", "&#xg;"),
        (b"<A>\xef\xbf\xbf</A>", "non-XML character"),
        (b"<A><![CDATA[\x02]]></A>", "non-XML character"),
        (b"<A><!-- \x02 --></A>", "U+0002"),
        (b"<A b='>", "attribute"),
        (b"<A", "tag"),
        (b"<1/>", "name"),
        (b"<A>&nbsp;</A>", "entity reference 'nbsp'"),
        (b"<A>&amp</A>", "reference"),
        (b"<A>&#0;</A>", "&#0;"),
        (b"<A>&#+65;</A>", "&#+65;"),
        (b"<A>\x01</A>", "non-XML character"),
        (b"<A><!-- </A>", "comment"),
        (b"<A><![CDATA[ </A>", "CDATA"),
        (b"<!DOCTYPE A [<!ENTITY e 'x'>]><A>&e;</A>", "document type declaration"),
    ] {
        let error = error_of(body);
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn parts_that_are_not_needed_are_skipped() {
    let document = "\u{feff}<?xml version='1.0'?>\n<!-- <B> --><?go ?>\r\n\
        <n:A xmlns:n='urn' x='>' y=\"/>\"><n:B/> <C z = '1' >c</C > </n:A>\n<!-- -->";
    let source = Source::check(document.as_bytes()).unwrap();
    let document = Document::parse(&source).unwrap();
    assert_eq!(document.root().name(), "A");
    let children: Vec<_> = document.root().children().map(|c| (c.name(), c.text())).collect();
    assert_eq!(children, [("B", ""), ("C", "c")]);
}

#[test]
fn line_endings_become_line_feeds_and_numeric_references_are_kept() {
    assert_eq!(text_of("<A>a\r\nb\rc&#13;d&#x20;e<![CDATA[\r\n]]>f</A>"), "a\nb\nc\rd e\nf");
}

/// Returns documents that differ from valid ones in a few places.
fn mangled(seeds: &[&str], count: usize) -> Vec<String> {
    const BITS: &[&str] = &[
        "<",
        ">",
        "/",
        "&",
        ";",
        "&amp;",
        "&#9;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?p ?>",
        " ",
        "\r",
        "\n",
        "\"",
        "'",
        "=",
        "x",
        "\u{1}",
        "é",
        "<A>",
        "</A>",
        "<B/>",
        "=",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut mangle = |_| {
        let mut text: Vec<char> = seeds[random(seeds.len())].chars().collect();
        for _ in 0..=random(3) {
            let from = random(text.len() + 1);
            let to = (from + random(4)).min(text.len());
            let bit = if random(3) == 0 { "" } else { BITS[random(BITS.len())] };
            text.splice(from..to, bit.chars());
        }
        text.into_iter().collect()
    };
    (0..count).map(&mut mangle).collect()
}

/// Returns an element as one string, without the white space around its texts.
fn outline(node: roxmltree::Node<'_, '_>) -> String {
    let texts = node.children().filter(roxmltree::Node::is_text).filter_map(|node| node.text());
    let text: String = texts.filter(|text| !text.trim().is_empty()).collect();
    let children: String = node.children().filter(|node| node.is_element()).map(outline).collect();
    format!("{}({:?}{children})", node.tag_name().name(), text.trim())
}

#[test]
fn a_document_is_accepted_and_parsed_as_by_the_parser_alone() {
    let seeds = [
        "\n<A><B x=\"1\">b&lt;</B>\r\n<!-- c --><C y='&#65;'/></A>\n<?p i?>",
        "<A>a<![CDATA[<b>]]>c<B>é</B>d&#38;e</A>",
        "<Stat><Status>Live</Status><Video><Width>1280</Width></Video></Stat>",
    ];
    let mut both = 0;
    for document in mangled(&seeds, 20_000) {
        let document = format!("<?xml version=\"1.0\"?>{document}");
        let parsed = Source::check(document.as_bytes())
            .and_then(|source| Document::parse(&source).map(|d| outline(d.0.root_element())));
        match (roxmltree::Document::parse(&document), parsed) {
            (Ok(tree), Ok(parsed)) => {
                assert_eq!(parsed, outline(tree.root_element()), "{document:?}");
                both += 1;
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => panic!("{error}: {document:?}"),
            (Err(error), Ok(_)) => panic!("accepted, but {error}: {document:?}"),
        }
    }
    assert!(both > 1000, "only {both} documents were well-formed");
}

#[test]
fn white_space_is_part_of_text() {
    for text in ["cam ", " cam", " ", "\n\tcam\n", "a  b"] {
        assert_eq!(text_of(&format!("<A>{text}</A>")), text);
        assert_eq!(text_of(&format!("<A><!-- -->{text}</A>")), text);
        assert_eq!(text_of(&format!("<A>{text}<!-- --></A>")), text);
    }
    read(b"<A>\n  <B> b </B>\n  <C> </C>\n</A>", |root| {
        let texts: Vec<_> = root.children().map(|child| child.text()).collect();
        assert_eq!((root.text(), texts), ("", vec![" b ", " "]));
    })
    .unwrap();
    assert_eq!(read(b"<A> 5\n</A>", |root| root.number_or_zero::<u32>()).unwrap(), 5);
}

#[test]
fn a_document_that_exceeds_a_limit_is_rejected_and_the_limit_named() {
    let nested = |depth: usize| format!("{}{}", "<A>".repeat(depth), "</A>".repeat(depth));
    let flat = |count: usize| format!("<R>{}</R>", "<A/>".repeat(count - 1));
    let attributes = |count: usize| {
        let attributes: String = (0..count).map(|at| format!(" a{at}='u'")).collect();
        format!("<R><A{attributes}/></R>")
    };
    let namespaces = |count: usize| {
        let elements: String = (0..count).map(|at| format!("<A xmlns:a{at}='u{at}'>")).collect();
        format!("<R>{elements}{}</R>", "</A>".repeat(count))
    };
    let equals_signs = |count: usize| format!("<R><A>{}</A></R>", "=".repeat(count));
    for (largest, too_large, words) in [
        (nested(64), nested(65), "more than 64 nested elements"),
        (flat(100_000), flat(100_001), "more than 100000 elements"),
        (attributes(32), attributes(33), "more than 32 attributes of one element"),
        (namespaces(16), namespaces(17), "more than 16 namespaces"),
        (equals_signs(200_000), equals_signs(200_001), "more than 200000 equals signs"),
    ] {
        assert!(read(largest.as_bytes(), |_| ()).is_ok(), "{words}");
        let error = error_of(too_large.as_bytes());
        assert!(error.starts_with(&format!("invalid XML: {words} (")), "{error}");
    }
}

#[test]
fn a_problem_is_located_by_element_line_and_column() {
    let channel = "<LiveChannel><Name>cam</Name></LiveChannel>\n";
    let bad = "<LiveChannel><Description/><Name>c&#x1;am</Name></LiveChannel>";
    let document = format!("<List>\n{}{bad}</List>", channel.repeat(2));
    assert_eq!(
        error_of(document.as_bytes()),
        "invalid XML: &#x1; is not an XML character \
         (in List/LiveChannel[3]/Name, line 4, column 35)"
    );
}

#[test]
fn a_problem_that_the_parser_finds_is_located_in_the_whole_document() {
    let document = "<?xml version='1.0'?>\n<List>\n  <!-- \u{e9} -->\n  <\u{e9}/><B>\n</C></List>";
    assert_eq!(
        error_of(document.as_bytes()),
        "invalid XML: expected 'B' tag, not 'C' (in List/B, line 5, column 1)"
    );
    let document = "<List>\n  <\u{e9}/><B b='1' b='2'/></List>";
    assert_eq!(
        error_of(document.as_bytes()),
        "invalid XML: attribute 'b' is already defined (in List, line 2, column 16)"
    );
}

#[test]
fn markup_in_comments_and_attributes_does_not_mislead_about_the_position() {
    let document = "<List><!-- <A> --><B a='/>' b=\"it's</List>\">&#x1;</B></List>";
    assert_eq!(
        error_of(document.as_bytes()),
        "invalid XML: &#x1; is not an XML character (in List/B, line 1, column 45)"
    );
}

#[test]
fn a_document_that_exceeds_the_memory_is_rejected() {
    for length in [usize::MAX, usize::MAX / GROWTH, usize::MAX / 2 / GROWTH + 1] {
        let error = check_memory(length).unwrap_err();
        assert_eq!(
            error.message(),
            format!("not enough memory to read a document of {length} bytes")
        );
    }
    assert!(check_memory(LARGE).is_ok());
}

#[test]
fn an_invalid_number_is_zero_and_a_fraction_is_rounded() {
    for (text, number) in [
        ("29", 29),
        ("29.97", 30),
        ("29.4", 29),
        ("30.", 30),
        ("4294967295", u32::MAX),
        ("4294967296", 0),
        ("1e3", 0),
        ("-1", 0),
        ("NaN", 0),
        ("inf", 0),
        (".", 0),
        ("abc", 0),
        ("", 0),
    ] {
        let document = format!("<Width>{text}</Width>");
        let read = read(document.as_bytes(), |root| root.number_or_zero::<u32>());
        assert_eq!(read.unwrap(), number, "{text}");
    }
}

#[test]
fn an_invalid_time_is_an_error_that_names_its_element_and_text() {
    let error = read(b"<EndTime>abc</EndTime>", |root| root.time()).unwrap().unwrap_err();
    assert_eq!(error.message(), r#"EndTime "abc": must be a time"#);
}
