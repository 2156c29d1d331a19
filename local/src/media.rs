//! Media: the formats of RTMP and HLS, and the recorder that converts one to the
//! other.

pub mod aac;
pub mod avc;
mod bits;
pub mod codec;
pub mod flv;
pub mod pacer;
pub mod playlist;
pub mod recorder;
pub mod ts;
