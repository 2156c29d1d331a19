//! Objects: lists, bytes and deletion.

use super::Client;
use super::pages::{Page, Pages};
use crate::call::Exchange;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{
    self, Call, Done, GetObject, ListObjects, ObjectInfo, ObjectList, ObjectSummary, Reply,
};
use crate::request::Request;
use crate::transport::Sink;
use std::io::Write;

impl Client {
    /// Returns one page of objects (ListObjectsV2).
    pub fn list_objects(&self, query: &ListObjects) -> Result<ObjectList> {
        self.run(operation::list_objects(query)?)
    }

    /// Iterates over all objects whose keys start with `prefix` and come after
    /// `start_after`, in byte order, fetching pages as needed. Ends after an error.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// let mut bytes = 0;
    /// for object in client.objects("main-stage/", "") {
    ///     bytes += object?.size;
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    pub fn objects(&self, prefix: impl Into<String>, start_after: impl Into<String>) -> Objects {
        let (client, prefix, start_after) = (self.clone(), prefix.into(), start_after.into());
        Objects(Pages::new(move |token| {
            let query = ListObjects::new().prefix(&prefix).max_keys(1000);
            let list = client.list_objects(&match token {
                "" => query.start_after(&start_after),
                token => query.continuation_token(token),
            })?;
            Ok(Page { items: list.objects, next: list.next_token.filter(|_| list.is_truncated) })
        }))
    }

    /// Writes the bytes of an object to `to` as they arrive (GetObject), and returns
    /// its metadata. Memory use does not depend on the object's size.
    ///
    /// If the connection breaks, the transfer resumes where it stopped, unless the
    /// object has changed. The client's [`timeout`](crate::ClientBuilder::timeout)
    /// limits how long the transfer may go without receiving a byte, not counting the
    /// time between two attempts.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::GetObject;
    ///
    /// let mut playlist = Vec::new();
    /// client.get_object(&GetObject::new("main-stage/playlist.m3u8"), &mut playlist)?;
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `NoSuchKey`; status 412 if the object does not have, or no longer has, the
    /// expected entity tag; [`ErrorKind::File`] if `to` fails.
    pub fn get_object(&self, query: &GetObject, to: &mut dyn Write) -> Result<ObjectInfo> {
        let mut transfer = Transfer::new(query, to)?;
        let policy = self.policy();
        self.engine.exchange(&mut transfer, &policy)?;
        let info =
            transfer.body.info.ok_or_else(|| Error::bad_reply("the response was not read"))?;
        let elapsed = policy.started.elapsed();
        let res = operation::ResponseInfo { elapsed, ..info.res };
        Ok(ObjectInfo { res, ..info })
    }

    /// Permanently deletes up to 1,000 objects (DeleteMultipleObjects). Objects that do
    /// not exist count as deleted.
    pub fn delete_objects(&self, keys: &[impl AsRef<str>]) -> Result<Done> {
        self.run(operation::delete_objects(keys)?)
    }
}

/// An iterator over objects, returned by [`Client::objects`].
#[derive(Debug)]
pub struct Objects(Pages<ObjectSummary>);

impl Iterator for Objects {
    type Item = Result<ObjectSummary>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl std::iter::FusedIterator for Objects {}

/// The transfer of an object, which may take several requests.
struct Transfer<'a> {
    query: GetObject,
    /// The request for what is still missing.
    call: Call<ObjectInfo>,
    body: Body<'a>,
}

impl<'a> Transfer<'a> {
    fn new(query: &GetObject, to: &'a mut dyn Write) -> Result<Self> {
        let call = operation::get_object(query)?;
        let body = Body { call: call.clone(), to, info: None, received: 0, has_advanced: false };
        Ok(Transfer { query: query.clone(), call, body })
    }
}

impl Exchange for Transfer<'_> {
    fn parts(&mut self) -> (&Request, Option<&mut dyn Sink>) {
        self.body.has_advanced = false;
        (self.call.request(), Some(&mut self.body))
    }

    fn has_advanced(&self) -> bool {
        self.body.has_advanced
    }

    fn resume(&mut self) -> Result<()> {
        let Some(info) = self.body.info.as_ref().filter(|_| self.body.received > 0) else {
            return Ok(());
        };
        let start = info.start + self.body.received;
        let rest = self.query.clone().range(start..info.start + info.length);
        // Without a tag, only the size shows whether it is still the same object.
        let rest = match &info.etag {
            Some(etag) => rest.if_match(etag),
            None => rest,
        };
        self.call = operation::get_object(&rest)?;
        self.body.call = self.call.clone();
        Ok(())
    }

    fn read(&mut self, reply: &Reply) -> Result<()> {
        let Some(info) = &mut self.body.info else { return reply.check() };
        info.res = reply.info();
        if self.body.received == info.length {
            return Ok(());
        }
        let (received, length) = (self.body.received, info.length);
        let message = format!("the response is truncated: {received} of {length} bytes");
        Err(Error::new(ErrorKind::Connection, message))
    }
}

/// The part of an object received so far.
struct Body<'a> {
    call: Call<ObjectInfo>,
    to: &'a mut dyn Write,
    /// The metadata in the first response.
    info: Option<ObjectInfo>,
    received: u64,
    /// Whether the latest attempt received any of it.
    has_advanced: bool,
}

impl Sink for Body<'_> {
    fn begin(&mut self, head: &Reply) -> Result<()> {
        let found = self.call.parse(head)?;
        match &self.info {
            Some(first) if first.size != found.size && self.received > 0 => {
                let message = "the object changed while it was transferred";
                Err(Error::bad_reply(message))
            }
            Some(_) if self.received > 0 => Ok(()),
            _ => {
                self.info = Some(found);
                Ok(())
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(|error| {
            Error::new(ErrorKind::File, format!("could not write the object: {error}"))
                .with_source(error)
        })?;
        self.received += bytes.len() as u64;
        self.has_advanced = true;
        Ok(())
    }
}
