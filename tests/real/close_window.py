"""Closes a window, like the button in its frame.

    python3 close_window.py TITLE

The window is the first on $DISPLAY whose title starts with TITLE, on a screen
without a window manager. It needs only Python's standard library and libX11.
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p

CLIENT_MESSAGE = 33


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
        ("padding", c_long * 24),  # An XEvent is longer.
    ]


x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = c_void_p
x11.XDefaultRootWindow.restype = x11.XInternAtom.restype = c_ulong
x11.XDefaultRootWindow.argtypes = x11.XCloseDisplay.argtypes = [c_void_p]
x11.XInternAtom.argtypes = [c_void_p, c_char_p, c_int]
x11.XFetchName.argtypes = [c_void_p, c_ulong, POINTER(c_char_p)]
x11.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, c_long, c_void_p]
x11.XQueryTree.argtypes = [
    c_void_p, c_ulong, POINTER(c_ulong), POINTER(c_ulong), POINTER(POINTER(c_ulong)), POINTER(c_uint)
]  # fmt: skip


def windows(display):
    root, parent, count = c_ulong(), c_ulong(), c_uint()
    children = POINTER(c_ulong)()
    at = x11.XDefaultRootWindow(display)
    x11.XQueryTree(display, at, byref(root), byref(parent), byref(children), byref(count))
    return children[: count.value]


def title(display, window):
    name = c_char_p()
    x11.XFetchName(display, window, byref(name))
    return (name.value or b"").decode("utf-8", "replace")


display = x11.XOpenDisplay(None)
if not display:
    sys.exit("no display")
found = [window for window in windows(display) if title(display, window).startswith(sys.argv[1])]
if not found:
    sys.exit(f"no window with the title {sys.argv[1]}")
message = ClientMessage(CLIENT_MESSAGE, window=found[0], format=32)
message.message_type = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
message.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x11.XSendEvent(display, found[0], 0, 0, byref(message))
x11.XCloseDisplay(display)
