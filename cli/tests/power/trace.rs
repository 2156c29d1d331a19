//! A process's file system calls, as strace logs them.

use std::collections::HashMap;

/// A system call that succeeded.
#[derive(Debug)]
pub struct Call {
    /// When it began, in microseconds since 1970.
    pub at: u64,
    pub name: String,
    pub arguments: Vec<String>,
    /// Its result.
    pub result: u64,
}

/// The calls that strace logs.
pub const CALLS: &str = "open,openat,creat,close,fcntl,dup,write,writev,pwrite64,lseek,ftruncate,\
                         rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,\
                         fdatasync,fchmod,utimensat,copy_file_range,sendfile,fallocate,link,linkat,\
                         symlink,symlinkat,truncate,pwritev,pwritev2,sync_file_range,chmod,fchmodat";

/// Reads the lines of `strace -f -ttt -xx`, in the order in which the calls ended,
/// or began if they close a file.
pub fn read(text: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, (u64, String)> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let Some((at, rest)) = rest.trim_start().split_once(' ') else { continue };
        let at = microseconds(at);
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            if begun.starts_with("close(") {
                // The descriptor is free from here on: another thread may get it
                // before the end of this call is logged.
                calls.extend(call(at, &format!("{begun}) = 0")));
                continue;
            }
            unfinished.insert(process, (at, begun.to_owned()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").expect("the end of a call");
            let Some((at, begun)) = unfinished.remove(process) else { continue };
            calls.extend(call(at, &format!("{begun}{end}")));
        } else {
            calls.extend(call(at, rest));
        }
    }
    calls
}

fn microseconds(text: &str) -> u64 {
    let (seconds, fraction) = text.split_once('.').expect("a time");
    assert_eq!(fraction.len(), 6, "{text}");
    seconds.parse::<u64>().expect("seconds") * 1_000_000 + fraction.parse::<u64>().expect("µs")
}

/// Parses `name(arguments) = result`; `None` for a failed call or another line.
fn call(at: u64, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ").or_else(|| {
        // strace aligns results.
        let (arguments, result) = rest.rsplit_once(" = ")?;
        Some((arguments.trim_end().strip_suffix(')')?, result))
    })?;
    let result = result.split(' ').next()?.parse().ok()?;
    Some(Call { at, name: name.to_owned(), arguments: split(arguments.trim_end()), result })
}

/// Splits at the commas outside brackets.
fn split(arguments: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in arguments.chars() {
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("a part").push(c);
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// Parses a string, which `-xx` prints in hexadecimal.
pub fn bytes(argument: &str) -> Vec<u8> {
    let inner = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.unwrap_or_else(|| panic!("an incomplete string: {argument:.80}"));
    let digits = inner.split("\\x").skip(1);
    digits.map(|byte| u8::from_str_radix(byte, 16).expect("a byte")).collect()
}

/// Returns the strings of an array of buffers.
pub fn buffers(argument: &str) -> Vec<u8> {
    argument
        .split("iov_base=")
        .skip(1)
        .flat_map(|rest| bytes(rest.split(", iov_len").next().expect("a buffer")))
        .collect()
}

#[test]
fn calls_are_read_in_the_order_in_which_they_ended() {
    let calls = read(
        "7 1795336000.000001 openat(AT_FDCWD, \"\\x2f\\x61\", O_WRONLY|O_CREAT, 0600) = 3\n\
         7 1795336000.000002 write(3, \"\\x68\\x69\", 2 <unfinished ...>\n\
         8 1795336000.000003 unlink(\"\\x2f\\x62\") = -1 ENOENT (No such file or directory)\n\
         8 1795336000.000004 fsync(4)              = 0\n\
         7 1795336000.000005 <... write resumed>) = 2\n\
         7 1795336000.000007 close(3 <unfinished ...>\n\
         8 1795336000.000008 close(4) = 0\n\
         7 1795336000.000009 <... close resumed>) = 0\n\
         7 1795336000.000006 +++ exited with 0 +++\n",
    );
    let names: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.at % 10)).collect();
    assert_eq!(names, [("openat", 1), ("fsync", 4), ("write", 2), ("close", 7), ("close", 8)]);
    assert_eq!(bytes(&calls[0].arguments[1]), b"/a");
    assert_eq!(bytes(&calls[2].arguments[1]), b"hi");
    let vector = r#"[{iov_base="\x61", iov_len=1}, {iov_base="\x62\x63", iov_len=2}]"#;
    assert_eq!(buffers(vector), b"abc");
}
