"""Creates a channel, prints the publish URL, waits for a stream, and prints the
status. It only needs Python's standard library.

    python3 ctypes_quickstart.py [CHANNEL]

Region, endpoint, bucket and access key come from OSS_REGION, OSS_ENDPOINT,
OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET; the library from
OSSLIVE_LIBRARY or the system's library path.
"""

import ctypes
import json
import os
import sys
from ctypes import byref, c_char_p, c_size_t, c_uint32, c_void_p

lib = ctypes.CDLL(os.environ.get("OSSLIVE_LIBRARY", "libosslive.so.1"))
lib.osslive_config_new.restype = c_void_p
lib.osslive_error_message.restype = c_char_p
lib.osslive_error_message.argtypes = [c_void_p]
for name in ("osslive_string_free", "osslive_error_free", "osslive_config_free",
             "osslive_client_free", "osslive_channel_config_free"):
    getattr(lib, name).argtypes = [c_void_p]
    getattr(lib, name).restype = None


def call(name, types, *arguments):
    """Calls a function; raises an exception if it fails."""
    error = c_void_p()
    function = getattr(lib, name)
    function.argtypes = [*types, c_void_p]
    if function(*arguments, byref(error)) != 0:
        message = lib.osslive_error_message(error).decode()
        lib.osslive_error_free(error)
        raise RuntimeError(message)


def text(name, types, *arguments):
    """Calls a function that outputs a string."""
    out = c_void_p()
    call(name, [*types, c_void_p], *arguments, byref(out))
    found = ctypes.string_at(out).decode()
    lib.osslive_string_free(out)
    return found


channel = (sys.argv[1] if len(sys.argv) > 1 else "quickstart").encode()
config, client, channel_config = c_void_p(lib.osslive_config_new()), c_void_p(), c_void_p()
call("osslive_config_load_env", [c_void_p], config)
call("osslive_client_new", [c_void_p] * 2, config, byref(client))
call("osslive_channel_config_new", [c_char_p, c_void_p], b"Quickstart", byref(channel_config))

text("osslive_put_channel", [c_void_p, c_char_p, c_void_p], client, channel, channel_config)
url = text("osslive_get_rtmp_url", [c_void_p, c_char_p, c_uint32, c_void_p, c_size_t],
           client, channel, 1800, None, 0)
print("publish to", url, flush=True)

two_minutes_ms = 120_000
status = text("osslive_wait_until_live", [c_void_p, c_char_p, c_uint32], client, channel,
              two_minutes_ms)
print(json.loads(status))

lib.osslive_channel_config_free(channel_config)
lib.osslive_client_free(client)
lib.osslive_config_free(config)
