//! Media: what RTMP carries, what HLS is made of, and the recorder that turns
//! the one into the other.

pub mod aac;
pub mod avc;
mod bits;
pub mod codec;
pub mod flv;
pub mod pacer;
pub mod playlist;
pub mod recorder;
pub mod ts;
