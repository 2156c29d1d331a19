//! ListObjectsV2: what is stored below a prefix.

use super::call::Call;
use super::reply::Reply;
use crate::error::Result;
use crate::request::{Method, Request};

/// One page of objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ObjectList {
    /// Keys, with sizes in bytes.
    pub(crate) objects: Vec<(String, u64)>,
    /// Whether there are more.
    pub(crate) is_truncated: bool,
}

/// ListObjectsV2: returns the first thousand objects whose keys start with a
/// prefix.
pub(crate) fn list_objects(prefix: &str) -> Call<ObjectList> {
    let request = Request::new(Method::Get, "")
        .param("list-type", "2")
        .param("prefix", prefix)
        .param("max-keys", "1000");
    Call::new(request, parse_list_objects)
}

fn parse_list_objects(_: &Request, reply: &Reply) -> Result<ObjectList> {
    reply.read("ListBucketResult", |root| {
        let mut list = ObjectList::default();
        for child in root.children() {
            match child.name() {
                "Contents" => {
                    let mut object = (String::new(), 0);
                    for child in child.children() {
                        match child.name() {
                            "Key" => object.0 = child.string(),
                            "Size" => object.1 = child.number_or_zero(),
                            _ => {}
                        }
                    }
                    list.objects.push(object);
                }
                "IsTruncated" => list.is_truncated = child.boolean()?,
                _ => {}
            }
        }
        Ok(list)
    })
}

#[cfg(test)]
mod tests {
    use super::super::reply::samples::{ok, query};
    use super::*;

    #[test]
    fn a_page_has_keys_and_sizes() {
        let call = list_objects("c/");
        let expected =
            [("list-type", Some("2")), ("prefix", Some("c/")), ("max-keys", Some("1000"))];
        assert_eq!(query(call.request()), expected);
        let body = "<ListBucketResult><IsTruncated>true</IsTruncated>\
                    <Contents><Key>c/1.ts</Key><Size>7</Size></Contents></ListBucketResult>";
        let list = call.parse(&ok(body)).unwrap();
        assert_eq!(list.objects, [("c/1.ts".to_owned(), 7)]);
        assert!(list.is_truncated);
    }
}
